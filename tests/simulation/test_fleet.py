"""Simulated units send as bridges do: deterministic, never from the future, without a label."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from refrigeration.measures import BY_ALIAS, plain
from schemas.errors import Unavailable
from schemas.event import Event
from schemas.frigo import InboundReading
from schemas.vocabulary import Fault
from simulation.fleet import Chances, Fleet, Plan, Unit, drive

START = 1_783_900_800.0


def told(plan: Plan) -> list[InboundReading]:
    return [reading for group in Fleet(plan, START).rounds() for reading in group]


def test_the_same_seed_sends_the_same_events_with_the_same_ids():
    plan = Plan(units=2, seed=5, cycles=5)
    assert told(plan) == told(plan)
    assert len({reading.event_id for reading in told(plan)}) == 10
    assert told(Plan(units=2, seed=6, cycles=5)) != told(plan)


def test_a_bridge_has_names_that_ingest_knows_and_pressures_as_declared():
    for seed in range(6):
        unit = Unit(seed, START, 60)
        names = {BY_ALIAS[plain(name)] for name in unit.step()}
        assert names == set(unit.profile.sensors)
    gauge, absolute = Unit(3, START, 60), Unit(4, START, 60)
    assert gauge.profile.sensors["low_pressure_bar"].gauge
    assert not absolute.profile.sensors["low_pressure_bar"].gauge
    shown = gauge.step()["Pression_BP"]
    assert shown is not None
    assert gauge.room.truth[1] - shown == pytest.approx(1.013, abs=0.3)


def test_the_label_never_travels():
    plan = Plan(units=1, faults=(Fault.LEAK,), onset_s=0, cycles=3)
    for reading in told(plan):
        assert "leak" not in reading.model_dump_json()
        assert "panne" not in reading.model_dump_json()


def test_faults_go_to_the_first_units_and_the_others_stay_sound():
    fleet = Fleet(Plan(units=3, faults=(Fault.DOOR, Fault.LEAK)), START)
    faults = [[i.fault for i in unit.room.injections] for unit in fleet.units]
    assert faults == [[Fault.DOOR], [Fault.LEAK], []]


async def test_quicker_than_real_until_the_clock_is_reached_and_never_from_the_future():
    clock, sent, down = [START + 180.0], [], [True]

    async def publish(events: Sequence[Event]) -> None:
        if down.pop() if down else False:
            msg = "no broker"
            raise Unavailable(msg)
        sent.extend((event, clock[0]) for event in events)

    async def sleep(seconds: float) -> None:
        clock[0] += seconds

    real = asyncio.sleep
    try:
        asyncio.sleep = sleep  # type: ignore[assignment]
        fleet = Fleet(Plan(units=1, cycles=8, speed=60), START)
        assert await drive(fleet, publish, now=lambda: clock[0]) == 8
    finally:
        asyncio.sleep = real
    at = [event.measured_at.timestamp() for event, _ in sent]
    assert at == [START + 60 * n for n in range(1, 9)]  # the broker that was down lost none
    assert all(moment <= seen + 1e-6 for moment, (_, seen) in zip(at, sent, strict=True))


def test_chances_begin_and_end_faults_and_none_without_probability():
    never = Chances(901, 0.0, 30, START)
    often = Chances(901, 1.0, 30, START)
    for _ in range(40):
        never.reading()
        often.reading()
    assert never.unit.room.injections == []
    lengths = {(i.end - i.onset) / 30 for i in often.unit.room.injections}
    assert len(often.unit.room.injections) >= 5
    assert lengths <= set(range(3, 9))
    assert often.reading().source == "simulateur"
    assert often.reading().measured_at > datetime.fromtimestamp(START, UTC)
