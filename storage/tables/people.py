"""Who writes, and about what: customers, their addresses, conversations, messages, consent."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from storage.tables.columns import Utc, decimal, long_text


class Customer(SQLModel, table=True):
    """Who writes. `address` is the one seen first; all of them are in `contact`."""

    customer_id: str = Field(primary_key=True, max_length=40)
    address: str = Field(unique=True, max_length=340)
    name: str = Field(default="", max_length=255)
    company: str = Field(default="", max_length=255)
    postal_address: str = Field(default="", max_length=1000)
    language: str = Field(default="", max_length=2)
    details: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON))
    created_at: datetime = Field(sa_type=Utc)
    updated_at: datetime | None = Field(default=None, sa_type=Utc)


class Contact(SQLModel, table=True):
    """An address, number or reference by which a customer is recognised."""

    address: str = Field(primary_key=True, max_length=340)
    customer_id: str = Field(foreign_key="customer.customer_id", max_length=40, index=True)


class Consent(SQLModel, table=True):
    """What somebody allowed or forbade us, for each of our numbers or addresses."""

    ours: str = Field(primary_key=True, max_length=340)
    theirs: str = Field(primary_key=True, max_length=340)
    state: str = Field(max_length=16)
    source: str = Field(default="", max_length=80)
    changed_at: datetime = Field(sa_type=Utc)


class Conversation(SQLModel, table=True):
    """Messages of one customer over one channel that belong together; a ticket.

    `state` follows `last_message_id`: the outcome of an older message does not change it. Where
    that is `imported`, it is what the export said, until the customer writes again.
    `follows`: the closed one that its first mail answered to, under another subject.
    `version` counts changes, for those who change what they have read before.
    """

    __table_args__ = (
        Index("conversation_of", "customer_id", "channel", "last_at"),
        Index("conversation_waiting", "state", "priority", "created_at"),
        Index("conversation_external_ref", "external_ref", unique=True),
    )

    conversation_id: str = Field(primary_key=True, max_length=40)
    customer_id: str = Field(foreign_key="customer.customer_id", max_length=40)
    follows: str | None = Field(default=None, max_length=40)
    device_id: str | None = Field(default=None, max_length=40)
    external_ref: str | None = Field(default=None, max_length=255)
    channel: str = Field(max_length=16)
    subject: str = Field(default="", max_length=998)
    state: str = Field(default="on_the_road", max_length=20)
    reason: str = Field(default="", max_length=40)
    priority: str = Field(default="", max_length=16)
    category: str = Field(default="", max_length=40)
    confidence: float | None = Field(default=None, sa_column=Column(decimal()))
    language: str = Field(default="", max_length=2)
    assigned_to: str = Field(default="", max_length=80)
    last_message_id: str = Field(default="", max_length=36, index=True)
    version: int = 0
    trial: bool = False
    created_at: datetime = Field(sa_type=Utc)
    last_at: datetime = Field(sa_type=Utc, index=True)
    resolved_at: datetime | None = Field(default=None, sa_type=Utc)


class Silence(SQLModel, table=True):
    """A conversation in which the machine says nothing until a person releases it."""

    conversation_id: str = Field(primary_key=True, max_length=40)
    reason: str = Field(default="", max_length=40)
    by: str = Field(default="", max_length=80)
    since: datetime = Field(sa_type=Utc, index=True)


class History(SQLModel, table=True):
    """What was done with a conversation, and by whom: system, agent or customer."""

    history_id: str = Field(primary_key=True, max_length=80)
    conversation_id: str = Field(max_length=40)
    action: str = Field(max_length=40)
    actor_type: str = Field(default="system", max_length=16)
    actor: str = Field(default="", max_length=80)
    detail: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON))
    at: datetime = Field(sa_type=Utc)


class Message(SQLModel, table=True):
    """What came in, as received and as cleaned. `outcome` is empty while it is on its road."""

    __table_args__ = (
        UniqueConstraint("channel", "external_id"),
        Index("message_outcome", "outcome", "stored_at"),
    )

    message_id: str = Field(primary_key=True, max_length=36)
    conversation_id: str = Field(
        foreign_key="conversation.conversation_id", max_length=40, index=True
    )
    channel: str = Field(max_length=16)
    external_id: str = Field(max_length=255)
    subject: str = Field(default="", max_length=998)
    text: str = Field(sa_column=Column(long_text(), nullable=False))
    received_text: str = Field(sa_column=Column(long_text(), nullable=False))
    received_html: str | None = Field(default=None, sa_column=Column(long_text()))
    attachments: list[dict[str, Any]] = Field(default_factory=list, sa_column=Column(JSON))
    received_at: datetime = Field(sa_type=Utc)
    stored_at: datetime = Field(sa_type=Utc)
    sender: str = Field(max_length=998)
    recipient: str = Field(default="", max_length=998)
    in_reply_to: str = Field(default="", max_length=998)
    mail_references: list[str] = Field(default_factory=list, sa_column=Column(JSON))
    automatic: str | None = Field(default=None, max_length=200)
    trial: bool = False
    new_customer: bool = False
    new_conversation: bool = False
    why: str = Field(default="", max_length=500)
    outcome: str = Field(default="", max_length=20)


class ThreadId(SQLModel, table=True):
    """A mail's Message-ID, and the conversation in which it was seen."""

    mail_id: str = Field(primary_key=True, max_length=255)
    conversation_id: str = Field(foreign_key="conversation.conversation_id", max_length=40)


class Attachment(SQLModel, table=True):
    """A file that came with a message, by reference; `name` may be anything."""

    attachment_id: str = Field(primary_key=True, max_length=40)
    message_id: str = Field(foreign_key="message.message_id", max_length=36, index=True)
    name: str = Field(default="", max_length=998)
    content_type: str = Field(default="", max_length=998)
    size_bytes: int = 0
    reference: str = Field(default="", max_length=998)
    warning: str = Field(default="", max_length=998)
