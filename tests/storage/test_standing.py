"""How a unit stands, for callers who ask at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlmodel import Session

from storage.database import Database
from storage.standing import worst_open
from storage.tables import Episode, Unit
from tests.events import NOW


def episode(name: str, fault: str, severity: str, **more: Any) -> Episode:
    began = NOW + timedelta(minutes=len(name))
    return Episode(
        episode_id=name, unit_id="cf-1", fault=fault, severity=severity, began_at=began, **more
    )


async def written(database: Database, *episodes: Episode) -> None:
    def write(session: Session) -> None:
        session.add(Unit(unit_id="cf-1", name="CF 1", created_at=NOW, updated_at=NOW))
        session.flush()
        session.add_all(episodes)

    await database.write(write)


async def test_the_worst_open_episode_is_told(database: Database):
    await written(
        database,
        episode("a", "door", "low"),
        episode("bb", "leak", "high", announced_at=NOW, evidence=[{"probability": 0.8}]),
        episode("ccc", "sensor", "high"),
        episode("dddd", "power", "critical", ended_at=NOW),
    )
    found = await database.read(worst_open, "cf-1")
    assert found and (found.fault, found.announced) == ("leak", True)
    assert found.causes == [{"probability": 0.8}]


async def test_a_unit_without_open_episodes_stands_well(database: Database):
    await written(database, episode("a", "door", "low", ended_at=NOW))
    assert await database.read(worst_open, "cf-1") is None
    assert await database.read(worst_open, "elsewhere") is None
