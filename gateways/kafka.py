"""Kafka: the connection, and the broker that comes embedded.

The embedded broker is librdkafka's own mock cluster, from the `confluent-kafka` wheel: it speaks
the Kafka protocol on loopback, in memory, with one consumer in each group. What it lacks, it
lacks on purpose of its makers: disk (so the edge keeps a journal), `CreateTopics` (topics appear
on first use, 4 partitions), a second member in a group (rebalances need Apache Kafka).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError
from confluent_kafka import Producer
from faststream.kafka import KafkaBroker

from schemas.errors import Unavailable

MAX_REQUEST_BYTES = 1_048_576
"""Kafka's default `message.max.bytes`: what a broker takes without being told otherwise."""


class EmbeddedKafka:
    """An in-process broker at `address`, `127.0.0.1:PORT`; it ends with `close()`."""

    def __init__(self) -> None:
        # The mock cluster belongs to this producer and lives as long as it does.
        self._owner: Producer | None = Producer(
            {"bootstrap.servers": "embedded", "test.mock.num.brokers": 1, "log_level": 0}
        )
        brokers = self._owner.list_topics(timeout=10).brokers.values()
        self.address = ",".join(f"{broker.host}:{broker.port}" for broker in brokers)

    def close(self) -> None:
        """End the broker."""
        self._owner = None


def connection(address: str) -> KafkaBroker:
    """Make the broker object that consumes and publishes at `address`; it is not started.

    Parameters
    ----------
    address
        `host:port`, several separated by commas.
    """
    return KafkaBroker(
        address.split(","),
        acks="all",
        enable_idempotence=True,
        max_request_size=MAX_REQUEST_BYTES,
        max_batch_size=1 << 18,
        linger_ms=0,
        request_timeout_ms=15_000,
        allow_auto_create_topics=False,  # they would have one partition; see `create_topics`
        graceful_timeout=5.0,
        logger=None,  # two lines a message cost half of the throughput
        log_level=logging.DEBUG,
    )


async def missing_topics(address: str, names: Iterable[str]) -> list[str]:
    """Return those of the topics that the broker does not have, in their order."""
    admin = await _admin(address)
    try:
        there = set(await admin.list_topics())
    finally:
        await admin.close()
    return [name for name in names if name not in there]


async def create_topics(address: str, topics: Mapping[str, tuple[int, int]]) -> None:
    """Make topics: name to (partitions, retention in milliseconds); one copy on a single server.

    Raises
    ------
    Unavailable
        No broker there, or it refused.
    """
    admin = await _admin(address)
    try:
        copies = min(3, len((await admin.describe_cluster())["brokers"]))
        wanted = [
            NewTopic(name, partitions, copies, topic_configs={"retention.ms": str(retention_ms)})
            for name, (partitions, retention_ms) in topics.items()
        ]
        answer = await admin.create_topics(wanted)
        refused = [f"{topic[0]}: error {topic[1]}" for topic in answer.topic_errors if topic[1]]
    finally:
        await admin.close()
    if refused:
        msg = f"Kafka refused {', '.join(refused)}"
        raise Unavailable(msg)


async def _admin(address: str) -> AIOKafkaAdminClient:
    admin = AIOKafkaAdminClient(bootstrap_servers=address.split(","))
    try:
        await admin.start()
    except KafkaError as error:
        await admin.close()
        msg = f"no Kafka at {address} ({type(error).__name__})"
        raise Unavailable(msg) from None
    return admin
