"""What a detector meets: codes, gaps, wrong clocks, floods, restarts. No false, no lost alarm."""

from __future__ import annotations

import json
import math
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from types import SimpleNamespace

import pytest

from refrigeration.detector import Memory, Sample, Transition, advance, due, pass_time
from refrigeration.profile import FoodRule, Kind, Masks, Profile, SensorProfile
from refrigeration.window import Window
from schemas.frigo import Cause
from schemas.vocabulary import Change, Fault

START = 1_700_000_000.0
PROFILE = Profile(
    unit_id="cf-1",
    name="Chambre 1",
    kind=Kind.POSITIVE_ROOM,
    refrigerant="R134a",
    set_point_c=3,
    low_c=-1,
    high_c=7,
    voltage_v=400,
    masks=Masks(max_defrost_c=20),
    food=FoodRule(high_c=4, source="arrêté du 21/12/2009", effective_from=date(2010, 1, 1)),
    sensors={
        "high_pressure_bar": SensorProfile(high=18),
        "current_a": SensorProfile(low=2, high=20),
        "humidity_pct": SensorProfile(high=98),
    },
)


def room(rng: random.Random, at: float, warmer: float = 0.0) -> dict[str, float]:
    """Return a well reading: it cycles every half hour and defrosts every six."""
    phase = at % 1800 / 1800
    runs = phase < 0.6
    defrost = at % 21_600 < 1200
    swing = 1.0 - 2 * phase / 0.6 if runs else -1.0 + 2 * (phase - 0.6) / 0.4
    air = 3 + swing + warmer + (at % 21_600 / 1200 * 5 if defrost else 0.0)
    return {
        "temperature_c": round(air + rng.gauss(0, 0.1), 2),
        "low_pressure_bar": round((2.0 if runs else 3.0) + rng.gauss(0, 0.02), 3),
        "high_pressure_bar": round((11.0 if runs else 7.0) + rng.gauss(0, 0.05), 3),
        "current_a": round(max(0.0, (8.0 if runs else 0.2) + rng.gauss(0, 0.1)), 2),
        "voltage_v": round(400 + rng.gauss(0, 2), 1),
        "ambient_c": round(24 + rng.gauss(0, 0.2), 2),
        "humidity_pct": round(80 + rng.gauss(0, 1), 1),
        "compressor": float(runs and not defrost),
        "defrost": float(defrost),
        "door": 0.0,
    }


def readings(
    count: int, *, seed: int = 1, start: float = START, step: float = 60, warmer: float = 0.0
) -> list[Sample]:
    rng = random.Random(seed)
    return [Sample(start + i * step, room(rng, start + i * step, warmer)) for i in range(count)]


def fed(memory: Memory, samples: Sequence[Sample], profile: Profile = PROFILE) -> list[Transition]:
    return [found for sample in samples for found in advance(memory, profile, sample)]


def raised(found: Sequence[Transition]) -> Counter[Fault]:
    return Counter(each.fault for each in found if each.change is Change.RAISED)


def test_a_month_of_a_well_room_is_silent() -> None:
    assert fed(Memory(), readings(30 * 1440 // 5, step=300)) == []
    assert fed(Memory(), readings(5 * 1440)) == []


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 9999.0, -999.0, 882.6, 1e30, "4"])
def test_one_bad_value_is_no_alarm_and_many_are_the_sensors(bad: float) -> None:
    memory = Memory()
    samples = readings(600)
    for i in (100, 250, 251, 400):
        samples[i].values["high_pressure_bar"] = bad  # type: ignore[index]
    assert fed(memory, samples) == []
    samples = readings(120, start=START + 36_000)
    for sample in samples:
        sample.values["high_pressure_bar"] = bad  # type: ignore[index]
    (found,) = fed(memory, samples)
    assert (found.fault, found.causes[0].contributions[0].feature) == (
        Fault.SENSOR,
        "high_pressure_bar",
    )
    assert found.at - samples[0].at < 1200
    (cleared,) = fed(memory, readings(120, start=START + 43_200))
    assert cleared.change is Change.CLEARED


def test_probes_that_fail_together_are_the_links_fault_not_theirs() -> None:
    memory = Memory()
    fed(memory, readings(120))
    samples = readings(60, start=START + 7200)
    contacts = {"compressor", "defrost", "door"}
    broken = [
        s._replace(values={n: v if n in contacts else -999.0 for n, v in s.values.items()})
        for s in samples
    ]
    assert raised(fed(memory, broken)) == {Fault.COMMS: 1}


