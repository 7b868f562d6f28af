"""Alarms in the record: together, once, by whom they are heard, and never silent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import select

from gateways.alerts import AlertDoor, Card
from gateways.outbound import OutcomeUnknown
from gateways.roster import Roster
from refrigeration.profile import Profile
from schemas.errors import Rejected, Unavailable
from schemas.frigo import AlertDrafted, FeedbackGiven, UnitCard
from schemas.vocabulary import Change, Severity
from services import alarms, clerk
from services import breaker as stopped
from services.clerk import Clerk
from services.courier import MAX_DOUBTS, Courier, _mark
from services.settings_frigo import AlarmSettings
from storage import alerts, breaker, units
from storage.database import Database
from storage.tables import Alert, Episode
from tests.conftest import record_in, until
from tests.services.extract.test_frigo import changed
from tests.services.test_rooms import Ears

NOW = datetime.now(UTC) - timedelta(minutes=5)
WAIT = timedelta(seconds=30)
ROSTER = Roster.model_validate(
    {
        "escalation_min": [15],
        "people": [
            {"name": "Léa", "channels": {"console": "Léa"}},
            {"name": "Paul", "channels": {"console": "Paul"}},
        ],
    }
)


class Door:
    """Shows cards, or fails as it is told to."""

    name = "console"

    def __init__(self) -> None:
        self.sent: list[tuple[str, Card]] = []
        self.edited: list[tuple[str, Card]] = []
        self.failing: Exception | None = None

    async def send(self, to: str, card: Card) -> str:
        if self.failing:
            raise self.failing
        self.sent.append((to, card))
        return str(len(self.sent))

    async def edit(self, to: str, reference: str, card: Card) -> None:
        if self.failing:
            raise self.failing
        self.edited.append((to, card))

    async def close(self) -> None:
        """Nothing to do."""


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    made = Database(record_in(tmp_path))
    yield made
    made.close()


def drafted(name: str = "e1", change: Change = Change.RAISED, **changes: Any) -> AlertDrafted:
    body = changed().model_dump() | {
        "episode_id": name,
        "unit_id": f"unit-{name}",
        "unit": UnitCard(name=f"Chambre {name}", site="Cuisine"),
        "severity": Severity.MEDIUM,
        "change": change,
        "title": f"Chambre {name} : porte ouverte",
        "short_text": "x",
        "text": "x",
    }
    return AlertDrafted.model_validate(body | changes)


def said(action: str, name: str = "e1", **changes: Any) -> FeedbackGiven:
    body = {
        "unit_id": f"unit-{name}",
        "episode_id": name,
        "action": action,
        "by": "Léa",
        "occurred_at": NOW,
    }
    return FeedbackGiven.model_validate(body | changes)


async def take(database: Database, *events: AlertDrafted, after: float = 0) -> None:
    moment = NOW + timedelta(minutes=after)
    await database.write(alarms.take_in, events, moment, WAIT)
    await settle(database, after)


async def settle(database: Database, after: float | None = 0) -> None:
    moment = datetime.now(UTC) if after is None else NOW + timedelta(minutes=after)
    while await database.write(alarms.do_what_is_due, ROSTER, moment):
        pass


async def hear(database: Database, event: FeedbackGiven, after: float = 0) -> None:
    await database.write(alarms.hear, event, NOW + timedelta(minutes=after))
    await settle(database, after)


async def rows(database: Database, table: type[Any] = Alert) -> list[Any]:
    return list(await database.read(lambda session: session.exec(select(table)).all()))


async def kinds(database: Database) -> list[tuple[str, str]]:
    return sorted((row.kind, row.recipient) for row in await rows(database))


def courier(database: Database, door: AlertDoor, ears: Ears | None = None) -> Courier:
    return Courier(database, {"console": door}, ears or Ears(), lambda: None)  # type: ignore[arg-type]


async def test_told_twice_an_alarm_is_one_row_and_one_message(database: Database):
    await take(database, drafted(), drafted())
    await take(database, drafted(), after=1)
    assert await kinds(database) == [("raised", "Léa")]
    assert len(await rows(database, Episode)) == 1


async def test_a_storm_of_one_site_is_one_message_and_one_end(database: Database):
    names = [f"e{n}" for n in range(20)]
    await take(database, *map(drafted, names))
    [row] = await rows(database)
    assert row.card["title"].endswith("(+19)")
    over = [drafted(name, Change.CLEARED) for name in names]
    door = Door()
    await courier(database, door).turn()
    await take(database, *over[:19], after=1)
    assert await kinds(database) == [("raised", "Léa")]
    await take(database, over[19], after=2)
    assert await kinds(database) == [("cleared", "Léa"), ("raised", "Léa")]


async def test_what_is_worse_or_comes_later_or_from_elsewhere_has_its_own_message(
    database: Database,
):
    await take(database, drafted())
    await take(database, drafted("worse", severity=Severity.CRITICAL))
    await take(database, drafted("later"), after=2)
    await take(database, drafted("away", unit=UnitCard(name="x", site="Quai")), after=2)
    assert len({row.episode_id for row in await rows(database)}) == 4


async def test_a_symptom_joins_the_message_of_its_cause_however_late(database: Database):
    await take(database, drafted("cause"))
    await take(database, drafted("symptom", parent_id="cause", severity=Severity.HIGH), after=90)
    assert {row.episode_id for row in await rows(database)} == {"cause"}


async def test_nobody_acknowledges_and_the_next_one_is_told_by_the_clock_alone(
    database: Database,
):
    await take(database, drafted())
    await settle(database, after=14)
    assert await kinds(database) == [("raised", "Léa")]
    await settle(database, after=15)
    assert await kinds(database) == [("raised", "Léa"), ("raised", "Paul")]


async def test_an_acknowledgement_of_a_child_is_one_of_the_message(database: Database):
    await take(database, drafted("a"), drafted("b"))
    await hear(database, said("acknowledge", "b"))
    await settle(database, after=60)
    assert await kinds(database) == [("raised", "Léa")]
    assert {row.acknowledged_by for row in await rows(database, Episode)} == {"Léa"}


async def test_a_shelf_without_an_end_ends_by_itself(database: Database):
    await take(database, drafted())
    await hear(database, said("shelve"))
    [row] = await rows(database, Episode)
    assert row.shelved_until == NOW + timedelta(hours=8)
    await settle(database, after=7 * 60)
    assert len(await kinds(database)) == 1
    await settle(database, after=8 * 60 + 1)
    assert any(kind.startswith("again") for kind, _ in await kinds(database))


async def test_what_a_technician_found_is_kept_as_a_label(database: Database):
    await take(database, drafted())
    await hear(database, said("label", fault="leak", note="raccord du détendeur"))
    [row] = await rows(database, Episode)
    assert (row.label, row.label_by, row.label_note) == ("leak", "Léa", "raccord du détendeur")


async def test_a_unit_out_of_service_alarms_nobody_until_it_is_back(database: Database):
    await database.write(units.meet, ["unit-e1"], NOW)
    await hear(database, said("out_of_service"))
    await take(database, drafted())
    assert await kinds(database) == []
    await hear(database, said("in_service"), after=1)
    assert await kinds(database) == [("raised", "Léa")]


@pytest.mark.parametrize("action", ["acknowledge", "label", "out_of_service"])
async def test_a_word_about_nothing_that_there_is_is_rejected(database: Database, action: str):
    with pytest.raises(Rejected, match="no such"):
        await hear(database, said(action))


async def test_a_later_word_of_the_detector_is_shown_in_the_same_message(database: Database):
    door = Door()
    relay = courier(database, door)
    await take(database, drafted())
    await relay.turn()
    newer = {"measured_at": NOW + timedelta(hours=1), "title": "Chambre e1 : givre"}
    await take(database, drafted(change=Change.UPDATED, fault="evaporator_frost", **newer))
    await relay.turn()
    assert [card.title for _, card in door.sent] == ["Chambre e1 : porte ouverte"]
    assert [card.title for _, card in door.edited] == ["Chambre e1 : givre"]
    await take(database, drafted(change=Change.UPDATED))  # told again, and older
    await relay.turn()
    assert len(door.edited) == 1


async def test_a_door_that_is_away_is_tried_again_and_its_outcome_told_once(database: Database):
    door, ears = Door(), Ears()
    relay = courier(database, door, ears)
    await take(database, drafted())
    door.failing = Unavailable("429", 0.0)
    await relay.turn()
    assert ears.heard == []
    door.failing = None
    await relay.turn()
    await relay.turn()
    assert [to for to, _ in door.sent] == ["Léa"]
    assert [event.status.value for event in ears.heard] == ["sent"]


async def hurry(database: Database) -> None:
    """Have the time come at which what waits is tried again."""
    await database.write(lambda session: session.execute(update(Alert).values(next_attempt_at=NOW)))


async def test_an_alarm_that_may_be_lost_is_said_again_until_it_is_known_to_be_there(
    database: Database,
):
    door, ears = Door(), Ears()
    relay = courier(database, door, ears)
    await take(database, drafted())
    door.failing = OutcomeUnknown("time-out")
    for _ in range(2):
        await hurry(database)
        await relay.turn()
    assert ears.heard == []
    door.failing = None
    await hurry(database)
    await relay.turn()
    await settle(database)
    assert await kinds(database) == [("raised", "Léa")]
    assert [to for to, _ in door.sent] == ["Léa"]
    assert [event.status.value for event in ears.heard] == ["sent"]


@pytest.mark.parametrize(
    ("failure", "status"), [(OutcomeUnknown("time-out"), "unknown"), (Rejected("gone"), "failed")]
)
async def test_when_one_on_call_is_not_reached_at_all_the_next_is_told(
    database: Database, monkeypatch: pytest.MonkeyPatch, failure: Exception, status: str
):
    monkeypatch.setattr("services.courier.MAX_ATTEMPTS", 3)
    door, ears = Door(), Ears()
    relay = courier(database, door, ears)
    await take(database, drafted())
    door.failing = failure
    for _ in range(3):
        await hurry(database)
        await relay.turn()
    door.failing = None
    await settle(database, after=None)
    await relay.turn()
    assert [to for to, _ in door.sent] == ["Paul"]
    assert {event.recipient: event.status.value for event in ears.heard} == {
        "Léa": status,
        "Paul": "sent",
    }


async def test_an_end_that_may_be_lost_is_said_again_too(database: Database):
    door = Door()
    relay = courier(database, door)
    await take(database, drafted())
    await relay.turn()
    await take(database, drafted(change=Change.CLEARED))
    door.failing = OutcomeUnknown("time-out")
    await relay.turn()
    door.failing = None
    await hurry(database)
    await relay.turn()
    assert [card.open for _, card in door.sent] == [True, False]
    assert [card.open for _, card in door.edited] == [False]


async def test_a_door_that_is_away_for_long_is_asked_each_minute_and_no_alarm_is_given_up(
    database: Database,
):
    door = Door()
    relay = courier(database, door)
    await take(database, drafted())
    door.failing = Unavailable("refused")
    for _ in range(30):
        await hurry(database)
        await relay.turn()
    [row] = await rows(database)
    assert timedelta(0) < row.next_attempt_at - datetime.now(UTC) <= timedelta(seconds=60)
    door.failing = None
    await hurry(database)
    await relay.turn()
    assert [to for to, _ in door.sent] == ["Léa"]


async def test_in_doubt_for_ever_an_alarm_goes_on_until_somebody_takes_it_on(database: Database):
    door = Door()
    relay = courier(database, door)
    await take(database, drafted())
    door.failing = OutcomeUnknown("time-out")
    for _ in range(MAX_DOUBTS + 3):
        await hurry(database)
        await relay.turn()
    [row] = await rows(database)
    assert row.status == "queued"
    assert row.next_attempt_at <= datetime.now(UTC) + timedelta(minutes=5)
    await hear(database, said("acknowledge"))
    await hurry(database)
    await relay.turn()
    assert [row.status for row in await rows(database)] == ["unknown"]


async def test_what_is_over_before_its_doubt_is_settled_is_told_whole_and_not_again(
    database: Database,
):
    door = Door()
    relay = courier(database, door)
    await take(database, drafted())
    door.failing = OutcomeUnknown("time-out")
    await relay.turn()
    await take(database, drafted(change=Change.CLEARED))
    door.failing = None
    await hurry(database)
    await relay.turn()
    await hear(database, said("label", fault="leak"))
    [(_, card)] = door.sent
    assert "Terminé" in card.text
    assert await kinds(database) == [("raised", "Léa")]


async def test_a_process_that_died_while_sending_leaves_a_message_that_is_said_again(
    database: Database,
):
    killed, door = courier(database, Door()), Door()
    await take(database, drafted())
    killed.owner = killed.owner.rsplit(":", 2)[0] + ":999999:dead"
    assert await database.write(alerts.claim, killed.owner, datetime.now(UTC), 10)
    relay = courier(database, door)
    await relay.turn()
    await hurry(database)
    await relay.turn()
    assert [to for to, _ in door.sent] == ["Léa"]


async def test_a_door_that_does_not_answer_keeps_no_other_alarm_waiting(
    database: Database, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("services.courier.EVERY_S", 0.05)
    door, answer = Door(), asyncio.Event()
    send = door.send

    async def slow(to: str, card: Card) -> str:
        if card.unit_id == "unit-slow":
            await answer.wait()
        return await send(to, card)

    door.send = slow  # type: ignore[method-assign]
    relay = courier(database, door)
    await take(database, drafted("slow"))
    await relay.turn()
    await take(database, drafted("quick", unit=UnitCard(name="x", site="Quai")))
    await relay.turn()
    assert [card.unit_id for _, card in door.sent] == ["unit-quick"]
    answer.set()
    await relay.turn()
    await relay.turn()
    assert [card.unit_id for _, card in door.sent] == ["unit-quick", "unit-slow"]
    assert {row.status for row in await rows(database)} == {"sent"}


async def test_a_claim_whose_answer_was_lost_is_given_back(database: Database):
    door = Door()
    relay = courier(database, door)
    await take(database, drafted())
    assert await database.write(alerts.claim, relay.owner, datetime.now(UTC), 10)
    await relay.turn()
    await hurry(database)
    await relay.turn()
    assert [to for to, _ in door.sent] == ["Léa"]


async def test_what_became_of_a_message_is_remembered_while_the_database_is_away(
    database: Database, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("services.courier.EVERY_S", 0.01)
    door = Door()
    relay = courier(database, door)
    await take(database, drafted())
    write, tries = database.write, []

    async def failing(work: Any, *args: Any) -> Any:
        if work is _mark and not tries:
            tries.append(1)
            msg = "the database is away"
            raise Unavailable(msg)
        return await write(work, *args)

    monkeypatch.setattr(database, "write", failing)
    await relay.turn()

    async def written() -> bool:
        return [row.status for row in await rows(database)] == ["sent"]

    await until(written)
    assert tries
    assert [to for to, _ in door.sent] == ["Léa"]


async def test_what_was_over_before_anybody_could_be_told_is_told_in_one_message(
    database: Database,
):
    door = Door()
    both = (drafted(), drafted(change=Change.CLEARED, measured_at=NOW + timedelta(minutes=9)))
    await take(database, *both)
    await courier(database, door).turn()
    await hear(database, said("label", fault="leak"))
    await courier(database, door).turn()
    [(to, card)] = door.sent
    assert to == "Léa"
    assert "Terminé" in card.text
    assert not card.open


async def test_an_edit_in_doubt_is_repeated_and_one_whose_message_is_gone_is_sent_anew(
    database: Database,
):
    door = Door()
    relay = courier(database, door)
    await take(database, drafted())
    await relay.turn()
    door.failing = Rejected("message to edit not found")
    await hear(database, said("acknowledge"))
    await relay.turn()
    door.failing = None
    await relay.turn()
    assert [to for to, _ in door.sent] == ["Léa", "Léa"]
    assert door.sent[1][1].acknowledged


async def watch(database: Database, seconds: float, longer: float) -> list[str]:
    """Look after the detector, so much longer after the last look; return its alarms."""
    limit, now = timedelta(seconds=60), NOW + timedelta(seconds=seconds)
    listened = timedelta(seconds=longer)
    await database.write(clerk.watch_the_detector, now, limit, WAIT, listened)
    return [row.fault for row in await rows(database, Episode)]


async def declared(database: Database) -> None:
    body = Profile(unit_id="c1", name="C1").model_dump(mode="json")
    await database.write(units.declare, body, NOW)


async def test_a_detector_without_a_sign_of_life_is_an_alarm_of_its_own_and_ends(
    database: Database,
):
    await database.write(units.beat, "me", NOW)
    assert await watch(database, 70, 70) == []  # no units, nobody to watch over
    await declared(database)
    await database.write(units.beat, "me", NOW + timedelta(seconds=100))
    assert await watch(database, 159, 59) == []
    assert await watch(database, 162, 3) == ["detector_down"]
    assert await watch(database, 190, 28) == ["detector_down"]
    [row] = await rows(database, Episode)
    assert (row.severity, row.ended_at) == ("critical", None)
    await settle(database, after=4)
    await courier(database, Door()).turn()
    await database.write(units.beat, "me", NOW + timedelta(minutes=5))
    await watch(database, 300, 5)
    await settle(database, after=5)
    assert await kinds(database) == [("cleared", "Léa"), ("raised", "Léa")]


async def test_a_desk_that_was_stopped_is_an_alarm_until_it_goes_on_and_another_stop_is_another(
    database: Database,
):
    hour = timedelta(hours=1)
    assert await database.write(stopped.watch, NOW, WAIT) == ""
    await database.write(breaker.open_, "too_many", "101 replies in 10 minutes", NOW, NOW + hour)
    for minutes in (1, 2):
        note = await database.write(stopped.watch, NOW + timedelta(minutes=minutes), WAIT)
        assert note.endswith("101 replies in 10 minutes")
    [row] = await rows(database, Episode)
    assert (row.unit_id, row.severity, row.ended_at) == ("astreinte", "high", None)
    assert "une boucle avec une autre machine" in row.card["text"]
    assert "1 h après l'arrêt" in row.card["text"]
    await settle(database, after=2)
    await courier(database, Door()).turn()
    again = NOW + timedelta(minutes=70)  # nobody looked when the first one ended by itself
    await database.write(breaker.open_, "failing", "30 of 40 replies failed", again, None)
    assert await database.write(stopped.watch, again, WAIT)
    first, second = sorted(await rows(database, Episode), key=lambda row: row.began_at)
    assert (first.ended_at, second.ended_at) == (again, None)
    await database.write(breaker.close, "léa", again + hour)
    assert await database.write(stopped.watch, again + hour, WAIT) == ""
    assert all(row.ended_at for row in await rows(database, Episode))


async def test_who_stopped_the_desk_by_hand_needs_no_alarm_but_a_note(database: Database):
    await database.write(breaker.open_, "by_hand", "léa", NOW, None)
    assert (await database.write(stopped.watch, NOW, WAIT)).endswith("léa")
    assert await rows(database, Episode) == []


async def test_a_silent_detector_is_told_while_the_desk_is_stopped(database: Database):
    body = Profile(unit_id="c1", name="C1").model_dump(mode="json")
    await database.write(units.declare, body, NOW)
    await database.write(breaker.open_, "too_many", "101 replies in 10 minutes", NOW, None)
    await database.write(stopped.watch, NOW, WAIT)
    await watch(database, 600, 600)
    assert {row.fault for row in await rows(database, Episode)} == {
        "replies_stopped",
        "detector_down",
    }


async def test_silence_counts_while_somebody_listens_whoever_that_is(database: Database):
    await declared(database)
    await database.write(units.beat, "me", NOW)
    assert await watch(database, 5, 5) == []
    assert await watch(database, 4000, 0) == []  # the whole machine was off
    assert await watch(database, 4040, 40) == []
    assert await watch(database, 4050, 0) == []  # dispatch was killed, and is back
    assert await watch(database, 4070, 20) == ["detector_down"]


async def test_a_detector_that_never_began_may_be_making_its_models(database: Database):
    await declared(database)
    assert await watch(database, 0, 0) == []
    assert await watch(database, 299, 299) == []
    assert await watch(database, 302, 3) == ["detector_down"]


async def test_the_clerk_listens_between_its_looks(
    database: Database, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(clerk, "LOOK_EVERY_S", 0.01)
    monkeypatch.setattr(clerk, "FIRST", timedelta(seconds=0.02))
    await declared(database)
    listener = Clerk(
        database, ROSTER, AlarmSettings.model_construct(detector_s=0.01, group_wait_s=0)
    )
    await listener.turn()
    assert await rows(database, Episode) == []
    for _ in range(5):
        await asyncio.sleep(0.02)
        await listener.turn()
    assert [row.fault for row in await rows(database, Episode)] == ["detector_down"]
