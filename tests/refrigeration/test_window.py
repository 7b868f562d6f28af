"""Features and windows: physics by the right saturation line, steady minutes only, small memory."""

from __future__ import annotations

import json
import math

import pytest

from refrigeration.features import features, running
from refrigeration.profile import Profile
from refrigeration.window import Window

ROOM = Profile(unit_id="r", name="r", refrigerant="R449A", set_point_c=2, voltage_v=400)
RUNS = {
    "temperature_c": 3.0,
    "low_pressure_bar": 3.0,
    "high_pressure_bar": 16.52,
    "suction_c": -4.75,
    "liquid_c": 30.0,
    "ambient_c": 25.0,
    "current_a": 8.0,
    "voltage_v": 392.0,
    "compressor": 1.0,
    "defrost": 0.0,
}
RESTS = RUNS | {"compressor": 0.0, "current_a": 0.3, "high_pressure_bar": 10.0}


def test_superheat_is_above_the_dew_point_and_subcooling_below_the_bubble_point() -> None:
    found = features(ROOM, RUNS)
    assert found["sst_c"] == pytest.approx(-14.75, abs=0.1)
    assert found["superheat_k"] == pytest.approx(10.0, abs=0.1)
    assert found["sct_c"] < 38  # the dew point is 40
    assert found["subcooling_k"] == pytest.approx(found["sct_c"] - 30)
    assert found["error_k"] == 1.0
    assert found["voltage_pct"] == pytest.approx(-2.0)


@pytest.mark.parametrize("missing", sorted(RUNS))
def test_a_sensor_that_is_missing_costs_only_its_features(missing: str) -> None:
    values = {name: value for name, value in RUNS.items() if name != missing}
    whole, less = features(ROOM, RUNS), features(ROOM, values)
    assert less.items() <= whole.items()
    assert features(ROOM, {}) == {}


def test_an_unknown_refrigerant_leaves_what_needs_no_table() -> None:
    found = features(ROOM.model_copy(update={"refrigerant": "R9"}), RUNS)
    assert "superheat_k" not in found
    assert found["ratio"] == pytest.approx(16.52 / 3)


def test_pressures_without_sense_are_no_crash() -> None:
    found = features(ROOM, RUNS | {"low_pressure_bar": 0.0, "high_pressure_bar": -1.0})
    assert all(math.isfinite(value) for value in found.values())


def test_a_compressor_without_current_does_not_run() -> None:
    assert running(RUNS) is True
    assert running(RUNS | {"current_a": 0.0}) is False
    assert running({"low_pressure_bar": 3.0, "high_pressure_bar": 12.0}) is True
    assert running({"temperature_c": 3.0}) is None


def test_only_minutes_after_the_start_has_settled_count() -> None:
    window = Window()
    for minute in range(10):
        window.add(ROOM, minute * 60.0, RESTS)
    for minute in range(10, 30):
        window.add(ROOM, minute * 60.0, RUNS | {"suction_c": 20.0 if minute < 13 else -4.75})
    assert window.steady_minutes() >= 10
    assert window.summary()["superheat_k"] == pytest.approx(10.0, abs=0.1)
    assert window.summary()["idle_sct_c"] < window.summary()["sct_c"]
    assert 0.1 < window.summary()["duty_fast"] < 0.9


def test_a_defrost_and_what_follows_it_is_not_steady() -> None:
    window = Window()
    for minute in range(60):
        defrost = 10 <= minute < 20
        values = RUNS | {"defrost": float(defrost), "suction_c": 15.0 if 10 <= minute < 35 else 0.0}
        window.add(ROOM, minute * 60.0, values)
    assert window.summary()["suction_c"] == pytest.approx(0.0)
    assert window.summary()["defrost_minutes"] == pytest.approx(10, abs=1)


def test_what_is_old_is_not_said() -> None:
    window = Window()
    for minute in range(20):
        window.add(ROOM, minute * 60.0, RUNS)
    window.add(ROOM, 20 * 60.0 + 3 * 3600, RESTS)
    window.flush(ROOM)
    assert window.steady_minutes() == 0
    assert "superheat_k" not in window.summary()


def test_it_goes_on_from_its_body_and_is_small() -> None:
    one, two = Window(), Window()
    for minute in range(400):
        values = (RUNS if minute % 40 < 25 else RESTS) | {"door": float(minute % 50 == 0)}
        one.add(ROOM, minute * 60.0, values)
        two.add(ROOM, minute * 60.0, values)
        if minute % 7 == 0:
            two = Window.of(json.loads(json.dumps(two.body())))
    assert two.summary() == pytest.approx(one.summary(), rel=1e-2, abs=1e-2)
    assert len(json.dumps(one.body())) < 4000


def test_late_readings_change_nothing() -> None:
    window = Window()
    for minute in range(20):
        window.add(ROOM, minute * 60.0, RUNS)
    before = window.body()
    assert window.add(ROOM, 300.0, RESTS) is False
    assert window.body() == before
