"""The first system's twelve faults: their names both ways, their signs, each contradiction decided."""

from __future__ import annotations

import pytest

from refrigeration.former import OLD_NAMES, SEVERITY, former_faults, former_name
from refrigeration.measures import SENSORS
from schemas.vocabulary import Fault, Severity

CONTRADICTED = {
    ("fuite_fluide", "current_a"),
    ("givrage_evaporateur", "temperature_c"),
    ("panne_electrique", "current_a"),
    ("obstruction_conduit", "low_pressure_bar"),
    ("capteur_defectueux", "temperature_c"),
    ("pression_anormale_HP", "high_pressure_bar"),
    ("pression_anormale_BP", "low_pressure_bar"),
    ("défaut_dégivrage", "temperature_c"),
    ("défaillance_thermostat", "current_a"),
    ("défaillance_compresseur", "current_a"),
    ("défaillance_compresseur", "vibration_mm_s"),
}
"""What its documents and simulators said differently, fault and sensor."""


def test_there_are_twelve_and_each_has_a_fault_of_its_own():
    assert {each.name: each.fault for each in former_faults()} == OLD_NAMES
    assert len(set(OLD_NAMES.values())) == len(OLD_NAMES) == 12


def test_a_name_comes_back_as_it_was():
    assert all(former_name(fault) == name for name, fault in OLD_NAMES.items())


@pytest.mark.parametrize("fault", Fault)
def test_every_fault_has_a_name_for_old_callers_and_a_severity(fault: Fault):
    assert former_name(fault) in {*OLD_NAMES, fault.value}
    assert isinstance(SEVERITY[fault], Severity)


def test_what_the_first_system_could_not_see_is_not_told_under_a_wrong_name():
    for fault in (Fault.DOOR, Fault.NO_DATA, Fault.DETECTOR_DOWN, Fault.EXPANSION_OPEN):
        assert former_name(fault) == fault.value


def test_severities_of_the_twelve_are_those_that_people_know():
    assert {each.fault: each.severity for each in former_faults()}.items() <= SEVERITY.items()
    told = [each.severity for each in former_faults()]
    assert [told.count(Severity(word)) for word in ("critical", "high", "medium")] == [5, 5, 2]


def test_every_contradiction_is_decided_with_a_reason_and_no_other():
    decided = [(each.name, one) for each in former_faults() for one in each.decided]
    assert {(name, one.sensor) for name, one in decided} == CONTRADICTED
    for each in former_faults():
        for one in each.decided:
            assert each.signs.get(one.sensor, "none") == one.sign
            assert len(one.why) > 80


def test_signs_are_of_sensors_that_exist():
    assert all(each.signs.keys() <= SENSORS.keys() for each in former_faults())
