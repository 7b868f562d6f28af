"""What a trace is made of: pieces of work on the road of a message, with ids that derive.

An event's `traceparent` names the first half of its own id as the span that made it. So the work
of a stage is the span of the event that it told, and its parent is the span of the event that it
was given: all that hands an event on knows both ends, and repeated work makes the same span again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID, uuid5

from schemas.event import Event
from services import wire
from services.lanes import Record

Kind = Literal["server", "consumer", "producer", "client"]


@dataclass(frozen=True)
class Work:
    """When it was done, in nanoseconds since 1970, and by which stage."""

    stage: str
    start_ns: int
    end_ns: int


@dataclass(frozen=True)
class Span:
    """A piece of work. `link`: the `traceparent` of a trace of others that led to it."""

    work: Work
    name: str
    kind: Kind
    trace_id: str
    span_id: str
    parent_id: str = ""
    link: str = ""
    error: str = ""
    attributes: Mapping[str, str | int] = field(default_factory=dict)


def span_of(event_id: UUID) -> str:
    """Return the span that made an event, as its `traceparent` says."""
    return event_id.hex[:16]


def inner(event_id: UUID, name: str) -> str:
    """Return a span for work on an event that told none."""
    return span_of(uuid5(event_id, f"span/{name}"))


def handled(
    work: Work, record: Record, event: Event, told: Sequence[Event], together: int
) -> list[Span]:
    """Return the spans of a stage that was given an event: one for each that it told, or one.

    Parameters
    ----------
    work
        The stage's, on the whole unit.
    record
        What the event came in.
    event, told
        What was given, and what was made of it.
    together
        How many events were in the unit.
    """
    came = wire.read_headers(record).get("traceparent", "")
    ours = came == wire.traceparent_of(event)
    seen = {
        **_place(record),
        "messaging.message.id": str(event.event_id),
        "messaging.batch.message_count": together,
    }
    return [
        Span(
            work,
            f"process {record.topic}",
            "consumer",
            event.trace_id,
            name,
            # What was published by others was made by no span that we know: it begins here.
            parent_id=span_of(event.event_id) if ours else "",
            link="" if ours else came,
            attributes=seen,
        )
        for name in [span_of(e.event_id) for e in told] or [inner(event.event_id, work.stage)]
    ]


def died(work: Work, record: Record, error: str, name: UUID) -> Span | None:
    """Return the span of a record that became a dead letter, where it belongs to a trace."""
    found = wire.TRACEPARENT.fullmatch(wire.read_headers(record).get("traceparent", ""))
    if not found:
        return None
    trace_id, parent = found[1], found[2]
    return Span(
        work,
        f"process {record.topic}",
        "consumer",
        trace_id,
        span_of(name),
        parent,
        error=error,
        attributes=_place(record),
    )


def told(work: Work, event: Event, name: str, link: str = "") -> Span:
    """Return the span of an event that was told by no handler: by the edge, or by the postman."""
    return Span(
        work,
        name,
        "producer" if event.caused_by else "server",
        event.trace_id,
        span_of(event.event_id),
        inner(event.caused_by, work.stage) if event.caused_by else "",
        link,
        attributes={
            "messaging.system": "kafka",
            "messaging.destination.name": event.topic,
            "messaging.message.id": str(event.event_id),
        },
    )


def _place(record: Record) -> dict[str, str | int]:
    return {
        "messaging.system": "kafka",
        "messaging.operation.type": "process",
        "messaging.destination.name": record.topic,
        "messaging.destination.partition.id": str(record.partition),
        "messaging.kafka.offset": record.offset,
    }
