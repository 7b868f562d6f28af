"""The brokers that are measured on, their topics, and raw clients with our settings."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from faststream.kafka import KafkaBroker

from gateways.kafka import MAX_REQUEST_BYTES, Cluster, connection
from gateways.topics import Shape, create_topics
from schemas.topics import DAY_MS, PARTITIONS
from services.neighbours import EMBEDDED_FETCH_WAIT_MS

PUBLISHED_AT_ONCE = 1_000

Letter = tuple[bytes, bytes, list[tuple[str, bytes]]]
"""Key, body and headers of a record to be written."""


@dataclass(frozen=True)
class Broker:
    """A broker at an address; `embedded`: it lives in the process that is measured."""

    address: str
    embedded: bool

    @property
    def name(self) -> str:
        """What it is called in the tables."""
        return "embedded broker" if self.embedded else "Apache Kafka"

    @property
    def fetch_wait_ms(self) -> int:
        """How long a fetch may wait there, as the stages set it."""
        return EMBEDDED_FETCH_WAIT_MS if self.embedded else 500

    async def make(self, topics: Iterable[str]) -> None:
        """Make new topics; on the embedded broker they appear by themselves."""
        if not self.embedded:
            shape = Shape(PARTITIONS, 1, {"retention.ms": str(DAY_MS)})
            await create_topics(Cluster(self.address), dict.fromkeys(topics, shape))

    async def ends(self, *topics: str) -> dict[TopicPartition, int]:
        """Return where topics end: as many records were ever written there."""
        async with self.consumer(fetch_max_wait_ms=10) as consumer:
            return dict(await consumer.end_offsets(partitions(*topics)))

    async def place(self, group: str, offsets: Mapping[TopicPartition, int]) -> None:
        """Have a group that nobody has used begin there, instead of with the oldest record."""
        async with self.consumer(group_id=group) as consumer:
            consumer.assign(list(offsets))
            await consumer.commit(dict(offsets))

    @asynccontextmanager
    async def producer(self) -> AsyncIterator[AIOKafkaProducer]:
        """Yield a raw producer with the settings of `gateways.kafka.connection`."""
        producer = AIOKafkaProducer(
            bootstrap_servers=self.address,
            acks="all",
            enable_idempotence=True,
            max_request_size=MAX_REQUEST_BYTES,
            max_batch_size=1 << 18,
            linger_ms=0,
            request_timeout_ms=15_000,
        )
        await producer.start()
        try:
            yield producer
        finally:
            await producer.stop()

    @asynccontextmanager
    async def consumer(self, *topics: str, **options: Any) -> AsyncIterator[AIOKafkaConsumer]:
        """Yield a raw consumer."""
        consumer = AIOKafkaConsumer(
            *topics,
            bootstrap_servers=self.address,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            **({"fetch_max_wait_ms": self.fetch_wait_ms} | options),
        )
        await consumer.start()
        try:
            yield consumer
        finally:
            await consumer.stop()

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[KafkaBroker]:
        """Yield our own connection, for consumers that are registered before they start."""
        broker = connection(Cluster(self.address))
        await broker.connect()
        try:
            yield broker
        finally:
            await broker.stop()


def partitions(*topics: str) -> list[TopicPartition]:
    """Return the partitions of topics."""
    return [TopicPartition(topic, number) for topic in topics for number in range(PARTITIONS)]


async def fill(broker: Broker, topic: str, letters: Sequence[Letter], keys: int) -> None:
    """Write records; the partitions get the same number of keys each.

    The embedded broker keeps 5 MiB a partition and forgets what is older, without a word; an even
    spread keeps 20,000 records of a kilobyte below that.
    """
    of_key: dict[bytes, int] = {}
    async with broker.producer() as producer:
        for start in range(0, len(letters), PUBLISHED_AT_ONCE):
            sent = [
                await producer.send(
                    topic,
                    body,
                    key=key,
                    headers=headers,
                    partition=of_key.setdefault(key, len(of_key)) % PARTITIONS,
                )
                for key, body, headers in letters[start : start + PUBLISHED_AT_ONCE]
            ]
            await asyncio.gather(*sent)
    if len(of_key) != keys:
        msg = f"{len(of_key)} keys instead of {keys}"
        raise ValueError(msg)
