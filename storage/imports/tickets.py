"""Tickets, and what was answered in them, as an export tells of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import CursorResult, update
from sqlmodel import col, select

from schemas.vocabulary import Action, SendStatus
from storage.customers import Card, addresses_of, owners_of, recognise
from storage.database import insert_new
from storage.imports.ledger import IMPORTED, Item, Verdict, Work, Written, fitted, remember
from storage.imports.messages import message_row, put_messages, sender_of
from storage.tables import Conversation, History, Outgoing

GONE_ON = Verdict("skipped", "its conversation has gone on since it was imported")
NO_TICKET = Verdict("skipped", "its ticket was not imported")

Owned = tuple[Item, str]
"""A ticket, and its customer."""


def tickets(work: Work) -> Written:
    """Write tickets as conversations, each with its first message and what else was said of it."""
    cards = [Card(item.addresses) for item in work.items]
    owners = [owner for owner, _ in recognise(work.session, cards, work.now)]
    devices = work.targets("device")
    taken = _references(work)
    kept: list[Owned] = []
    written: Written = dict.fromkeys((item.external_id for item in work.items), GONE_ON)
    for item, owner in zip(work.items, owners, strict=True):
        name = work.target(item)
        reference = str(item.values["external_ref"])
        if taken.setdefault(reference, name) != name:  # another export has one of this number
            reference = f"{work.origin}/{reference}"
        keys = {
            "conversation_id": name,
            "customer_id": owner,
            "device_id": devices.get(item.refs.get("device", "")),
            "external_ref": reference,
            "last_message_id": IMPORTED,
        }
        row = {"created_at": work.now, "last_at": work.now} | item.values | keys
        if _put(work, fitted(Conversation, row), is_new=item.external_id not in work.before):
            written[item.external_id] = name
            kept.append((item, owner))
    _first_messages(work, [(item, owner) for item, owner in kept if item.more["message"]])
    _tell(work, [item for item, _ in kept])
    return written


def _references(work: Work) -> dict[str, str]:
    wanted = [str(item.values["external_ref"]) for item in work.items]
    rows = work.session.exec(
        select(Conversation.external_ref, Conversation.conversation_id).where(
            col(Conversation.external_ref).in_(wanted)
        )
    )
    return {reference: name for reference, name in rows if reference}


def _put(work: Work, row: dict[str, Any], *, is_new: bool) -> bool:
    """Write a conversation, unless it has gone on here; say whether it was written."""
    if is_new:
        insert_new(work.session, Conversation, [row])
        return True
    name = row.pop("conversation_id")
    done: CursorResult[Any] = work.session.execute(  # type: ignore[assignment]
        update(Conversation)
        .where(
            col(Conversation.conversation_id) == name,
            col(Conversation.last_message_id) == IMPORTED,
        )
        .values(row | {"version": col(Conversation.version) + 1})
    )
    return bool(done.rowcount)


def _first_messages(work: Work, writing: Sequence[Owned]) -> None:
    addresses = addresses_of(work.session, [owner for _, owner in writing])
    rows = [
        (item, message_row(work, item.more["message"], work.target(item), addresses[owner]))
        for item, owner in writing
    ]
    put_messages(work, rows)
    made = {f"ticket/{item.external_id}"[:255]: (row["message_id"], "") for item, row in rows}
    remember(work.session, work.origin, "message", made, work.now)


def _tell(work: Work, items: Iterable[Item]) -> None:
    """Keep what the export says of tickets and we have no column for."""
    rows = [
        (
            item,
            {
                "history_id": f"{work.target(item)}/{IMPORTED}",
                "conversation_id": work.target(item),
                "action": IMPORTED,
                "actor": work.origin,
                "detail": item.more["detail"],
                "at": work.now,
            },
        )
        for item in items
    ]
    work.write(History, rows)


def replies(work: Work) -> Written:
    """Write what was answered there: it has left, and is never sent."""
    parents = work.targets("ticket")
    owners = owners_of(work.session, parents.values())
    addresses = addresses_of(work.session, owners.values())
    written: Written = {}
    rows: list[tuple[Item, dict[str, Any]]] = []
    for item in work.items:
        parent = parents.get(item.refs.get("ticket", ""))
        if parent is None:
            written[item.external_id] = NO_TICKET
            continue
        name = written[item.external_id] = work.target(item)
        keys = {
            "reply_id": name,
            "message_id": name,  # of none: what we answer to a message finds its place free
            "conversation_id": parent,
            "address": sender_of(item.values["channel"], addresses[owners[parent]]),
            "action": Action.REPLY.value,
            "reason": IMPORTED,
            "status": SendStatus.SENT.value,
            "outbound": IMPORTED,
        }
        at = item.values["sent_at"] or work.now
        times = dict.fromkeys(("created_at", "sent_at", "told_at", "next_attempt_at"), at)
        rows.append((item, item.values | keys | times))
    work.write(Outgoing, rows)
    return written
