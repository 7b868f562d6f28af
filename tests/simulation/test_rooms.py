"""A simulated cold room behaves as one: normal ranges, faults by the table of signatures."""

from __future__ import annotations

import time
from functools import cache

import numpy as np
import pytest

from refrigeration.profile import Kind, Profile
from refrigeration.saturation import fluid
from schemas.vocabulary import Fault
from simulation.rooms import CAUSES, KINDS, NORMAL, History, Injection, Room, design, history
from simulation.rooms.faults import effects

HOT_JULY = 1_783_900_800.0
"""13 July 2026, midnight: condensing pressure is free, not held up by its control."""


def features(of: History, after_h: float = 0.0, until_h: float = 1e9) -> dict[str, float]:
    """Means over the minutes at which the compressor has run for four minutes."""
    hours = (of.times - of.times[0]) / 3600
    column = {name: np.asarray(values) for name, values in of.columns.items()}
    on = column["compressor"] > 0.5
    steady = on.copy()
    for back in range(1, 5):
        steady[back:] &= on[:-back]
    steady &= (hours >= after_h) & (hours < until_h)
    refrigerant = fluid(of.profile.refrigerant)
    assert refrigerant
    sst = np.array([refrigerant.dew_c(bar) for bar in column["low_pressure_bar"]])
    sct = np.array([refrigerant.bubble_c(bar) for bar in column["high_pressure_bar"]])
    found = {
        "sst": sst - column["air_on_c"],  # against the room, as residuals are
        "sh": column["suction_c"] - sst,
        "sct": sct - column["ambient_c"],
        "sc": sct - column["liquid_c"],
        "t_dis": column["discharge_c"],
        "air_dt": column["air_on_c"] - column["air_off_c"],
        "power": column["power_w"],
        "td": column["air_on_c"] - sst,
        "flow": column["air_flow_m3_h"],
        "vibration": column["vibration_mm_s"],
    }
    assert steady.sum() > 5
    return {name: middle(values[steady]) for name, values in found.items()}


def middle(values: np.ndarray) -> float:
    """The mean without what is lost, a code, or at the ends."""
    low, high = np.nanpercentile(values, [10, 90])
    return float(np.nanmean(values[(values >= low) & (values <= high)]))


@cache
def played(seed: int, kind: Kind, fault: Fault | None, severity: float) -> History:
    """Nine hours from eight in the morning; the fault, if one, begins at noon."""
    return history(
        seed,
        9 / 24,
        fault,
        severity=severity,
        onset_s=4 * 3600,
        ramp_s=0,
        kind=kind,
        start=HOT_JULY + 8 * 3600,
        gaps=False,
        every_sensor=True,
    )


def pair(
    fault: Fault, kind: Kind, seed: int, severity: float, hours: float = 5.0
) -> tuple[dict[str, float], dict[str, float]]:
    """The same unit in the same weather, without and with a fault; the first hours after it."""
    told = [played(seed, kind, None, 0.0), played(seed, kind, fault, severity)]
    normal, faulty = (features(one, 4.3, 4 + hours) for one in told)
    return normal, faulty


