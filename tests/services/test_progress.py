"""How far a runner is behind and whether it goes on, seen in its metrics and in its health."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from prometheus_client import REGISTRY

from schemas.errors import Rejected, Unavailable
from services import patience, progress, subscription
from services.policy import Health, Policy
from services.progress import Progress
from tests.conftest import QuickKafka, until
from tests.services.road import Road


@pytest.fixture
async def road(
    kafka: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Road]:
    monkeypatch.setattr(progress, "LOOK_EVERY_S", 0.05)
    made = Road(kafka)
    await made.build(create="apache" in request.node.name)
    yield made
    await made.close()


def value(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(f"astreinte_{name}", labels)


async def test_lag_and_age_count_what_is_not_done_and_fall_to_nothing(road: Road) -> None:
    gate = asyncio.Event()
    stage, topic = road.name, road.asked.topic

    async def handle(events: Sequence[Any]) -> list[tuple[Any]]:
        await gate.wait()
        return await road.answers(events)

    async with road.running(handle, batch=3, concurrency=1) as runner:
        await road.ask(*(road.event(n, "k") for n in range(10)))
        await until(lambda: value("lag", stage=stage, topic=topic) == 10)
        await until(lambda: value("oldest_seconds", stage=stage, topic=topic) > 0.3)
        assert value("in_hand", stage=stage) == 10
        assert value("partitions", stage=stage) == runner.health.assigned == 4
        assert runner.health.lag == 10
        assert runner.health.ready
        gate.set()
        await until(lambda: value("lag", stage=stage, topic=topic) == 0)
        await until(lambda: value("oldest_seconds", stage=stage, topic=topic) == 0)
        assert value("events_total", stage=stage, outcome="done") == 10
        assert value("unit_seconds_count", stage=stage) == 4
    assert value("partitions", stage=stage) == 0


async def test_a_stage_that_waits_sees_its_lag_grow(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "QUICK_TRIES_S", (0.01,))
    monkeypatch.setattr(patience, "SLOW_TRY_S", 0.1)
    stage, topic = road.name, road.asked.topic
    down = True

    async def handle(events: Sequence[Any]) -> list[tuple[Any]]:
        if down:
            raise Unavailable
        return await road.answers(events)

    async with road.running(handle) as runner:
        await road.ask(*(road.event(n) for n in range(5)))
        await until(lambda: value("waiting", stage=stage) == 1)
        # Its partitions are paused: nothing is fetched, and yet it is known what comes.
        await road.ask(*(road.event(n) for n in range(5, 25)))
        await until(lambda: value("lag", stage=stage, topic=topic) == 25)
        assert not runner.health.ready
        down = False
        await until(lambda: value("lag", stage=stage, topic=topic) == 0)
        assert value("waiting", stage=stage) == 0
        assert runner.health.ready


async def test_dead_letters_are_counted_by_their_error(road: Road) -> None:
    async def handle(events: Sequence[Any]) -> list[tuple[Any]]:
        if events[0].number == 1:
            raise Rejected
        raise ZeroDivisionError

    async with road.running(handle) as runner:
        await road.ask(*(road.event(n) for n in range(3)))
        await until(lambda: runner.health.dead == 3)
    assert value("dead_letters_total", stage=road.name, error="Rejected") == 1
    assert value("dead_letters_total", stage=road.name, error="ZeroDivisionError") == 2
    assert value("events_total", stage=road.name, outcome="dead") == 3


async def test_what_was_read_by_others_before_is_no_lag(road: Road) -> None:
    await road.ask(*(road.event(n) for n in range(8)))
    async with road.running(road.answers) as runner:
        await until(lambda: runner.health.handled == 8)
    async with road.running(road.answers) as runner:
        await road.ask(road.event(8, "k0"))
        await until(lambda: runner.health.handled == 1)
        await until(lambda: value("lag", stage=road.name, topic=road.asked.topic) == 0)


async def test_while_kafka_is_silent_the_lag_stays_and_the_age_grows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broker = QuickKafka()
    monkeypatch.setattr(progress, "LOOK_EVERY_S", 0.05)
    monkeypatch.setattr(subscription, "ASK_S", 0.1)
    road = Road(broker.address)
    await road.build(create=False)
    stage, topic = road.name, road.asked.topic
    gate = asyncio.Event()

    async def handle(events: Sequence[Any]) -> list[tuple[Any]]:
        await gate.wait()
        return await road.answers(events)

    async with road.running(handle, drain_s=0.1, backlog=1) as runner:
        await road.ask(*(road.event(n) for n in range(5)))
        await until(lambda: value("lag", stage=stage, topic=topic) == 5)
        broker.close()
        before = value("oldest_seconds", stage=stage, topic=topic)
        await until(lambda: value("oldest_seconds", stage=stage, topic=topic) > before + 0.5)
        assert value("lag", stage=stage, topic=topic) == runner.health.lag == 5
    await road.close()


# --- does it go on -------------------------------------------------------------------------------


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now

    time = staticmethod(time.time)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(progress, "time", made)
    return made


@pytest.mark.parametrize(("in_hand", "patience_s"), [(0, 30), (7, 270)])
def test_it_is_stalled_when_nothing_is_done_for_longer_than_a_unit_may_take(
    clock: Clock, in_hand: int, patience_s: int
) -> None:
    health = Health("rag", assigned=4, lag=7, in_hand=in_hand)
    watched = Progress(health, ("t",), Policy())
    for seconds in (0, patience_s):
        clock.now = 1_000.0 + seconds
        watched._notice(clock.now)
        assert health.ready
    watched._notice(clock.now + 1)
    assert health.held_up == f"nothing done for {patience_s + 1} s, with 7 records to do"
    health.handled += 1
    watched._notice(clock.now + 2)
    assert health.ready


@pytest.mark.parametrize("change", [{"lag": 0}, {"assigned": 0}])
def test_who_has_nothing_to_do_is_not_stalled(clock: Clock, change: dict[str, int]) -> None:
    health = Health("rag", **{"assigned": 4, "lag": 7} | change)
    watched = Progress(health, ("t",), Policy())
    for seconds in (0, 10_000):
        watched._notice(clock.now + seconds)
    assert health.ready
