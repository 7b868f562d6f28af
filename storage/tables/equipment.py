"""What is looked after: printers and their models, cold rooms and their episodes."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Column, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from storage.tables.columns import Utc


class PrinterModel(SQLModel, table=True):
    """A model of a printer."""

    __tablename__ = "printer_model"
    __table_args__ = (UniqueConstraint("manufacturer", "name"),)

    model_id: str = Field(primary_key=True, max_length=40)
    manufacturer: str = Field(max_length=100)
    name: str = Field(max_length=255)
    code: str = Field(default="", max_length=100)
    specifications: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON))
    manual_url: str = Field(default="", max_length=512)


class Device(SQLModel, table=True):
    """A customer's printer."""

    device_id: str = Field(primary_key=True, max_length=40)
    customer_id: str = Field(foreign_key="customer.customer_id", max_length=40, index=True)
    model_id: str | None = Field(
        default=None, foreign_key="printer_model.model_id", max_length=40, index=True
    )
    serial_number: str = Field(max_length=100)
    installed_on: date | None = None
    warranty_until: date | None = None
    location: str = Field(default="", max_length=255)
    details: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON))
    created_at: datetime = Field(sa_type=Utc)
    updated_at: datetime | None = Field(default=None, sa_type=Utc)


class Unit(SQLModel, table=True):
    """A cold room or cabinet. `state` is its detector's memory; `version` guards it.

    `declared`: it has a profile, so it is watched; another is one that only readings named.
    `untold`: alarms that were decided with this state and may not have been published yet.
    `due_at`: when silence means something, as of the last write. `read_at`: of the newest reading.
    """

    unit_id: str = Field(primary_key=True, max_length=80)
    customer_id: str | None = Field(default=None, foreign_key="customer.customer_id", max_length=40)
    name: str = Field(default="", max_length=255)
    profile: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON))
    state: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON))
    version: int = 0
    created_at: datetime = Field(sa_type=Utc)
    updated_at: datetime | None = Field(default=None, sa_type=Utc)
    declared: bool = False
    profile_at: datetime | None = Field(default=None, sa_type=Utc, index=True)
    untold: list[dict[str, Any]] = Field(default_factory=list, sa_column=Column(JSON))
    due_at: datetime | None = Field(default=None, sa_type=Utc, index=True)
    read_at: datetime | None = Field(default=None, sa_type=Utc)
    out_of_service_by: str = Field(default="", max_length=80)
    out_of_service_at: datetime | None = Field(default=None, sa_type=Utc)


class Episode(SQLModel, table=True):
    """One fault of one unit, from its alarm to its end. `version` guards changes.

    `leader_id`: the episode in whose message it is told; empty: it has its own. `gathering`: what
    is told together when it comes together. `due_at`: when something is to be done about it, on
    the row of the leader. `told_steps`: how many of those on call were told.
    """

    __table_args__ = (
        Index("episode_of", "unit_id", "ended_at"),
        Index("episode_gathered", "gathering", "announced_at"),
    )

    episode_id: str = Field(primary_key=True, max_length=40)
    unit_id: str = Field(foreign_key="unit.unit_id", max_length=80)
    fault: str = Field(max_length=40)
    severity: str = Field(max_length=16)
    evidence: list[dict[str, Any]] = Field(default_factory=list, sa_column=Column(JSON))
    acknowledged_by: str = Field(default="", max_length=80)
    acknowledged_at: datetime | None = Field(default=None, sa_type=Utc)
    shelved_until: datetime | None = Field(default=None, sa_type=Utc)
    began_at: datetime = Field(sa_type=Utc)
    ended_at: datetime | None = Field(default=None, sa_type=Utc)
    version: int = 0
    leader_id: str = Field(default="", max_length=40, index=True)
    parent_id: str = Field(default="", max_length=80)
    gathering: str = Field(default="", max_length=100)
    card: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON))
    on_call: list[str] = Field(default_factory=list, sa_column=Column(JSON))
    trace_id: str = Field(default="", max_length=32)
    shelved_by: str = Field(default="", max_length=80)
    label: str = Field(default="", max_length=40)
    label_by: str = Field(default="", max_length=80)
    label_note: str = Field(default="", max_length=2000)
    changed_at: datetime | None = Field(default=None, sa_type=Utc)
    announced_at: datetime | None = Field(default=None, sa_type=Utc)
    reminded_at: datetime | None = Field(default=None, sa_type=Utc)
    told_steps: int = 0
    due_at: datetime | None = Field(default=None, sa_type=Utc, index=True)
