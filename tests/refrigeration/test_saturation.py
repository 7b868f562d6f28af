"""Pressures and temperatures of refrigerants, against known points and against CoolProp."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest

from refrigeration.measures import converted
from refrigeration.saturation import fluid, refrigerants

WANTED = (
    *("R134a", "R290", "R404A", "R407C", "R410A", "R448A", "R449A", "R452A", "R507A", "R513A"),
    *("R600a", "R744", "R1234yf", "R32"),
)


def of(name: str):
    found = fluid(name)
    assert found is not None
    return found


def test_the_refrigerants_of_cold_rooms_have_tables():
    assert set(WANTED) <= set(refrigerants())


def test_superheat_needs_the_dew_and_subcooling_the_bubble_of_a_blend_with_glide():
    r449a = of("R449A")
    assert r449a.dew_c(3.0) == pytest.approx(-14.75, abs=0.02)
    assert r449a.bubble_c(3.0) == pytest.approx(-20.58, abs=0.02)


def test_a_gauge_pressure_read_as_absolute_is_eleven_kelvin_off():
    r134a = of("R134a")
    assert r134a.dew_c(2.0) == pytest.approx(-10.1, abs=0.05)
    assert r134a.dew_c(converted(2.0, "barg")) == pytest.approx(0.7, abs=0.1)


@pytest.mark.parametrize(
    ("name", "celsius", "dew_bar", "bubble_bar"),
    [
        ("R134a", -30, 0.84, 0.84),
        ("R290", -10, 3.45, 3.45),
        ("R404A", 40, 18.15, 18.29),
        ("R449A", 40, 16.52, 18.58),
        ("R744", -10, 26.5, 26.5),
    ],
)
def test_published_points_are_met(name: str, celsius: float, dew_bar: float, bubble_bar: float):
    assert of(name).dew_bar(celsius) == pytest.approx(dew_bar, rel=0.01)
    assert of(name).bubble_bar(celsius) == pytest.approx(bubble_bar, rel=0.01)


@pytest.mark.parametrize("name", refrigerants())
def test_pressure_and_temperature_are_each_other_s_inverse(name: str):
    found = of(name)
    for share in (0.001, 0.2, 0.5, 0.77, 0.999):
        bar = found.low_bar * (found.high_bar / found.low_bar) ** share
        assert found.dew_bar(found.dew_c(bar)) == pytest.approx(bar, rel=1e-9)
        assert found.bubble_bar(found.bubble_c(bar)) == pytest.approx(bar, rel=1e-9)
        assert found.dew_c(bar) >= found.bubble_c(bar) - 0.01


@pytest.mark.parametrize("name", refrigerants())
def test_temperatures_rise_with_pressure_without_a_jump(name: str):
    found = of(name)
    for column in (found.dew, found.bubble):
        steps = [after - before for before, after in pairwise(column)]
        assert min(steps) > 0
        assert all(abs(a - b) < 0.05 * max(a, b) for a, b in pairwise(steps))


def test_nothing_is_extrapolated():
    r449a = of("R449A")
    for bar in (0.0, -1.0, 0.2, 99.0, math.inf, math.nan):
        assert math.isnan(r449a.dew_c(bar))
    for celsius in (-100.0, 200.0, math.nan):
        assert math.isnan(r449a.bubble_bar(celsius))


def test_an_unknown_refrigerant_has_no_table_and_spellings_are_forgiven():
    assert fluid("") is None
    assert fluid("R999") is None
    assert fluid("../measures") is None
    assert fluid("r-449a") is fluid("R449A")
    assert fluid("CO2") is fluid("R744")


@pytest.mark.parametrize("name", WANTED)
def test_the_tables_say_what_coolprop_says(name: str):
    coolprop = pytest.importorskip("CoolProp")
    found = of(name)
    state = coolprop.AbstractState("HEOS", found.source.split()[-1])
    for share in (0.15, 0.45, 0.8):  # between the points of the table
        bar = found.low_bar * (found.high_bar / found.low_bar) ** share
        state.update(coolprop.PQ_INPUTS, bar * 1e5, 1)
        assert found.dew_c(bar) == pytest.approx(state.T() - 273.15, abs=0.003)
        state.update(coolprop.PQ_INPUTS, bar * 1e5, 0)
        assert found.bubble_c(bar) == pytest.approx(state.T() - 273.15, abs=0.003)
