"""What a bridge's reading means."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from refrigeration.measures import ATMOSPHERE_BAR
from refrigeration.profile import Profile
from schemas.readings import InboundReading, ReadingReceived
from services.ingest.frigo import Names, receive
from services.seen import Seen

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


def reading(measures: dict[str, Any], **changes: Any) -> InboundReading:
    body = {"unit_id": "c1", "measured_at": NOW, "measures": measures}
    return InboundReading.model_validate(body | changes)


def names(**sensors: dict[str, Any]) -> Names:
    return Names(Profile.model_validate({"unit_id": "c1", "name": "C1", "sensors": sensors}))


def test_french_names_with_accents_and_ascii_aliases_mean_our_sensors():
    found = receive(reading({"Température": "3,5", "pression-bp": 2, "t_suc": 7}), names(), NOW)
    assert found.values.temperature_c == 3.5
    assert (found.values.low_pressure_bar, found.values.suction_c) == (2.0, 7.0)
    assert found.implausible == ()


def test_a_profile_says_what_the_bridge_calls_a_sensor_and_in_which_unit():
    mine = names(
        temperature_c={"source": "T1", "unit": "°F"},
        low_pressure_bar={"source": "P-low", "gauge": True},
        oil_c={"source": "huile"},
    )
    found = receive(reading({"t1": 41.0, "p low": 2.0, "huile": 55}), mine, NOW)
    assert found.values.temperature_c == pytest.approx(5.0)
    assert found.values.low_pressure_bar == pytest.approx(2.0 + ATMOSPHERE_BAR)
    assert found.values.others == {"oil_c": 55.0}


@pytest.mark.parametrize("value", [-999.0, 882.6, 9999.0, 150.0, "rien", float("nan")])
def test_a_code_an_impossible_value_or_none_at_all_costs_that_sensor_only(value: Any):
    found = receive(reading({"temperature": value, "hp": 15}), names(), NOW)
    assert found.values.temperature_c is None
    assert found.implausible == ("temperature_c",)
    assert found.values.high_pressure_bar == 15.0


def test_an_unknown_unit_is_taken_in_marked_and_nothing_of_it_is_thrown_away():
    found = receive(reading({"temp": 4, "Sonde 7": 1.5}), Names(None), NOW)
    assert found.unknown_unit
    assert found.values.temperature_c == 4.0
    assert found.values.others == {"sonde_7": 1.5}


def test_a_clock_that_is_ahead_is_replaced_by_ours_and_one_that_is_late_is_believed():
    ahead = receive(reading({"temp": 4}, measured_at=NOW + timedelta(hours=1)), names(), NOW)
    assert ahead.measured_at == NOW
    assert "60 min" in ahead.why
    slightly = NOW + timedelta(minutes=4)
    assert receive(reading({"temp": 4}, measured_at=slightly), names(), NOW).measured_at == slightly
    late = NOW - timedelta(hours=5)
    assert receive(reading({"temp": 4}, measured_at=late), names(), NOW).measured_at == late


def test_a_last_will_goes_on_to_the_detector():
    assert receive(reading({}, link="down"), names(), NOW).link == "down"


async def test_what_comes_twice_goes_no_further_but_a_unit_of_work_that_is_repeated_does():
    seen, first = Seen(kept=3), reading({"temp": 4})
    assert not seen.again(first)
    assert not seen.again(first)
    copy = reading({"temp": 4})
    assert seen.again(copy)
    for hour in range(3):
        seen.again(reading({"temp": 4}, measured_at=NOW + timedelta(hours=hour + 1)))
    assert not seen.again(copy)  # forgotten: whoever comes next recognises it
    await seen.forget()
    assert not seen.again(reading({"temp": 4}))


def test_an_event_made_the_quick_way_is_as_sound_as_any_and_has_the_id_of_its_cause():
    cause = reading({"temp": 4, "hp": float("inf")}, link="up", source="mqtt")
    made = receive(cause, names(), NOW)
    assert ReadingReceived.model_validate_json(made.model_dump_json()) == made
    checked = ReadingReceived.after(cause, NOW, values=made.values, implausible=made.implausible)
    assert made == checked
