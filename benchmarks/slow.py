"""A slow handler, as a language model is: what keys side by side are worth; that order holds."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from faststream import AckPolicy
from faststream.kafka import KafkaBroker

from benchmarks.brokers import Broker, Letter, fill
from benchmarks.figures import Figure
from schemas.event import Event
from services.policy import Policy
from services.runtime import Runner
from services.telling import Teller

NAME = "slow handler"
RECORDS = 600
STOCK_RECORDS = 40
KEYS = 100
CONCURRENCY = 64
SECONDS = 0.2
SPREAD = 0.5
FLOOR = 100.0


class Watch:
    """The handler, and what it saw: when each record of each key began and ended."""

    def __init__(self, seed: int = 11) -> None:
        chance = random.Random(seed)
        self._waits = [SECONDS * chance.uniform(1 - SPREAD, 1 + SPREAD) for _ in range(RECORDS)]
        self.began: list[float] = []
        self.ended: list[float] = []
        self._numbers: dict[str, list[int]] = defaultdict(list)
        self._busy: set[str] = set()
        self._out_of_order: set[str] = set()

    async def work(self, body: dict[str, Any]) -> None:
        """Take as long as this record takes."""
        key, number = body["key"], body["number"]
        earlier = self._numbers[key]
        if key in self._busy or (earlier and number <= earlier[-1]):
            self._out_of_order.add(key)
        earlier.append(number)
        self._busy.add(key)
        self.began.append(time.perf_counter())
        await asyncio.sleep(self._waits[number])
        self.ended.append(time.perf_counter())
        self._busy.discard(key)

    @property
    def rate(self) -> float:
        """Records a second, from the first begun to the last ended."""
        return len(self.ended) / (self.ended[-1] - self.began[0])

    @property
    def keys_out_of_order(self) -> int:
        """Keys of which a record began before the one ahead of it had ended."""
        return len(self._out_of_order)


async def measure(broker: Broker) -> list[Figure]:
    """Measure the stock subscriber on a few records, then our runner on all."""
    topic = f"bench.{uuid4().hex[:8]}.slow"
    await broker.make([topic])
    await fill(broker, topic, [_letter(number) for number in range(RECORDS)], KEYS)
    stock = await _stock(broker, topic)
    ours = await _ours(broker, topic)
    return [
        Figure(
            NAME,
            broker.name,
            f"our runner, {CONCURRENCY} side by side",
            ours.rate,
            "messages/s",
            FLOOR,
            beside=f"stock {stock.rate:.2f} messages/s: ours {ours.rate / stock.rate:.0f} times",
        ),
        Figure(
            NAME,
            broker.name,
            f"keys out of order, of {KEYS}",
            ours.keys_out_of_order,
            "",
            0,
            at_most=True,
            beside=f"stock {stock.keys_out_of_order}, of what it did",
        ),
        Figure(
            NAME,
            broker.name,
            f"stock FastStream, NACK_ON_ERROR, one worker, on {len(stock.ended)} records",
            stock.rate,
            "messages/s",
        ),
    ]


def _letter(number: int) -> Letter:
    key = f"key-{number % KEYS}"
    return key.encode(), json.dumps({"key": key, "number": number}).encode(), []


async def _stock(broker: Broker, topic: str) -> Watch:
    watch = Watch()
    stock = KafkaBroker(broker.address, logger=None)
    enough = asyncio.Event()

    @stock.subscriber(
        topic,
        group_id=f"bench-{uuid4().hex[:8]}",
        auto_offset_reset="earliest",
        ack_policy=AckPolicy.NACK_ON_ERROR,
    )
    async def handle(body: dict[str, Any]) -> None:
        await watch.work(body)
        if len(watch.ended) == STOCK_RECORDS:
            enough.set()
            await asyncio.Event().wait()  # measured enough: the rest is left alone

    await stock.start()
    await asyncio.wait_for(enough.wait(), 120)
    stopping = asyncio.create_task(stock.stop())
    await asyncio.wait([stopping], timeout=10)
    return watch


async def _ours(broker: Broker, topic: str) -> Watch:
    watch = Watch()

    async def handle(bodies: Sequence[dict[str, Any]]) -> list[Sequence[Event]]:
        await watch.work(bodies[0])
        return [()]

    async with broker.connected() as connection:
        runner = Runner(
            "benchmark",
            (topic,),
            f"bench-{uuid4().hex[:8]}",
            Teller(connection),
            lambda record: json.loads(record.value or b""),
            handle,
            Policy(concurrency=CONCURRENCY),
        )
        runner.subscribe(connection, broker.fetch_wait_ms)
        await runner.start()
        while runner.health.handled < RECORDS:  # noqa: ASYNC110 - as anybody outside would
            await asyncio.sleep(0.01)
        await runner.drain()
    return watch
