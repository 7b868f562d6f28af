"""Kafka: where it is and how one gets in, the connection, and the broker that comes embedded.

The embedded broker is librdkafka's own mock cluster, from the `confluent-kafka` wheel: it speaks
the Kafka protocol on loopback, in memory. What it lacks, it lacks on purpose of its makers: disk
(so the edge keeps a journal), `CreateTopics` (topics appear on first use, 4 partitions), patience
with the members of a group (`_after_the_others`; other processes in it need Apache Kafka).
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from aiokafka.consumer.group_coordinator import CoordinatorGroupRebalance
from confluent_kafka import Producer
from faststream.kafka import KafkaBroker
from faststream.kafka.security import parse_security
from faststream.security import BaseSecurity, SASLPlaintext, SASLScram256, SASLScram512

from schemas.errors import Unavailable

MAX_REQUEST_BYTES = 1_048_576
"""Kafka's default `message.max.bytes`: what a broker takes without being told otherwise."""
REQUEST_MS = 15_000
"""After which an unanswered request counts as lost, and its connection as broken."""

SASL: dict[str, type[SASLPlaintext | SASLScram256 | SASLScram512]] = {
    "PLAIN": SASLPlaintext,
    "SCRAM-SHA-256": SASLScram256,
    "SCRAM-SHA-512": SASLScram512,
}
"""How a password may be proved."""


@dataclass(frozen=True)
class Cluster:
    """Where Kafka is, and how one gets in: all clients are made from this.

    `address`: `host:port` of some of its brokers, separated by commas. `protocol`: plaintext, ssl,
    sasl_plaintext or sasl_ssl. `mechanism`: one of `SASL`. `ca`: a PEM file with the authorities
    that are trusted; without one, those of the system are.
    """

    address: str
    protocol: str = "plaintext"
    mechanism: str = ""
    user: str = ""
    password: str = field(default="", repr=False)
    ca: Path | None = None

    @cached_property
    def security(self) -> BaseSecurity:
        """The same for FastStream.

        Raises
        ------
        Unavailable
            There is no certificate in the file.
        """
        context = self._trust() if self.protocol.endswith("ssl") else None
        if self.protocol.startswith("sasl"):
            return SASL[self.mechanism](self.user, self.password, ssl_context=context)
        return BaseSecurity(ssl_context=context)

    def _trust(self) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cafile=self.ca)
        except OSError as error:
            why = error.strerror or "no certificate in it"
            msg = f"ASTREINTE_KAFKA_CA: {self.ca} is not a PEM file of certificates ({why})"
            raise Unavailable(msg) from None

    @property
    def doors(self) -> dict[str, Any]:
        """What a connection of aiokafka takes to get in."""
        return parse_security(self.security)

    @property
    def client(self) -> dict[str, Any]:
        """What a client of aiokafka takes."""
        return {"bootstrap_servers": self.address.split(","), **self.doors}

    @property
    def native(self) -> dict[str, Any]:
        """What a client of librdkafka takes."""
        found = {
            "bootstrap.servers": self.address,
            "security.protocol": self.protocol,
            "sasl.mechanism": self.mechanism,
            "sasl.username": self.user,
            "sasl.password": self.password,
            "ssl.ca.location": str(self.ca or ""),
        }
        return {name: value for name, value in found.items() if value}


LEADER_S = 0.1
"""For the others of a group to ask for their shares; they do within a few milliseconds."""
_share_out = CoordinatorGroupRebalance._on_join_leader  # noqa: SLF001


async def _after_the_others(member: Any, response: Any) -> Any:
    """Share out a group's partitions when its other members have asked for theirs.

    Whoever asks the embedded broker after its leader has spoken is refused (InvalidRequest),
    and comes back only to be too late again: under load, stages of several topics never joined.
    """
    await asyncio.sleep(LEADER_S)
    return await _share_out(member, response)


class EmbeddedKafka:
    """An in-process broker at `address`, `127.0.0.1:PORT`; it ends with `close()`."""

    def __init__(self) -> None:
        # The mock cluster belongs to this producer and lives as long as it does.
        self._owner: Producer | None = Producer(
            {"bootstrap.servers": "embedded", "test.mock.num.brokers": 1, "log_level": 0}
        )
        brokers = self._owner.list_topics(timeout=10).brokers.values()
        self.address = ",".join(f"{broker.host}:{broker.port}" for broker in brokers)
        CoordinatorGroupRebalance._on_join_leader = _after_the_others  # noqa: SLF001

    def close(self) -> None:
        """End the broker."""
        self._owner = None


def connection(cluster: Cluster) -> KafkaBroker:
    """Make the broker object that consumes and publishes there; it is not started."""
    return KafkaBroker(
        cluster.address.split(","),
        security=cluster.security,
        acks="all",
        enable_idempotence=True,
        max_request_size=MAX_REQUEST_BYTES,
        max_batch_size=1 << 18,
        linger_ms=0,
        request_timeout_ms=REQUEST_MS,
        allow_auto_create_topics=False,  # they would have one partition; see `gateways.topics`
        graceful_timeout=5.0,
        logger=None,  # two lines a message cost half of the throughput
        log_level=logging.DEBUG,
    )
