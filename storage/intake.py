"""What ingest needs of the record: known messages, customers, conversations; and what it adds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import tuple_, update
from sqlmodel import Session, col, select

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
