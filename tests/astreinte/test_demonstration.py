"""The cold rooms that a desk shows: what they send, what is found in it, and what stays behind."""

from __future__ import annotations

import io
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from sqlmodel import Session, col, select

from astreinte import cli, output
from astreinte.demonstration import CLOSED_S, NAMES, PAST_S, Demonstration, News, begin, named
from astreinte.desk import Desk
from astreinte.story import Told
from refrigeration.detector import advance
from refrigeration.diagnosis import Diagnoser
from refrigeration.memory import Memory
from schemas.vocabulary import Fault
from services.classify.frigo import sample_of
from services.ingest.frigo import Names, receive
from storage import alerts, profiles, rooms, units
from storage.database import Database
from storage.tables import Episode
from tests.console.record import database_in

NOW = datetime.now(UTC).replace(microsecond=0)


@dataclass
class Near:
    """A desk's neighbours, as far as a demonstration asks for them."""

    database: Database


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with database_in(tmp_path) as made:
        yield made


@pytest.fixture
def shown(database: Database) -> Demonstration:
    return Demonstration(Near(database))  # type: ignore[arg-type]


@pytest.mark.parametrize("diagnoser", [None, Diagnoser.shipped()], ids=["rules", "diagnosis"])
def test_only_the_open_door_is_told_of_and_its_end_a_few_minutes_later(
    shown: Demonstration, diagnoser: Diagnoser | None
):
    now, told = time.time(), []
    for unit in shown.fleet.units:
        names, memory = Names(unit.profile), Memory()
        profile = named(unit.profile, unit.design.seed)
        for _ in range(int((PAST_S + CLOSED_S) // 60) + 6):
            reading = unit.reading("test")
            event = receive(reading, names, reading.measured_at)
            sample = sample_of(event, event.measured_at.timestamp())
            moved = advance(memory, profile, sample, diagnoser)
            told += [(profile.name, t.change, t.fault, (t.at - now) / 60) for t in moved]
    changes = [found[:3] for found in told]
    assert changes == [(NAMES[111], "raised", Fault.DOOR), (NAMES[111], "cleared", Fault.DOOR)]
    raised, cleared = (found[3] for found in told)
    assert -20 < raised < -10
    assert CLOSED_S / 60 <= cleared <= CLOSED_S / 60 + 4


def test_their_past_begins_hours_ago(shown: Demonstration):
    ages = {time.time() - unit.room.at for unit in shown.fleet.units}
    assert all(PAST_S <= age < PAST_S + 120 for age in ages)


def wanted(shown: Demonstration) -> list[Any]:
    return [named(unit.profile, unit.design.seed) for unit in shown.fleet.units]


async def test_rooms_are_declared_once_and_what_people_changed_stays(
    shown: Demonstration, database: Database
):
    await database.write(begin, wanted(shown), NOW)
    first, *_ = await database.read(profiles.every)
    assert (first.declared, first.profile["name"]) == (True, NAMES[109])
    await database.write(units.declare, first.profile | {"high_c": 5.5}, NOW)
    await database.write(begin, wanted(shown), NOW)
    again, *_ = await database.read(profiles.every)
    assert again.profile["high_c"] == 5.5


def an_episode(session: Session, unit_id: str, **changes: Any) -> None:
    fields: dict[str, Any] = {"episode_id": "e1", "fault": "door", "severity": "high"}
    times = {"began_at": NOW - timedelta(minutes=8), "announced_at": NOW}
    session.add(Episode(**(fields | times | {"unit_id": unit_id} | changes)))


def a_message(session: Session, status: str) -> None:
    row = {"alert_id": "m1", "episode_id": "e1", "unit_id": "u", "trace_id": "t", "kind": "raised"}
    more = {"outbound": "console", "recipient": "A", "address": "A", "card": {}, "status": status}
    alerts.record(session, [row | more | {"next_attempt_at": NOW, "created_at": NOW}])


async def test_an_earlier_run_is_ended_and_forgotten(shown: Demonstration, database: Database):
    await database.write(begin, wanted(shown), NOW)
    name = shown.fleet.units[0].unit_id
    row = {"unit": name, "seen": 1, "new_state": {"heard": 1}, "new_untold": [{}]}
    await database.write(units.remember, [row | {"new_due_at": NOW, "new_read_at": NOW}])
    await database.write(an_episode, name)
    await database.write(begin, wanted(shown), NOW)
    (kept,) = (await database.read(units.remembered, [name])).values()
    assert (kept.state, kept.untold, kept.version) == ({}, [], 3)
    assert await database.read(rooms.open_episodes, 5) == []
    assert await database.read(units.overdue, NOW + timedelta(days=1)) == []
    (left,) = await database.read(lambda s: list(s.exec(select(Episode))))
    assert left.due_at == NOW, "its message is to say that it is over"


async def test_an_alarm_is_news_once_its_message_left_and_again_when_it_is_over(
    shown: Demonstration, database: Database
):
    def end(session: Session) -> None:
        found = session.exec(select(Episode).where(col(Episode.episode_id) == "e1")).one()
        found.ended_at = NOW + timedelta(minutes=4)

    await database.write(begin, wanted(shown), NOW)
    name = shown.fleet.units[-1].unit_id
    later = {"announced_at": datetime.now(UTC) + timedelta(seconds=9)}
    await database.write(lambda s: an_episode(s, name, **later))
    await database.write(a_message, "sent")
    found = shown.news()
    first = await anext(found)
    assert (first.unit, first.is_over, shown.alarm.is_set()) == (NAMES[111], False, True)
    await database.write(end)
    assert (await anext(found)).is_over


async def test_an_alarm_that_does_not_come_is_said_and_fails(
    database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    @asynccontextmanager
    async def silent(near: Any) -> AsyncIterator[Demonstration]:
        yield Demonstration(near)

    async def nobody(_desk: Desk) -> AsyncIterator[Told]:
        for none in ():
            yield none

    monkeypatch.setattr(cli, "demonstration", silent)
    monkeypatch.setattr(cli, "play", nobody)
    monkeypatch.setattr(cli, "ALARM_S", 0.1)
    found = Desk("http://desk", Near(database), [], replayed=0)  # type: ignore[arg-type]
    assert await cli._tell(found, once=True) == 1
    assert "no alarm of the cold rooms" in capsys.readouterr().err


def test_news_are_said_in_a_line_or_two_and_names_are_text(monkeypatch: pytest.MonkeyPatch):
    said = io.StringIO()
    monkeypatch.setattr(output, "out", Console(file=said, width=200, highlight=False))
    episode = Episode(episode_id="e", unit_id="u", fault="door", severity="high", began_at=NOW)
    output.room_line(News(episode, "[red]Chambre[/] 1"), "http://desk")
    episode.ended_at = NOW + timedelta(minutes=12)
    output.room_line(News(episode, "Chambre 1"), "http://desk")
    first, second, third = said.getvalue().splitlines()
    assert "⚠ [red]Chambre[/] 1 : porte ouverte, haute, depuis" in first
    assert "http://desk/cold-rooms" in second
    assert "✓ Chambre 1 : porte ouverte, terminé après 12 min" in third
