"""Listening to a topic from now on: every listener hears all of it, and none keeps a place.

For what is worth something only now, like an answer for a chat that is open. A listener that lost
its connection says so: what was said meanwhile is looked up where it is kept.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

from aiokafka import AIOKafkaConsumer, ConsumerRecord
from aiokafka.errors import KafkaError

from gateways.kafka import REQUEST_MS, Cluster

log = logging.getLogger(__name__)

AGAIN_S = 1.0

Hear = Callable[[ConsumerRecord[bytes, bytes]], None]


class Listener:
    """Hears one topic. `lost`: called when records may have been missed.

    Parameters
    ----------
    cluster
        Where Kafka is.
    topic
        What to listen to.
    hear
        Takes a record; what it raises is logged, and the next one comes.
    lost
        Called after the connection broke and stands again.
    wait_ms
        How long a fetch may wait; the embedded broker always waits so long.
    """

    def __init__(
        self, cluster: Cluster, topic: str, hear: Hear, lost: Callable[[], None], wait_ms: int
    ) -> None:
        self._cluster = cluster
        self._topic = topic
        self._hear = hear
        self._lost = lost
        self._wait_ms = wait_ms
        self._there = asyncio.Event()
        self._listened = False
        self._task: asyncio.Task[None] | None = None

    async def listening(self) -> None:
        """Begin, if it has not begun; return once nothing that comes now is missed."""
        if self._task is None:
            self._task = asyncio.create_task(self._work())
        await self._there.wait()

    async def stop(self) -> None:
        """End."""
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _work(self) -> None:
        while True:
            try:
                async for record in self._records():
                    try:
                        self._hear(record)
                    except Exception:
                        log.exception("what came in %s could not be shown", self._topic)
            except (KafkaError, OSError) as why:
                log.warning("listening to %s: %s; once more", self._topic, type(why).__name__)
            self._there.clear()
            await asyncio.sleep(AGAIN_S)

    async def _records(self) -> AsyncIterator[ConsumerRecord[bytes, bytes]]:
        consumer = AIOKafkaConsumer(
            self._topic,  # without a group: all of its partitions
            **self._cluster.client,
            auto_offset_reset="latest",
            fetch_max_wait_ms=self._wait_ms,
            request_timeout_ms=REQUEST_MS,
            enable_auto_commit=False,
        )
        try:
            await consumer.start()
            for place in consumer.assignment():
                await consumer.position(place)
            if self._listened:
                self._lost()
            self._listened = True
            self._there.set()
            while True:
                taken = await consumer.getmany(timeout_ms=1_000)
                for records in taken.values():
                    for record in records:
                        yield record
        finally:
            await consumer.stop()