SIGNS: dict[Fault, dict[str, int]] = {
    Fault.LEAK: {"sst": -1, "sh": 1, "sct": -1, "sc": -1, "t_dis": 1, "air_dt": -1, "power": -1},
    Fault.OVERCHARGE: {"sst": 1, "sct": 1, "sc": 1, "power": 1},
    Fault.NON_CONDENSABLES: {"sst": 0, "sct": 1, "sc": 1, "t_dis": 1, "power": 1},
    Fault.CONDENSER_FOULING: {"sst": 1, "sct": 1, "t_dis": 1, "air_dt": -1, "power": 1},
    Fault.CONDENSER_FAN: {"sst": 1, "sct": 1, "t_dis": 1, "air_dt": -1, "power": 1},
    Fault.EVAPORATOR_FROST: {"sst": -1, "sh": -1, "sct": -1, "air_dt": 1, "power": -1},
    Fault.EVAPORATOR_FAN: {"sst": -1, "sh": -1, "sct": -1, "air_dt": 1, "power": -1},
    Fault.AIR_BLOCKED: {"sst": -1, "sh": -1, "sct": -1, "air_dt": 1, "power": -1, "flow": -1},
    Fault.EXPANSION_OPEN: {"sst": 1, "sh": -1, "sc": -1, "t_dis": -1, "power": 1, "vibration": 1},
    Fault.EXPANSION_CLOSED: {
        "sst": -1,
        "sh": 1,
        "sct": -1,
        "sc": 1,
        "t_dis": 1,
        "air_dt": -1,
        "power": -1,
    },
    Fault.LIQUID_RESTRICTION: {"sst": -1, "sh": 1, "sct": -1, "t_dis": 1, "power": -1},
    Fault.COMPRESSOR_VALVES: {"sst": 1, "sh": -1, "sct": -1, "sc": -1, "t_dis": 1, "power": -1},
    Fault.COMPRESSOR_OVERHEAT: {"t_dis": 1, "power": 1, "vibration": 1},
}
"""refrigeration.md 2.4; SST and SCT against room and ambient. 0: hardly moves."""
ENOUGH = {"power": 0.005, "flow": 0.02, "vibration": 0.02}
"""Shares of the normal value; temperatures: 0.06 K."""


@pytest.mark.parametrize("kind", [Kind.POSITIVE_ROOM, Kind.NEGATIVE_ROOM])
@pytest.mark.parametrize("fault", SIGNS)
def test_residuals_of_a_fault_have_the_signs_of_practice(fault: Fault, kind: Kind):
    seed = 21 if kind is Kind.POSITIVE_ROOM else 33
    severity = 1.0 if fault in {Fault.CONDENSER_FAN, Fault.EVAPORATOR_FAN} else 0.6
    normal, faulty = pair(fault, kind, seed, severity)
    for name, sign in SIGNS[fault].items():
        moved = faulty[name] - normal[name]
        enough = ENOUGH[name] * normal[name] if name in ENOUGH else 0.06
        if sign:
            assert moved * sign > enough, (name, normal[name], faulty[name])
        else:
            assert abs(moved) < 1.0, (name, normal[name], faulty[name])


def test_a_leak_and_a_closed_valve_differ_by_the_sign_of_subcooling():
    for kind in (Kind.POSITIVE_ROOM, Kind.NEGATIVE_ROOM, Kind.CABINET):
        normal, leak = pair(Fault.LEAK, kind, 5, 0.5)
        _, closed = pair(Fault.EXPANSION_CLOSED, kind, 5, 0.5)
        assert leak["sc"] < normal["sc"] < closed["sc"]


def test_frost_recovers_after_a_defrost_and_a_blocked_air_path_does_not():
    normal = history(33, 1, kind="negative_room", start=HOT_JULY, gaps=False, every_sensor=True)
    told = {}
    for fault in (Fault.EVAPORATOR_FROST, Fault.AIR_BLOCKED):
        one = history(
            33, 1, fault, severity=0.5, onset_s=0, ramp_s=0, kind="negative_room",
            start=HOT_JULY, gaps=False, every_sensor=True,
        )  # fmt: skip
        defrosts = one.columns["defrost"] > 0.5
        ends = np.flatnonzero(defrosts[:-1] & ~defrosts[1:])
        before, after = ends[0] - 40, ends[0] + 25
        flow = one.columns["air_flow_m3_h"]
        told[fault] = np.median(flow[after : after + 20]) - np.median(flow[before - 20 : before])
    assert told[Fault.EVAPORATOR_FROST] > 3 * abs(told[Fault.AIR_BLOCKED])
    assert normal.columns["defrost"].sum() > 10


