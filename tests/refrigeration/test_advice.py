"""What is said of a profile: contradictions first, then what is missing, in sentences."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import knowledge
from refrigeration.advice import remarks
from refrigeration.profile import Profile
from refrigeration.saturation import fluid

EXAMPLES = sorted((Path(knowledge.__file__).parent / "refrigeration" / "profiles").glob("*.yaml"))
WHOLE: dict[str, Any] = {
    "unit_id": "c1",
    "name": "Chambre 1",
    "kind": "positive_room",
    "site": "nord",
    "refrigerant": "R449A",
    "set_point_c": 3,
    "low_c": 0,
    "high_c": 7,
    "sensors": {
        "temperature_c": {"recorder": True},
        "low_pressure_bar": {"gauge": True},
        "high_pressure_bar": {"gauge": True},
    },
    "food": {"high_c": 8, "source": "arrêté du 21 décembre 2009", "effective_from": "2010-01-01"},
    "on_call": ["nord"],
}


def said(**other: Any) -> tuple[list[str], list[str]]:
    """What is wrong, and what is missing, with other fields than the whole profile's."""
    found = remarks(Profile.model_validate(WHOLE | other))
    return [r.text for r in found if r.wrong], [r.text for r in found if not r.wrong]


def test_a_whole_profile_needs_no_word():
    assert said() == ([], [])


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_that_ship_do_not_contradict_themselves(path: Path):
    profile = Profile.read(path)
    assert profile.unit_id == path.stem
    assert not [remark.text for remark in remarks(profile) if remark.wrong]
    assert fluid(profile.refrigerant) is not None
    assert Profile.model_validate_json(profile.model_dump_json()) == profile


def test_there_is_an_example_of_each_kind():
    assert {Profile.read(path).kind.value for path in EXAMPLES} == {
        *("positive_room", "negative_room", "cabinet", "freezer_cabinet", "chiller")
    }


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"set_point_c": 8}, "n'est pas sous high_c"),
        ({"set_point_c": -1}, "n'est pas au-dessus de low_c"),
        ({"kind": "negative_room"}, "kind est negative_room"),
        ({"kind": "cabinet", "set_point_c": -20, "low_c": -25}, "kind est cabinet"),
        ({"food": {**WHOLE["food"], "high_c": 2}}, "dépasse la limite des denrées"),
        ({"food": {**WHOLE["food"], "low_c": 9}}, "n'est pas sous food.high_c"),
        ({"silent_s": 90}, "silence"),
        ({"refrigerant": "R449B"}, "R449A"),
        ({"sensors": {"temperature_c": {"unit": "bar", "recorder": True}}}, "pas en bar"),
        ({"sensors": {"temperature_c": {"gauge": True}}}, "gauge"),
        ({"sensors": {"temperature_c": {"high": 900}}}, "hors de ce que le capteur"),
        (
            {"sensors": {"temperature_c": {"source": "T 1"}, "air_on_c": {"source": "t_1"}}},
            "même colonne",
        ),
    ],
)
def test_a_contradiction_is_said_first(other: dict[str, Any], words: str):
    found = remarks(Profile.model_validate(WHOLE | other))
    assert found[0].wrong
    assert words in " ".join(remark.text for remark in found if remark.wrong)


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"set_point_c": None}, "set_point_c manque"),
        ({"high_c": None}, "high_c manque"),
        ({"food": None}, "food manque"),
        ({"site": None}, "site manque"),
        ({"on_call": []}, "on_call est vide"),
        ({"refrigerant": ""}, "refrigerant manque"),
        ({"sensors": {}}, "sensors est vide"),
        ({"sensors": {"humidity_pct": {"recorder": True}}}, "aucun capteur de l'air"),
        ({"sensors": {"temperature_c": {}}}, "recorder"),
        ({"sensors": {"temprature_c": {"recorder": True}}}, "est-ce temperature_c ?"),
        ({"sensors": {**WHOLE["sensors"], "voltage_v": {}}}, "tension nominale"),
        ({"sensors": {"temperature_c": {"recorder": True}, "low_pressure_bar": {}}}, "relatives"),
        ({"high_c": 9}, "l'alarme viendrait après elle"),
        ({"high_c": 4}, "différentiel AFd"),
        ({"interval_s": 1800, "silent_s": 7200}, "quart d'heure"),
        ({"masks": {"tAO": 90}}, "plus d'une heure"),
        ({"masks": {"max_defrost_c": 5}}, "ne servirait à rien"),
    ],
)
def test_what_is_missing_or_unusual_is_said_and_is_no_contradiction(
    other: dict[str, Any], words: str
):
    wrong, missing = said(**other)
    assert wrong == []
    assert words in " ".join(missing)


def test_a_chiller_needs_no_food():
    assert not any("food" in text for text in said(kind="chiller", food=None)[1])
