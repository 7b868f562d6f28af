"""What goes through a door is counted by what became of it, and timed."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI, Response
from prometheus_client import REGISTRY

from gateways.outbound import FileOutbound, Letter, OutcomeUnknown
from schemas.errors import Rejected, Unavailable
from services import metrics
from services.meters import MeteredEdge, MeteredOutbound
from storage.database import Database

LETTER = Letter("r1", "sms", "+33612345678", "", "Bonjour")


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"astreinte_{name}", labels) or 0.0


class Door(FileOutbound):
    """A door of its own name, which fails as it is told."""

    def __init__(self, folder: Path, error: type[BaseException] | None) -> None:
        super().__init__(folder / "outbox.jsonl")
        self.name = f"door-{uuid4().hex[:8]}"
        self.error = error

    async def send(self, letter: Letter) -> str:
        if self.error:
            raise self.error
        return await super().send(letter)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (None, "accepted"),
        (Unavailable, "later"),
        (Rejected, "refused"),
        (OutcomeUnknown, "unknown"),
        (ZeroDivisionError, "unknown"),
        (asyncio.CancelledError, "unknown"),
    ],
)
async def test_each_call_of_a_provider_has_one_outcome(
    tmp_path: Path, error: type[BaseException] | None, outcome: str
) -> None:
    door = Door(tmp_path, error)
    metered = MeteredOutbound(door)
    with pytest.raises(error) if error else nullcontext():
        assert await metered.send(LETTER) == "r1"
    assert await metered.was_sent("r1") is (error is None)
    assert value("provider_calls_total", provider=door.name, outcome=outcome) == 1
    assert value("provider_seconds_count", provider=door.name) == 1
    assert (metered.name, metered.at_once) == (door.name, door.at_once)


async def test_requests_to_the_edge_are_counted_by_their_answer_and_others_are_not() -> None:
    app = FastAPI()

    @app.post("/messages")
    async def take(code: int) -> None:
        raise {503: Unavailable, 500: ZeroDivisionError}[code]

    app.add_exception_handler(Unavailable, lambda *_: Response(status_code=503))
    transport = httpx.ASGITransport(MeteredEdge(app, ["/messages"]), raise_app_exceptions=False)
    codes = ("405", "422", "500", "503")
    before = [value("edge_requests_total", code=code) for code in codes]
    timed = value("edge_seconds_count")
    async with httpx.AsyncClient(transport=transport, base_url="http://edge") as client:
        await client.get("/messages")
        await client.post("/messages")
        await client.post("/messages", params={"code": 500})
        await client.post("/messages", params={"code": 503})
        await client.get("/elsewhere")
    assert [value("edge_requests_total", code=code) for code in codes] == [n + 1 for n in before]
    assert value("edge_seconds_count") == timed + 4
    assert value("edge_requests_total", code="404") == 0


async def test_transactions_of_the_record_are_timed_whether_they_succeed_or_not(
    tmp_path: Path,
) -> None:
    database = Database(f"sqlite:///{tmp_path}/record.db", metrics.transaction)
    reads, writes = (value("database_seconds_count", kind=kind) for kind in ("read", "write"))
    assert await database.read(lambda _session: 7) == 7
    with pytest.raises(ZeroDivisionError):
        await database.write(lambda _session: 1 // 0)
    database.close()
    assert value("database_seconds_count", kind="read") == reads + 1
    assert value("database_seconds_count", kind="write") == writes + 1


def test_the_outbox_says_how_many_wait_and_since_when() -> None:
    metrics.outbox({"queued": 3, "doubtful": 1}, datetime.now(UTC) - timedelta(minutes=2))
    assert value("outbox_rows", status="queued") == 3
    assert value("outbox_rows", status="doubtful") == 1
    assert 120 <= value("outbox_oldest_seconds") < 121
    metrics.outbox({}, None)
    assert value("outbox_rows", status="queued") == 0
    assert value("outbox_oldest_seconds") == 0


def test_the_version_is_told() -> None:
    assert value("build_info", version=metrics.version("astreinte")) == 1
