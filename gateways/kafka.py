"""Kafka: the connection, and the broker that comes embedded.

The embedded broker is librdkafka's own mock cluster, from the `confluent-kafka` wheel: it speaks
the Kafka protocol on loopback, in memory, with one consumer in each group. What it lacks, it
lacks on purpose of its makers: disk (so the edge keeps a journal), `CreateTopics` (topics appear
on first use, 4 partitions), a second member in a group (rebalances need Apache Kafka).
"""

from __future__ import annotations

import logging

from confluent_kafka import Producer
from faststream.kafka import KafkaBroker

MAX_REQUEST_BYTES = 1_048_576
"""Kafka's default `message.max.bytes`: what a broker takes without being told otherwise."""


class EmbeddedKafka:
    """An in-process broker; `address` is `127.0.0.1:PORT`. It ends with `close()` or the process."""

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


def connection(address: str, *, create_topics: bool) -> KafkaBroker:
    """Make the broker object that consumes and publishes at `address`; it is not started.

    Parameters
    ----------
    address
        `host:port`, several separated by commas.
    create_topics
        Let topics appear on first use, as the embedded broker does.
    """
    return KafkaBroker(
        address.split(","),
        acks="all",
        enable_idempotence=True,
        max_request_size=MAX_REQUEST_BYTES,
        max_batch_size=1 << 18,
        linger_ms=0,
        request_timeout_ms=15_000,
        graceful_timeout=5.0,
        logger=None,  # two lines a message cost half of the throughput
        log_level=logging.DEBUG,
    )
