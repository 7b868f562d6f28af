"""What travels and what became of it: the edge's journal, every event, dead letters."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, Column, Index
from sqlmodel import Field, SQLModel

from storage.tables.columns import Utc, counter, decimal, long_text, raw_bytes


class Journal(SQLModel, table=True):
    """Inbound events taken by the edge, until their road is finished (embedded broker only)."""

    event_id: str = Field(primary_key=True, max_length=36)
    body: str = Field(sa_column=Column(long_text(), nullable=False))
    accepted_at: datetime = Field(sa_type=Utc)
    finished_at: datetime | None = Field(default=None, sa_type=Utc, index=True)


class Recorded(SQLModel, table=True):
    """Every event of every road, as it travelled; written by the record's own consumer."""

    __tablename__ = "event"
    __table_args__ = (Index("event_of_trace", "trace_id", "occurred_at"),)

    seq: int | None = Field(default=None, sa_column=Column(counter(), primary_key=True))
    event_id: str = Field(unique=True, max_length=80)
    trace_id: str = Field(max_length=32)
    conversation_id: str = Field(default="", max_length=40, index=True)
    stage: str = Field(max_length=20)
    topic: str = Field(max_length=64)
    partition_offset: str = Field(default="", max_length=40)
    occurred_at: datetime = Field(sa_type=Utc)
    took_ms: float = Field(default=0.0, sa_column=Column(decimal(), nullable=False))
    why: str = Field(default="", max_length=1000)
    body: str = Field(sa_column=Column(long_text(), nullable=False))


class DeadLetter(SQLModel, table=True):
    """A record that no stage could use: its bytes, why it died, and what became of it.

    `state`: waiting → replayed → served, or again (it died anew, as another letter) | dropped.
    `dead_id` derives from where the record lay, so that one buried twice is one row.
    """

    __tablename__ = "dead_letter"
    __table_args__ = (
        Index("dead_letter_of", "state", "stage", "died_at"),
        Index("dead_letter_trace", "trace_id", "state"),
    )

    dead_id: str = Field(primary_key=True, max_length=36)
    stage: str = Field(max_length=20)
    error: str = Field(max_length=80)
    reason: str = Field(default="", max_length=1000)
    topic: str = Field(max_length=64)
    place: str = Field(max_length=40)
    record_key: bytes | None = Field(default=None, sa_column=Column(raw_bytes()))
    headers: dict[str, str] = Field(default_factory=dict, sa_column=Column(JSON))
    body: bytes = Field(sa_column=Column(raw_bytes(), nullable=False))
    cut_bytes: int = 0
    trace_id: str = Field(default="", max_length=32)
    message_id: str = Field(default="", max_length=36)
    died_at: datetime = Field(sa_type=Utc)
    state: str = Field(default="waiting", max_length=10)
    replays: int = 0
    replayed_at: datetime | None = Field(default=None, sa_type=Utc)
    ended_at: datetime | None = Field(default=None, sa_type=Utc)
