"""What customers wrote, as an export tells of it; and the trial of what they wrote."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import or_, update
from sqlmodel import Session, col, select

from schemas.printer import InboundMessage
from schemas.vocabulary import Channel
from storage import intake
from storage.customers import Card, addresses_of, owners_of, recognise
from storage.database import insert_new
from storage.imports.ledger import IMPORTED, Item, Verdict, Work, Written, fitted, remember
from storage.tables import Conversation, Imported, Message, ThreadId

KIND_OF_ADDRESS = {
    Channel.EMAIL: "mailto:",
    Channel.SMS: "tel:",
    Channel.CALL: "tel:",
    Channel.CHAT: "chat:",
}
IS_HERE = Verdict("unchanged")
"""A message that came in here too: the record has it."""


def messages(work: Work) -> Written:
    """Write messages; one of no ticket is a conversation of its own."""
    parents = work.targets("ticket")
    here = _outcomes(work)
    parent = {i.external_id: parents.get(i.refs.get("ticket", "")) for i in work.items}
    written: Written = dict.fromkeys((item.external_id for item in work.items), IS_HERE)
    fresh = [i for i in work.items if here.get(i.values["message_id"], IMPORTED) == IMPORTED]
    owners = owners_of(work.session, [found for found in parent.values() if found])
    alone = [item for item in fresh if not parent[item.external_id]]
    found = recognise(work.session, [Card(item.addresses) for item in alone], work.now)
    for item, (owner, _) in zip(alone, found, strict=True):
        name = parent[item.external_id] = work.target(item)
        owners[name] = owner
        keys = {"conversation_id": name, "customer_id": owner, "last_message_id": IMPORTED}
        row = {"created_at": work.now, "last_at": work.now} | item.more["alone"] | keys
        insert_new(work.session, Conversation, [fitted(Conversation, row)])
    addresses = addresses_of(work.session, owners.values())
    rows = []
    for item in fresh:
        conversation = str(parent[item.external_id])
        theirs = addresses[owners[conversation]]
        rows.append((item, message_row(work, item.values, conversation, theirs)))
        written[item.external_id] = item.values["message_id"]
    put_messages(work, rows)
    return written


def _outcomes(work: Work) -> dict[str, str]:
    wanted = [item.values["message_id"] for item in work.items]
    rows = work.session.exec(
        select(Message.message_id, Message.outcome).where(col(Message.message_id).in_(wanted))
    )
    return dict(rows.all())


def message_row(
    work: Work, given: dict[str, Any], conversation_id: str, addresses: Sequence[str]
) -> dict[str, Any]:
    """Return a message as a row, of a customer who is reached at these addresses."""
    at = given["received_at"] or work.now
    row = given | {
        "conversation_id": conversation_id,
        "sender": given["sender"] or sender_of(given["channel"], addresses),
        "received_at": at,
        "stored_at": at,  # people read a conversation in the order in which it was written
        "new_conversation": True,
        "why": f"importé de {work.origin}",
        "outcome": IMPORTED,
    }
    return fitted(Message, row)


def sender_of(channel: str, addresses: Sequence[str]) -> str:
    """Return what stands for a customer as the sender in a channel: an address, or a reference."""
    kind = KIND_OF_ADDRESS[Channel(channel)]
    fitting = [one.removeprefix(kind) for one in addresses if one.startswith(kind)]
    references = [one for one in addresses if one.startswith("ref:")]
    return next(iter([*fitting, *references]), f"ref:{addresses[0]}")


def put_messages(work: Work, rows: Sequence[tuple[Item, dict[str, Any]]]) -> None:
    """Write messages; the words of those that only lie there change with the export."""
    insert_new(work.session, Message, [row for _, row in rows])
    for item, row in rows:
        if item.external_id in work.before:
            work.session.execute(
                update(Message)
                .where(
                    col(Message.message_id) == row["message_id"], col(Message.outcome) == IMPORTED
                )
                .values({name: row[name] for name in ("subject", "text", "received_text")})
            )
    threads = [
        {"mail_id": row["external_id"], "conversation_id": row["conversation_id"]}
        for _, row in rows
        if row["channel"] == Channel.EMAIL.value and row["external_id"].startswith("<")
    ]
    insert_new(work.session, ThreadId, threads)
    _last_heard(work.session, [row for _, row in rows])


def _last_heard(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    for row in rows:
        session.execute(
            update(Conversation)
            .where(
                col(Conversation.conversation_id) == row["conversation_id"],
                col(Conversation.last_message_id) == IMPORTED,
                col(Conversation.last_at) < row["received_at"],
            )
            .values(last_at=row["received_at"])
        )


def as_history(
    session: Session, additions: intake.Additions, origin: str, now: datetime
) -> set[str]:
    """Write messages that ingest has placed as what they are: past. Return the ids of new ones."""
    past = {"state": "closed", "reason": IMPORTED, "last_message_id": IMPORTED}
    for row in additions.conversations:
        row.update(past | {"created_at": row["last_at"]})
    for row in additions.messages:
        row.update({"outcome": IMPORTED, "stored_at": row["received_at"]})
    additions.touched.clear()
    intake.add(session, additions)
    _last_heard(session, additions.messages)
    made = {row["external_id"]: (row["message_id"], "") for row in additions.messages}
    remember(session, origin, "message", made, now)
    return {row["message_id"] for row in additions.messages}


def put_on_the_road(
    session: Session, origins: Collection[str], *, only_open: bool
) -> list[InboundMessage]:
    """Take messages that were brought along for a trial; return them as they came in.

    Those whose trial has ended are left alone; those whose trial was cut short are taken again.
    """
    ours = select(Imported.target_id).where(
        col(Imported.kind) == "message", col(Imported.origin).in_(list(origins))
    )
    cut_short = (col(Message.outcome) == "") & col(Message.trial).is_(True)
    wanted = select(Message).where(
        col(Message.message_id).in_(ours), or_(col(Message.outcome) == IMPORTED, cut_short)
    )
    if only_open:
        wanted = wanted.join(
            Conversation, col(Conversation.conversation_id) == col(Message.conversation_id)
        ).where(
            col(Conversation.state) == "handed_over",
            col(Conversation.last_message_id) == IMPORTED,
        )
    rows = session.exec(wanted.order_by(col(Message.received_at), col(Message.message_id))).all()
    for row in rows:
        row.outcome, row.trial = "", True
    return [_as_it_came(row) for row in rows]


def _as_it_came(row: Message) -> InboundMessage:
    is_reference = row.sender.startswith("ref:")
    return InboundMessage.model_validate(
        {
            "channel": row.channel,
            "external_id": row.external_id,
            "sender": None if is_reference else row.sender,
            "customer_ref": row.sender.removeprefix("ref:") if is_reference else None,
            "subject": row.subject,
            "text": row.received_text,
            "html": row.received_html,
            "attachments": row.attachments or (),
            "in_reply_to": row.in_reply_to or None,
            "references": row.mail_references or (),
            "received_at": row.received_at,
            "trial": True,
        }
    )
