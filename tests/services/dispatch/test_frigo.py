"""Who is told what of an alarm, and when."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from schemas.vocabulary import Change, Severity
from services import cards
from services.cards import Case
from services.dispatch import frigo
from services.dispatch.frigo import CLEARED, RAISED, Plan, Recipient, Told

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
NEVER = timedelta(0)
LEA = Recipient("Léa", "telegram", "1")
LEA_TOO = Recipient("Léa", "console", "Léa")
PAUL = Recipient("Paul", "telegram", "2", timedelta(minutes=15))
INES = Recipient("Inès", "telegram", "3", timedelta(minutes=30))


def case(name: str = "e1", **changes: Any) -> Case:
    card = {"title": f"Chambre {name} : porte ouverte", "text": "Ouverte.", "short_text": "Porte"}
    made = Case(
        name, f"Chambre {name}", "door", Severity.MEDIUM, card | {"language": "fr"},
        NOW - timedelta(minutes=5), announced_at=NOW,
    )  # fmt: skip
    return replace(made, **changes)


def told(to: Recipient, status: str = "sent", kind: str = RAISED) -> Told:
    return Told(kind, to.outbound, to.address, status, to.name)


def plan(
    *cases: Case,
    there: tuple[Told, ...] = (),
    after: float = 0,
    renotify: timedelta = NEVER,
    on_call: tuple[Recipient, ...] = (LEA, PAUL, INES),
) -> Plan:
    return frigo.plan(cases or (case(),), there, on_call, renotify, NOW + timedelta(minutes=after))


def names(found: Plan, kind: str = RAISED) -> list[str]:
    return [notice.recipient.name for notice in found.notices if notice.kind == kind]


def test_the_first_on_call_is_told_at_once_by_every_door_and_the_next_is_due_later():
    found = plan(on_call=(LEA, LEA_TOO, PAUL))
    assert names(found) == ["Léa", "Léa"]
    assert found.due_at == NOW + timedelta(minutes=15)


def test_who_does_not_acknowledge_is_followed_by_the_next_and_asked_twice_nothing_is_added():
    assert names(plan(there=(told(LEA),), after=14)) == []
    second = plan(there=(told(LEA),), after=15)
    assert names(second) == ["Paul"]
    assert second.due_at == NOW + timedelta(minutes=30)
    assert names(plan(there=(told(LEA), told(PAUL)), after=16)) == []
    last = plan(there=(told(LEA), told(PAUL)), after=31)
    assert names(last) == ["Inès"]
    assert last.due_at is None


def test_an_acknowledged_alarm_goes_no_further_and_says_by_whom():
    found = plan(case(acknowledged_by="Léa"), there=(told(LEA),), after=60)
    assert names(found) == []
    assert found.due_at is None
    assert "Pris en charge par Léa." in found.card["text"]
    assert found.card["acknowledged"]


@pytest.mark.parametrize("status", ["failed", "unknown"])
def test_when_nobody_was_reached_for_sure_the_next_is_told_at_once_and_none_twice(status: str):
    assert names(plan(there=(told(LEA, status),), after=0.1)) == ["Paul"]
    assert names(plan(there=(told(LEA, status), told(PAUL)), after=0.2)) == []


def test_a_person_who_was_reached_by_one_door_was_reached():
    there = (told(LEA, "unknown"), told(LEA_TOO))
    assert names(plan(there=there, after=1, on_call=(LEA, LEA_TOO, PAUL))) == []


def test_a_shelved_alarm_is_silent_until_its_end_and_then_said_again_once():
    until = NOW + timedelta(hours=2)
    shelved = case(shelved_until=until)
    during = plan(shelved, there=(told(LEA),), after=60)
    assert during.notices == ()
    assert during.due_at == until
    after = plan(shelved, there=(told(LEA), told(PAUL), told(INES)), after=121)
    assert [n.kind[:5] for n in after.notices] == ["again"] * 3
    assert after.notices[0].card["title"].startswith("Rappel : ")
    told_again = replace(shelved, reminded_at=after.reminded_at)
    assert plan(told_again, there=(told(LEA), told(PAUL), told(INES)), after=122).notices == ()


def test_one_that_was_shelved_before_anybody_was_told_is_told_when_the_shelf_ends():
    shelved = case(shelved_until=NOW + timedelta(hours=2))
    assert plan(shelved).notices == ()
    assert names(plan(shelved, after=121)) == ["Léa"]


def test_a_unit_out_of_service_alarms_nobody_and_waits_for_nothing():
    found = plan(case(out_of_service=True))
    assert (found.notices, found.due_at) == ((), None)


def test_an_open_alarm_is_said_again_by_rule():
    hour = timedelta(hours=1)
    first = plan(there=(told(LEA),), after=59, renotify=hour, on_call=(LEA,))
    assert first.notices == ()
    assert first.due_at == NOW + hour
    again = plan(there=(told(LEA),), after=60, renotify=hour, on_call=(LEA,))
    assert len(again.notices) == 1
    assert again.due_at == NOW + 2 * hour


def test_the_end_is_said_once_to_whoever_may_have_seen_the_beginning_with_the_duration():
    over = case(ended_at=NOW + timedelta(minutes=125))
    there = (told(LEA), told(PAUL, "unknown"), told(INES, "failed"))
    found = plan(over, there=there, after=126)
    assert names(found, CLEARED) == ["Léa", "Paul"]
    assert found.notices[0].card["text"] == "Terminé. Durée : 2 h 10."
    assert not found.card["open"]
    assert found.due_at is None
    ended = (*there, told(LEA, kind=CLEARED), told(PAUL, kind=CLEARED))
    assert plan(over, there=ended, after=127).notices == ()


def test_what_ended_before_it_left_is_one_message_that_says_both():
    found = plan(case(ended_at=NOW), there=(told(LEA, "queued"),))
    assert found.notices == ()
    assert "Terminé" in found.card["text"]


def test_what_was_over_before_anybody_was_told_is_told_to_the_first_unless_it_was_put_off():
    over = case(ended_at=NOW)
    found = plan(over)
    assert names(found) == ["Léa"]
    assert "Terminé" in found.notices[0].card["text"]
    assert plan(over, there=(replace(told(LEA), complete=True),)).notices == ()
    assert plan(replace(over, shelved_until=NOW)).notices == ()
    assert plan(replace(over, out_of_service=True)).notices == ()
    assert plan(replace(over, announced_at=None)).notices == ()  # its beginning is not known


def test_a_storm_is_one_message_with_its_children_open_until_the_last_has_ended():
    cases = (case(), *(case(f"c{n}", severity=Severity.HIGH) for n in range(30)))
    found = plan(*cases)
    assert names(found) == ["Léa"]
    assert found.card["title"].endswith("(+30)")
    assert found.card["text"].count("•") == cards.MAX_SHOWN
    assert found.card["severity"] == "high"
    half = [replace(each, ended_at=NOW) for each in cases[:20]]
    assert plan(*half, *cases[20:], there=(told(LEA),)).card["open"]
    ended = [replace(each, ended_at=NOW) for each in cases]
    assert names(plan(*ended, there=(told(LEA),)), CLEARED) == ["Léa"]


def test_the_same_silence_of_the_detector_is_the_same_alarm():
    first = cards.detector_down(NOW, Change.RAISED, NOW + timedelta(minutes=2))
    again = cards.detector_down(NOW, Change.RAISED, NOW + timedelta(minutes=3))
    assert (first.episode_id, first.event_id) == (again.episode_id, again.event_id)
    assert first.severity is Severity.CRITICAL
    assert "2 min" in first.text
