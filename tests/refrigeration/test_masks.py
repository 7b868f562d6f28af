"""What hides a limit, and what ends it; which fault explains which."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from refrigeration.detector import Memory, Sample, Transition, advance, due, pass_time
from refrigeration.profile import Masks, Profile, SensorProfile
from schemas.vocabulary import Change, Fault

START = 1_700_000_040.0
PROFILE = Profile(
    unit_id="cf-1",
    name="Chambre 1",
    set_point_c=3,
    low_c=0,
    high_c=7,
    voltage_v=400,
    masks=Masks(max_defrost_c=20),
    sensors={"high_pressure_bar": SensorProfile(high=18), "discharge_c": SensorProfile(high=110)},
)
WELL = {
    "temperature_c": 3.0,
    "compressor": 1.0,
    "current_a": 8.0,
    "voltage_v": 400.0,
    "defrost": 0.0,
    "door": 0.0,
}


def lived(
    minutes: int,
    change: Callable[[int], dict[str, float]],
    *,
    without: tuple[str, ...] = (),
    memory: Memory | None = None,
    start: float = START,
) -> list[tuple[float, Transition]]:
    """Return what is told, with the minute, of a life minute by minute."""
    memory = Memory() if memory is None else memory
    found = []
    for i in range(minutes):
        values = {**WELL, "ambient_c": 20 + i % 7 * 0.1, **change(i)}
        kept = {name: value for name, value in values.items() if name not in without}
        told = advance(memory, PROFILE, Sample(start + i * 60, kept))
        found += [((transition.at - START) / 60, transition) for transition in told]
    return found


def raised(found: list[tuple[float, Transition]]) -> dict[Fault, float]:
    return {t.fault: at for at, t in found if t.change is Change.RAISED}


def test_a_defrost_hides_the_room_until_it_lasts_too_long() -> None:
    def usual(i: int) -> dict[str, float]:
        air = 10.0 if 60 <= i < 110 else 3.0
        return {"defrost": float(60 <= i < 80), "temperature_c": air, "compressor": 1.0}

    assert lived(240, usual) == []
    told = raised(
        lived(240, lambda i: {"defrost": float(i >= 60), "temperature_c": 10.0 if i > 65 else 3.0})
    )
    assert told == {Fault.DEFROST: 121, Fault.HIGH_TEMPERATURE: 136}


def test_a_defrost_too_warm_is_a_fault_at_once_and_the_rooms_cause() -> None:
    found = lived(
        200,
        lambda i: {
            "defrost": float(i >= 60),
            "temperature_c": 3.0 if i < 60 else min(i - 55.0, 30 + i % 3),
        },
    )
    told = raised(found)
    assert told[Fault.DEFROST] == 76
    defrost = next(t for _, t in found if t.fault is Fault.DEFROST)
    child = next(t for _, t in found if t.fault is Fault.HIGH_TEMPERATURE)
    assert child.parent_id == defrost.episode_id


def test_a_door_left_open_is_told_sooner_when_the_room_minds() -> None:
    cold = raised(lived(120, lambda i: {"door": float(i >= 60)}))
    warm = raised(lived(120, lambda i: {"door": float(i >= 60), "temperature_c": 3 + i / 20}))
    assert cold == {Fault.DOOR: 70}
    assert warm[Fault.DOOR] == 65
    assert lived(120, lambda i: {"door": float(i % 30 < 5)}) == []


def test_after_a_door_the_room_has_time() -> None:
    found = lived(
        200,
        lambda i: {"door": float(60 <= i < 64), "temperature_c": 9.0 if i >= 61 else 3.0},
    )
    assert raised(found) == {Fault.HIGH_TEMPERATURE: 64 + 20 + 15}


def test_without_contacts_doors_and_defrosts_are_inferred() -> None:
    def opened(i: int) -> dict[str, float]:
        return {"temperature_c": 3.0 + (min(i - 60, 6) * 1.0 if 60 <= i < 90 else 0.0)}

    assert Fault.HIGH_TEMPERATURE in raised(lived(240, opened))
    assert lived(240, opened, without=("door",)) == []

    def thawed(i: int) -> dict[str, float]:
        off = 60 <= i < 100
        air = 4.0 if i < 60 else min(4 + (i - 60) * 0.2, 11) if off else max(3.0, 12 - (i - 100))
        return {"temperature_c": air, "compressor": float(not off), "current_a": 8.0 * (not off)}

    assert Fault.COMPRESSOR_STOPPED in raised(lived(240, thawed))
    assert lived(240, thawed, without=("defrost",)) == []


def test_a_compressor_that_stays_off_is_told_though_it_might_have_been_a_defrost() -> None:
    def dead(i: int) -> dict[str, float]:
        off = i >= 60
        return {
            "temperature_c": 4.0 + off * (i - 60) * 0.1,
            "compressor": float(not off),
            "current_a": 8.0 * (not off),
        }

    told = raised(lived(300, dead, without=("defrost",)))
    assert told[Fault.COMPRESSOR_STOPPED] < 60 + 60 + 25
    quick = lived(300, dead)
    (stopped,) = [t for _, t in quick if t.fault is Fault.COMPRESSOR_STOPPED]
    (warm,) = [t for _, t in quick if t.fault is Fault.HIGH_TEMPERATURE]
    assert raised(quick)[Fault.COMPRESSOR_STOPPED] < 100
    assert warm.parent_id == stopped.episode_id


def test_a_room_that_pulls_down_is_left_alone_while_it_falls() -> None:
    assert lived(240, lambda i: {"temperature_c": max(3.0, 22 - i * 0.12)}) == []
    told = raised(lived(240, lambda i: {"temperature_c": max(14.0, 22 - i * 0.12)}))
    assert set(told) == {Fault.HIGH_TEMPERATURE}
    assert raised(lived(60, lambda i: {"temperature_c": 12.0 + i % 2})) == {
        Fault.HIGH_TEMPERATURE: 15
    }


def test_a_power_cut_is_one_cause_and_pull_down_follows_it() -> None:
    def cut(i: int) -> dict[str, float]:
        if 60 <= i < 120:
            off = {"voltage_v": 0.0, "current_a": 0.0, "compressor": 0.0}
            return {**off, "temperature_c": 3 + (i - 60) * 0.15}
        return {"temperature_c": 3.0 if i < 60 else max(3.0, 12 - (i - 120) * 0.1)}

    found = lived(400, cut)
    alone = [t.fault for _, t in found if t.change is Change.RAISED and not t.parent_id]
    assert alone == [Fault.POWER]
    assert Counter(t.change for _, t in found if not t.parent_id)[Change.UPDATED] == 0
    assert {t.change for _, t in found if t.fault is Fault.HIGH_TEMPERATURE} <= {
        Change.RAISED,
        Change.CLEARED,
    }


def test_a_last_will_is_the_links_fault_and_silence_its_child() -> None:
    memory = Memory()
    lived(60, lambda _: {}, memory=memory)
    down = START + 3600
    assert advance(memory, PROFILE, Sample(down, {}, link="down")) == ()
    assert due(memory, PROFILE) == down + 60
    (cut,) = pass_time(memory, PROFILE, down + 61)
    assert (cut.fault, cut.since) == (Fault.COMMS, down)
    (silent,) = pass_time(memory, PROFILE, down + 700)
    assert (silent.fault, silent.parent_id) == (Fault.NO_DATA, cut.episode_id)
    back = advance(memory, PROFILE, Sample(down + 900, WELL, link="up"))
    assert [(t.fault, t.change) for t in back] == [(Fault.NO_DATA, Change.CLEARED)]
    rest = lived(5, lambda _: {}, memory=memory, start=down + 960)
    assert [(t.fault, t.change) for _, t in rest] == [(Fault.COMMS, Change.CLEARED)]


def test_a_link_that_comes_back_at_once_is_no_alarm() -> None:
    memory = Memory()
    lived(60, lambda _: {}, memory=memory)
    advance(memory, PROFILE, Sample(START + 3600, {}, link="down"))
    assert advance(memory, PROFILE, Sample(START + 3620, WELL, link="up")) == ()
    assert pass_time(memory, PROFILE, START + 3700) == ()


def test_limits_of_sensors_mean_their_fault() -> None:
    assert raised(lived(60, lambda i: {"high_pressure_bar": 20.0 + i % 3})) == {
        Fault.HIGH_PRESSURE: 2
    }
    assert raised(lived(60, lambda i: {"discharge_c": 118.0 + i % 3})) == {
        Fault.COMPRESSOR_OVERHEAT: 5
    }
    assert raised(lived(60, lambda i: {"temperature_c": -1.5 - i % 3})) == {
        Fault.THERMOSTAT: 10,
        Fault.LOW_TEMPERATURE: 15,
    }
    assert raised(lived(60, lambda i: {"voltage_v": 350.0 + i % 3})) == {Fault.POWER: 1}
    assert raised(lived(60, lambda i: {"evaporator_fan": 0.0})) == {Fault.EVAPORATOR_FAN: 10}


def test_courses_and_evidence_travel_with_an_alarm() -> None:
    found = lived(240, lambda i: {"temperature_c": 3.0 if i < 200 else 8.0 + (i - 200) * 0.1})
    (alarm,) = [t for _, t in found]
    room = next(series for series in alarm.courses if series.feature == "temperature_c")
    assert (len(room.values), room.step_s) == (120, 60)
    assert room.values[-1] == 9.4
    assert alarm.causes[0].contributions[0].value == 9.5
