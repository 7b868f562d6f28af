"""The record of all roads: a consumer of its own writes every event down, in batches.

So that a stage that keeps nothing does not touch the database, and people can still see what
happened to a message: which stage, when, how long, what was decided and why.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from schemas.event import Event
from schemas.printer import ReplySent
from schemas.topics import PRINTER, STAGES
from services import wire
from services.lanes import Record
from services.policy import Handler
from storage import roads
from storage.database import Database

RECORDED = (*(event.topic for event in PRINTER), *(f"dead.{stage}" for stage in STAGES))

GATHER_S = 0.1
"""Between batches: seven events a message, one by one, would be seven transactions."""


@dataclass(frozen=True)
class Step:
    """One event of a road, as a row, and what it means for the road."""

    row: dict[str, Any]
    message_id: str = ""
    finished: bool = False
    failed: bool = False


def read_step(record: Record) -> Step:
    """Turn any record into a step; what cannot be read is kept as it is. Never raises."""
    headers = wire.read_headers(record)
    body = _body(record)
    message_id = _text(body, "message_id") or _text(body.get("message"), "message_id")
    if not message_id:
        message_id = _text(body, "event_id")  # an inbound message is its own road
    dead = record.topic.startswith("dead.")
    trace = _text(body, "trace_id") or headers.get("traceparent", "")[3:35]
    place = f"{record.partition}/{record.offset}"
    event_id = f"{record.topic}/{place}" if dead else _text(body, "event_id")
    row = {
        "event_id": (event_id or f"{record.topic}/{place}")[:80],
        "trace_id": trace[:32],
        "conversation_id": _conversation(body)[:40],
        "stage": headers.get("dead_stage") or _stage(record.topic),
        "topic": record.topic,
        "partition_offset": place,
        "occurred_at": _moment(record.timestamp),
        "took_ms": _number(headers.get("ce_tookms", "")),
        "why": (headers.get("dead_reason") or _text(body, "why"))[:1000],
        "body": (record.value or b"").decode("utf-8", "backslashreplace"),
    }
    return Step(row, message_id, finished=record.topic == ReplySent.topic, failed=dead)


def every_step(database: Database) -> Handler:
    """Return the handler of all topics of the printer flow and of the dead letters."""

    async def handle(steps: Sequence[Step]) -> list[Sequence[Event]]:
        await asyncio.sleep(GATHER_S)  # what comes in meanwhile is the next batch
        await database.write(
            roads.write,
            [step.row for step in steps],
            [step.message_id for step in steps if step.finished and step.message_id],
            [step.message_id for step in steps if step.failed and step.message_id],
            datetime.now(UTC),
        )
        return [() for _ in steps]

    return handle


def _moment(timestamp_ms: int) -> datetime:
    try:
        return datetime.fromtimestamp(timestamp_ms / 1000, UTC)
    except (ValueError, OverflowError, OSError):  # a producer may write any number
        return datetime.now(UTC)


def _body(record: Record) -> dict[str, Any]:
    try:
        body = json.loads(record.value or b"")
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _conversation(body: dict[str, Any]) -> str:
    return _text(body, "conversation_id") or _text(body.get("message"), "conversation_id")


def _text(body: Any, name: str) -> str:
    value = body.get(name) if isinstance(body, dict) else None
    return value if isinstance(value, str) else ""


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _stage(topic: str) -> str:
    """Return the stage that publishes a topic; gateways publish the first."""
    published = ("gateway", *STAGES)
    names = [event.topic for event in PRINTER]
    return published[names.index(topic)] if topic in names else topic
