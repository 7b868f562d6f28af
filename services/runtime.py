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
import random
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from aiokafka import TopicPartition
from faststream.kafka import KafkaBroker

from schemas.errors import Rejected, Unavailable
from schemas.event import Event
from services import metrics, wire
from services.lanes import Lanes, Record
from services.subscription import Subscription
from services.telling import Teller

log = logging.getLogger(__name__)

T = TypeVar("T")
Handler = Callable[[Sequence[Any]], Awaitable[Sequence[Sequence[Event]]]]
"""Takes events, returns for each what to tell, in the same order."""

QUICK_TRIES_S = (0.2, 0.8, 3.2)
"""Waits between tries in place; see the house's section on waiting."""
SLOW_TRY_S = 5.0
"""Between tries once the partitions are paused."""


@dataclass(frozen=True)
class Policy:
    """How a stage works through its topic.

    `batch`: records a unit of work; `concurrency`: units side by side; `backlog`: records taken
    over before the partitions are paused; `dead_in_a_row`: dead letters without a success
    between them after which the stage stops, because then something is wrong with us;
    `unit_timeout_s`: after which a handler counts as hung, and its unit is tried again.
    """

    batch: int = 1
    concurrency: int = 1
    backlog: int = 2_000
    dead_in_a_row: int = 50
    unit_timeout_s: float = 240.0
    commit_every_s: float = 0.1
    drain_s: float = 8.0


@dataclass
class Health:
    """What a runner can say of itself."""

    stage: str
    assigned: int = 0
    in_hand: int = 0
    waiting_for: str = ""
    stopped: str = ""
    handled: int = 0
    dead: int = 0
    last_progress: datetime | None = None

    @property
    def ready(self) -> bool:
        """It consumes: partitions are assigned and nothing holds it up."""
        return bool(self.assigned) and not (self.stopped or self.waiting_for)


