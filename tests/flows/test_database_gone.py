"""The database goes while the desk runs, and comes back: stages wait, then all is answered."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from astreinte.desk import Desk, desk
from services.settings import DatabaseSettings, Settings
from storage import journal, schema
from storage.engine import engine_of
from tests.conftest import inbound, until
from tests.flows.conftest import settle_in
from tests.mariadb import Server

pytestmark = pytest.mark.mysql


@pytest.fixture(autouse=True)
def at_home(quick: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settle_in(tmp_path)
    monkeypatch.chdir(tmp_path)


async def post(found: Desk, who: str) -> int:
    body = {"channel": "chat", "external_id": uuid4().hex, "from": who, "text": "bourrage papier"}
    async with httpx.AsyncClient(base_url=found.url, trust_env=False, timeout=60) as http:
        return (await http.post("/messages", json=body)).status_code


def answered(settings: Settings) -> list[str]:
    file = settings.dispatch.file
    lines = file.read_text().splitlines() if file.exists() else []
    return sorted(json.loads(line)["address"] for line in lines)


async def test_stages_wait_for_a_database_that_is_gone_and_go_on_when_it_is_back(
    settings: Settings, tmp_path: Path
) -> None:
    server = Server(tmp_path / "mariadb")
    try:
        schema.migrate(engine_of(server.url))
        record = DatabaseSettings(url=server.url)
        settings = settings.model_copy(update={"database": record})
        async with desk(settings) as found:
            assert await post(found, "v1") == 202
            await until(lambda: answered(settings) == ["v1"], 60)
            await asyncio.to_thread(server.kill)
            assert await post(found, "nobody") == 503
            await found.near.teller.tell([inbound("bourrage", **{"from": "v2"})], "gateway")
            await until(lambda: "ingest" in waiting(found), 60)
            await asyncio.to_thread(server.start)
            await until(lambda: answered(settings) == ["v1", "v2"], 60)
            await until(lambda: not waiting(found), 60)
            assert await post(found, "v3") == 202
            await until(lambda: answered(settings) == ["v1", "v2", "v3"], 60)
            await until(lambda: nothing_unfinished(found), 60)
    finally:
        server.stop()


def waiting(found: Desk) -> dict[str, str]:
    return {health.stage: health.waiting_for for health in found.health() if health.waiting_for}


async def nothing_unfinished(found: Desk) -> bool:
    return not await found.near.database.read(journal.unfinished)
