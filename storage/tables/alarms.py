"""What people are told of cold rooms, and the sign of life of who watches over them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, Index
from sqlmodel import Field, SQLModel

from storage.tables.columns import Utc


class Alert(SQLModel, table=True):
    """The outbox of alarms: one row for each episode, recipient and kind of message.

    `kind`: raised, cleared, or a reminder. `card` is what it is to show; `wanted` counts its
    editions and `shown` is the one that the recipient has. With a `reference` it is edited.
    """

    __table_args__ = (
        Index("alert_due", "status", "next_attempt_at"),
        Index("alert_address", "address", "created_at"),
    )

    alert_id: str = Field(primary_key=True, max_length=36)
    episode_id: str = Field(max_length=40, index=True)
    unit_id: str = Field(max_length=80)
    trace_id: str = Field(max_length=32)
    kind: str = Field(max_length=16)
    outbound: str = Field(max_length=32)
    recipient: str = Field(max_length=80)
    address: str = Field(max_length=320)
    card: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON))
    urgency: int = 0
    wanted: int = 1
    shown: int = 0
    status: str = Field(max_length=16)
    reference: str = Field(default="", max_length=255)
    owner: str = Field(default="", max_length=64)
    attempts: int = 0
    next_attempt_at: datetime = Field(sa_type=Utc)
    claimed_at: datetime | None = Field(default=None, sa_type=Utc)
    sent_at: datetime | None = Field(default=None, sa_type=Utc)
    told_at: datetime | None = Field(default=None, sa_type=Utc, index=True)
    last_error: str = Field(default="", max_length=500)
    created_at: datetime = Field(sa_type=Utc)


class Heartbeat(SQLModel, table=True):
    """When a process that watches over units last did its work; by owner."""

    name: str = Field(primary_key=True, max_length=80)
    at: datetime = Field(sa_type=Utc)
