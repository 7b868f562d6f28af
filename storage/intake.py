"""What ingest needs of the record: known messages, customers, conversations; and what it adds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import tuple_, update
from sqlmodel import Session, col, select

from schemas.printer import InboundMessage, MessageReceived
from schemas.tags import untagged
from schemas.vocabulary import Channel
from storage.database import insert_new
from storage.tables import Attachment, Contact, Conversation, Customer, Message, ThreadId

MAX_INTEGER = 2**31 - 1
"""Of a column; a sender may claim any size."""
SAID = timedelta(hours=3)
"""Before a message: so far back it matters what its sender said."""
RECENT = 20
"""Conversations looked at for one customer: more than anybody has open over one channel."""


@dataclass
class Known:
    """What the record says about a batch of arrivals.

    `customers` are ids by any of their addresses; `owners` those of the messages' conversations;
    `by_name` conversations by id, and by the number that they had elsewhere; `said` what senders
    wrote of late, and when.
    """

    messages: dict[tuple[str, str], Message] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    customers: dict[str, str] = field(default_factory=dict)
    conversations: dict[str, list[Conversation]] = field(default_factory=dict)
    threads: dict[str, str] = field(default_factory=dict)
    by_name: dict[str, Conversation] = field(default_factory=dict)
    said: dict[str, list[tuple[str, datetime]]] = field(default_factory=dict)


def look_up(
    session: Session,
    keys: Iterable[tuple[str, str]],
    addresses: Iterable[str],
    mail_ids: Iterable[str],
    names: Iterable[str] = (),
    said_since: datetime | None = None,
) -> Known:
    """Read all that may concern a batch.

    By (channel, external id), address, Message-ID and name of a conversation; and what the senders
    said in the hours before `said_since`.
    """
    known = Known()
    identity = tuple_(col(Message.channel), col(Message.external_id))
    for message, owner in session.exec(
        select(Message, Conversation.customer_id)
        .join(Conversation, col(Conversation.conversation_id) == col(Message.conversation_id))
        .where(identity.in_(list(keys)))
    ):
        known.messages[message.channel, message.external_id] = message
        known.owners[message.conversation_id] = owner
    contacts = session.exec(select(Contact).where(col(Contact.address).in_(list(addresses))))
    known.customers = {contact.address: contact.customer_id for contact in contacts}
    owners = set(known.customers.values())
    mail_ids = list(mail_ids)
    if mail_ids:
        rows = session.exec(select(ThreadId).where(col(ThreadId.mail_id).in_(mail_ids)))
        known.threads = {row.mail_id: row.conversation_id for row in rows}
    if owners:
        for conversation in session.exec(
            select(Conversation)
            .where(col(Conversation.customer_id).in_(owners))
            .order_by(col(Conversation.last_at).desc())
            .limit(RECENT * len(owners))
        ):
            known.conversations.setdefault(conversation.customer_id, []).append(conversation)
    _look_up_named(session, known, {*known.threads.values(), *names})
    if said_since:
        _look_up_said(session, known, said_since - SAID)
    return known


def _look_up_named(session: Session, known: Known, names: set[str]) -> None:
    theirs = [one for each in known.conversations.values() for one in each]
    known.by_name = {one.conversation_id: one for one in theirs if one.conversation_id in names}
    missing = list(names - known.by_name.keys())
    for key in (Conversation.conversation_id, Conversation.external_ref) if missing else ():
        for one in session.exec(select(Conversation).where(col(key).in_(missing))):
            known.by_name |= dict.fromkeys((one.conversation_id, one.external_ref or ""), one)
    known.by_name.pop("", None)


def _look_up_said(session: Session, known: Known, since: datetime) -> None:
    theirs = [one for each in known.conversations.values() for one in each]
    recent = [one.conversation_id for one in theirs if one.last_at >= since]
    if recent:
        said = select(Message.sender, Message.text, Message.received_at).where(
            col(Message.conversation_id).in_(recent), col(Message.received_at) >= since
        )
        for sender, text, at in session.exec(said):
            known.said.setdefault(sender, []).append((text, at))


@dataclass
class Additions:
    """Rows to write, in the order in which their keys allow."""

    customers: list[dict[str, Any]] = field(default_factory=list)
    contacts: list[dict[str, Any]] = field(default_factory=list)
    conversations: list[dict[str, Any]] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)
    attachments: list[dict[str, Any]] = field(default_factory=list)
    threads: list[dict[str, Any]] = field(default_factory=list)
    touched: dict[str, dict[str, Any]] = field(default_factory=dict)


def add(session: Session, additions: Additions) -> None:
    """Write a batch; what is there already stays as it is."""
    insert_new(session, Customer, additions.customers)
    insert_new(session, Contact, additions.contacts)
    insert_new(session, Conversation, additions.conversations)
    insert_new(session, Message, additions.messages)
    insert_new(session, Attachment, additions.attachments)
    insert_new(session, ThreadId, additions.threads)
    for conversation_id, changes in additions.touched.items():
        session.execute(
            update(Conversation)
            .where(col(Conversation.conversation_id) == conversation_id)
            .values(version=col(Conversation.version) + 1, **changes)
        )


def note(
    known: Known,
    additions: Additions,
    told: MessageReceived,
    address: str,
    inbound: InboundMessage,
    now: datetime,
    follows: str | None = None,
) -> None:
    """Add a message with its customer and conversation, where they are new, to what is written.

    `known` learns it too: the next message of the batch may belong to the same conversation.
    """
    message = told.message
    message_id = str(message.message_id)
    if told.new_customer:
        _note_customer(known, additions, told, address, inbound.sender_name or "", now)
    newest: dict[str, Any] = {"last_at": message.received_at, "last_message_id": message_id}
    if told.new_conversation:
        conversation = newest | {
            "conversation_id": message.conversation_id,
            "customer_id": message.customer_id,
            "follows": follows,
            "channel": message.channel.value,
            "subject": message.subject,
            "trial": message.trial,
            "created_at": now,
        }
        additions.conversations.append(conversation)
        theirs = known.conversations.setdefault(message.customer_id, [])
        theirs.insert(0, Conversation(**conversation))
        known.by_name[message.conversation_id] = theirs[0]
    else:
        on_the_road = {"state": "on_the_road", "reason": ""}
        additions.touched[message.conversation_id] = newest | on_the_road
    row = _message_row(told, inbound, now)
    additions.messages.append(row)
    known.messages[message.channel.value, message.external_id] = Message(**row)
    known.owners[message.conversation_id] = message.customer_id
    known.said.setdefault(message.sender, []).append((message.text, message.received_at))
    additions.attachments += attachment_rows(message_id, inbound)
    if message.channel is Channel.EMAIL:
        thread = {"mail_id": message.external_id, "conversation_id": message.conversation_id}
        additions.threads.append(thread)
        known.threads.setdefault(message.external_id, message.conversation_id)


def _note_customer(
    known: Known,
    additions: Additions,
    told: MessageReceived,
    address: str,
    name: str,
    now: datetime,
) -> None:
    customer_id = told.message.customer_id
    customer = {"customer_id": customer_id, "address": address, "name": name[:255]}
    additions.customers.append(customer | {"created_at": now})
    additions.contacts.append({"address": address, "customer_id": customer_id})
    known.customers[address] = customer_id


def attachment_rows(message_id: str, inbound: InboundMessage) -> list[dict[str, Any]]:
    """Return the rows of the files that came with a message."""
    return [
        each.model_dump()
        | {
            "attachment_id": f"{message_id}/{number}",
            "message_id": message_id,
            "size_bytes": min(each.size_bytes, MAX_INTEGER),
        }
        for number, each in enumerate(inbound.attachments, 1)
    ]


def _message_row(told: MessageReceived, inbound: InboundMessage, now: datetime) -> dict[str, Any]:
    message = told.message
    return {
        "message_id": str(message.message_id),
        "conversation_id": message.conversation_id,
        "channel": message.channel.value,
        "external_id": message.external_id,
        "subject": message.subject,
        "text": message.text,
        "received_text": inbound.text,
        "received_html": inbound.html,
        "attachments": [attachment.model_dump() for attachment in inbound.attachments],
        "received_at": message.received_at,
        "stored_at": now,
        "sender": message.sender,
        # Without the tag of a conversation: what somebody allows us holds for the mailbox.
        "recipient": untagged(inbound.to or ""),
        "in_reply_to": inbound.in_reply_to or "",
        "mail_references": list(inbound.references),
        "automatic": message.automatic,
        "trial": message.trial,
        "new_customer": told.new_customer,
        "new_conversation": told.new_conversation,
        "why": told.why,
        "outcome": "",
    }
