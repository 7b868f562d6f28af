"""What leaves: the outbox, and every attempt to send."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, Column, Index
from sqlmodel import Field, SQLModel

from storage.tables.columns import Utc, counter, long_text


class Outgoing(SQLModel, table=True):
    """The outbox: one row for each reply, recorded before it is tried."""

    __table_args__ = (
        Index("outgoing_queue", "status", "created_at"),
        Index("outgoing_turn", "conversation_id", "status", "created_at"),
    )

    reply_id: str = Field(primary_key=True, max_length=36)
    message_id: str = Field(unique=True, max_length=36)
    conversation_id: str = Field(max_length=40)
    channel: str = Field(max_length=16)
    address: str = Field(max_length=320)
    subject: str = Field(default="", max_length=998)
    text: str = Field(sa_column=Column(long_text(), nullable=False))
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
