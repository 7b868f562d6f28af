"""Getting in touch with Kafka, and what to say when that fails.

aiokafka's clients say only that none of the addresses served, and log the rest; so the first
connection of a process is made here, where each failure is still told from the others.
"""

from __future__ import annotations

import asyncio
import logging
import math
import socket
import ssl
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from aiokafka.conn import AIOKafkaConnection, collect_hosts, create_conn
from aiokafka.errors import (
    IllegalSaslStateError,
    KafkaConnectionError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest

from gateways.kafka import Cluster
from schemas.errors import Unavailable

log = logging.getLogger(__name__)

ADDRESS_S = 10.0
"""For one address of several: a broker that needs longer to say who it is serves nobody."""
AGAIN_S = 1.0

Place = tuple[str, int]
FOR_GOOD = (
    IllegalSaslStateError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
    ssl.SSLCertVerificationError,
)
"""Told by a broker that has understood us: asking again would not help."""


class _Shut(Exception):  # noqa: N818 - what one says at the door
    def __init__(self, why: str, *, for_good: bool) -> None:
        super().__init__(why)
        self.for_good = for_good


@asynccontextmanager
async def let_in(cluster: Cluster, within_s: float = 0.0) -> AsyncIterator[AIOKafkaConnection]:
    """Have a connection to a broker, at an address by which the cluster calls it.

    While nobody answers it is tried again, for `within_s` seconds; 0: all addresses once.

    Raises
    ------
    Unavailable
        Nobody answered, or we are not let in: what is wrong, and which setting mends it.
    """
    until = time.monotonic() + within_s if within_s else math.inf
    said = ""
    while True:
        try:
            connection = await _enter(cluster, until)
            break
        except _Shut as shut:
            if shut.for_good or not within_s or time.monotonic() + AGAIN_S >= until:
                raise Unavailable(str(shut)) from None
            if str(shut) != said:
                said = str(shut)
                log.warning("%s (tried again for %g s)", said, within_s)
        await asyncio.sleep(AGAIN_S)
    try:
        yield connection
    finally:
        connection.close()


async def _enter(cluster: Cluster, until: float) -> AIOKafkaConnection:
    connection, brokers = await _first(cluster, _places(cluster.address), until)
    if (connection.host, connection.port) in brokers:
        return connection
    # Clients talk to brokers at the addresses that these give themselves: often the wrong ones.
    connection.close()
    try:
        connection, _ = await _first(cluster, brokers, until)
    except _Shut as shut:
        msg = (
            f"Kafka at {cluster.address} sends clients elsewhere (its advertised.listeners): {shut}"
        )
        raise _Shut(msg, for_good=shut.for_good) from None
    return connection


def _places(address: str) -> list[Place]:
    try:
        found = [(host, port) for host, port, _ in collect_hosts(address, randomize=False)]
    except ValueError:
        found = []
    if not found or not all(0 < port < 65_536 for _, port in found):  # noqa: PLR2004 - of TCP
        msg = f"ASTREINTE_KAFKA_SERVERS: {address!r} is not host:port,…"
        raise _Shut(msg, for_good=True)
    return found


async def _first(
    cluster: Cluster, places: Sequence[Place], until: float
) -> tuple[AIOKafkaConnection, list[Place]]:
    reasons = []
    for host, port in places:
        try:
            return await _knock(cluster, host, port, until)
        except _Shut as shut:
            if shut.for_good:
                raise
            reasons.append(str(shut))
    raise _Shut("; ".join(reasons), for_good=False)


async def _knock(
    cluster: Cluster, host: str, port: int, until: float
) -> tuple[AIOKafkaConnection, list[Place]]:
    """Return a connection to a broker, and where it says that the cluster's brokers are."""
    connection = None
    try:
        async with asyncio.timeout(min(ADDRESS_S, max(until - time.monotonic(), 0.1))):
            connection = await create_conn(host, port, **cluster.doors)
            brokers = (await connection.send(MetadataRequest([]))).to_object()["brokers"]
        if not brokers:
            raise KafkaConnectionError
    except (OSError, KafkaError, ValueError) as error:  # a name may be none, or an answer
        if connection:
            connection.close()
        why = f"Kafka at {host}:{port} {_why(error, cluster)}"
        raise _Shut(why, for_good=isinstance(error, FOR_GOOD)) from None
    return connection, [(broker["host"], broker["port"]) for broker in brokers]


def _why(error: Exception, cluster: Cluster) -> str:
    here = "is ASTREINTE_KAFKA_SERVERS right?"
    security = f"ASTREINTE_KAFKA_SECURITY={cluster.protocol}"
    match error:
        case ssl.SSLCertVerificationError():
            why = f"shows a certificate that is not trusted ({error.verify_message}): "
            why += "ASTREINTE_KAFKA_CA names the PEM file of its authority"
        case ssl.SSLError():
            why = f"does not speak TLS as we do ({error.reason}): is {security} right?"
        case SaslAuthenticationFailed():
            why = f"refuses the user {cluster.user}: are ASTREINTE_KAFKA_USER, "
            why += (
                f"ASTREINTE_KAFKA_PASSWORD and ASTREINTE_KAFKA_MECHANISM={cluster.mechanism} right?"
            )
        case UnsupportedSaslMechanismError():
            why = f"does not know ASTREINTE_KAFKA_MECHANISM={cluster.mechanism}"
        case IllegalSaslStateError():
            why = f"asks for no password there: is {security} right?"
        case ConnectionRefusedError():
            why = f"refuses the connection: does it run, and {here}"
        case socket.gaierror():
            why = f"has a name that is not known here: {here}"
        case TimeoutError():
            why = f"does not answer: is it well, and {here}"
        case KafkaConnectionError() | ConnectionError():
            why = f"closes the connection: is {security} right?"
        case _:
            why = f"cannot be reached ({type(error).__name__}): {here}"
    return why