@pytest.mark.parametrize("kind", KINDS)
def test_a_sound_unit_stays_in_the_normal_ranges(kind: Kind):
    for seed in (1, 2, 3):
        told = history(seed, 1, kind=kind, start=HOT_JULY, gaps=False, every_sensor=True, step_s=60)
        found = features(told)
        assert 4 < found["sh"] < 20, found
        assert 0.5 < found["sc"] < 8, found
        assert 4 < found["td"] < 14, found
        assert 3 < found["sct"] < 20, found
        assert 35 < found["t_dis"] < 112, found
        room = told.columns["temperature_c"]
        room = room[np.abs(room) < 60]
        kept = told.profile
        assert kept.low_c is not None and kept.high_c is not None
        outside = ((room > kept.high_c) | (room < kept.low_c)).mean()
        assert outside < (0.12 if kind in (Kind.NEGATIVE_ROOM, Kind.FREEZER_CABINET) else 0.05)
        runs = told.columns["compressor"] > 0.5
        starts = (runs[1:] & ~runs[:-1]).sum()
        assert 0.3 < starts / 24 < 8
        assert 0.25 < runs.mean() < 0.92


def test_a_stopped_compressor_lets_pressures_meet_and_the_room_warm():
    told = history(
        21, 0.5, Fault.COMPRESSOR_STOPPED, severity=1, onset_s=3600, kind="positive_room",
        start=HOT_JULY, gaps=False, every_sensor=True,
    )  # fmt: skip
    end = {name: np.nanmean(column[-20:]) for name, column in told.columns.items()}
    assert end["compressor"] == 0
    assert end["temperature_c"] > told.columns["temperature_c"][:50].mean() + 3
    assert end["vibration_mm_s"] < 0.2
    assert end["low_pressure_bar"] > told.columns["low_pressure_bar"][:50].mean()


def test_a_power_fault_lowers_the_voltage_and_raises_the_current():
    args = {"kind": "positive_room", "start": HOT_JULY, "gaps": False, "every_sensor": True}
    normal = history(21, 0.5, **args)
    weak = history(21, 0.5, "power", severity=0.5, onset_s=0, **args)
    gone = history(21, 0.5, "power", severity=1, onset_s=0, **args)
    on, weak_on = normal.columns["compressor"] > 0.5, weak.columns["compressor"] > 0.5
    assert weak.columns["voltage_v"].mean() < 0.9 * normal.columns["voltage_v"].mean()
    per_watt = [
        np.nanmedian(h.columns["current_a"][o] / h.columns["power_w"][o])
        for h, o in ((normal, on), (weak, weak_on))
    ]
    assert per_watt[1] > 1.08 * per_watt[0]
    assert gone.columns["power_w"][5:].max() <= 0
    assert gone.columns["temperature_c"][-1] > normal.columns["temperature_c"][-1]


def test_a_thermostat_that_is_off_moves_the_room_and_not_the_circuit():
    for seed in (21, 22):
        args = {"kind": "positive_room", "start": HOT_JULY, "gaps": False, "every_sensor": True}
        normal, off = history(seed, 1, **args), history(
            seed, 1, "thermostat", severity=0.8, onset_s=0, **args
        )  # fmt: skip
        moved = np.median(off.columns["temperature_c"][600:]) - np.median(
            normal.columns["temperature_c"][600:]
        )
        assert abs(moved) > 2
        assert abs(features(off)["sc"] - features(normal)["sc"]) < 1.5


def test_an_open_door_warms_and_wets_the_room_and_its_contact_says_so():
    args = {"kind": "positive_room", "start": HOT_JULY, "gaps": False, "every_sensor": True}
    normal = history(33, 0.5, **args)
    door = history(33, 0.5, "door", severity=0.8, onset_s=6 * 3600, **args)
    assert door.columns["door"][370:].min() == 1
    for name in ("temperature_c", "humidity_pct"):
        assert np.median(door.columns[name][400:]) > np.median(normal.columns[name][400:])


def test_a_defrost_that_does_not_heat_leaves_its_frost():
    args = {"kind": "negative_room", "start": HOT_JULY, "gaps": False, "every_sensor": True}
    for seed in (33, 34):  # a dead clock, a dead heater
        normal = history(seed, 2, **args)
        failed = history(seed, 2, "defrost", severity=1, onset_s=0, **args)
        late = slice(-200, None)
        flow = [np.median(h.columns["air_flow_m3_h"][late]) for h in (normal, failed)]
        assert flow[1] < 0.93 * flow[0]


