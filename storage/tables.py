"""The tables of the printer flow. Times are UTC; ids are ours, as text; texts are UTF-8."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    DateTime,
    Dialect,
    Index,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.dialects.mysql import DATETIME, MEDIUMTEXT, VARCHAR
from sqlmodel import Field, SQLModel


class Utc(TypeDecorator[datetime]):
    """A moment: kept as UTC with microseconds and no zone, given back with its zone."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """Keep microseconds in MySQL too."""
        if dialect.name == "mysql":
            return dialect.type_descriptor(DATETIME(fsp=6))
        return dialect.type_descriptor(DateTime())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Take the zone off, after going to UTC."""
        del dialect
        return value.astimezone(UTC).replace(tzinfo=None) if value else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Put the zone back."""
        del dialect
        return value.replace(tzinfo=UTC) if value else None


def _long_text() -> Any:
    return Text().with_variant(MEDIUMTEXT(), "mysql")


def _exact(length: int) -> Any:
    return String(length).with_variant(VARCHAR(length, collation="utf8mb4_bin"), "mysql")


class Journal(SQLModel, table=True):
    """Inbound events taken by the edge, until their road is finished (embedded broker only)."""

    event_id: str = Field(primary_key=True, max_length=36)
    body: str = Field(sa_column=Column(_long_text(), nullable=False))
    accepted_at: datetime = Field(sa_type=Utc)
    finished_at: datetime | None = Field(default=None, sa_type=Utc, index=True)


class Customer(SQLModel, table=True):
    """Who writes: one row for each address, number or reference that was seen."""

    customer_id: str = Field(primary_key=True, max_length=40)
    address: str = Field(sa_column=Column(_exact(340), unique=True, nullable=False))
    name: str = Field(default="", max_length=255)
    created_at: datetime = Field(sa_type=Utc)


class Conversation(SQLModel, table=True):
    """Messages of one customer over one channel that belong together."""

    __table_args__ = (Index("conversation_of", "customer_id", "channel", "last_at"),)

    conversation_id: str = Field(primary_key=True, max_length=40)
    customer_id: str = Field(foreign_key="customer.customer_id", max_length=40)
    channel: str = Field(max_length=16)
    subject: str = Field(default="", max_length=998)
    state: str = Field(default="on_the_road", max_length=20, index=True)
    reason: str = Field(default="", max_length=40)
    trial: bool = False
    created_at: datetime = Field(sa_type=Utc)
    last_at: datetime = Field(sa_type=Utc, index=True)


class Message(SQLModel, table=True):
    """What came in, as received and as cleaned. `outcome` is empty while it is on its road."""

    __table_args__ = (UniqueConstraint("channel", "external_id"),)

    message_id: str = Field(primary_key=True, max_length=36)
    conversation_id: str = Field(
        foreign_key="conversation.conversation_id", max_length=40, index=True
    )
    channel: str = Field(max_length=16)
    external_id: str = Field(sa_column=Column(_exact(255), nullable=False))
    subject: str = Field(default="", max_length=998)
    text: str = Field(sa_column=Column(_long_text(), nullable=False))
    received_text: str = Field(sa_column=Column(_long_text(), nullable=False))
    received_html: str | None = Field(default=None, sa_column=Column(_long_text()))
    attachments: list[dict[str, Any]] = Field(default_factory=list, sa_column=Column(JSON))
    received_at: datetime = Field(sa_type=Utc)
    stored_at: datetime = Field(sa_type=Utc)
    sender: str = Field(max_length=998)
    automatic: str | None = Field(default=None, max_length=200)
    trial: bool = False
    new_customer: bool = False
    new_conversation: bool = False
    why: str = Field(default="", max_length=500)
    outcome: str = Field(default="", max_length=20)


class ThreadId(SQLModel, table=True):
    """A mail's Message-ID, and the conversation in which it was seen."""

    mail_id: str = Field(sa_column=Column(_exact(255), primary_key=True))
    conversation_id: str = Field(foreign_key="conversation.conversation_id", max_length=40)


class Outgoing(SQLModel, table=True):
    """The outbox: one row for each reply, recorded before it is tried."""

    __table_args__ = (Index("outgoing_due", "status", "next_attempt_at"),)

    reply_id: str = Field(primary_key=True, max_length=36)
    message_id: str = Field(unique=True, max_length=36)
    conversation_id: str = Field(max_length=40, index=True)
    channel: str = Field(max_length=16)
    address: str = Field(max_length=320)
    subject: str = Field(default="", max_length=998)
    text: str = Field(sa_column=Column(_long_text(), nullable=False))
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
    told_at: datetime | None = Field(default=None, sa_type=Utc, index=True)
    last_error: str = Field(default="", max_length=500)
    created_at: datetime = Field(sa_type=Utc)


class Recorded(SQLModel, table=True):
    """Every event of every road, as it travelled; written by the record's own consumer."""

    __tablename__ = "event"
    __table_args__ = (Index("event_of_trace", "trace_id", "occurred_at"),)

    seq: int | None = Field(default=None, primary_key=True)
    event_id: str = Field(unique=True, max_length=80)
    trace_id: str = Field(max_length=32)
    conversation_id: str = Field(default="", max_length=40, index=True)
    stage: str = Field(max_length=20)
    topic: str = Field(max_length=64)
    partition_offset: str = Field(default="", max_length=40)
    occurred_at: datetime = Field(sa_type=Utc)
    took_ms: float = 0.0
    why: str = Field(default="", max_length=1000)
    body: str = Field(sa_column=Column(_long_text(), nullable=False))


for _table in SQLModel.metadata.sorted_tables:  # a server's own default may lose emoji, silently
    _table.dialect_kwargs["mysql_charset"] = "utf8mb4"
