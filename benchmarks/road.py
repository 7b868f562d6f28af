"""Messages on their road: told from here, their end seen by a raw consumer of `printer.sent`."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from benchmarks.brokers import Broker, partitions
from schemas.printer import InboundMessage, ReplySent
from services import wire

OBSERVER_WAIT_MS = 10
"""How long the embedded broker may hold the observer's fetch: what latencies are too long by."""
STUCK_S = 60.0
"""Without any arrival: what is still under way then counts as lost."""


@dataclass
class Phase:
    """Messages of one measurement: when each was told (or due to be), and when its end was seen."""

    told: dict[str, float] = field(default_factory=dict)
    done: dict[str, float] = field(default_factory=dict)
    seen_twice: int = 0
    began_at: float = field(default_factory=time.time)
    ended_at: float = 0.0

    @property
    def under_way(self) -> int:
        """Messages told of which no end was seen."""
        return len(self.told) - len(self.done)

    def rate(self) -> float:
        """Messages a second between a tenth and nine tenths done."""
        times = sorted(self.done.values())
        first, last = len(times) // 10, len(times) * 9 // 10
        return (last - first) / (times[last] - times[first])

    def seconds(self) -> list[float]:
        """Return the time of each message from told to seen, shortest first."""
        return sorted(end - self.told[name] for name, end in self.done.items())

    def quantile(self, share: float) -> float:
        """Return the time that `share` of the messages do not exceed."""
        times = self.seconds()
        return times[min(int(share * len(times)), len(times) - 1)]


class Road:
    """A desk's broker, seen from outside."""

    def __init__(
        self, producer: AIOKafkaProducer, consumer: AIOKafkaConsumer, run: Iterator[InboundMessage]
    ) -> None:
        self._producer = producer
        self._consumer = consumer
        self._messages = run
        self._phase = Phase()
        self._moved = asyncio.Event()

    async def full(self, seconds: float, at_once: int) -> Phase:
        """Tell for `seconds` as fast as the road takes, at most `at_once` under way."""
        phase = self._phase = Phase()
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            while phase.under_way >= at_once:
                if not await self._moves():
                    return await self._finish(phase)
            await self._tell(time.perf_counter())
        return await self._finish(phase)

    async def paced(self, seconds: float, rate: float) -> Phase:
        """Tell `rate` messages a second whatever becomes of them; time counts from when due."""
        phase = self._phase = Phase()
        began = time.perf_counter()
        for number in range(int(seconds * rate)):
            due = began + number / rate
            await asyncio.sleep(max(due - time.perf_counter(), 0))
            await self._tell(due)
        return await self._finish(phase)

    async def lot(self, count: int) -> Phase:
        """Tell so many at once, and wait for their ends."""
        phase = self._phase = Phase()
        for _ in range(count):
            await self._tell(time.perf_counter())
        return await self._finish(phase)

    async def _tell(self, at: float) -> None:
        message = next(self._messages)
        headers = wire.headers_of(message, "benchmark", 0.0)
        self._phase.told[str(message.event_id)] = at
        await self._producer.send(
            InboundMessage.topic,
            wire.body_of(message),
            key=message.key.encode(),
            headers=[(name, value.encode()) for name, value in headers.items()],
        )

    async def _finish(self, phase: Phase) -> Phase:
        while phase.under_way and await self._moves():
            pass
        phase.ended_at = time.time()
        return phase

    async def _moves(self) -> bool:
        """Wait for arrivals; say whether there were any."""
        self._moved.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._moved.wait(), STUCK_S)
        return self._moved.is_set()

    async def observe(self) -> None:
        """See messages arrive, until cancelled."""
        while True:
            polled = await self._consumer.getmany(timeout_ms=1_000)
            now = time.perf_counter()
            for record in (record for part in polled.values() for record in part):
                self._saw(json.loads(record.value)["message_id"], now)
                self._moved.set()

    def _saw(self, name: str, now: float) -> None:
        if name in self._phase.done:
            self._phase.seen_twice += 1
        elif name in self._phase.told:
            self._phase.done[name] = now


@asynccontextmanager
async def road(broker: Broker, messages: Iterator[InboundMessage]) -> AsyncIterator[Road]:
    """Yield the road of a desk that runs."""
    wait_ms = OBSERVER_WAIT_MS if broker.embedded else broker.fetch_wait_ms
    async with (
        broker.producer() as producer,
        broker.consumer(fetch_max_wait_ms=wait_ms) as consumer,
    ):
        consumer.assign(partitions(ReplySent.topic))
        made = Road(producer, consumer, messages)
        observing = asyncio.create_task(made.observe())
        try:
            yield made
        finally:
            observing.cancel()
            with suppress(asyncio.CancelledError):
                await observing
