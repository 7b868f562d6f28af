"""From a record, whatever it holds, to the rows that keep it. Never raises: all is kept."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid5

from schemas.event import ASTREINTE
from schemas.printer import (
    MessageClassified,
    MessageExtracted,
    MessageGrounded,
    ReplyDrafted,
    ReplySent,
)
from schemas.topics import FEEDBACK, FRIGO, PRINTER, REPORTS, STAGES
from services import wire
from services.lanes import Record

Row = dict[str, Any]

TASKS = ("category", "intent", "priority", "language")


@dataclass(frozen=True)
class Step:
    """One event of a road, as a row; what was found with it; what it means for the road.

    `found` holds rows by the name of their table. `classified` is what the conversation learns.
    """

    row: Row
    message_id: str = ""
    finished: bool = False
    dead: Row | None = None
    replay_of: str = ""
    found: dict[str, list[Row]] = field(default_factory=dict)
    classified: Row | None = None


def read_step(record: Record) -> Step:
    """Turn any record into a step; what cannot be read is kept as it is."""
    headers = wire.read_headers(record)
    body = _body(record)
    message_id = _text(body, "message_id") or _text(body.get("message"), "message_id")
    if not message_id:
        message_id = _text(body, "event_id")  # an inbound message is its own road
    place = f"{record.partition}/{record.offset}"
    at = _moment(record.timestamp)
    row = {
        "event_id": (_text(body, "event_id") or f"{record.topic}/{place}")[:80],
        "trace_id": (_text(body, "trace_id") or headers.get("traceparent", "")[3:35])[:32],
        "conversation_id": _conversation(body)[:40],
        "stage": (headers.get("dead_stage") or _stage(record.topic))[:20],
        "topic": record.topic,
        "partition_offset": place,
        "occurred_at": at,
        "took_ms": _number(headers.get("ce_tookms", "")),
        "why": (headers.get("dead_reason") or _text(body, "why"))[:1000],
        "body": (record.value or b"").decode("utf-8", "backslashreplace"),
    }
    if record.topic.startswith("dead."):
        dead = _dead_letter(record, headers, row, message_id[:36])
        row["event_id"] = dead["dead_id"]
        return Step(row, message_id, dead=dead, replay_of=headers.get("dead_replay", "")[:36])
    return Step(
        row,
        message_id,
        finished=record.topic == ReplySent.topic,
        found=_found(record.topic, body, row, message_id),
        classified=_learned(record.topic, body, row["conversation_id"], message_id),
    )


def _dead_letter(record: Record, headers: wire.Headers, row: Row, message_id: str) -> Row:
    """Return the row of a dead letter; its identity is where the record lay that died."""
    lay = f"{headers.get('dead_topic', '')}/{headers.get('dead_partition', '')}"
    place = f"{lay}/{headers.get('dead_offset', '')}"
    identity = f"dead {row['stage']} {place} {headers.get('dead_written', '')}"
    if not headers.get("dead_offset"):  # not one of ours: where it lies itself
        identity = f"dead {record.topic}/{row['partition_offset']} {record.timestamp}"
    return {
        "dead_id": str(uuid5(ASTREINTE, identity)),
        "stage": row["stage"],
        "error": headers.get("dead_error", "")[:80],
        "reason": headers.get("dead_reason", "")[:1000],
        "topic": headers.get("dead_topic", "")[:64],
        "place": place.partition("/")[2][:40],
        "record_key": record.key,
        "headers": headers,
        "body": record.value or b"",
        "cut_bytes": int(_number(headers.get("dead_cut", "0"))),
        "trace_id": row["trace_id"],
        "message_id": message_id,
        "died_at": row["occurred_at"],
        "state": "waiting",
        "replays": 0,
    }


def _found(topic: str, body: Row, row: Row, message_id: str) -> dict[str, list[Row]]:
    """Return what a stage found, as rows; an event that does not look like ours has none."""
    shared = {
        "event_id": row["event_id"],
        "message_id": message_id[:36],
        "conversation_id": row["conversation_id"],
        "at": row["occurred_at"],
    }
    if topic == MessageClassified.topic and (found := _part(body, "classification")):
        return {
            "prediction": [
                shared
                | {
                    "task": task,
                    "label": _text(found, task)[:40],
                    "confidence": _float(found.get(f"{task}_confidence")),
                }
                for task in TASKS
            ]
        }
    if topic == MessageExtracted.topic:
        return {"extraction": [shared | {"fields": _list(body, "findings")}]}
    if topic == MessageGrounded.topic:
        passages = [
            {name: passage.get(name) for name in ("article", "language", "score")}
            for passage in _list(body, "passages")
            if isinstance(passage, dict)
        ]
        best = max((_float(passage["score"]) for passage in passages), default=None)
        return {"retrieval": [shared | {"passages": passages, "best_score": best}]}
    return {"metric": _metrics(topic, body, row)}


def _metrics(topic: str, body: Row, row: Row) -> list[Row]:
    shared = {
        "event_id": row["event_id"],
        "conversation_id": row["conversation_id"],
        "at": row["occurred_at"],
    }
    if topic == ReplyDrafted.topic and not _part(body, "message").get("trial"):
        since = _since(_text(body.get("message"), "received_at"), row["occurred_at"])
        return [] if since is None else [shared | {"name": "reply_s", "value": since}]
    if topic == ReplySent.topic and body.get("action") in {"reply", "handoff"}:
        alone = body["action"] == "reply" and body.get("status") == "sent"
        return [shared | {"name": "answered_alone", "value": float(alone)}]
    return []


def _learned(topic: str, body: Row, conversation_id: str, message_id: str) -> Row | None:
    found = _part(body, "classification")
    if topic != MessageClassified.topic or not found:
        return None
    return {
        "conversation": conversation_id,
        "message": message_id,
        "new_category": _text(found, "category")[:40],
        "new_priority": _text(found, "priority")[:16],
        "new_language": _text(found, "language")[:2],
        "new_confidence": _float(found.get("category_confidence")),
    }


def _since(received_at: str, now: datetime) -> float | None:
    try:
        return max((now - datetime.fromisoformat(received_at)).total_seconds(), 0.0)
    except (ValueError, TypeError):
        return None


def _moment(timestamp_ms: int) -> datetime:
    try:
        return datetime.fromtimestamp(timestamp_ms / 1000, UTC)
    except (ValueError, OverflowError, OSError):  # a producer may write any number
        return datetime.now(UTC)


def _body(record: Record) -> Row:
    try:
        body = json.loads(record.value or b"", parse_constant=lambda _: None)  # NaN is no JSON
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _conversation(body: Row) -> str:
    named = _text(body, "conversation_id") or _text(body.get("message"), "conversation_id")
    return named or _text(body, "episode_id")  # an alarm is told of in the same place


def _text(body: Any, name: str) -> str:
    value = body.get(name) if isinstance(body, dict) else None
    # Half of an emoji is text for Python, and for no database.
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def _part(body: Row, name: str) -> Row:
    value = body.get(name)
    return value if isinstance(value, dict) else {}


def _list(body: Row, name: str) -> list[Any]:
    value = body.get(name)
    return value if isinstance(value, list) else []


def _number(text: str) -> float:
    try:
        return _float(float(text))
    except ValueError:
        return 0.0


def _float(value: Any) -> float:
    """Return a number that a database keeps: neither infinite nor none."""
    good = isinstance(value, int | float) and abs(value) < 1e300  # noqa: PLR2004
    return float(value) if good else 0.0


def _stage(topic: str) -> str:
    """Return the stage that publishes a topic; gateways publish the first, and reports."""
    for flow in (PRINTER, FRIGO):
        names = [event.topic for event in flow]
        if topic in names:
            return ("gateway", *STAGES)[names.index(topic)]
    return "gateway" if topic in {event.topic for event in (*REPORTS, *FEEDBACK)} else topic