@dataclass
class Runner:
    """Works through the topics of one stage.

    `parse` turns a record into what the handler takes and raises `Rejected` when it cannot.
    """

    stage: str
    topics: tuple[str, ...]
    group: str
    teller: Teller
    parse: Callable[[Record], Any]
    handle: Handler
    policy: Policy = field(default_factory=Policy)

    def __post_init__(self) -> None:
        self.health = Health(self.stage)
        self._lanes = Lanes()
        self._units: set[asyncio.Task[None]] = set()
        self._failing: set[asyncio.Task[Any]] = set()
        self._draining = False
        self._dead_in_a_row = 0
        self._committer: asyncio.Task[None] | None = None
        self._subscription: Subscription | None = None

    # --- what comes in -----------------------------------------------------------------------

    def subscribe(self, broker: KafkaBroker, fetch_wait_ms: int = 500) -> None:
        """Register with the broker, which may hold a fetch for `fetch_wait_ms`."""
        self._subscription = Subscription(broker, self.topics, self.group, self, fetch_wait_ms)

    async def start(self) -> None:
        """Begin to consume."""
        if self._subscription:
            await self._subscription.start()

    async def take_over(self, records: Sequence[Record]) -> None:
        """Accept a poll. What is not accepted is neither done nor committed: it is read again."""
        if self._draining or self.health.stopped:
            return
        self._lanes.add(records)
        if self._lanes.waiting > self.policy.backlog:
            self._pause()
        self._start_units()
        if self._committer is None:
            self._committer = asyncio.create_task(self._commit_regularly())

    def _start_units(self) -> None:
        while (
            len(self._units) < self.policy.concurrency
            and not (self._draining or self._failing or self.health.stopped)
            and (unit := self._lanes.take(self.policy.batch))
        ):
            task = asyncio.create_task(self._work(unit))
            self._units.add(task)
            task.add_done_callback(self._finished)
        metrics.IN_HAND.labels(self.stage).set(self._lanes.in_flight + self._lanes.waiting)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._units.discard(task)
        self._start_units()
        if self._lanes.waiting <= self.policy.backlog // 2 and not self._failing:
            self._resume()

    # --- one unit of work --------------------------------------------------------------------

    async def _work(self, unit: list[Record]) -> None:
        try:
            started = time.perf_counter()
            readable, parsed = await self._read(unit)
            if parsed:
                await self._handle(readable, parsed)
            metrics.DURATION.labels(self.stage).observe(time.perf_counter() - started)
        except asyncio.CancelledError:
            self._lanes.abandon(unit)
            raise
        except _Stop as stop:
            self._lanes.abandon(unit)
            self._stop(str(stop))
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
            told = await self._patiently(lambda: self._limited(events))
        except (_Stop, asyncio.CancelledError):
            raise
        except Exception as error:  # noqa: BLE001 - see `_bury`
            await self._one_by_one(records, events, error)
            return
        took_ms = (time.perf_counter() - started) * 1000 / len(events)
        await self._tell(records, [event for events_ in told for event in events_], took_ms)
        self._succeeded(len(events))

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

    async def _tell(self, records: list[Record], events: list[Event], took_ms: float) -> None:
        try:
            await self._patiently(lambda: self.teller.tell(events, self.stage, took_ms))
        except Rejected as error:  # too large for the broker
            for record in records:
                await self._bury(record, error)

    async def _patiently(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Try until a neighbour answers: quickly at first, then with the partitions paused."""
        tries = 0
        me = _this_task()
        try:
            while True:
                try:
                    return await attempt()
                except Unavailable as why:
                    tries += 1
                    if tries > len(QUICK_TRIES_S):
                        self._wait_for(str(why), me)
                    wait = QUICK_TRIES_S[tries - 1] if tries <= len(QUICK_TRIES_S) else SLOW_TRY_S
                    await asyncio.sleep(wait * random.uniform(0.8, 1.2))  # noqa: S311 - jitter
        finally:
            self._answered(me)

    # --- what becomes of it ------------------------------------------------------------------

    def _succeeded(self, count: int) -> None:
        self._dead_in_a_row = 0
        self.health.handled += count
        metrics.HANDLED.labels(self.stage, "done").inc(count)

    async def _bury(self, record: Record, error: Exception) -> None:
        """Write a dead letter; the record then counts as done."""
        self._dead_in_a_row += 1
        if self._dead_in_a_row > self.policy.dead_in_a_row:
            limit = self.policy.dead_in_a_row
            msg = f"{limit} dead letters in a row, the last: {type(error).__name__}"
            raise _Stop(msg)
        place = f"{record.topic}/{record.partition}/{record.offset}"
        if isinstance(error, Rejected):
            log.warning("%s rejects %s: %s", self.stage, place, error)
        else:
            log.error("%s failed on %s", self.stage, place, exc_info=error)
        headers = wire.dead_letter_headers(record, self.stage, error, self.group)
        await self._patiently(lambda: self.teller.bury(self.stage, record, headers))
        self.health.dead += 1
        metrics.HANDLED.labels(self.stage, "dead").inc()

    def _stop(self, why: str) -> None:
        self.health.stopped = why
        self._pause()
        log.critical("%s stops: %s", self.stage, why)

    def _wait_for(self, why: str, me: asyncio.Task[Any]) -> None:
        if not self._failing:
            log.warning("%s waits: %s", self.stage, why)
        self._failing.add(me)
        self.health.waiting_for = why
        metrics.WAITING_FOR.labels(self.stage).set(1)
        self._pause()

    def _answered(self, me: asyncio.Task[Any]) -> None:
        self._failing.discard(me)
        if not self._failing and self.health.waiting_for:
            self.health.waiting_for = ""
            metrics.WAITING_FOR.labels(self.stage).set(0)
            self._resume()
            self._start_units()

    # --- offsets and partitions --------------------------------------------------------------

    def _pause(self) -> None:
        if self._subscription:
            self._subscription.pause()

    def _resume(self) -> None:
        if self._subscription and not self.health.stopped:
            self._subscription.resume()

    async def _commit_regularly(self) -> None:
        while True:
            await asyncio.sleep(self.policy.commit_every_s)
            await self._commit()

    async def _commit(self) -> None:
        offsets = self._lanes.due()
        if offsets and self._subscription and await self._subscription.commit(offsets):
            self._lanes.committed(offsets)

    async def revoked(self, places: Iterable[TopicPartition]) -> None:
        """Finish what is in hand, commit, forget the rest."""
        await self._settle()
        self._lanes.drop(places)

    def assigned(self, places: Iterable[TopicPartition]) -> None:
        """Note the partitions; a stage that waits or has stopped stays paused."""
        self.health.assigned = len(list(places))
        if self._failing or self.health.stopped:
            self._pause()

    async def drain(self) -> None:
        """Take nothing more over, finish what is in hand, commit, leave the group."""
        self._draining = True
        await self._settle()
        if self._committer:
            self._committer.cancel()
            with suppress(asyncio.CancelledError):
                await self._committer
        if self._subscription:
            await self._subscription.stop()

    async def _settle(self) -> None:
        for task in self._failing:  # they would wait for their neighbour all the while
            task.cancel()
        if self._units:
            _, hung = await asyncio.wait(self._units, timeout=self.policy.drain_s)
            for task in hung:
                task.cancel()
            if hung:
                await asyncio.wait(hung)
        await self._commit()


def _this_task() -> asyncio.Task[Any]:
    task = asyncio.current_task()
    assert task  # noqa: S101 - inside a coroutine there is one
    return task


class _Stop(Exception):  # noqa: N818 - not an error: the limit of dead letters
    """The stage goes no further."""
