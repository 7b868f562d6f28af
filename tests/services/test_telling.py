"""Publishing by the dozen and one by one: the same records in the same places. On both brokers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiokafka.partitioner import DefaultPartitioner

from gateways.kafka import MAX_REQUEST_BYTES, connection
from schemas.errors import Rejected
from services import wire
from services.telling import Teller
from tests.services.road import PARTITIONS, Road

MANY = 300


@pytest.fixture
async def road(kafka: str, request: pytest.FixtureRequest) -> AsyncIterator[Road]:
    made = Road(kafka)
    await made.build(create="apache" in request.node.name)
    yield made
    await made.close()


@pytest.fixture
async def teller(road: Road) -> AsyncIterator[Teller]:
    broker = connection(road.cluster)
    await broker.connect()
    yield Teller(broker)
    await broker.stop()


def asked(road: Road, count: int, **fields: Any) -> list[Any]:
    return [road.event(number, f"k{number % 7}", **fields) for number in range(count)]


async def test_many_events_arrive_each_once_under_their_key_in_order_with_their_headers(
    road: Road, teller: Teller
):
    events = asked(road, MANY)
    await teller.tell(events, "test", 1.5)
    records = await road.read(road.asked.topic)
    assert len(records) == MANY
    found = defaultdict(list)
    for record in records:
        read = wire.parse(record, road.asked)
        found[read.who].append(read.number)
        assert record.key == read.key.encode()
        assert wire.read_headers(record) == wire.headers_of(read, "test", 1.5)
    assert all(numbers == sorted(numbers) for numbers in found.values())


async def test_a_key_has_its_partition_however_many_are_told_with_it(road: Road, teller: Teller):
    await teller.tell(asked(road, MANY), "test")
    for event in asked(road, 7):
        await teller.tell([event], "test")
    partitions = list(range(PARTITIONS))
    for record in await road.read(road.asked.topic):
        assert record.partition == DefaultPartitioner()(record.key, partitions, partitions)


async def test_more_than_a_batch_holds_goes_as_several(road: Road, teller: Teller):
    words = "x" * 20_000  # sixty of one key: five times what the producer sends together
    events = [road.event(number, "one", words=words) for number in range(60)]
    await teller.tell(events, "test")
    read = [wire.parse(record, road.asked) for record in await road.read(road.asked.topic)]
    assert [event.number for event in read] == list(range(60))


async def test_one_of_many_that_is_too_large_is_refused_as_it_is_alone(road: Road, teller: Teller):
    events = [*asked(road, MANY), road.event(MANY, "k0", words="x" * MAX_REQUEST_BYTES)]
    with pytest.raises(Rejected, match="larger than the broker takes"):
        await teller.tell(events, "test")