def test_a_probe_that_goes_or_stands_still_is_told() -> None:
    memory = Memory()
    fed(memory, readings(120))
    samples = readings(300, start=START + 7200)
    gone = [
        s._replace(values={n: v for n, v in s.values.items() if n != "ambient_c"}) for s in samples
    ]
    assert raised(fed(memory, gone)) == {Fault.SENSOR: 1}
    memory = Memory()
    frozen = [s._replace(values={**s.values, "temperature_c": 3.17}) for s in readings(300)]
    assert raised(fed(memory, frozen)) == {Fault.SENSOR: 1}


def test_few_sensors_are_enough_for_a_limit() -> None:
    memory = Memory()
    found = fed(memory, [Sample(START + i * 60, {"temperature_c": 9.0 + i % 3}) for i in range(30)])
    assert raised(found) == {Fault.HIGH_TEMPERATURE: 1}


def test_duplicates_and_readings_late_by_an_hour_decide_nothing() -> None:
    samples = readings(1440)
    rng = random.Random(3)
    late = [s for s in samples if rng.random() < 0.1]
    mixed = sorted(
        [(s.at, i, s) for i, s in enumerate(samples)]
        + [(s.at + rng.uniform(60, 3600), -1 - i, s) for i, s in enumerate(late)]
        + [(s.at + 0.1, i, s) for i, s in enumerate(samples)]
    )
    warm = [s._replace(values={**s.values, "temperature_c": 12.0}) for s in samples[:60]]
    memory = Memory()
    assert fed(memory, [s for *_, s in mixed]) == []
    assert fed(memory, [*warm[:5], *warm[:5]]) == []


def test_readings_shuffled_within_an_hour_raise_what_is_there_and_nothing_else() -> None:
    rng = random.Random(4)

    def shuffled(samples: list[Sample]) -> list[Sample]:
        return sorted(samples, key=lambda s: s.at + rng.uniform(0, 3600))

    assert fed(Memory(), shuffled(readings(3 * 1440))) == []
    found = fed(Memory(), shuffled(readings(1440, warmer=8)))
    assert raised(found)[Fault.HIGH_TEMPERATURE] == 1


def test_a_clock_in_the_future_neither_poisons_nor_silences_a_unit() -> None:
    memory = Memory()
    fed(memory, readings(60))
    fed(memory, readings(3, start=START + 864_000))  # ten days ahead, then mended
    found = fed(memory, readings(120, start=START + 3600, warmer=8))
    assert raised(found) == {Fault.HIGH_TEMPERATURE: 1}
    memory = Memory()
    ahead = [s._replace(heard=s.at - 1200) for s in readings(120, warmer=8)]
    assert raised(fed(memory, ahead)) == {Fault.HIGH_TEMPERATURE: 1}
    assert memory.newest == ahead[-1].heard


@pytest.mark.parametrize("steps", [(60, 300, 60), (10, 60, 240), (300, 30, 300)])
def test_a_unit_that_changes_its_interval_is_not_silent(steps: tuple[int, ...]) -> None:
    memory, at = Memory(), START
    found: list[Transition] = []
    for step in steps:
        for sample in readings(200, start=at, step=step):
            when = due(memory, PROFILE)
            if when is not None and when <= sample.at:
                found += pass_time(memory, PROFILE, sample.at)
            found += advance(memory, PROFILE, sample)
        at = sample.at + step
    assert found == []


def test_a_unit_slower_than_its_profile_is_learned() -> None:
    memory = Memory()
    found = fed(memory, readings(40, step=900))
    assert found == []
    last = START + 39 * 900
    assert pass_time(memory, PROFILE, last + 2000) == ()
    (silent,) = pass_time(memory, PROFILE, last + 2400)
    assert silent.fault is Fault.NO_DATA


def test_a_hundred_thousand_readings_at_once_raise_what_happened_once() -> None:
    memory = Memory()
    fed(memory, readings(60))
    (silent,) = pass_time(memory, PROFILE, START + 10_000)
    assert silent.fault is Fault.NO_DATA
    backlog = [
        *readings(49_500, start=START + 3600, step=4),
        *readings(1000, start=START + 201_600, step=4, warmer=9),
        *readings(49_500, start=START + 205_600, step=4),
    ]
    heard = START + 403_600
    found = fed(memory, [sample._replace(heard=heard) for sample in backlog])
    assert raised(found) == {Fault.HIGH_TEMPERATURE: 1}
    assert Counter(t.fault for t in found if t.change is Change.CLEARED) == {
        Fault.NO_DATA: 1,
        Fault.HIGH_TEMPERATURE: 1,
    }
    assert found[0].at >= silent.at
    assert pass_time(memory, PROFILE, heard + 60) == ()