def test_a_sensor_fault_changes_one_column_only():
    args = {"kind": "positive_room", "start": HOT_JULY, "gaps": False, "every_sensor": True}
    ways = set()
    for seed in range(40, 46):
        normal = history(seed, 0.3, **args)
        failed = history(seed, 0.3, "sensor", severity=0.8, onset_s=3600, **args)
        differ = {
            name
            for name in normal.columns
            if not np.array_equal(normal.columns[name], failed.columns[name], equal_nan=True)
        }
        assert len(differ) == 1
        ways |= differ
    assert len(ways) > 1


def test_the_label_is_beside_the_readings_and_begins_with_the_fault():
    told = history(3, 0.5, "leak", severity=0.5, onset_s=6 * 3600, ramp_s=3600)
    assert set(np.unique(told.label)) == {NORMAL, "leak"}
    first = told.times[told.label == "leak"][0] - told.times[0]
    assert first == pytest.approx(6 * 3600, abs=1200)
    assert told.severity.max() == pytest.approx(0.5)
    assert not {"label", "fault", "severity"} & told.columns.keys()
    assert isinstance(told.profile, Profile)
    assert set(told.columns) == set(told.profile.sensors)


def test_the_same_seed_is_the_same_history_and_another_one_another_unit():
    one, same, other = (history(seed, 0.2) for seed in (7, 7, 8))
    assert all(np.array_equal(one.columns[n], same.columns[n], equal_nan=True) for n in one.columns)
    assert design(7) != design(8)
    assert one.times[0] != other.times[0]


def test_units_are_drawn_independently():
    units = [design(seed, Kind.POSITIVE_ROOM) for seed in range(200)]
    drawn = np.array([[u.superheat, u.line_gain, u.differential, u.day_swing] for u in units])
    relations = np.corrcoef(drawn.T) - np.eye(4)
    assert np.abs(relations).max() < 0.25
    assert len({unit.refrigerant for unit in units}) == 4


def test_gaps_noise_and_codes_are_there():
    told = history(11, 5, kind="positive_room")
    steps = np.diff(told.times)
    assert steps.min() == pytest.approx(60)
    assert (steps > 90).sum() > 0
    codes = sum((np.isin(c, (-99.0, 882.6, -999.0))).sum() for c in told.columns.values())
    lost = sum(np.isnan(c).sum() for c in told.columns.values())
    assert codes > 0
    assert lost > 0


def test_a_symptom_cannot_be_injected():
    with pytest.raises(ValueError, match="symptom"):
        history(1, 0.1, Fault.HIGH_PRESSURE)
    with pytest.raises(ValueError, match="severity"):
        Injection(Fault.LEAK, 1.5, 0.0)


def test_every_cause_of_the_vocabulary_can_be_injected():
    symptoms = {
        *(Fault.HIGH_PRESSURE, Fault.LOW_PRESSURE, Fault.HIGH_TEMPERATURE, Fault.LOW_TEMPERATURE),
        *(Fault.NO_DATA, Fault.COMMS, Fault.DETECTOR_DOWN, Fault.UNKNOWN),
    }
    assert set(CAUSES) == set(Fault) - symptoms


def test_a_ramp_grows_and_an_end_ends():
    injection = Injection(Fault.LEAK, 0.8, 100.0, ramp_s=100.0, end=400.0)
    assert [injection.now(at) for at in (50, 150, 250, 450)] == [0, 0.4, 0.8, 0]
    assert effects([injection], 450.0, design(1)).starved == 0


def test_a_coarse_step_tells_the_same_story_as_a_fine_one():
    fine, coarse = (
        history(21, 1, kind="positive_room", start=HOT_JULY, gaps=False, step_s=step)
        for step in (60, 300)
    )
    for name in ("temperature_c", "discharge_c", "low_pressure_bar"):
        ours = [np.nanmean(h.columns[name][np.abs(h.columns[name]) < 200]) for h in (fine, coarse)]
        assert ours[0] == pytest.approx(ours[1], abs=1.0)


def test_rooms_are_quick_enough():
    room = Room(design(1), HOT_JULY)
    best = float("inf")
    for _ in range(3):
        began = time.process_time()
        for _ in range(1000):
            room.step(60)
        best = min(best, time.process_time() - began)
    assert best < 0.2, "5,000 steps a second at the very least"
