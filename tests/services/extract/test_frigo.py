"""Facts with their numbers, how bad it is, and when food is at risk."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from refrigeration.quantities import duration, number
from schemas.frigo import Cause, Contribution, Series, UnitCard, UnitStateChanged
from schemas.readings import Measures
from schemas.vocabulary import Change, Language, Severity
from services.extract import frigo

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


def changed(fault: str = "door", **changes: Any) -> UnitStateChanged:
    body = {
        "event_id": "2f1d3a52-6f0e-5d0e-9a59-cbb3e2ad3b0a",
        "trace_id": "0" * 32,
        "occurred_at": NOW,
        "unit_id": "c1",
        "episode_id": "e1",
        "state": fault,
        "previous_state": "normal",
        "fault": fault,
        "values": Measures(temperature_c=5.0, ambient_c=30.0),
        "measured_at": NOW,
        "since": NOW - timedelta(minutes=20),
        "unit": UnitCard(name="Chambre 1", food_high_c=8.0),
    }
    return UnitStateChanged.model_validate(body | changes)


def warming(per_hour: float, noise: float = 0.0) -> Series:
    values = [
        5.0 + per_hour * (minute - 29) / 60 + noise * (-1) ** (minute // 2) for minute in range(30)
    ]
    return Series(feature="temperature_c", step_s=60, values=tuple(values))


def gathered(event: UnitStateChanged) -> Any:
    [found] = frigo.gather(event, NOW)
    return found


@pytest.mark.parametrize(
    ("per_hour", "severity"),
    [(0.0, Severity.MEDIUM), (0.6, Severity.HIGH), (3.0, Severity.CRITICAL)],
)
def test_the_nearer_the_limit_of_the_food_the_worse(per_hour: float, severity: Severity):
    assert gathered(changed(courses=(warming(per_hour),))).severity is severity


def test_the_time_to_the_limit_is_later_than_a_straight_line_says_and_has_an_interval():
    found = gathered(changed(courses=(warming(1.5, noise=0.05),)))
    assert found.limit_reached_in_s > 2 * 3600  # 3 K at 1.5 K an hour, and slower as it warms
    assert found.limit_reached_in_s < 2.3 * 3600
    assert found.limit_earliest_s < found.limit_reached_in_s < found.limit_latest_s


def test_more_noise_is_a_wider_interval_and_may_have_no_end():
    calm, rough = (gathered(changed(courses=(warming(1.5, n),))) for n in (0.02, 0.2))
    assert rough.limit_earliest_s < calm.limit_earliest_s
    wild = gathered(changed(courses=(warming(0.3, noise=1.0),)))
    assert wild.limit_latest_s is None
    if wild.limit_reached_in_s is not None:
        assert any("jamais" in fact.fr for fact in wild.facts)


def test_a_limit_that_is_passed_is_said_so_and_critical():
    found = gathered(changed(values=Measures(temperature_c=9.0)))
    assert (found.limit_reached_in_s, found.severity) == (0.0, Severity.CRITICAL)
    assert "Limite alimentaire de 8 °C dépassée." in [fact.fr for fact in found.facts]


def test_the_product_counts_more_than_the_air():
    values = Measures(temperature_c=9.0, product_c=5.0)
    found = gathered(changed(values=values, courses=(warming(3.0),)))
    assert found.limit_reached_in_s is None


@pytest.mark.parametrize("values", [(), (5.0,) * 5, (None,) * 60, (5.0,) * 60])
def test_without_a_course_or_a_slope_nothing_is_foretold(values: tuple[float | None, ...]):
    course = Series(feature="temperature_c", step_s=60, values=values)
    found = gathered(changed(courses=(course,)))
    assert found.limit_reached_in_s is None
    assert found.severity is Severity.MEDIUM


def test_evidence_is_a_sentence_with_value_and_normal_in_both_languages():
    proof = Contribution(feature="subcooling_k", value=9.25, normal=4.0, sigma=5.0)
    cause = Cause(fault="non_condensables", probability=0.8, contributions=(proof,))
    found = gathered(changed("non_condensables", causes=(cause,)))
    assert "Sous-refroidissement : 9,2 K (normale 4 K)." in [fact.fr for fact in found.facts]
    assert "Subcooling: 9.2 K (normal 4 K)." in [fact.en for fact in found.facts]
    assert "En cours depuis 20 min." in [fact.fr for fact in found.facts]


def test_how_long_a_door_is_open_has_no_normal():
    proof = Contribution(feature="door_min", value=24.0, normal=0.0)
    cause = Cause(fault="door", probability=1.0, contributions=(proof,))
    found = gathered(changed("door", causes=(cause,)))
    assert "Porte ouverte depuis : 24 min." in [fact.fr for fact in found.facts]
    assert "Door open for: 24 min." in [fact.en for fact in found.facts]


def test_the_energy_lost_follows_from_condensing_and_evaporating_temperatures():
    proofs = (
        Contribution(feature="sct_c", value=48.0, normal=40.0),
        Contribution(feature="sst_c", value=-8.0, normal=-8.0),
    )
    cause = Cause(fault="condenser_fouling", probability=0.9, contributions=proofs)
    values = Measures(power_w=1000.0)
    found = gathered(changed("condenser_fouling", causes=(cause,), values=values))
    assert found.energy_lost_kwh_day == pytest.approx(24 * 0.192 / 1.192, abs=0.1)
    assert gathered(changed(causes=(cause,))).energy_lost_kwh_day is None


def test_the_end_foretells_nothing():
    found = gathered(changed(change=Change.CLEARED, courses=(warming(3.0),)))
    assert found.limit_reached_in_s is None


@pytest.mark.parametrize(
    ("seconds", "fr"),
    [(40, "40 s"), (720, "12 min"), (7800, "2 h 10"), (7200, "2 h"), (273_600, "3 j 4 h")],
)
def test_durations_are_read_as_people_say_them(seconds: float, fr: str):
    assert duration(seconds, Language.FR) == fr


def test_numbers_have_a_comma_in_french_and_no_empty_decimals():
    assert number(4.25, Language.FR) == "4,2"
    assert number(-0.04, Language.EN) == "0"
    assert number(10.0, Language.FR) == "10"
