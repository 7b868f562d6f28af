"""What the pages are shown: rows of the record as JSON. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from gateways.html import text_of
from knowledge.wording import Wording
from schemas.findings import Classification
from schemas.vocabulary import Category, Intent, Labelled, Language, Priority
from storage.tables import Conversation, Customer, Message, Outgoing, Recorded

Json = dict[str, Any]


def conversation_row(
    conversation: Conversation,
    customer: Customer,
    preview: str | None,
    count: int,
    wording: Wording,
) -> Json:
    """Return a line of the list."""
    return {
        "id": conversation.conversation_id,
        "customer": _customer(customer),
        "channel": conversation.channel,
        "subject": conversation.subject,
        "preview": (preview or "").strip(),
        "last_at": _time(conversation.created_at if count < 2 else conversation.last_at),  # noqa: PLR2004
        "state": conversation.state,
        "reason": conversation.reason,
        "reason_label": _reason(conversation.reason, wording),
        "messages": count,
        "trial": conversation.trial,
    }


def conversation_page(
    conversation: Conversation,
    customer: Customer,
    messages: Sequence[Message],
    replies: Sequence[Outgoing],
    events: Sequence[Recorded],
    wording: Wording,
) -> Json:
    """Return one conversation: what came in, what was found, what left."""
    found = _found(events)
    entries: list[tuple[datetime, int, Json]] = [
        (message.stored_at, 0, _incoming(message, found.get(message.message_id, {})))
        for message in messages
    ]
    entries += [(reply.created_at, 1, _outgoing(reply, wording)) for reply in replies]
    return {
        "id": conversation.conversation_id,
        "customer": _customer(customer),
        "channel": conversation.channel,
        "state": conversation.state,
        "reason": conversation.reason,
        "reason_label": _reason(conversation.reason, wording),
        "messages": [entry for _, _, entry in sorted(entries, key=lambda e: e[:2])],
    }


def trace_page(steps: Sequence[Recorded]) -> Json:
    """Return the road of a message, step by step."""
    if not steps:
        return {
            "trace_id": "",
            "conversation_id": "",
            "state": "on_the_road",
            "steps": [],
            "total_ms": 0,
        }
    start = steps[0].occurred_at
    return {
        "trace_id": steps[0].trace_id,
        "conversation_id": next(
            (s.conversation_id for s in reversed(steps) if s.conversation_id), ""
        ),
        "state": _road_state(steps),
        "steps": [
            {
                "stage": step.stage,
                "topic": step.topic,
                "place": step.partition_offset,
                "event_id": step.event_id,
                "at": _time(step.occurred_at),
                "since_ms": round((step.occurred_at - start).total_seconds() * 1000, 1),
                "took_ms": step.took_ms,
                "why": step.why,
                "event": _event(step),
            }
            for step in steps
        ],
        "total_ms": round((steps[-1].occurred_at - start).total_seconds() * 1000, 1),
    }


def _road_state(steps: Sequence[Recorded]) -> str:
    if any(step.topic.startswith("dead.") for step in steps):
        return "failed"
    sent = next((step for step in steps if step.topic == "printer.sent"), None)
    if sent is None:
        return "on_the_road"
    action = _event(sent).get("action", "")
    return {"reply": "answered", "handoff": "handed_over", "ignore": "ignored"}.get(
        action, "failed"
    )


def _event(step: Recorded) -> Json:
    try:
        body = json.loads(step.body)
        # Infinity, half of an emoji: what Python reads and cannot show is shown as it came.
        json.dumps(body, allow_nan=False, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return {"raw": step.body[:4_000]}
    return body if isinstance(body, dict) else {"raw": step.body[:4_000]}


def _found(events: Sequence[Recorded]) -> dict[str, Json]:
    """Return, for each message, the richest event that was recorded of it."""
    found: dict[str, Json] = {}
    for event in events:
        body = _event(event)
        message = body.get("message")
        name = message.get("message_id") if isinstance(message, dict) else None
        if isinstance(name, str):
            found[name] = found.get(name, {}) | body
    return found


def _incoming(message: Message, found: Json) -> Json:
    return {
        "id": message.message_id,
        "direction": "in",
        "text": message.text,
        "whole": _whole(message),
        "subject": message.subject,
        "at": _time(message.received_at),
        "trace_id": message.message_id.replace("-", ""),
        "state": message.outcome or "on_the_road",
        "classification": _classification(found.get("classification")),
        "findings": found.get("findings", []),
        "passages": found.get("passages", []),
    }


def _whole(message: Message) -> str | None:
    """Return all that came, quotations and signature too; nothing where that is what is shown."""
    received = message.received_text.strip() or text_of(message.received_html)
    same = "".join(received.split()) in {"", "".join(message.text.split())}
    return None if same else received


def _outgoing(reply: Outgoing, wording: Wording) -> Json:
    return {
        "id": reply.reply_id,
        "direction": "out",
        "text": reply.text,
        "subject": reply.subject,
        "at": _time(reply.sent_at or reply.created_at),
        "trace_id": reply.message_id.replace("-", ""),
        "action": reply.action,
        "reason": reply.reason,
        "reason_label": _reason(reply.reason, wording),
        "how": reply.how,
        "status": reply.status,
        "segments": reply.segments,
        "sources": reply.sources,
    }


_ENUMS: dict[str, type[Labelled]] = {"category": Category, "intent": Intent, "priority": Priority}


def _classification(found: Any) -> Json | None:
    try:
        Classification.model_validate(found)
    except ValidationError:  # none yet, or one of a stranger
        return None
    shown: Json = {}
    for name, kind in _ENUMS.items():
        member = kind(found[name])
        shown[name] = {
            "value": member.value,
            "label": {"fr": member.fr, "en": member.en},
            "confidence": found[f"{name}_confidence"],
        }
    names = {"fr": {"fr": "français", "en": "French"}, "en": {"fr": "anglais", "en": "English"}}
    shown["language"] = {
        "value": found["language"],
        "label": names[found["language"]],
        "confidence": found["language_confidence"],
    }
    return shown


def _customer(customer: Customer) -> Json:
    address = customer.address.partition(":")[2]
    return {"name": customer.name or address, "address": address if customer.name else ""}


def _reason(code: str, wording: Wording) -> Json:
    return {language.value: wording.reason(code, language) if code else "" for language in Language}


def _time(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
