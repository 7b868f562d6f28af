"""What ingest needs of the record: known messages, customers, conversations; and what it adds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import tuple_, update
from sqlmodel import Session, col, select

from schemas.printer import InboundMessage, MessageReceived
from schemas.vocabulary import Channel
from storage.database import insert_new
from storage.tables import Conversation, Customer, Message, ThreadId

RECENT = 20
"""Conversations looked at for one customer: more than anybody has open over one channel."""


@dataclass
class Known:
    """What the record says about a batch of arrivals."""

    messages: dict[tuple[str, str], Message] = field(default_factory=dict)
    customers: dict[str, Customer] = field(default_factory=dict)
    conversations: dict[str, list[Conversation]] = field(default_factory=dict)
    threads: dict[str, str] = field(default_factory=dict)


def look_up(
    session: Session,
    keys: Iterable[tuple[str, str]],
    addresses: Iterable[str],
    mail_ids: Iterable[str],
) -> Known:
    """Read all that may concern a batch: by (channel, external id), address, and Message-ID."""
    known = Known()
    identity = tuple_(col(Message.channel), col(Message.external_id))
    for message in session.exec(select(Message).where(identity.in_(list(keys)))):
        known.messages[message.channel, message.external_id] = message
    for customer in session.exec(
        select(Customer).where(col(Customer.address).in_(list(addresses)))
    ):
        known.customers[customer.address] = customer
    owners = [customer.customer_id for customer in known.customers.values()]
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
    return known


@dataclass
class Additions:
    """Rows to write, in the order in which their keys allow."""

    customers: list[dict[str, Any]] = field(default_factory=list)
    conversations: list[dict[str, Any]] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)
    threads: list[dict[str, Any]] = field(default_factory=list)
    touched: dict[str, dict[str, Any]] = field(default_factory=dict)


def add(session: Session, additions: Additions) -> None:
    """Write a batch; what is there already stays as it is."""
    insert_new(session, Customer, additions.customers)
    insert_new(session, Conversation, additions.conversations)
    insert_new(session, Message, additions.messages)
    insert_new(session, ThreadId, additions.threads)
    for conversation_id, changes in additions.touched.items():
        session.execute(
            update(Conversation)
            .where(col(Conversation.conversation_id) == conversation_id)
            .values(**changes)
        )


def note(
    known: Known,
    additions: Additions,
    told: MessageReceived,
    address: str,
    inbound: InboundMessage,
    now: datetime,
) -> None:
    """Add a message with its customer and conversation, where they are new, to what is written.

    `known` learns it too: the next message of the batch may belong to the same conversation.
    """
    message = told.message
    if told.new_customer:
        customer: dict[str, Any] = {
            "customer_id": message.customer_id,
            "address": address,
            "created_at": now,
        }
        customer["name"] = (inbound.sender_name or "")[:255]
        additions.customers.append(customer)
        known.customers[address] = Customer(**customer)
    conversation: dict[str, Any] = {
        "conversation_id": message.conversation_id,
        "customer_id": message.customer_id,
        "channel": message.channel.value,
        "subject": message.subject,
        "trial": message.trial,
        "created_at": now,
        "last_at": message.received_at,
    }
    if told.new_conversation:
        additions.conversations.append(conversation)
        theirs = known.conversations.setdefault(message.customer_id, [])
        theirs.insert(0, Conversation(**conversation))
    else:
        additions.touched[message.conversation_id] = {
            "last_at": message.received_at,
            "state": "on_the_road",
            "reason": "",
        }
    row = _message_row(told, inbound, now)
    additions.messages.append(row)
    known.messages[message.channel.value, message.external_id] = Message(**row)
    if message.channel is Channel.EMAIL:
        additions.threads.append(
            {"mail_id": message.external_id, "conversation_id": message.conversation_id}
        )


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
        "automatic": message.automatic,
        "trial": message.trial,
        "new_customer": told.new_customer,
        "new_conversation": told.new_conversation,
        "why": told.why,
        "outcome": "",
    }
