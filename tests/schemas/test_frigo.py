"""The public contract of `frigo.inbound`, and what travels after it."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from schemas.frigo import AlertDrafted, InboundReading, Measures, UnitStateChanged
from tests.events import NOW

READING = {
    "unit_id": "F12",
    "measured_at": "2025-02-01T08:30:00Z",
    "measures": {"temp_c": 4.2, "hp_bar": None},
    "source": "mqtt",
}


def reading(**changes: Any) -> InboundReading:
    return InboundReading.model_validate(READING | changes)


def test_the_same_reading_told_twice_has_the_same_id() -> None:
    assert reading().event_id == reading(measures={"temp_c": 5.0}).event_id


def test_another_unit_time_or_source_is_another_reading() -> None:
    others = ({}, {"unit_id": "F13"}, {"measured_at": "2025-02-01T08:31:00Z"}, {"source": "opc"})
    assert len({reading(**changes).event_id for changes in others}) == 4


def test_a_reading_occurred_when_it_was_measured() -> None:
    assert reading().occurred_at == reading().measured_at == NOW


def test_what_is_written_is_read_again_as_the_same_reading() -> None:
    assert InboundReading.model_validate_json(reading().model_dump_json(by_alias=True)) == reading()


@pytest.mark.parametrize(
    "changes",
    [
        {"unit_id": ""},
        {"unit_id": "F\n12"},
        {"measured_at": "1970-01-01T00:00:00Z"},
        {"measured_at": "2025-02-01T08:30:00"},
        {"measures": {f"sensor_{n}": 1.0 for n in range(201)}},
        {"measures": None},
    ],
)
def test_hostile_readings_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        reading(**changes)


@pytest.mark.parametrize("value", ["warm", float("nan"), float("inf"), [], {}, "1" * 400, 10**400])
def test_what_is_no_number_costs_its_sensor_and_not_the_reading(value: Any) -> None:
    read = reading(measures={"temp_c": value, "hp_bar": "12,5", "door": True, "lp_bar": None})
    assert read.measures == {"temp_c": None, "hp_bar": 12.5, "door": 1.0, "lp_bar": None}
    assert read.unreadable == ("temp_c",)
    again = InboundReading.model_validate_json(read.model_dump_json(by_alias=True))
    assert again == read


def test_an_absent_sensor_is_none_and_nan_is_refused() -> None:
    assert Measures().temperature_c is None
    with pytest.raises(ValidationError, match="finite"):
        Measures(temperature_c=float("nan"))


def test_order_is_kept_per_unit_on_the_whole_road() -> None:
    changed = UnitStateChanged.after(
        reading(), NOW, episode_id="e1", state="drift", previous_state="normal", values=Measures()
    )
    assert reading().key == changed.key == "F12"


def test_a_short_alert_fits_two_text_messages() -> None:
    changed = UnitStateChanged.after(
        reading(), NOW, episode_id="e1", state="drift", previous_state="normal", values=Measures()
    )
    fields = {"severity": "high", "since": NOW, "title": "F12", "text": "…"}
    assert AlertDrafted.after(changed, NOW, short_text="x" * 320, **fields).language == "fr"
    with pytest.raises(ValidationError, match="320"):
        AlertDrafted.after(changed, NOW, short_text="x" * 321, **fields)
