"""The table of topics beside a Kafka: what is refused, reported, made and adjusted."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka.admin import (
    AclOperation,
    AclPermissionType,
    AdminClient,
    ConfigResource,
    ResourceType,
)

from gateways.kafka import Cluster
from gateways.topics import Served, Shape, alter_configs, create_topics, look
from schemas.errors import Unavailable
from schemas.topics import DAY_MS, TOPICS, Topic
from services.topics import (
    Difference,
    adjust,
    compare,
    create_missing,
    differences,
    expect_topics,
    wanted,
)
from tests.apache import ruled, served
from tests.conftest import until

KEPT = Topic("kept", None, "any", 7 * DAY_MS)
NEWEST = Topic("newest", None, "any", 7 * DAY_MS, compacted=True)


def beside(table: tuple[Topic, ...], brokers: int, *, makes_topics: bool = False) -> Served:
    """A Kafka that is as the table says."""
    return Served(brokers, {t.name: wanted(t, brokers) for t in table}, frozenset(), makes_topics)


def but(topic: Topic, brokers: int, configs: Mapping[str, str] | None = None, **shape: int) -> Any:
    """What is said when this is different about a topic."""
    there = replace(wanted(topic, brokers), **shape)
    there = replace(there, configs={**there.configs, **(configs or {})})
    return [
        (each.what, each.found, each.wanted, each.fatal, each.adjustable)
        for each in differences(Served(brokers, {topic.name: there}), [topic])
    ]


@pytest.mark.parametrize("brokers", [1, 2, 3, 5])
def test_a_server_as_the_table_says_differs_in_nothing(brokers: int):
    assert differences(beside(TOPICS, brokers)) == []


def test_more_partitions_and_more_copies_are_welcome():
    assert but(KEPT, 5, partitions=64, copies=5) == []


def test_what_a_topic_lacks_is_found():
    assert but(KEPT, 1, partitions=3) == [("partitions", "3", "4", True, False)]
    assert but(KEPT, 3, copies=1) == [("copies", "1", "3", False, False)]
    assert but(KEPT, 2, copies=1) == [("copies", "1", "2", False, False)]


def test_only_a_retention_that_grows_is_adjusted():
    week = str(7 * DAY_MS)
    assert but(KEPT, 1, {"retention.ms": "1000"}) == [("retention.ms", "1000", week, False, True)]
    for longer in (str(8 * DAY_MS), "-1"):
        found = [("retention.ms", longer, week, False, False)]
        assert but(KEPT, 1, {"retention.ms": longer}) == found
    limit = [("retention.bytes", "1000", "-1", False, True)]
    assert but(KEPT, 1, {"retention.bytes": "1000"}) == limit


def test_what_is_compacted_has_no_retention():
    assert but(NEWEST, 1, {"retention.ms": "1000", "retention.bytes": "1000"}) == []
    clean = [("cleanup.policy", "delete", "compact", False, True)]
    assert but(NEWEST, 1, {"cleanup.policy": "delete"}) == clean
    clean = [("cleanup.policy", "compact", "delete", False, True)]
    assert but(KEPT, 1, {"cleanup.policy": "compact"}) == clean


@pytest.mark.parametrize(("brokers", "found", "due"), [(3, "1", "2"), (1, "2", "1")])
def test_copies_in_step_are_as_many_as_can_be_spared(brokers: int, found: str, due: str):
    difference = [("min.insync.replicas", found, due, False, True)]
    assert but(KEPT, brokers, {"min.insync.replicas": found}) == difference


def test_what_is_missing_is_told_from_what_we_may_not_see():
    there = Served(1, {}, frozenset({"newest"}))
    found = differences(there, [KEPT, NEWEST])
    assert [(each.topic, each.what, each.fatal) for each in found] == [
        ("kept", "missing", True),
        ("newest", "hidden", True),
    ]


def test_configurations_that_we_may_not_read_count_as_right():
    assert differences(Served(1, {"kept": Shape(4, 1, {})}), [KEPT]) == []


def test_a_server_that_makes_topics_by_itself_is_reported():
    [found] = differences(beside((KEPT,), 1, makes_topics=True), [KEPT])
    assert str(found) == "the server has auto.create.topics.enable true, not false"
    assert not (found.fatal or found.adjustable)


async def test_the_embedded_broker_can_be_looked_at_and_makes_nothing_by_that(embedded_kafka: str):
    name = f"looked-at-{uuid4().hex[:8]}"
    for _ in range(2):
        assert (await look(Cluster(embedded_kafka), [name])) == Served(1, {})


# --- Apache Kafka ----------------------------------------------------------------------------


@pytest.fixture
def table() -> tuple[Topic, ...]:
    """A table of topics that no other test has."""
    here = uuid4().hex[:8]
    return tuple(replace(topic, name=f"{topic.name}-{here}") for topic in (KEPT, NEWEST))


@pytest.mark.kafka
async def test_a_start_names_what_is_missing_and_goes_on_once_it_is_made(table: tuple[Topic, ...]):
    cluster = served()
    with pytest.raises(Unavailable) as said:
        await expect_topics(cluster, 0, table)
    assert str(said.value) == (
        f"Kafka at {cluster.address} cannot be used: {table[0].name} is missing, "
        f"{table[1].name} is missing; `astreinte topics create` makes what is missing"
    )
    assert set(await create_missing(cluster, 0, table=table)) == {each.name for each in table}
    began = time.monotonic()
    await expect_topics(cluster, 0, table)
    assert time.monotonic() - began < 1  # every process does this at its start
    assert await compare(cluster, table=table) == []
    assert await create_missing(cluster, 0, table=table) == {}


@pytest.mark.kafka
async def test_topics_are_made_in_more_partitions_where_that_is_asked(table: tuple[Topic, ...]):
    wide = replace(table[0], partitions=16)
    made = await create_missing(served(), 0, 12, [wide, table[1]])
    there = (await look(served(), list(made))).topics
    assert [there[name].partitions for name in (wide.name, table[1].name)] == [16, 12]


@pytest.mark.kafka
async def test_too_few_partitions_stop_a_start_and_stay_as_they_are(table: tuple[Topic, ...]):
    few = replace(wanted(table[0], 1), partitions=2)
    await create_topics(served(), {table[0].name: few})
    with pytest.raises(Unavailable, match="has partitions 2, not 4; `astreinte topics check`"):
        await expect_topics(served(), 0, table[:1])
    assert await create_missing(served(), 0, 8, table[:1]) == {}
    assert await adjust(served(), table[:1]) == []
    assert (await look(served(), [table[0].name])).topics[table[0].name] == few


@pytest.mark.kafka
async def test_configurations_are_adjusted_when_asked_and_no_other_is_touched(
    table: tuple[Topic, ...], caplog: pytest.LogCaptureFixture
):
    kept, newest = table
    own = {**wanted(kept, 1).configs, "segment.ms": "123456789"}
    await create_topics(served(), {kept.name: replace(wanted(kept, 1), configs=own)})
    await create_missing(served(), 0, table=table)
    other = {"cleanup.policy": "compact", "retention.ms": "1000"}
    await alter_configs(served(), {kept.name: other, newest.name: {"cleanup.policy": "delete"}})
    await expect_topics(served(), 0, table)
    [line] = [line.message for line in caplog.records if line.name == "services.topics"]
    assert line.startswith(f"Kafka's topics differ: {kept.name} has cleanup.policy compact, not")
    found = [
        Difference(kept.name, "cleanup.policy", "compact", "delete"),
        Difference(kept.name, "retention.ms", "1000", str(7 * DAY_MS)),
        Difference(newest.name, "cleanup.policy", "delete", "compact"),
    ]
    assert await adjust(served(), table) == found
    assert await compare(served(), table=table) == []
    admin = AdminClient(served().native)
    [resource] = admin.describe_configs([ConfigResource(ResourceType.TOPIC, kept.name)]).values()
    assert resource.result()["segment.ms"].value == "123456789"


@pytest.mark.kafka
async def test_a_retention_that_is_longer_is_left_alone(table: tuple[Topic, ...]):
    await create_missing(served(), 0, table=table)
    await alter_configs(served(), {table[0].name: {"retention.ms": "-1"}})
    assert await adjust(served(), table) == []
    [found] = await compare(served(), table=table)
    assert (found.what, found.found) == ("retention.ms", "-1")


@contextmanager
def denied(topic: str) -> Iterator[None]:
    """Take a topic away from that user, and making any."""
    deny = AclPermissionType.DENY
    with (
        ruled(ResourceType.BROKER, "kafka-cluster", AclOperation.CREATE, deny),
        ruled(ResourceType.TOPIC, topic, AclOperation.ALL, deny),
    ):
        yield


@pytest.mark.kafka
async def test_topics_are_made_and_adjusted_by_a_user_over_tls(table: tuple[Topic, ...]):
    cluster = served("sasl_ssl")
    await create_missing(cluster, 0, table=table)
    await alter_configs(cluster, {table[0].name: {"retention.ms": "1000"}})
    assert len(await adjust(cluster, table)) == 1
    await expect_topics(cluster, 0, table)


async def is_hidden(name: str) -> bool:
    """The broker knows of the rule."""
    return name in (await look(served("sasl_plaintext"), [name])).hidden


@pytest.mark.kafka
async def test_a_topic_that_is_not_ours_is_said_and_not_called_missing(table: tuple[Topic, ...]):
    cluster, name = served("sasl_plaintext"), table[0].name
    await create_missing(cluster, 0, table=table)
    with denied(name):
        await until(lambda: is_hidden(name))
        with pytest.raises(Unavailable, match=f"{name} may not be used by this user .ACL: Desc"):
            await expect_topics(cluster, 0, table)


@pytest.mark.kafka
async def test_a_topic_that_may_not_be_made_is_named_with_the_reason(table: tuple[Topic, ...]):
    cluster, name = served("sasl_plaintext"), table[0].name
    with denied(name):
        await until(lambda: is_hidden(name))
        with pytest.raises(Unavailable) as said:
            await create_topics(cluster, {name: wanted(table[0], 1)})
    assert str(said.value) == (
        f"Kafka refuses to change its topics ({name}: TOPIC_AUTHORIZATION_FAILED)"
    )


@pytest.mark.kafka
async def test_configurations_that_are_not_ours_to_read_stop_no_start(table: tuple[Topic, ...]):
    cluster, name = served("sasl_plaintext"), table[0].name
    await create_missing(cluster, 0, table=table)

    async def are_hidden() -> bool:
        return (await look(cluster, [name])).topics == {name: Shape(4, 1, {})}

    with ruled(ResourceType.TOPIC, name, AclOperation.DESCRIBE, AclPermissionType.ALLOW):
        await until(are_hidden)
        await expect_topics(cluster, 0, table)
