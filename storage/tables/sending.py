"""What leaves: the outbox, and every attempt to send."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, Column, Index
from sqlmodel import Field, SQLModel

from storage.tables.columns import Utc, counter, long_text


class Outgoing(SQLModel, table=True):
    """The outbox: one row for each reply, recorded before it is tried.

    `segments`: of a text message, what is paid for.
    """

    __table_args__ = (
        Index("outgoing_queue", "status", "created_at"),
        Index("outgoing_turn", "conversation_id", "status", "created_at"),
        Index("outgoing_address", "address", "created_at"),
    )

    reply_id: str = Field(primary_key=True, max_length=36)
    message_id: str = Field(unique=True, max_length=36)
    conversation_id: str = Field(max_length=40)
    channel: str = Field(max_length=16)
    address: str = Field(max_length=320)
    ours: str = Field(default="", max_length=998)
    subject: str = Field(default="", max_length=998)
    mail_id: str = Field(default="", max_length=255)
    in_reply_to: str = Field(default="", max_length=998)
    mail_references: list[str] = Field(default_factory=list, sa_column=Column(JSON))
    text: str = Field(sa_column=Column(long_text(), nullable=False))
    segments: int = 0
    action: str = Field(max_length=16)
    reason: str = Field(max_length=40)
    how: str = Field(max_length=120)
    sources: list[str] = Field(default_factory=list, sa_column=Column(JSON))
    status: str = Field(max_length=16)
    outbound: str = Field(default="", max_length=32)
    provider_id: str = Field(default="", max_length=255)
    owner: str = Field(default="", max_length=64)
    attempts: int = 0
    next_attempt_at: datetime = Field(sa_type=Utc)
    claimed_at: datetime | None = Field(default=None, sa_type=Utc)
    sent_at: datetime | None = Field(default=None, sa_type=Utc)
    delivered_at: datetime | None = Field(default=None, sa_type=Utc)
    told_at: datetime | None = Field(default=None, sa_type=Utc, index=True)
    last_error: str = Field(default="", max_length=500)
    created_at: datetime = Field(sa_type=Utc)


class Suppression(SQLModel, table=True):
    """An address that nothing is sent to: it does not exist, or its owner complained."""

    channel: str = Field(primary_key=True, max_length=16)
    address: str = Field(primary_key=True, max_length=320)
    reason: str = Field(max_length=40)
    detail: str = Field(default="", max_length=500)
    source: str = Field(default="", max_length=80)
    since: datetime = Field(sa_type=Utc)
    until: datetime | None = Field(default=None, sa_type=Utc)


class Breaker(SQLModel, table=True):
    """A time in which nothing left by itself: too much did, or too much failed.

    It ends at `until`, or when a person ends it: `closed_at`.
    """

    opened_at: datetime = Field(primary_key=True, sa_type=Utc)
    reason: str = Field(max_length=40)
    detail: str = Field(default="", max_length=500)
    until: datetime | None = Field(default=None, sa_type=Utc)
    closed_at: datetime | None = Field(default=None, sa_type=Utc)
    closed_by: str = Field(default="", max_length=80)


class ProviderError(SQLModel, table=True):
    """What a provider's error code means for us; people may change it.

    `effect`: suppress (the recipient), opt_out (of one number of ours), alert (the sender or the
    text is wrong), retry, slow_down.
    """

    __tablename__ = "provider_error"

    provider: str = Field(primary_key=True, max_length=32)
    code: str = Field(primary_key=True, max_length=16)
    effect: str = Field(max_length=16)
    meaning: str = Field(default="", max_length=255)


class Attempt(SQLModel, table=True):
    """One attempt to send a reply, or one report of what became of it."""

    attempt_id: int | None = Field(default=None, sa_column=Column(counter(), primary_key=True))
    reply_id: str = Field(max_length=36)
    outbound: str = Field(max_length=32)
    outcome: str = Field(max_length=16)
    provider_id: str = Field(default="", max_length=255)
    detail: str = Field(default="", max_length=500)
    at: datetime = Field(sa_type=Utc)


class Latch(SQLModel, table=True):
    """Rows that are locked, not read: what only one process may do at a time."""

    name: str = Field(primary_key=True, max_length=40)
