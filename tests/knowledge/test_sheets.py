"""Maintenance sheets: one for each fault, whole in both languages; the test that tells two apart."""

from __future__ import annotations

from itertools import combinations

import pytest

from knowledge.observations import TESTS, Test, shipped_tests
from knowledge.sheets import SHIPPED, next_test, sheets_of
from refrigeration.measures import SENSORS
from schemas.frigo import Fact
from schemas.vocabulary import Fault, Language

FAULTS = list(Fault)
CAUSES = FAULTS[: FAULTS.index(Fault.SENSOR) + 1]
"""What may really be wrong; after them come symptoms, silence and the unknown."""
SILENT = (Fault.NO_DATA, Fault.COMMS, Fault.POWER, Fault.DETECTOR_DOWN)
FOOD = {Language.FR: "Les denrées d'abord", Language.EN: "Food first"}


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("fault", Fault)
def test_every_fault_has_a_sheet_that_says_all_and_food_first(fault: Fault, language: Language):
    sheet = sheets_of(fault, language)
    assert sheet.fault is fault and sheet.language is language
    assert sheet.now[0].startswith(FOOD[language]) and len(sheet.now) > 1
    assert all((sheet.title, sheet.what, sheet.signs, sheet.checks, sheet.repair, sheet.who))
    assert all(1 <= minutes <= 120 for _, minutes in sheet.checks)
    assert len(sheet.sources) >= 2 or fault is Fault.UNKNOWN


def test_no_file_lies_there_that_is_no_fault():
    assert {path.stem for path in SHIPPED.glob("*.yaml")} == {*Fault, "common"}


def test_every_sheet_about_opening_the_circuit_says_who_may_do_it():
    for fault in (Fault.LEAK, Fault.OVERCHARGE, Fault.NON_CONDENSABLES, Fault.EXPANSION_OPEN):
        assert any("certifié" in line for line in sheets_of(fault, Language.FR).safety)
        assert any("certified" in line for line in sheets_of(fault, Language.EN).safety)


@pytest.mark.parametrize("fault", CAUSES)
def test_languages_say_equally_much(fault: Fault):
    french, english = (sheets_of(fault, language) for language in Language)
    for part in ("signs", "checks", "now", "repair", "safety"):
        assert len(getattr(french, part)) == len(getattr(english, part)), part
    assert french.what != english.what


def test_a_sheet_travels_as_a_passage_and_is_found_by_its_words():
    sheet = sheets_of(Fault.LEAK, Language.EN)
    passage = sheet.passage()
    assert passage.article == "refrigeration/leak"
    assert (
        passage.steps[0].startswith("Food first") and "Regulation (EU) 2024/573" in passage.source
    )
    assert "refrigerant short (leak)" in sheet.search_rows()


# --- next test -------------------------------------------------------------------------------


@pytest.mark.parametrize(("first", "second"), list(combinations(CAUSES, 2)))
def test_every_pair_of_causes_has_a_test_that_tells_them_apart(first: Fault, second: Fault):
    found = next_test(first, second, {"temperature_c"})
    assert found is not None
    assert found.fr.endswith(".") and len(found.fr) <= 400 and len(found.en) <= 400
    assert first.fr in found.fr and second.en in found.en


@pytest.mark.parametrize(("first", "second"), list(combinations(SILENT, 2)))
def test_every_kind_of_silence_has_one_too(first: Fault, second: Fault):
    assert next_test(first, second) is not None


def test_a_unit_with_every_sensor_has_one_for_every_pair_too():
    for first, second in combinations(CAUSES, 2):
        assert next_test(first, second, SENSORS) is not None, (first, second)


def told(first: Fault, second: Fault, sensors: tuple[str, ...] = ()) -> str:
    found = next_test(first, second, sensors)
    assert isinstance(found, Fact)
    return found.en


def test_the_tests_are_those_that_a_technician_would_take():
    assert "Standstill test" in told(Fault.NON_CONDENSABLES, Fault.OVERCHARGE)
    assert "sight glass" in told(Fault.LIQUID_RESTRICTION, Fault.EXPANSION_CLOSED)
    assert "evaporator fan" in told(Fault.EVAPORATOR_FAN, Fault.EVAPORATOR_FROST)
    assert "light in the room" in told(Fault.POWER, Fault.COMPRESSOR_STOPPED)
    assert "the door" in told(Fault.DOOR, Fault.LEAK)


def test_what_a_sensor_shows_already_is_not_asked_of_anybody():
    assert "evaporator fan" in told(Fault.EVAPORATOR_FAN, Fault.AIR_BLOCKED)
    seen = told(Fault.EVAPORATOR_FAN, Fault.AIR_BLOCKED, ("evaporator_fan",))
    assert "each evaporator fan" not in seen


def test_which_outcome_speaks_for_which_fault_does_not_depend_on_their_order():
    one, other = told(Fault.POWER, Fault.DOOR), told(Fault.DOOR, Fault.POWER)
    assert "If it shuts well: rather power supply" in one
    assert "if it shuts well: rather power supply" in other


def test_two_faults_that_are_the_same_have_none():
    assert next_test(Fault.LEAK, Fault.LEAK) is None


def test_a_test_tells_at_most_one_bit_and_none_of_faults_that_look_alike():
    for test in shipped_tests():
        for first, second in combinations(test.faults, 2):
            assert -1e-9 <= test.bits(first, second) <= 1 + 1e-9
    assert shipped_tests()[0].bits(Fault.LEAK, Fault.DOOR) == 0


def test_near_certainty_leaves_little_to_tell_and_still_names_a_test():
    assert next_test(Fault.LEAK, Fault.LIQUID_RESTRICTION, odds=0.97) is not None


def test_chances_that_are_none_are_refused():
    body = shipped_tests()[0].model_dump(mode="json")
    body["faults"]["leak"] = [0.5, 0.4]
    with pytest.raises(ValueError, match="leak"):
        Test.model_validate(body)


def test_the_table_names_sensors_that_exist():
    assert TESTS.exists()
    for test in shipped_tests():
        assert {*test.told_by, *test.nearer} <= SENSORS.keys()
        assert bool(test.nearer) == bool(test.nearer_minutes)
