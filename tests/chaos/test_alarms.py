"""The judge of cold rooms finds what it is there to find, and nothing in a clean case."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4, uuid5

import pytest

from schemas.event import ASTREINTE
from schemas.frigo import AlertSent, FeedbackGiven, InboundReading, ReadingReceived
from services.cards import DETECTOR
from tests.chaos.absence import together, without
from tests.chaos.alarms import judge_alarms
from tests.chaos.evidence import Alarms, Seen, Topics
from tests.chaos.readings import Reading
from tests.chaos.rooms import Room
from tests.chaos.verdict import Verdict

START = 1_700_000_000.0
EPISODE = str(uuid4())
FAILS = Room("r1", "door", 101, 10.0, 60.0, 100.0)
QUIET = Room("r2", "quiet", 102, 10.0, 10.0, 10.0)


def sent(at: float, title: str = "r1 : porte ouverte", **more: Any) -> dict[str, Any]:
    line = {"at": START + at, "what": "sendMessage", "mood": "", "chat": 101, "taken": True}
    line |= {"unit": "r1", "title": title, "over": False, "message_id": at, "episode": EPISODE}
    return line | more


def edited(at: float, message_id: float = 30) -> dict[str, Any]:
    return sent(at, what="editMessageText", over=True, message_id=message_id)


def ended(at: float = 130, **more: Any) -> dict[str, Any]:
    return sent(at, "Fin : r1 : porte ouverte", over=True, **more)


def clean() -> tuple[Alarms, Topics]:
    """A case in which a door was open, an alarm came, was taken on, and ended."""
    topics, alert = Topics(), str(uuid4())
    reading = Reading("r1", str(uuid4()), START + 5, START + 6)
    press = sent(40, what="press", query="q7")

    def tell(topic: str, name: str) -> None:
        topics.roads[name][topic].append(Seen("0/1", START, name))

    tell(InboundReading.topic, reading.event_id)
    tell(ReadingReceived.topic, str(uuid5(UUID(reading.event_id), "frigo.received/0")))
    tell(AlertSent.topic, str(uuid5(ASTREINTE, f"alert {alert}/sent")))
    tell(FeedbackGiven.topic, str(uuid5(ASTREINTE, "telegram press q7")))
    moment = datetime.fromtimestamp(START + 20, UTC)
    episode = {"episode_id": EPISODE, "unit_id": "r1", "fault": "door", "began_at": moment}
    row = {"alert_id": alert, "kind": "raised", "unit_id": "r1", "status": "sent"}
    case = Alarms(
        (FAILS, QUIET),
        START,
        [reading],
        [sent(30), press, edited(129), ended()],
        [episode | {"ended_at": moment, "acknowledged_by": "Léa"}],
        [row | {"told_at": moment}],
        {"r1": START + 5},
    )
    return case, topics


def broken(breaking: Callable[[Alarms, Topics], Any]) -> list[str]:
    case, topics = clean()
    breaking(case, topics)
    verdict = Verdict()
    judge_alarms(case, topics, verdict)
    return [violation.kind for violation in verdict.violations]


def test_nothing_is_wrong_with_an_alarm_that_came_and_went():
    assert broken(lambda *_: None) == []


def ledger(*lines: dict[str, Any]) -> Callable[[Alarms, Topics], None]:
    def breaking(case: Alarms, _: Topics) -> None:
        press = next(line for line in case.ledger if line["what"] == "press")
        case.ledger = [press, *lines]

    return breaking


@pytest.mark.parametrize(
    ("lines", "kinds"),
    [
        ((), ["lost alarm"]),
        ((sent(30), edited(129)), ["lost end"]),
        ((sent(30), ended()), ["open"]),
        ((sent(30), sent(50), edited(129, 50), ended()), ["alarm twice"]),
        ((sent(30), edited(129), ended(), ended(140)), ["alarm twice"]),
        ((sent(30, mood="drop"), sent(50), edited(129, 50), ended()), []),
        ((sent(30, mood="error_after"), sent(50), edited(129, 50), ended()), []),
        ((sent(30, mood="drop_before", taken=False), sent(50), edited(129, 50), ended()), []),
        ((sent(130, over=True),), []),
        ((sent(30, chat=102), edited(129), ended()), ["message"]),
        ((sent(30), edited(129), ended(), sent(50, unit="r2")), ["message"]),
        ((sent(30), edited(129), ended(), sent(50, unit="?")), ["message"]),
    ],
)
def test_what_telegram_took_is_compared_with_what_happened(lines: Any, kinds: list[str]):
    assert broken(ledger(*lines)) == kinds


def test_a_copy_has_its_reason_in_a_kill_right_after_it():
    def breaking(case: Alarms, topics: Topics) -> None:
        ledger(sent(30), sent(50), edited(129, 50), ended())(case, topics)
        case.ends = [START + 31]

    assert broken(breaking) == []


def episodes(**changes: Any) -> Callable[[Alarms, Topics], None]:
    def breaking(case: Alarms, _: Topics) -> None:
        case.episodes = [case.episodes[0] | changes]

    return breaking


@pytest.mark.parametrize(
    ("changes", "kinds"),
    [
        ({"fault": "power"}, ["episode"]),
        ({"began_at": datetime.fromtimestamp(START + 90, UTC)}, ["episode"]),
        ({"ended_at": None}, ["open"]),
        ({"acknowledged_by": ""}, ["press"]),
        ({"unit_id": "r2"}, ["episode"] * 3),
    ],
)
def test_an_excursion_is_one_episode_of_its_own(changes: dict[str, Any], kinds: list[str]):
    assert broken(episodes(**changes)) == kinds


def test_an_excursion_without_an_episode_and_one_twice_are_found():
    assert "episode" in broken(lambda case, _: setattr(case, "episodes", []))
    assert "episode" in broken(lambda case, _: setattr(case, "episodes", case.episodes * 2))


def down(case: Alarms, _: Topics) -> None:
    row = {"unit_id": DETECTOR, "fault": "detector_down", "episode_id": "d", "acknowledged_by": ""}
    moment = datetime.fromtimestamp(START + 100, UTC)
    case.episodes = [*case.episodes, row | {"began_at": moment, "ended_at": moment}]


def test_the_detector_is_down_when_it_was_away_for_long_and_only_then():
    def away(case: Alarms, _: Topics) -> None:
        case.away = [(START + 105, START + 205)]

    assert broken(down) == ["detector"]
    assert broken(away) == ["detector"]
    assert broken(lambda case, topics: (down(case, topics), away(case, topics))) == []
    assert (
        broken(lambda case, _: (away(case, _), setattr(case, "deaf", [(START, START + 150)]))) == []
    )
    assert together([(0, 10), (20, 30), (60, 70)]) == [(0, 30), (60, 70)]
    assert without((10, 50), [(0, 20), (30, 35), (60, 70)]) == 25


@pytest.mark.parametrize(
    ("topic", "kind"),
    [
        (InboundReading.topic, "reading"),
        (ReadingReceived.topic, "reading"),
        (AlertSent.topic, "alarm row"),
        (FeedbackGiven.topic, "press"),
    ],
)
def test_an_event_that_is_nowhere_is_found(topic: str, kind: str):
    def breaking(_: Alarms, topics: Topics) -> None:
        for road in topics.roads.values():
            road.pop(topic, None)

    assert broken(breaking) == [kind]


@pytest.mark.parametrize(
    ("breaking", "kind"),
    [
        (lambda case, _: case.read_at.update(r1=START), "reading"),
        (lambda case, _: setattr(case.readings[0], "accepted_at", 0.0), "reading"),
        (lambda case, _: case.alerts[0].update(status="unknown"), "alarm row"),
        (lambda case, _: case.ledger.remove(case.ledger[1]), "press"),
    ],
)
def test_rows_and_buttons_are_compared_too(breaking: Callable[[Alarms, Topics], Any], kind: str):
    assert kind in broken(breaking)
