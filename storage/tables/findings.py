"""What the stages found in each message; written by the record, one row for each event."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, Index
from sqlmodel import Field, SQLModel

from storage.tables.columns import Utc, decimal


class Prediction(SQLModel, table=True):
    """What `classify` made of a message, one row for each task."""

    event_id: str = Field(primary_key=True, max_length=80)
    task: str = Field(primary_key=True, max_length=20)
    message_id: str = Field(max_length=36)
    conversation_id: str = Field(max_length=40)
    label: str = Field(max_length=40)
    confidence: float = Field(sa_column=Column(decimal(), nullable=False))
    at: datetime = Field(sa_type=Utc)


class Extraction(SQLModel, table=True):
    """What `extract` found in a message, each with its place in the text."""

    event_id: str = Field(primary_key=True, max_length=80)
    message_id: str = Field(max_length=36)
    conversation_id: str = Field(max_length=40)
    fields: list[dict[str, Any]] = Field(default_factory=list, sa_column=Column(JSON))
    at: datetime = Field(sa_type=Utc)


class Retrieval(SQLModel, table=True):
    """The articles that `rag` found near enough: `[{article, language, score}]`."""

    event_id: str = Field(primary_key=True, max_length=80)
    message_id: str = Field(max_length=36)
    conversation_id: str = Field(max_length=40)
    passages: list[dict[str, Any]] = Field(default_factory=list, sa_column=Column(JSON))
    best_score: float | None = Field(default=None, sa_column=Column(decimal()))
    at: datetime = Field(sa_type=Utc)


class Correction(SQLModel, table=True):
    """What a person said of a finding; `storage.devices.correct` says what the columns mean."""

    __table_args__ = (Index("correction_of", "customer_id", "at"),)

    correction_id: str = Field(primary_key=True, max_length=36)
    message_id: str = Field(max_length=36)
    conversation_id: str = Field(max_length=40)
    customer_id: str = Field(max_length=40)
    kind: str = Field(max_length=40)
    old: str = Field(default="", max_length=255)
    value: str = Field(default="", max_length=255)
    words: str = Field(default="", max_length=255)
    by: str = Field(default="", max_length=80)
    at: datetime = Field(sa_type=Utc)


class Metric(SQLModel, table=True):
    """A figure of one road: `answered_alone` (1 or 0), `road_s` (seconds, inbound to outcome)."""

    event_id: str = Field(primary_key=True, max_length=80)
    name: str = Field(primary_key=True, max_length=40)
    conversation_id: str = Field(default="", max_length=40)
    value: float = Field(sa_column=Column(decimal(), nullable=False))
    at: datetime = Field(sa_type=Utc)