def test_doors_and_defrosts_in_turn_do_not_hide_a_warm_room_for_ever() -> None:
    memory = Memory()
    fed(memory, readings(60))
    samples = readings(600, start=START + 3600, warmer=8)
    swinging = [
        s._replace(values={**s.values, "door": float(i % 15 == 0), "defrost": float(i % 40 < 5)})
        for i, s in enumerate(samples)
    ]
    found = [t for t in fed(memory, swinging) if t.fault is Fault.HIGH_TEMPERATURE]
    assert raised(found) == {Fault.HIGH_TEMPERATURE: 1}
    assert found[0].at - samples[0].at <= (60 + 45 + 15 + 2) * 60


def test_a_link_that_drops_again_and_again_does_not_hide_a_warm_room() -> None:
    memory = Memory()
    fed(memory, readings(60))
    found: list[Transition] = []
    for burst in range(20):
        start = START + 3600 + burst * 1800
        found += fed(memory, readings(5, start=start, warmer=8))
        found += pass_time(memory, PROFILE, start + 1000)
    assert raised(found)[Fault.HIGH_TEMPERATURE] == 1
    assert raised(found)[Fault.NO_DATA] < 8


def test_what_flaps_is_raised_less_and_less() -> None:
    memory = Memory()
    found: list[Transition] = []
    for hour in range(12):
        low = [
            Sample(START + hour * 3600 + i * 60, {"voltage_v": 340.0 + i % 5}) for i in range(10)
        ]
        well = [
            Sample(START + hour * 3600 + i * 60, {"voltage_v": 398.0 + i % 5})
            for i in range(10, 60)
        ]
        found += fed(memory, [*low, *well])
    assert 1 <= raised(found)[Fault.POWER] <= 6


class Oracle:
    """A diagnosis that depends on all that a window holds, to the last digit."""

    def diagnose(self, profile: Profile, window: Window) -> SimpleNamespace:
        total = sum(window.summary().values())
        leak = (math.sin(total / 40) + 3) / 4
        shares = {"normal": 1 - leak, "leak": leak * 0.7, "overcharge": leak * 0.3}
        causes = tuple(Cause(fault=n, probability=shares[n]) for n in ("leak", "overcharge"))
        sigmas = {"td_k": math.sin(total) * 3, "subcooling_k": total % 7}
        return SimpleNamespace(probabilities=shares, causes=causes, sigmas=sigmas)


def storm(seed: int) -> Iterator[Sample]:
    """Yield readings in which anything happens."""
    rng = random.Random(seed)
    at, warmer = START, 0.0
    for _ in range(700):
        at += rng.choice((1, 10, 60, 60, 60, 300, 900, -1800 if rng.random() < 0.1 else 60))
        if rng.random() < 0.02:
            warmer = rng.choice((0, 0, 8, -6))
            at += rng.choice((0, 0, 4000))
        values = room(rng, at, warmer)
        for name in list(values):
            chance = rng.random()
            if chance < 0.02:
                values[name] = rng.choice((math.nan, -999.0, 9999.0, 0.0))
            elif chance < 0.05:
                del values[name]
        values["door"] = float(rng.random() < 0.05)
        yield Sample(
            at, values, link=rng.choice(("", "", "", "up", "down") if chance < 0.1 else ("",))
        )


@pytest.mark.parametrize("seed", range(6))
def test_a_restart_between_any_two_readings_changes_nothing(seed: int) -> None:
    kept, restarted = Memory(), Memory()
    oracle, rng = Oracle(), random.Random(seed)
    moved = 0
    for sample in storm(seed):
        found = advance(kept, PROFILE, sample, oracle)
        assert advance(restarted, PROFILE, sample, oracle) == found
        moved += len(found)
        if rng.random() < 0.1:
            now = sample.at + rng.choice((0, 100, 3000))
            assert pass_time(kept, PROFILE, now) == pass_time(restarted, PROFILE, now)
        if rng.random() < 0.5:
            body = json.dumps(restarted.body())
            assert len(body) <= 20_000
            restarted = Memory.of(json.loads(body))
            assert json.dumps(restarted.body()) == body
        assert due(kept, PROFILE) == due(restarted, PROFILE)
    assert moved > 3


def test_many_sensors_fit_into_the_memory() -> None:
    memory = Memory()
    for i in range(400):
        values = {f"sonde {n}": math.sin(i * n) * 100 / 3 for n in range(60)}
        advance(
            memory, PROFILE, Sample(START + i * 60, {**room(random.Random(i), START), **values})
        )
    assert len(json.dumps(memory.body())) <= 20_000
