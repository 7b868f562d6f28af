"""Profiles are at hand, and what people change is noticed soon."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import col, select

from refrigeration.profile import Profile
from services import profiles as module
from services.profiles import Profiles
from storage import units
from storage.database import Database
from storage.tables import Unit
from tests.conftest import record_in


@pytest.fixture
async def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Database]:
    monkeypatch.setattr(module, "EVERY_S", 0.0)
    made = Database(record_in(tmp_path))
    yield made
    made.close()


async def declare(database: Database, name: str, **changes: Any) -> None:
    body = Profile.model_validate({"unit_id": name, "name": name} | changes)
    await database.write(units.declare, body.model_dump(mode="json"), datetime.now(UTC))


async def test_a_change_is_noticed_and_what_did_not_change_is_not_read_anew(database: Database):
    known = Profiles(database)
    await declare(database, "c1")
    await declare(database, "c2")
    await known.fresh()
    before = known.get("c2")
    await declare(database, "c1", high_c=6)
    await known.fresh()
    found = known.get("c1")
    assert found
    assert found.high_c == 6
    assert known.get("c2") is before


async def test_units_that_only_readings_named_are_written_once_and_declared_later(
    database: Database,
):
    known = Profiles(database)
    await known.fresh()
    await known.meet(["c1", "c1"])
    await known.meet(["c1"])
    assert known.get("c1") is None
    await declare(database, "c1")
    await known.fresh()
    assert known.get("c1")


async def test_a_flood_of_invented_units_does_not_fill_the_record(
    database: Database, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "MAX_MET", 5)
    known = Profiles(database)
    for number in range(20):
        await known.meet([f"u{number}"])
    found = await database.read(lambda session: session.exec(select(Unit.unit_id)).all())
    assert len(found) == 5


async def test_a_profile_that_was_broken_by_hand_costs_only_its_unit(
    database: Database, caplog: pytest.LogCaptureFixture
):
    for name in ("c1", "c2"):
        await declare(database, name)
    broken = {"unit_id": "c1", "name": "C1", "high_c": "chaud"}
    await database.write(
        lambda session: session.execute(
            update(Unit).where(col(Unit.unit_id) == "c1").values(profile=broken)
        )
    )
    known = Profiles(database)
    await known.fresh()
    assert known.get("c1") is None
    assert known.get("c2")
    assert "high_c" in caplog.text
    assert "chaud" not in caplog.text
