"""Tells a collector of traces what was done, by OTLP over HTTP; where none is set, nothing.

The collector of a process is one for all, as its metrics and its log are. Spans wait in memory and
are sent from a thread of their own; where the collector is slow or gone they are dropped: no
message waits for its trace.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID, uuid5

from schemas.event import ASTREINTE, Event
from services import spans
from services.lanes import Record
from services.spans import Span, Work

NS = 1_000_000_000


class Collector(Protocol):
    """Takes spans."""

    def add(self, span: Span) -> None:
        """Take one; never waits."""

    def close(self) -> None:
        """Send what is left."""


@dataclass(frozen=True)
class Arrival:
    """A request to the edge: when it came, what it asked, and whose trace it belongs to."""

    at_ns: int
    name: str
    traceparent: str


ARRIVED: ContextVar[Arrival | None] = ContextVar("ARRIVED", default=None)

_collector: Collector | None = None


@asynccontextmanager
async def tracing(endpoint: str) -> AsyncIterator[None]:
    """Send spans to `endpoint` meanwhile; nowhere, and at no cost, where it is empty."""
    global _collector  # noqa: PLW0603 - one for the process
    if not endpoint:
        yield
        return
    from services.otlp import Otlp  # noqa: PLC0415 - what is not asked for is not loaded

    mine = _collector = Otlp(endpoint)
    try:
        yield
    finally:
        _collector = None
        await asyncio.to_thread(mine.close)


def arrived(name: str, headers: Iterable[tuple[bytes, bytes]]) -> None:
    """Note a request to the edge, for what is told on its behalf."""
    if _collector is not None:
        came = dict(headers).get(b"traceparent", b"").decode("latin-1")
        ARRIVED.set(Arrival(time.time_ns(), name, came))


def handled(
    stage: str,
    records: Sequence[Record],
    events: Sequence[Any],
    told: Sequence[Sequence[Event]],
    seconds: float,
) -> None:
    """Tell what a stage made of a unit, and how long it took until all was confirmed."""
    if _collector is None:
        return
    work = _lately(stage, seconds)
    for record, event, answer in zip(records, events, told, strict=True):
        if isinstance(event, Event):  # the record's steps are no work on the message
            for span in spans.handled(work, record, event, answer, len(events)):
                _collector.add(span)


def buried(stage: str, record: Record, error: BaseException) -> None:
    """Tell that a record became a dead letter."""
    if _collector is None:
        return
    place = f"span/{stage}/{record.topic}/{record.partition}/{record.offset}"
    name = uuid5(ASTREINTE, place)
    if span := spans.died(_lately(stage, 0), record, type(error).__name__, name):
        _collector.add(span)


def told(stage: str, events: Sequence[Event], seconds: float = 0.0) -> None:
    """Tell what was told by no handler: by the edge, or by the postman."""
    if _collector is None:
        return
    came = ARRIVED.get()
    work = _lately(stage, seconds)
    if came:
        work = Work(stage, came.at_ns, work.end_ns)
    for event in events:
        name = came.name if came else f"publish {event.topic}"
        _collector.add(spans.told(work, event, name, came.traceparent if came else ""))


def asked(stage: str, event: Event, neighbour: str, outcome: str, seconds: float) -> None:
    """Tell that a neighbour was asked for an event that is about to be told."""
    if _collector is None:
        return
    _collector.add(
        Span(
            _lately(stage, seconds),
            neighbour,
            "client",
            event.trace_id,
            spans.inner(event.event_id, neighbour),
            spans.span_of(event.event_id),
            attributes={"astreinte.outcome": outcome},
        )
    )


def tried(message_id: str, reply_id: str, provider: str, outcome: str, began_ns: int) -> None:
    """Tell that a reply was given to a provider; each attempt is a span of its own."""
    if _collector is None:
        return
    reply = UUID(reply_id)
    _collector.add(
        Span(
            Work("dispatch", began_ns, time.time_ns()),
            f"send {provider}",
            "client",
            UUID(message_id).hex,
            spans.inner(reply, f"{provider}/{began_ns}"),
            spans.inner(reply, "dispatch"),
            error="" if outcome == "accepted" else outcome,
            attributes={"astreinte.outcome": outcome, "astreinte.reply_id": reply_id},
        )
    )


def _lately(stage: str, seconds: float) -> Work:
    end = time.time_ns()
    return Work(stage, end - int(seconds * NS), end)
