"""Cold rooms in the record, on every database: units, their episodes, what is told of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session

from schemas.frigo import AlertDrafted
from storage import profiles, rooms, units
from storage.database import Database
from storage.tables import Alert, Episode, Recorded
from storage.units import Conflict
from tests.events import NOW
from tests.storage.test_roads import step

TRACK = {"names": ["temperature_c"], "value": [3.5], "at": [1.7e9]}
LATER = NOW + timedelta(minutes=5)


def episode(name: str, unit: str, **more: Any) -> Episode:
    fields = {"fault": "door", "severity": "high", "began_at": NOW} | more
    return Episode(episode_id=name, unit_id=unit, **fields)


@pytest.fixture
async def record(database: Database) -> Database:
    """Three units, of which readings alone named one, and the episodes of one."""

    def write(session: Session) -> None:
        units.declare(session, {"unit_id": "b", "name": "Cave é 🧊"}, NOW)
        units.declare(session, {"unit_id": "a", "name": "Zone"}, NOW)
        units.meet(session, ["c", "a"], NOW)
        row = {"unit": "a", "seen": 0, "new_state": {"track": TRACK, "more": [1]}}
        gone = {"new_untold": [{"n": 1}], "new_due_at": NOW, "new_read_at": NOW}
        units.remember(session, [row | gone])
        session.flush()
        session.add(episode("old", "a", ended_at=NOW, announced_at=NOW))
        session.add(episode("new", "a", began_at=LATER, announced_at=LATER))
        session.add(episode("led", "a", leader_id="new", announced_at=LATER))
        session.flush()
        for number in (2, 1):
            session.add(
                Alert(
                    alert_id=f"m{number}", episode_id="new", unit_id="a", trace_id="",
                    kind="raised", outbound="console", recipient="", address="1", status="sent",
                    next_attempt_at=NOW, created_at=NOW + timedelta(seconds=number),
                )
            )  # fmt: skip
        for seq, (name, body) in enumerate(
            (("new", "{1}"), ("new", "{2}"), ("old", "{3}"), ("old", "{4}"))
        ):
            session.add(
                Recorded(**step(seq, AlertDrafted.topic, conversation_id=name) | {"body": body})
            )

    await database.write(write)
    return database


async def test_units_are_listed_those_in_trouble_first_then_the_declared_by_name(
    record: Database,
) -> None:
    found = await record.read(rooms.fleet, 10, ["c"], "none")
    assert [unit.unit_id for unit in found] == ["c", "b", "a"]
    assert [unit.declared for unit in found] == [False, True, True]
    assert found[1].name == "Cave é 🧊"
    assert (found[2].track, found[2].read_at) == (TRACK, NOW)
    assert [unit.unit_id for unit in await record.read(rooms.fleet, 1, [], "b")] == ["a"]
    assert (await record.read(rooms.count), await record.read(rooms.count, "b")) == (3, 2)
    assert await record.read(units.watched)


async def test_a_unit_is_shown_with_all_that_its_detector_remembers(record: Database) -> None:
    found = await record.read(rooms.unit, "a")
    assert found and found.state == {"track": TRACK, "more": [1]}
    assert found.track == TRACK
    assert await record.read(rooms.unit, "nowhere") is None


async def test_episodes_come_newest_first_with_the_names_of_their_units(record: Database) -> None:
    going_on = await record.read(rooms.open_episodes, 10)
    assert [(one.episode_id, name) for one, name in going_on] == [("new", "Zone"), ("led", "Zone")]
    every = await record.read(rooms.episodes_of, "a", 10)
    assert (every[0][0].episode_id, len(every)) == ("new", 3)
    told = await record.read(rooms.told_since, ["a", "b"], NOW, 10)
    assert [one.episode_id for one, _ in told] == ["old", "new"], "the led one has no message"
    assert await record.read(rooms.told_since, ["b"], NOW, 10) == []


async def test_what_was_drafted_last_of_those_that_go_on_and_first_of_the_others(
    record: Database,
) -> None:
    every = [one for one, _ in await record.read(rooms.episodes_of, "a", 10)]
    assert await record.read(rooms.drafts, every) == {"new": "{2}", "old": "{3}"}
    messages = await record.read(rooms.messages, ["new", "old"])
    assert {name: [m.alert_id for m in found] for name, found in messages.items()} == {
        "new": ["m1", "m2"]
    }


async def test_simulated_units_begin_anew_and_what_went_on_is_over(record: Database) -> None:
    await record.write(rooms.begin_anew, ["a"], LATER)
    found = await record.read(rooms.unit, "a")
    assert found and (found.state, found.read_at) == ({}, None)
    assert await record.read(rooms.open_episodes, 10) == []
    led, new = [await record.read(rooms.episode, name) for name in ("led", "new")]
    assert led and new and (led.due_at, new.due_at) == (None, LATER)
    kept = await record.read(units.remembered, ["a", "b"])
    assert {name: (one.version, one.untold) for name, one in kept.items()} == {
        "a": (2, []),
        "b": (0, []),
    }


async def test_a_memory_that_another_process_wrote_is_not_written_over(record: Database) -> None:
    row = {"new_state": {}, "new_untold": [], "new_due_at": None, "new_read_at": None}
    both = [row | {"unit": "b", "seen": 0}, row | {"unit": "a", "seen": 0}]
    with pytest.raises(Conflict) as caught:
        await record.write(units.remember, both)
    assert "a" in caught.value.units
    kept = await record.read(units.remembered, ["a", "b", "nowhere"])
    assert {name: one.version for name, one in kept.items()} == {"a": 1, "b": 0}
    assert kept["a"].state["more"] == [1]


async def test_what_is_due_and_whose_profile_changed_is_found(record: Database) -> None:
    assert await record.read(units.overdue, LATER) == ["a"]
    assert await record.read(units.overdue, NOW) == []
    assert await record.write(units.serve, "b", "Ana", LATER)
    assert not await record.write(units.serve, "nowhere", "Ana", LATER)
    changed = await record.read(units.changed_since, LATER)
    assert [(one.unit_id, one.out_of_service) for one in changed] == [("b", True)]
    assert len(await record.read(units.changed_since, None)) == 3


async def test_the_last_sign_of_life_counts_and_the_long_gone_are_forgotten(
    record: Database,
) -> None:
    assert await record.read(units.last_beat) is None
    for name, at in (("one", NOW), ("other", LATER), ("one", LATER + units.LONG_GONE)):
        await record.write(units.beat, name, at)
    assert await record.read(units.last_beat) == LATER + units.LONG_GONE
    more = timedelta(seconds=5)
    assert await record.write(units.listen, LATER, more) == more
    assert await record.write(units.listen, LATER, more) == 2 * more
    assert await record.write(units.listen, LATER + 3 * more, more) == more
    assert await record.read(units.last_beat) == LATER + units.LONG_GONE  # no detector's


async def test_a_profile_is_new_changed_or_the_same_and_keeps_what_was_learned(
    record: Database,
) -> None:
    learned = {"unit_id": "b", "name": "B", "learned": {"x": 1}}
    said = [
        await record.write(profiles.save, body, LATER)
        for body in (learned, {"unit_id": "b", "name": "B2"}, {"unit_id": "c"}, {"unit_id": "c"})
    ]
    assert said == ["changed", "changed", "new", "same"]
    found = await record.read(profiles.one, "b")
    assert found and found.profile == {"unit_id": "b", "name": "B2", "learned": {"x": 1}}
    assert [one.unit_id for one in await record.read(profiles.every)] == ["a", "b", "c"]
    assert await record.read(profiles.one, "nowhere") is None
