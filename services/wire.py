"""Between records and events: CloudEvents' binary mode, and letters that died.

Header names follow the CloudEvents Kafka binding; `traceparent` is W3C Trace Context. All header
values are UTF-8 text: a reader that meets anything else has lost messages before.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TypeVar

from aiokafka import ConsumerRecord
from pydantic import ValidationError

from schemas.errors import Rejected, reason_of
from schemas.event import Event

MAX_HEADER_BYTES = 8_192
"""Of one header. Ours have at most 100 bytes; HTTP servers commonly stop at 8 KiB."""

TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")
"""W3C Trace Context: version, trace, parent, flags."""

Headers = dict[str, str]
E = TypeVar("E", bound=Event)


def headers_of(event: Event, source: str, took_ms: float) -> Headers:
    """Return the headers that travel with an event; `took_ms`: what its stage needed for it."""
    return {
        "ce_specversion": "1.0",
        "ce_id": str(event.event_id),
        "ce_type": event.type_name(),
        "ce_source": f"/astreinte/{source}",
        "ce_time": event.occurred_at.isoformat(),
        "ce_tookms": f"{took_ms:.2f}",
        "content-type": "application/json",
        "traceparent": traceparent_of(event),
    }


def traceparent_of(event: Event) -> str:
    """Return an event's place in its trace: the span that made it has half of its id."""
    return f"00-{event.trace_id}-{event.event_id.hex[:16]}-01"


def body_of(event: Event) -> bytes:
    """Return the record's value: the event as JSON, field names as in the public contract."""
    return event.model_dump_json(by_alias=True).encode()


def read_headers(record: ConsumerRecord[bytes, bytes]) -> Headers:
    """Return a record's headers as text, whatever they hold. Never raises."""
    return {
        str(name): (value or b"")[:MAX_HEADER_BYTES].decode("utf-8", "backslashreplace")
        for name, value in record.headers or ()
    }


def trace_of(record: ConsumerRecord[bytes, bytes]) -> str:
    """Return the trace id that a record's headers name, or nothing. Never raises."""
    found = TRACEPARENT.fullmatch(read_headers(record).get("traceparent", ""))
    return found[1] if found else ""


def parse(record: ConsumerRecord[bytes, bytes], expected: type[E]) -> E:
    """Read the event of a record.

    Raises
    ------
    Rejected
        The record holds no such event. The reason repeats none of its content.
    """
    kind = b""
    for name, value in record.headers or ():
        if value is not None and len(value) > MAX_HEADER_BYTES:
            msg = f"header {name[:80]!r} has {len(value)} bytes, {MAX_HEADER_BYTES} are accepted"
            raise Rejected(msg)
        if name == "ce_type":
            kind = value or b""
    if kind and kind != expected.type_name().encode():
        msg = f"a {kind.decode('utf-8', 'backslashreplace')[:120]!r}, not a {expected.type_name()}"
        raise Rejected(msg)
    if not record.value:
        msg = "an empty value"
        raise Rejected(msg)
    try:
        return expected.read(record.value)
    except ValidationError as error:
        raise Rejected(reason_of(error)) from None
    except ValueError as error:  # of the parser: it says where, and repeats nothing
        msg = f"body: Invalid JSON: {error}"
        raise Rejected(msg) from None


def dead_letter_headers(
    record: ConsumerRecord[bytes, bytes], stage: str, error: BaseException, group: str
) -> Headers:
    """Return what a dead letter says of itself; the original headers come along, as text."""
    known = isinstance(error, Rejected)
    return read_headers(record) | {
        "dead_stage": stage,
        "dead_topic": record.topic,
        "dead_partition": str(record.partition),
        "dead_offset": str(record.offset),
        "dead_written": str(record.timestamp),
        "dead_group": group,
        "dead_error": type(error).__name__,
        # The text of an unexpected error may quote what it choked on: keep it in the log only.
        "dead_reason": str(error)[:1000] if known else "an unexpected error; see the log",
        "dead_time": datetime.now(UTC).isoformat(),
    }
