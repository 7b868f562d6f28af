from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateways.roster import Roster, on_call
from schemas.vocabulary import Language

LEA = {
    "name": "Léa Martin",
    "channels": {"telegram": 101, "console": True},
    "hours": {"lun-ven": "08:00-18:00", "sat": ["09:00-12:00", "14:00-17:00"]},
}
PAUL = {"name": "Paul Durand", "language": "en", "channels": {"telegram": -1002}}
NADIA = {"name": "Nadia", "channels": {"console": "poste 3"}, "hours": {"mon-sun": "18:00-08:00"}}


def roster(*people: dict[str, Any], **more: Any) -> Roster:
    return Roster.model_validate({"people": list(people or (LEA, PAUL, NADIA)), **more})


def paris(text: str) -> datetime:
    """A moment of winter in Paris, one hour before UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC) - timedelta(hours=1)


MONDAY_NOON = paris("2026-01-12T12:00")
MONDAY_NIGHT = paris("2026-01-12T23:00")


def told(found: Roster, names: list[str], now: datetime) -> list[tuple[str, float]]:
    return [
        (step.person.name, step.after.total_seconds() / 60) for step in on_call(found, names, now)
    ]


def test_those_of_the_unit_are_told_in_its_order_each_a_step_later():
    names = ["Paul Durand", "Léa Martin"]
    assert told(roster(), names, MONDAY_NOON) == [("Paul Durand", 0), ("Léa Martin", 15)]


def test_who_is_off_duty_comes_after_those_on_duty():
    names = ["Léa Martin", "Nadia"]
    assert told(roster(), names, MONDAY_NIGHT) == [("Nadia", 0), ("Léa Martin", 15)]
    assert told(roster(), names, MONDAY_NOON) == [("Léa Martin", 0), ("Nadia", 15)]


def test_an_alarm_that_nobody_is_on_duty_for_still_reaches_somebody():
    assert told(roster(LEA), ["Léa Martin"], MONDAY_NIGHT) == [("Léa Martin", 0)]


@pytest.mark.parametrize("names", [[], ["Personne"]])
def test_a_unit_without_known_names_is_looked_after_by_everybody(names: list[str]):
    assert told(roster(), names, MONDAY_NOON) == [
        ("Léa Martin", 0),
        ("Paul Durand", 15),
        ("Nadia", 30),
    ]


def test_an_unknown_name_beside_known_ones_is_passed_over_and_a_double_one_told_once():
    names = ["Personne", "Nadia", "Nadia"]
    assert told(roster(), names, MONDAY_NOON) == [("Nadia", 0)]


def test_more_people_than_steps_are_told_at_the_last_step():
    found = roster(escalation_min=[5])
    assert [after for _, after in told(found, [], MONDAY_NOON)] == [0, 5, 5]


@pytest.mark.parametrize(
    ("when", "is_on"),
    [
        ("2026-01-12T07:59", False),
        ("2026-01-12T08:00", True),
        ("2026-01-12T17:59", True),
        ("2026-01-12T18:00", False),
        ("2026-01-17T11:59", True),
        ("2026-01-17T12:30", False),
        ("2026-01-17T14:00", True),
        ("2026-01-18T10:00", False),
    ],
)
def test_hours_are_those_of_the_persons_clock(when: str, is_on: bool):
    assert roster().people[0].on_duty(paris(when)) is is_on


@pytest.mark.parametrize(
    ("when", "is_on"),
    [
        ("2026-01-18T23:00", True),  # Sunday night …
        ("2026-01-19T07:59", True),  # … ends on Monday morning, in the week after
        ("2026-01-19T08:00", False),
        ("2026-01-14T00:00", True),
    ],
)
def test_a_night_runs_into_the_next_day(when: str, is_on: bool):
    assert roster().people[2].on_duty(paris(when)) is is_on


def test_hours_keep_to_the_clock_when_summer_time_begins():
    lea = roster().people[0]
    assert lea.on_duty(datetime(2026, 7, 13, 6, 0, tzinfo=UTC))
    assert not lea.on_duty(datetime(2026, 1, 12, 6, 0, tzinfo=UTC))


def test_each_person_may_have_a_zone_of_their_own():
    away = LEA | {"time_zone": "Indian/Reunion"}
    found = roster(away, PAUL, time_zone="Europe/Paris")
    assert found.people[0].on_duty(paris("2026-01-12T05:00"))
    assert not found.people[0].on_duty(paris("2026-01-12T16:00"))


def test_a_person_is_found_by_address():
    found = roster()
    lea = found.person_at("telegram", "101")
    assert lea and lea.name == "Léa Martin" and lea.language is Language.FR
    assert found.person_at("telegram", "102") is None


def test_the_console_is_met_by_name():
    assert [one.channels.get("console") for one in roster().people] == [
        "Léa Martin",
        None,
        "poste 3",
    ]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"people": []}, "at least 1"),
        ({}, "people"),
        ([1], "dictionary"),
        ({"people": [LEA | {"phone": 1}]}, "people.0.phone: Extra inputs"),
        ({"people": [LEA | {"channels": {}}]}, "people.0.channels"),
        ({"people": [LEA | {"channels": {"pigeon": 1}}]}, "no door 'pigeon'; there are: telegram"),
        (
            {"people": [LEA | {"channels": {"telegram": "@lea"}}]},
            "'@lea' is no address of telegram",
        ),
        ({"people": [LEA | {"channels": {"telegram": True}}]}, "True is no address of telegram"),
        ({"people": [LEA | {"hours": {"caturday": "08:00-18:00"}}]}, "no weekday 'caturday'"),
        ({"people": [LEA | {"hours": {"mon": "8-18"}}]}, "written 08:00-18:00, not '8-18'"),
        ({"people": [LEA | {"hours": {"mon": "08:60-18:00"}}]}, "not '08:60-18:00'"),
        ({"people": [LEA | {"hours": {"mon": "08:00-24:01"}}]}, "not '08:00-24:01'"),
        ({"people": [LEA | {"hours": {"mon": 480}}]}, "not 480"),
        ({"people": [LEA | {"language": "de"}]}, "'fr' or 'en'"),
        ({"people": [LEA | {"time_zone": "Paris"}]}, "no time zone 'Paris'"),
        ({"people": [LEA], "time_zone": "../../etc/passwd"}, "no time zone"),
        ({"people": [LEA, LEA]}, "more than one of the people is called Léa Martin"),
        ({"people": [LEA, LEA | {"name": "X"}]}, "has the Telegram chat 101"),
        ({"people": [LEA], "escalation_min": [30, 15]}, "has to rise"),
        ({"people": [LEA], "escalation_min": [0]}, "greater than 0"),
        ({"people": [LEA], "renotify_min": -1}, "renotify_min"),
    ],
)
def test_what_is_wrong_with_a_roster_is_said(tmp_path: Path, body: object, why: str):
    file = tmp_path / "roster.yaml"
    file.write_text(yaml.safe_dump(body, allow_unicode=True), "utf-8")
    with pytest.raises(ValueError) as caught:
        Roster.read(file)
    assert why in str(caught.value) and "roster.yaml" in str(caught.value)


@pytest.mark.parametrize(
    "content", [b"people: [", b"\xff\xfe", b"", b"!!python/object:os.system {}"]
)
def test_what_is_no_yaml_is_said_in_a_sentence(tmp_path: Path, content: bytes):
    file = tmp_path / "roster.yaml"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=r"roster\.yaml: "):
        Roster.read(file)


def test_a_group_may_be_the_address_of_many():
    assert roster(PAUL, PAUL | {"name": "Nadia"}).person_at("telegram", "-1002")


def test_the_roster_of_its_docstring_is_one(tmp_path: Path):
    import gateways.roster as module

    _, text, _ = (module.__doc__ or "").split("```")
    file = tmp_path / "roster.yaml"
    file.write_text(text.removeprefix("yaml\n"), "utf-8")
    found = Roster.read(file)
    assert [one.name for one in found.people] == ["Léa Martin", "Paul Durand"]
    assert found.escalation_min == (15, 30) and found.renotify_min == 60
