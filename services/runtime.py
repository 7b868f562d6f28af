"""What happens to every event: consume, keep order, retry, tell, dead letter, commit.

Delivery is decided here, once. FastStream consumes with `AckPolicy.MANUAL` and hands over whole
polls; the lanes keep each key in order and let different keys go side by side; an offset is
committed when everything below it is done: outputs confirmed by the broker, or a dead letter
written. So a killed stage repeats work and loses none, and as ids derive from their cause,
whoever comes next recognises what is repeated.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiokafka import TopicPartition
from faststream.kafka import KafkaBroker

from schemas.errors import Unavailable
from schemas.event import Event
from services import tracing, wire
from services.lanes import Lanes, Record
from services.patience import Patience
from services.policy import Handler, Health, Policy
from services.progress import Progress
from services.subscription import Subscription
from services.telling import Teller

log = logging.getLogger(__name__)


@dataclass
class Runner:
    """Works through topics; `parse` makes of a record what the handler takes, or `Rejected`."""

    stage: str
    topics: tuple[str, ...]
    group: str
    teller: Teller
    parse: Callable[[Record], Any]
    handle: Handler
    policy: Policy = field(default_factory=Policy)

    def __post_init__(self) -> None:
        self.health = Health(self.stage)
        self._progress = Progress(self.health, self.topics, self.policy)
        self._lanes = Lanes()
        self._units: set[asyncio.Task[None]] = set()
        self._patience = Patience(self._down, self._back)
        self._draining = False
        self._between = False  # our partitions were taken, the next ones have not come yet
        self._dead_in_a_row = 0
        self._committer: asyncio.Task[None] | None = None
        self._subscription: Subscription  # made by `subscribe`

    def subscribe(self, broker: KafkaBroker, fetch_wait_ms: int = 500) -> None:
        """Register with the broker, which may hold a fetch for `fetch_wait_ms`."""
        self._subscription = Subscription(broker, self.topics, self.group, self, fetch_wait_ms)

    async def start(self) -> None:
        """Begin to consume."""
        await self._subscription.start()
        self._committer = asyncio.create_task(self._commit_regularly())

    async def take_over(self, records: Sequence[Record]) -> None:
        """Accept a poll. What is not accepted is neither done nor committed: it is read again."""
        if self._draining or self._between or self.health.stopped:
            return
        self._lanes.add(records)
        if self._lanes.waiting > self.policy.backlog:
            self._subscription.pause()
        self._start_units()

    def _start_units(self) -> None:
        while (
            len(self._units) < self.policy.concurrency
            and not (self._draining or self._between or self.health.stopped)
            and not self._patience.waiting
            and (unit := self._lanes.take(self.policy.batch))
        ):
            task = asyncio.create_task(self._work(unit))
            self._units.add(task)
            task.add_done_callback(self._finished)
        self._progress.took_over(self._lanes.in_flight + self._lanes.waiting)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._units.discard(task)
        self._start_units()
        if self._lanes.waiting <= self.policy.backlog // 2 and not self._patience.waiting:
            self._resume()

    async def _work(self, unit: list[Record]) -> None:
        try:
            started = time.perf_counter()
            readable, parsed = await self._read(unit)
            if parsed:
                await self._handle(readable, parsed)
            self._progress.finished(time.perf_counter() - started)
        except asyncio.CancelledError:
            self._lanes.abandon(unit)
            raise
        except _Stop as stop:
            self._lanes.abandon(unit)
            self._stop(str(stop))
        except Exception as error:  # a bug of ours: nothing is lost by stopping
            self._lanes.abandon(unit)
            log.exception("%s cannot go on", self.stage)
            self._stop(f"a bug in the runner ({type(error).__name__})")
        else:
            self._lanes.finish(unit)
            self.health.last_progress = datetime.now(UTC)

    async def _read(self, unit: list[Record]) -> tuple[list[Record], list[Any]]:
        readable: list[Record] = []
        parsed: list[Any] = []
        for record in unit:
            try:
                parsed.append(self.parse(record))
                readable.append(record)
            except Exception as error:  # noqa: BLE001 - whatever it is, the next one is served
                await self._bury(record, error)
        return readable, parsed

    async def _handle(self, records: list[Record], events: list[Any]) -> None:
        started = time.perf_counter()
        try:
            told = await self._patience.until_done(lambda: self._limited(events))
            took_ms = (time.perf_counter() - started) * 1000 / len(events)
            # One answer an event: anything else is a bug, found before it is told.
            flat = [e for _, answer in zip(events, told, strict=True) for e in answer]
            await self._patience.until_done(lambda: self.teller.tell(flat, self.stage, took_ms))
        except Exception as error:  # noqa: BLE001 - see `_bury`
            await self._one_by_one(records, events, error)
        else:
            self._succeeded(len(events))
            seconds = time.perf_counter() - started
            tracing.handled(self.stage, records, events, told, seconds)

    async def _limited(self, events: list[Any]) -> Sequence[Sequence[Event]]:
        try:
            async with asyncio.timeout(self.policy.unit_timeout_s):
                return await self.handle(events)
        except TimeoutError as error:
            msg = f"the handler did not finish within {self.policy.unit_timeout_s:g} s"
            raise Unavailable(msg) from error

    async def _one_by_one(self, records: list[Record], events: list[Any], error: Exception) -> None:
        # One bad record never takes its neighbours with it: the unit is repeated singly.
        if len(records) == 1:
            await self._bury(records[0], error)
            return
        for record, event in zip(records, events, strict=True):
            await self._handle([record], [event])

    def _succeeded(self, count: int) -> None:
        self._dead_in_a_row = 0
        self._progress.done(count)

    async def _bury(self, record: Record, error: Exception) -> None:
        """Write a dead letter; the record then counts as done."""
        self._dead_in_a_row += 1
        if self._dead_in_a_row > self.policy.dead_in_a_row:
            limit = self.policy.dead_in_a_row
            msg = f"{limit} dead letters in a row, the last: {type(error).__name__}"
            raise _Stop(msg)
        self._progress.fails(record, error)
        headers = wire.dead_letter_headers(record, self.stage, error, self.group)
        await self._patience.until_done(lambda: self.teller.bury(self.stage, record, headers))
        self._progress.buried(error)
        tracing.buried(self.stage, record, error)

    def _stop(self, why: str) -> None:
        self.health.stopped = why
        self._subscription.pause()
        log.critical("%s stops: %s", self.stage, why)

    def _down(self, why: str) -> None:
        if not self.health.waiting_for:
            log.warning("%s waits: %s", self.stage, why)
        self._progress.waits(why or "a neighbour")
        self._subscription.pause()

    def _back(self) -> None:
        self._progress.waits("")
        self._resume()
        self._start_units()

    def _resume(self) -> None:
        if not self.health.stopped:
            self._subscription.resume()

    async def _commit_regularly(self) -> None:
        while True:
            await asyncio.sleep(self.policy.commit_every_s)
            await self._subscription.commit_done(self._lanes)
            await self._progress.look(self._lanes, self._subscription)

    async def revoked(self, places: Iterable[TopicPartition]) -> None:
        """Finish what is in hand, commit, forget the rest: it is read from the commit on."""
        self._between = True
        self.health.assigned = None
        await self._settle()
        self._lanes.drop(places)

    def assigned(self, places: Iterable[TopicPartition]) -> None:
        """Note the partitions; a stage that waits or has stopped stays paused."""
        self._between = False
        self.health.assigned = len(list(places))
        if self._patience.waiting or self.health.stopped:
            self._subscription.pause()

    def cannot_go_on(self, why: str) -> None:
        """Stop: nothing more can be taken from the topics."""
        if not self.health.stopped:
            self._stop(why)

    async def drain(self) -> None:
        """Take nothing more over, finish what is in hand, commit, leave the group."""
        self._draining = True
        self.health.assigned = None
        await self._settle()
        if self._committer:
            self._committer.cancel()
            with suppress(asyncio.CancelledError):
                await self._committer
        await self._subscription.stop()
        self._progress.ended()

    async def _settle(self) -> None:
        self._patience.give_up()  # they would wait for their neighbour all the while
        if self._units:
            _, hung = await asyncio.wait(self._units, timeout=self.policy.drain_s)
            for task in hung:
                task.cancel()
            if hung:
                await asyncio.wait(hung)
        if self.policy.let_go:
            await self.policy.let_go()
        await self._subscription.commit_done(self._lanes)


class _Stop(Exception):  # noqa: N818 - not an error: the limit of dead letters
    """The stage goes no further."""
