"""From rows of the old tables to what the record keeps: tickets, messages, what was done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Self

from pydantic import ValidationError

from astreinte.columns import ADDRESSES, NAMES, Unusable, fields_from, fold
from astreinte.importing import fields
from astreinte.importing.fields import text
from astreinte.importing.mapping import STAMPS, item
from astreinte.importing.rows import Row
from astreinte.importing.tables import key_of
from astreinte.importing.words import CLOSED, OPEN, category_of, state_of, word_of
from gateways.html import text_of
from schemas.errors import reason_of
from schemas.printer import MAX_TEXT_CHARACTERS, InboundMessage
from schemas.vocabulary import Channel, Priority
from services.addresses import spelling
from services.ingest.printer import clean
from storage.imports.ledger import IMPORTED, Item

RANDOM = ("confidence_score", "classification_confidence")
"""The older system made these up from the outcome."""
OF_TICKETS = (
    *("device_id", "priority", "status", "category", "classification_label", "external_ref"),
    *("assigned_to", "last_activity_at", "resolved_at"),
)
SUBJECT_CHARACTERS = 998
SENT = {"sent", "delivered"}
HUMAN = {"agent", "customer"}


@dataclass
class Told:
    """What is known of tickets by their messages: texts, as digests, and channels."""

    texts: set[str] = field(default_factory=set)
    channels: dict[str, str] = field(default_factory=dict)

    @classmethod
    def by(cls, messages: Iterable[Row]) -> Self:
        """Gather it from the messages of an export."""
        told = cls()
        for row in messages:
            name = text(row.values, "ticket_id")
            told.texts.add(digest_of(row.origin, name, _body(row.values)))
            told.channels.setdefault(name, text(row.values, "channel"))
        return told


def ticket(row: Row, told: Told) -> Item:
    """Read a ticket; its own text is a message, unless it is told as one."""
    values, key = row.values, key_of(row.table, row.values)
    found = _read({"channel": told.channels.get(key)} | values)
    client = text(values, "client_id", "customer_id") or found.get("customer_ref", "")
    message = _inbound(row, found, f"{row.origin}/ticket/{key}", client or f"ticket/{key}")
    own = message | {"trial": False}
    created = found.get("received_at")
    columns = {
        "channel": own["channel"],
        "subject": own["subject"],
        "state": state_of(values),
        "reason": IMPORTED,
        "priority": word_of(Priority, text(values, "priority")),
        "category": category_of(values),
        "external_ref": text(values, "external_ref")[:255] or key,
        "assigned_to": text(values, "assigned_to"),
        "created_at": created,
        "last_at": fields.moment(values, "last_activity_at") or created,
        "resolved_at": fields.moment(values, "resolved_at"),
    }
    known = {*ADDRESSES, *(word for words in NAMES.values() for word in words)}
    detail = fields.rest(
        {name: value for name, value in values.items() if fold(name) not in known},
        (*OF_TICKETS, *RANDOM, *STAMPS),
    )
    if not columns["priority"] and text(values, "priority"):
        detail["priority"] = text(values, "priority")
    is_told = digest_of(row.origin, key, own["received_text"]) in told.texts
    return item(
        row,
        columns,
        addresses=_addresses(row.origin, found, client or f"ticket/{key}"),
        refs={"device": text(values, "device_id")},
        more={"message": None if is_told else own, "detail": detail},
    )


def digest_of(origin: str, ticket_id: str, words: str) -> str:
    """Return what tells a text of a ticket from others."""
    return sha256(f"{origin}\n{ticket_id}\n{words.strip()}".encode()).hexdigest()


def message(row: Row) -> Item:
    """Read a message: what a customer wrote, or what was answered."""
    values, key = row.values, key_of(row.table, row.values)
    if text(values, "direction") == "outbound":
        return _reply(row, f"message/{key}", _body(values), fields.moment(values, "received_at"))
    bare = {name: value for name, value in values.items() if name not in {"ticket_id", "body"}}
    found = _read(bare | {"body": _body(values)})
    client = text(values, "customer_id", "client_id")
    own_id = text(values, "external_id")[:255] or f"{row.origin}/message/{key}"
    read = _inbound(row, found, own_id, client or f"message/{key}")
    created = found.get("received_at")
    alone = {
        "channel": read["channel"],
        "subject": read["subject"],
        "state": CLOSED if fields.truth(values, "processed", otherwise=True) else OPEN,
        "reason": IMPORTED,
        "created_at": created,
        "last_at": created,
    }
    return Item(
        "message",
        key,
        read,
        _addresses(row.origin, found, client or f"message/{key}"),
        {"ticket": text(values, "ticket_id")} if text(values, "ticket_id") else {},
        {"alone": {name: value for name, value in alone.items() if value is not None}},
    )


def _body(values: Mapping[str, Any]) -> str:
    return text(values, "body", "transcription", "content")


def _read(values: dict[str, Any]) -> dict[str, Any]:
    is_webhook = fold(text(values, "channel")) == "webhook"
    told = values | ({"channel": "chat"} if is_webhook else {})
    # MySQL's own word for « no date », where it lets it in.
    dated = {name: one for name, one in told.items() if not str(one).startswith("0000-00-00")}
    return fields_from(dated, Channel.CHAT)


def _inbound(row: Row, found: dict[str, Any], own_id: str, client: str) -> dict[str, Any]:
    """Return a message as a row, checked as if it came in now."""
    words = text(found, "text")
    told = {
        "channel": found["channel"],
        "external_id": own_id,
        "sender": found.get("sender"),
        "customer_ref": fields.reference(row.origin, client).removeprefix("ref:"),
        "subject": text(found, "subject")[:SUBJECT_CHARACTERS],
        "text": words,
        "html": text(found, "html")[:MAX_TEXT_CHARACTERS] or None,
        "received_at": found.get("received_at") or datetime.now(UTC),
    }
    if len(words) > MAX_TEXT_CHARACTERS:
        msg = f"a text of more than {MAX_TEXT_CHARACTERS} characters"
        raise Unusable(msg)
    try:
        inbound = InboundMessage.model_validate(told)
    except ValidationError as error:
        raise Unusable(reason_of(error)) from None
    return {
        "message_id": str(inbound.event_id),
        "channel": inbound.channel.value,
        "external_id": inbound.external_id,
        "sender": inbound.sender,
        "subject": inbound.subject,
        "text": clean(inbound.text) or clean(text_of(inbound.html)) or inbound.subject,
        "received_text": inbound.text,
        "received_html": inbound.html,
        "received_at": found.get("received_at"),
    }


def _addresses(origin: str, found: dict[str, Any], client: str) -> tuple[str, ...]:
    own = fields.reference(origin, client)
    if sender := found.get("sender"):
        return (spelling(found["channel"], sender), own)
    return (own,)


def response(row: Row) -> Item:
    """Read an answer that was given."""
    if text(row.values, "send_status") not in SENT:
        msg = "it was never sent"
        raise Unusable(msg)
    return _reply(
        row,
        key_of(row.table, row.values),
        text(row.values, "content"),
        fields.moment(row.values, "sent_at", "created_at"),
    )


def _reply(row: Row, key: str, words: str, at: datetime | None) -> Item:
    values = row.values
    if not words:
        msg = "an answer without text"
        raise Unusable(msg)
    who = " ".join(filter(None, (text(values, "responder_type"), text(values, "responder_id"))))
    columns = {
        "channel": _read({"channel": text(values, "channel")})["channel"].value,
        "subject": text(values, "subject"),
        "text": words,
        "how": who or row.origin,
        "provider_id": text(values, "external_id"),
        "sent_at": at,
    }
    return Item("reply", key, columns, refs={"ticket": text(values, "ticket_id")})


def attachment(row: Row) -> Item:
    """Read a file that came with a message."""
    values = row.values
    size = text(values, "size_bytes")
    return item(
        row,
        {
            "name": text(values, "filename"),
            "content_type": text(values, "content_type"),
            "size_bytes": min(int(size), 2**31 - 1) if size.isdecimal() else 0,
            "reference": text(values, "storage_ref"),
        },
        refs={"message": text(values, "message_id")},
    )


def history(row: Row) -> Item:
    """Read what was done with a ticket."""
    values = row.values
    who = text(values, "actor_type").lower()
    told = fields.whole(values.get("detail") or values.get("action_details"))
    return item(
        row,
        {
            "action": text(values, "action"),
            "actor_type": who if who in HUMAN else "system",
            "actor": text(values, "actor_id", "action_by"),
            "detail": told if isinstance(told, dict) else {"told": told} if told else {},
            "at": fields.moment(values, "created_at", "timestamp"),
        },
        refs={"ticket": text(values, "ticket_id")},
    )
