"""The topics of a Kafka: as they are, made, and set otherwise."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from aiokafka.conn import AIOKafkaConnection
from aiokafka.errors import IncompatibleBrokerVersion, TopicAuthorizationFailedError
from aiokafka.errors import KafkaError as NoAnswer
from aiokafka.protocol.admin import DescribeConfigsRequest
from aiokafka.protocol.metadata import MetadataRequest
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
)

from gateways.kafka import Cluster
from gateways.knock import let_in
from schemas.errors import Unavailable

CHANGE_S = 30.0
"""For one change; a cluster that is well needs less than a second."""
SEEN_S = 10.0
"""After which a broker knows of a change."""
CONFIGS = ("cleanup.policy", "retention.ms", "retention.bytes", "min.insync.replicas")
MAKES_TOPICS = "auto.create.topics.enable"
TOPIC, BROKER = 2, 4
"""Of the protocol: what a configuration belongs to."""


@dataclass(frozen=True)
class Shape:
    """How a topic is. `configs`: values of `CONFIGS`; empty where we may not read them."""

    partitions: int
    copies: int
    configs: Mapping[str, str]


@dataclass(frozen=True)
class Served:
    """What a Kafka has.

    `hidden`: whether these topics exist we may not know. `makes_topics`: as soon as somebody asks
    about a topic, it is made; None where we may not read that.
    """

    brokers: int
    topics: Mapping[str, Shape]
    hidden: frozenset[str] = frozenset()
    makes_topics: bool | None = None


async def look(cluster: Cluster, names: Sequence[str], within_s: float = 0.0) -> Served:
    """Ask how topics are; a broker that does not answer yet is waited for, see `let_in`.

    Raises
    ------
    Unavailable
        No broker there, or it does not let us in.
    """
    async with let_in(cluster, within_s) as connection:
        try:
            return await _look(connection, names)
        except (NoAnswer, OSError) as error:
            msg = f"Kafka at {cluster.address} does not tell its topics ({type(error).__name__})"
            raise Unavailable(msg) from None


async def _look(connection: AIOKafkaConnection, names: Sequence[str]) -> Served:
    # By name: the whole list would leave out in silence what we may not see.
    request = MetadataRequest(list(names), allow_auto_topic_creation=False)
    answer = (await connection.send(request)).to_object()
    nodes = {(each["host"], each["port"]): each["node_id"] for each in answer["brokers"]}
    node = str(nodes.get((connection.host, connection.port), ""))
    there = {topic["topic"]: topic["partitions"] for topic in answer["topics"]}
    configs = await _configs(connection, node, [name for name in there if there[name]])
    makes = configs.get((BROKER, node), {}).get(MAKES_TOPICS)
    return Served(
        brokers=len(nodes),
        topics={
            name: Shape(
                len(partitions),
                min(len(each["replicas"]) for each in partitions),
                configs.get((TOPIC, name), {}),
            )
            for name in names
            if (partitions := there.get(name))
        },
        hidden=frozenset(
            topic["topic"]
            for topic in answer["topics"]
            if topic["error_code"] == TopicAuthorizationFailedError.errno
        ),
        makes_topics=None if makes is None else makes == "true",
    )


async def _configs(
    connection: AIOKafkaConnection, node: str, topics: Sequence[str]
) -> dict[tuple[int, str], dict[str, str]]:
    asked = [(TOPIC, name, list(CONFIGS)) for name in topics] + [(BROKER, node, [MAKES_TOPICS])]
    try:
        answer = (await connection.send(DescribeConfigsRequest(asked))).to_object()
    except IncompatibleBrokerVersion:  # the embedded one has none
        return {}
    return {
        (each["resource_type"], each["resource_name"]): {
            entry["config_names"]: entry["config_value"] for entry in each["config_entries"]
        }
        for each in answer["resources"]
    }


async def create_topics(cluster: Cluster, topics: Mapping[str, Shape]) -> None:
    """Make topics, and wait until they are there; one that is there already stays as it is.

    Raises
    ------
    Unavailable
        No broker there, or it refused.
    """
    new = [
        NewTopic(name, shape.partitions, shape.copies, config=dict(shape.configs))
        for name, shape in topics.items()
    ]
    await _change(cluster, lambda admin: admin.create_topics(new))
    await _seen(cluster, topics, lambda there: there.keys() == topics.keys())


async def alter_configs(cluster: Cluster, configs: Mapping[str, Mapping[str, str]]) -> None:
    """Set some of `CONFIGS`, topic to values; all others stay as they are.

    Raises
    ------
    Unavailable
        No broker there, or it refused.
    """
    # librdkafka knows how to set some and leave the others; aiokafka's request resets them.
    resources = [
        ConfigResource(
            ConfigResource.Type.TOPIC,
            name,
            incremental_configs=[
                ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
                for key, value in values.items()
            ],
        )
        for name, values in configs.items()
    ]
    await _change(cluster, lambda admin: admin.incremental_alter_configs(resources))
    await _seen(
        cluster,
        configs,
        lambda there: all(
            there[name].configs.items() >= values.items() for name, values in configs.items()
        ),
    )


async def _seen(
    cluster: Cluster, names: Iterable[str], as_made: Callable[[Mapping[str, Shape]], bool]
) -> None:
    # The controller has confirmed; brokers hear of it a moment later.
    until = time.monotonic() + SEEN_S
    while not as_made((await look(cluster, list(names))).topics):
        if time.monotonic() > until:
            msg = f"Kafka has changed its topics and does not show it after {SEEN_S:g} s"
            raise Unavailable(msg)
        await asyncio.sleep(0.05)


async def _change(
    cluster: Cluster, change: Callable[[AdminClient], Mapping[Any, Future[Any]]]
) -> None:
    async with let_in(cluster):  # or a sentence on why not
        admin = AdminClient({**cluster.native, "log_level": 0})
    refused = []
    for what, future in change(admin).items():
        try:
            await asyncio.wait_for(asyncio.wrap_future(future), CHANGE_S)
        except KafkaException as error:
            [why] = error.args
            if why.code() != KafkaError.TOPIC_ALREADY_EXISTS:
                refused.append(f"{getattr(what, 'name', what)}: {why.name()}")
        except TimeoutError:
            refused.append(f"{getattr(what, 'name', what)}: no answer")
    if refused:
        msg = f"Kafka refuses to change its topics ({'; '.join(refused)})"
        raise Unavailable(msg)
