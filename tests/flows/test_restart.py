"""The embedded desk stopped and started again: what its journal still holds is finished.

All tests of this file look at the same two desks, one after the other in one folder.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
from sqlmodel import Session, col, delete, select, update

from astreinte.desk import Desk, desk
from services.settings import Settings
from storage import journal
from storage.tables import Journal, Recorded
from tests.conftest import inbound, settings_in, until
from tests.flows.conftest import settle_in

pytestmark = pytest.mark.asyncio(loop_scope="module")

DISPLAYS = "Mon imprimante HP LaserJet affiche 49.4C02"


@pytest.fixture(scope="module")
def home(quick: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the desks run."""
    folder = tmp_path_factory.mktemp("desk")
    settle_in(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield folder


@pytest.fixture(scope="module")
def settings(home: Path) -> Settings:
    return settings_in(home)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def trace_id(settings: Settings, home: Path) -> str:
    """The first desk's life, and the trace of the message that it answered."""
    async with desk(settings) as first:
        assert (home / "data" / "running.json").exists()
        assert all(health.ready for health in first.health())
        answer = await post(first, DISPLAYS, "v1")
        await until(lambda: nothing_unfinished(first))
        await first.near.database.write(forget)
        await first.near.database.write(
            lambda session: journal.accept(session, *accepted("Bourrage papier, que faire ?", "v2"))
        )
    assert not (home / "data" / "running.json").exists(), "a desk that stopped leaves nothing"
    return str(answer.json()["trace_id"])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def second(trace_id: str, settings: Settings) -> AsyncIterator[Desk]:
    """The second desk, when it has done what was left to it."""
    async with desk(settings) as found:
        await until(lambda: nothing_unfinished(found))
        yield found


def forget(session: Session) -> None:
    """Leave the record as a process that was killed between `mark_told` and its batch."""
    session.execute(delete(Recorded).where(col(Recorded.topic) == "printer.sent"))
    session.execute(update(Journal).values(finished_at=None))


def accepted(text: str, sender: str) -> tuple[str, str, object]:
    message = inbound(text, **{"from": sender})
    return str(message.event_id), message.model_dump_json(by_alias=True), message.received_at


async def post(found: Desk, text: str, sender: str, external_id: str = "") -> httpx.Response:
    body = {
        "channel": "chat",
        "external_id": external_id or uuid4().hex,
        "from": sender,
        "text": text,
    }
    async with httpx.AsyncClient(base_url=found.url, trust_env=False, timeout=30) as http:
        answer = await http.post("/messages", json=body)
        await http.get(f"/api/messages/{answer.json()['trace_id']}", params={"wait": 20})
    return answer


async def nothing_unfinished(found: Desk) -> bool:
    return not await found.near.database.read(journal.unfinished)


def letters(settings: Settings, sender: str) -> int:
    lines = [json.loads(line) for line in settings.dispatch.file.read_text().splitlines()]
    return [line["address"] for line in lines].count(sender)


async def test_all_that_was_not_finished_is_taken_up_from_the_journal(second: Desk) -> None:
    assert second.replayed == 2


async def test_what_left_but_was_not_recorded_is_recorded_and_does_not_leave_again(
    second: Desk, trace_id: str, settings: Settings
) -> None:
    topics = await second.near.database.read(
        lambda session: session.exec(
            select(Recorded.topic).where(col(Recorded.trace_id) == trace_id)
        ).all()
    )
    assert sorted(topics).count("printer.sent") == 1
    assert len(topics) == len(set(topics)) == 7
    assert letters(settings, "v1") == 1


async def test_what_was_accepted_and_not_begun_is_answered_after_the_restart(
    second: Desk, settings: Settings
) -> None:
    assert letters(settings, "v2") == 1


async def test_a_message_told_twice_is_a_duplicate_and_answered_once(
    second: Desk, settings: Settings
) -> None:
    first = await post(second, DISPLAYS, "v3", "one")
    await until(lambda: nothing_unfinished(second))
    again = await post(second, DISPLAYS, "v3", "one")
    assert (first.status_code, again.status_code) == (202, 200)
    assert again.json() == first.json() | {"duplicate": True}
    assert letters(settings, "v3") == 1
