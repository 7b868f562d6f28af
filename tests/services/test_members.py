"""More than one member in a group: rebalances, and members that are killed. Apache Kafka only."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import AclOperation, AclPermissionType, ResourceType

from schemas.errors import Unavailable
from tests.apache import ruled, served
from tests.conftest import until
from tests.services.road import Road

pytestmark = pytest.mark.kafka

MEMBER = Path(__file__).with_name("member.py")


@pytest.fixture
async def road() -> AsyncIterator[Road]:
    address = os.environ.get("ASTREINTE_KAFKA", "")
    if not address:
        pytest.skip("ASTREINTE_KAFKA is not set: scripts/kafka run -- pytest -m kafka")
    made = Road(address)
    await made.build(create=True)
    yield made
    await made.close()


def first_deliveries(seen: Sequence[tuple[str, int]]) -> dict[str, list[int]]:
    """Return key to numbers, each at the place where it first came."""
    order: dict[str, list[int]] = defaultdict(list)
    for who, number in seen:
        if number not in order[who]:
            order[who].append(number)
    return order


async def test_members_come_and_go_while_handlers_run_and_nothing_is_lost(road: Road):
    seen: list[tuple[str, int]] = []
    workers: dict[int, str] = {}

    def member(name: str) -> Any:
        async def handle(events: Sequence[Any]) -> list[tuple[Any]]:
            [event] = events
            seen.append((event.who, event.number))
            workers[event.number] = name
            await asyncio.sleep(0.05)
            return await road.answers(events)

        return handle

    await road.ask(*(road.event(n, f"k{n % 40}") for n in range(600)))
    async with road.running(member("one"), concurrency=8) as one:
        await until(lambda: len(seen) > 100)
        async with road.running(member("two"), concurrency=8) as two:
            await until(lambda: one.health.assigned == two.health.assigned == 2)
            await until(lambda: len(seen) > 300)
        await until(lambda: one.health.assigned == 4)
        await until(lambda: len(set(seen)) == 600)
    assert set(workers.values()) == {"one", "two"}
    assert sorted(set(await road.told())) == list(range(600))
    assert all(numbers == sorted(numbers) for numbers in first_deliveries(seen).values())
    assert await road.committed() == await road.ends()
    # A rebalance is announced, so what is in hand is finished first: nothing is repeated.
    assert len(seen) == 600


async def test_a_rebalance_while_a_neighbour_is_down_keeps_the_order(
    road: Road, monkeypatch: pytest.MonkeyPatch
):
    from services import patience

    monkeypatch.setattr(patience, "QUICK_TRIES_S", (0.02,))
    monkeypatch.setattr(patience, "SLOW_TRY_S", 0.2)
    down = True
    done: list[tuple[str, int]] = []

    async def handle(events: Sequence[Any]) -> list[tuple[Any]]:
        if down:
            raise Unavailable
        done.extend((event.who, event.number) for event in events)
        return await road.answers(events)

    await road.ask(*(road.event(n, f"k{n % 10}") for n in range(100)))
    async with road.running(handle, concurrency=4) as one:
        await until(lambda: one.health.waiting_for)
        async with road.running(handle, concurrency=4) as two:
            await until(lambda: one.health.assigned == two.health.assigned == 2)
            await until(lambda: one.health.waiting_for and two.health.waiting_for)
            down = False
            await until(lambda: len(set(done)) == 100)
    assert await road.told() == list(range(100))
    assert all(numbers == sorted(numbers) for numbers in first_deliveries(done).values())


@pytest.mark.parametrize("protocol", ["ssl", "sasl_plaintext", "sasl_ssl"])
async def test_a_stage_reads_and_tells_whatever_it_takes_to_get_in(road: Road, protocol: str):
    road.cluster = served(protocol)
    await road.ask(*(road.event(n) for n in range(20)))
    async with road.running(road.answers) as runner:
        await until(lambda: runner.health.handled == 20)
    assert await road.told() == list(range(20))
    assert await road.committed() == await road.ends()


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        (ResourceType.GROUP, "GroupAuthorizationFailedError"),
        (ResourceType.TOPIC, "TopicAuthorizationFailedError"),
    ],
)
async def test_a_stage_that_may_not_read_stops_and_says_what_it_needs(
    road: Road, monkeypatch: pytest.MonkeyPatch, kind: ResourceType, error: str
):
    monkeypatch.setattr("services.subscription.REFUSALS", 2)
    road.cluster = served("sasl_plaintext")
    name = road.group if kind == ResourceType.GROUP else road.asked.topic
    rule = (kind, name, AclOperation.DESCRIBE, AclPermissionType.ALLOW)
    said = ""
    with ruled(*rule):
        try:
            async with road.running(road.answers) as runner:
                said = await until(lambda: runner.health.stopped)
        except Unavailable as refused:  # it is told while it joins, or when it asks for records
            said = str(refused)
    needs = "the user needs Read on the group and on its topics (ACL)"
    assert said == f"Kafka lets it read nothing ({error}: {needs})"


@pytest.fixture
def members(road: Road, tmp_path: Path) -> Iterator[Any]:
    """Start consumer processes; those that still run at the end are ended."""
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        command = [sys.executable, str(MEMBER), road.address, road.name, str(tmp_path / "seen")]
        started.append(subprocess.Popen(command))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


async def test_a_member_killed_is_replaced_by_the_other_and_nothing_is_lost(
    road: Road, members: Any, tmp_path: Path
):
    log = tmp_path / "seen"
    log.touch()

    def lines() -> list[list[str]]:
        return [line.split() for line in log.read_text().splitlines()]

    def seen() -> list[tuple[str, int]]:
        return [(who, int(number)) for who, number, _ in lines()]

    victim, other = members(), members()
    await asyncio.sleep(3)
    await road.ask(*(road.event(n, f"k{n % 40}") for n in range(1_500)))
    await until(lambda: len(seen()) > 400, 60)
    assert {int(pid) for _, _, pid in lines()} == {victim.pid, other.pid}
    victim.kill()
    victim.wait()

    async def all_told() -> bool:
        return set(await road.told()) == set(range(1_500))

    await until(lambda: len(set(seen())) == 1_500, 60)
    await until(all_told)
    order = first_deliveries(seen())
    assert len(order) == 40
    assert all(numbers == sorted(numbers) for numbers in order.values())
    # Repeated is at most what the victim had in hand and not committed.
    assert len(seen()) - 1_500 <= 200
