"""Whole roads, as they lie in Kafka: the events of the real handlers, and letters that died."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

from aiokafka import ConsumerRecord

from benchmarks.alone import handlers, through
from benchmarks.brokers import Letter
from benchmarks.messages import inbound_messages
from schemas.errors import Rejected
from schemas.event import Event
from schemas.printer import InboundMessage, ReplyDrafted, ReplySent
from schemas.topics import STAGES
from schemas.vocabulary import SendStatus
from services import wire
from services.dispatch import printer
from services.runtime import Runner
from storage.tables import Outgoing

AT_ONCE = 100
DIES = 50
"""One message in so many goes no further than `respond`."""

Lying = tuple[str, Letter]
"""A record, with its topic."""


@dataclass(frozen=True)
class Road:
    """A message, and what lies in Kafka once its road has ended."""

    message: InboundMessage
    letters: list[Lying]


async def roads(url: str, run: str, events: int) -> list[Road]:
    """Return roads of at least so many events; the stages work with the record at `url`."""
    messages = inbound_messages(run, signed=False)
    found: list[Road] = []
    count = 0
    async with handlers(url, STAGES[:-1]) as stages:
        while count < events:
            batch = list(islice(messages, AT_ONCE))
            for message, letters in zip(batch, await _walked(stages, batch), strict=True):
                dies = len(found) % DIES == DIES - 1
                found.append(Road(message, _cut_short(letters, count) if dies else letters))
                count += len(found[-1].letters)
    return found


async def take_in(url: str, messages: Sequence[InboundMessage]) -> None:
    """Have a record know messages and their conversations, as ingest leaves them."""
    async with handlers(url, ["ingest"]) as stages:
        for start in range(0, len(messages), AT_ONCE):
            await through(stages["ingest"], messages[start : start + AT_ONCE])


async def _walked(
    stages: Mapping[str, Runner], batch: Sequence[InboundMessage]
) -> list[list[Lying]]:
    found = [[_letter(message, "gateway", 0.0)] for message in batch]
    events: Sequence[Event] = batch
    for name, runner in stages.items():
        began = time.perf_counter()
        events = await through(runner, events)
        took_ms = (time.perf_counter() - began) * 1000 / len(batch)
        for letters, event in zip(found, events, strict=True):
            letters.append(_letter(event, name, took_ms))
    now = datetime.now(UTC)
    for letters, event in zip(found, events, strict=True):
        letters.append(_letter(_sent(event, now), "dispatch", 1.0))
    return found


def _sent(event: Event, now: datetime) -> ReplySent:
    """Return what the postman tells once it has sent a draft, without a relay that runs."""
    if not isinstance(event, ReplyDrafted):
        raise TypeError(event)
    row = Outgoing(**printer.plan(event, "console", now))
    if row.status == SendStatus.QUEUED.value:
        row.status = SendStatus.SENT.value
    return printer.sent(row, now)


def _letter(event: Event, source: str, took_ms: float) -> Lying:
    headers = wire.headers_of(event, source, took_ms)
    return event.topic, (event.key.encode(), wire.body_of(event), _encoded(headers))


def _cut_short(letters: Sequence[Lying], offset: int) -> list[Lying]:
    """Return a road that respond has ended, as the runner writes a dead letter."""
    way = list(letters[: STAGES.index("respond") + 1])
    topic, (key, body, headers) = way[-1]
    died = ConsumerRecord(
        topic=topic,
        partition=0,
        offset=offset,
        timestamp=int(time.time() * 1000),
        timestamp_type=0,
        key=key,
        value=body,
        checksum=None,
        serialized_key_size=len(key),
        serialized_value_size=len(body),
        headers=tuple(headers),
    )
    error = Rejected("made for the measurement")
    told = wire.dead_letter_headers(died, "respond", error, "benchmark")
    return [*way, ("dead.respond", (key, body, _encoded(told)))]


def _encoded(headers: wire.Headers) -> list[tuple[str, bytes]]:
    return [(name, value.encode()) for name, value in headers.items()]
