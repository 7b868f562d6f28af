"""What units share of their profiles."""

from __future__ import annotations

from typing import Any

from refrigeration.profile import Profile


def profile(unit_id: str, **changes: Any) -> Profile:
    sensors = {"temperature_c": {"source": "T1", "unit": "°F"}, "door": {}}
    body = {"unit_id": unit_id, "name": unit_id, "sensors": sensors, "masks": {"tAO": 30}}
    return Profile.model_validate(body | changes)


def test_what_is_equal_in_the_profiles_of_units_is_in_memory_once():
    one, other = profile("c1"), Profile.model_validate_json(profile("c2").model_dump_json())
    assert one.sensors is other.sensors
    assert one.masks is other.masks
    assert other == profile("c2")


def test_what_differs_in_the_profile_of_a_unit_is_its_own():
    one, other = profile("c1"), profile("c2", sensors={"temperature_c": {"source": "T2"}})
    assert one.sensors["temperature_c"].source == "T1"
    assert other.sensors["temperature_c"].source == "T2"
    turned = profile("c3", sensors={"door": {}, "temperature_c": {"source": "T1", "unit": "°F"}})
    assert list(turned.sensors) == ["door", "temperature_c"]
    assert profile("c4", masks={"tAO": 31}).masks.tAO == 31
