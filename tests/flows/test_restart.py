"""The embedded desk stopped and started again: what its journal still holds is finished."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from sqlmodel import Session, col, delete, select, update

from astreinte.desk import Desk, desk
from services.settings import Settings
from storage import journal
from storage.tables import Journal, Recorded
from tests.conftest import inbound, until
from tests.flows.conftest import settle_in


@pytest.fixture(autouse=True)
def at_home(quick: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settle_in(tmp_path)
    monkeypatch.chdir(tmp_path)


async def post(found: Desk, text: str, external_id: str = "") -> httpx.Response:
    body = {
        "channel": "chat",
        "external_id": external_id or uuid4().hex,
        "from": "v1",
        "text": text,
    }
    async with httpx.AsyncClient(base_url=found.url, trust_env=False, timeout=30) as http:
        answer = await http.post("/messages", json=body)
        await http.get(f"/api/messages/{answer.json()['trace_id']}", params={"wait": 20})
    return answer


async def nothing_unfinished(found: Desk) -> bool:
    return not await found.near.database.read(journal.unfinished)


def lines(settings: Settings) -> list[dict[str, str]]:
    return [json.loads(line) for line in settings.dispatch.file.read_text().splitlines()]


async def test_what_left_but_was_not_recorded_is_recorded_and_does_not_leave_again(
    settings: Settings,
):
    def forget(session: Session) -> None:
        # As a process leaves it that was killed between `mark_told` and the record's batch.
        session.execute(delete(Recorded).where(col(Recorded.topic) == "printer.sent"))
        session.execute(update(Journal).values(finished_at=None))

    async with desk(settings) as first:
        await post(first, "Mon imprimante HP LaserJet affiche 49.4C02")
        await until(lambda: nothing_unfinished(first))
        await first.near.database.write(forget)
    async with desk(settings) as second:
        assert second.replayed == 1
        await until(lambda: nothing_unfinished(second))
        topics = await second.near.database.read(
            lambda session: session.exec(select(Recorded.topic)).all()
        )
        assert sorted(topics).count("printer.sent") == 1
        assert len(topics) == len(set(topics)) == 7
    assert len(lines(settings)) == 1


async def test_what_was_accepted_and_not_begun_is_answered_after_the_restart(settings: Settings):
    async with desk(settings) as first:
        await post(first, "bonjour")
        await first.near.database.write(
            lambda session: journal.accept(session, *accepted("Bourrage papier, que faire ?"))
        )
    async with desk(settings) as second:
        assert second.replayed == 1
        await until(lambda: nothing_unfinished(second))
    assert [line["address"] for line in lines(settings)].count("v2") == 1


def accepted(text: str) -> tuple[str, str, object]:
    message = inbound(text, **{"from": "v2"})
    return str(message.event_id), message.model_dump_json(by_alias=True), message.received_at


async def test_a_message_told_twice_is_a_duplicate_and_answered_once(settings: Settings):
    async with desk(settings) as found:
        first = await post(found, "Bourrage papier, que faire ?", "one")
        await until(lambda: nothing_unfinished(found))
        again = await post(found, "Bourrage papier, que faire ?", "one")
    assert (first.status_code, again.status_code) == (202, 200)
    assert again.json() == first.json() | {"duplicate": True}
    assert len(lines(settings)) == 1


async def test_a_running_desk_that_is_stopped_leaves_nothing_behind(
    settings: Settings, tmp_path: Path
):
    async with desk(settings) as found:
        assert (tmp_path / "data" / "running.json").exists()
        assert all(health.ready for health in found.health())
    assert not (tmp_path / "data" / "running.json").exists()
