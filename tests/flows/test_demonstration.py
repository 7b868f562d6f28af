"""The cold rooms of `astreinte up`, on a whole desk: an alarm comes and is taken in the console."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

import astreinte.demonstration
from astreinte.demonstration import demonstration, forget
from astreinte.desk import desk
from services import profiles
from services.settings import Settings
from storage import rooms
from storage.database import Database
from tests.conftest import until
from tests.flows.conftest import settle_in


@pytest.fixture(autouse=True)
def at_home(quick: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settle_in(tmp_path)
    monkeypatch.chdir(tmp_path)
    ours = astreinte.demonstration
    monkeypatch.setattr(ours, "ROOMS", replace(ours.ROOMS, speed=6_000.0))
    monkeypatch.setattr(ours, "PAST_S", 3600.0)
    # A reading that comes before its unit is known is not judged; here an hour is over in 0.6 s.
    monkeypatch.setattr(profiles, "EVERY_S", 0.05)


async def test_the_alarm_of_the_open_door_is_taken_in_the_console(settings: Settings):
    async with (
        desk(settings, simulated=True) as found,
        demonstration(found.near) as shown,
        httpx.AsyncClient(base_url=found.url, trust_env=False, timeout=30) as http,
    ):
        assert (await http.get("/api/simulator/runs")).json() == {"runs": []}
        news = await asyncio.wait_for(anext(shown.news()), 30)
        assert (news.episode.fault, news.unit) == ("door", "Chambre surgelés")

        async def alarm() -> dict[str, Any]:
            (one,) = (await http.get("/api/cold-rooms")).json()["episodes"]
            return one

        one = await alarm()
        assert one["messages"][0]["status"] == "sent"

        async def facts() -> list[Any]:
            return (await alarm())["facts"]

        assert await until(facts), "the record's own consumer comes a moment later"
        body = {"episode_id": one["episode_id"], "action": "acknowledge", "by": "Ana"}
        assert (await http.post("/api/cold-rooms/feedback", json=body)).status_code == 202

        async def taken() -> bool:
            return (await alarm())["acknowledged_by"] == "Ana"

        await until(taken)
        fleet = (await http.get("/api/cold-rooms")).json()
        assert [unit["open"] for unit in fleet["units"]] == [1, 0, 0]
        assert all(unit["temperature_c"] is not None for unit in fleet["units"])

    await forget(settings.database.url)
    record = Database(settings.database.url)
    assert await record.read(rooms.open_episodes, 5) == []
    record.close()
