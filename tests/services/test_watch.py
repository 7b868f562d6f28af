"""What a process says of itself: alive, ready, and its numbers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from gateways.kafka import EmbeddedKafka
from services import watch
from services.neighbours import Neighbours
from services.policy import Health, together
from services.settings import DatabaseSettings, Settings
from services.watch import Probe, Reach, healths_of, watching
from tests.conftest import until


@pytest.fixture
def healths() -> list[Health]:
    return [Health("ingest", assigned=4, handled=7), Health("rag", assigned=4)]


@pytest.fixture
def missing() -> dict[str, str]:
    return {}


@pytest.fixture
async def client(healths: list[Health], missing: dict[str, str]) -> AsyncIterator[AsyncClient]:
    async def ask() -> dict[str, str]:
        return missing

    app = FastAPI()
    app.include_router(watching(lambda: healths, ask))
    async with AsyncClient(transport=httpx.ASGITransport(app), base_url="http://watch") as made:
        yield made


async def test_ready_says_who_holds_it_up_and_why(
    client: AsyncClient, healths: list[Health], missing: dict[str, str]
) -> None:
    answer = await client.get("/health/ready")
    assert answer.status_code == 200
    assert answer.json() == {"ready": True, "held_up": {}, "standby": []}
    healths[0].assigned = None
    healths[1].waiting_for = "the database does not answer"
    missing["database"] = "no answer"
    answer = await client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json() == {
        "ready": False,
        "held_up": {
            "ingest": "joining its group",
            "rag": "the database does not answer",
            "database": "no answer",
        },
        "standby": [],
    }


async def test_who_holds_no_partition_because_others_do_is_ready_and_on_standby(
    client: AsyncClient, healths: list[Health]
) -> None:
    healths[1].assigned = 0
    answer = await client.get("/health/ready")
    assert answer.status_code == 200
    assert answer.json() == {"ready": True, "held_up": {}, "standby": ["rag"]}


async def test_a_note_of_a_stage_is_said_although_it_is_ready(
    client: AsyncClient, healths: list[Health]
) -> None:
    healths[1].note = "no reply leaves by itself"
    answer = await client.get("/health/ready")
    assert answer.status_code == 200
    assert answer.json()["notes"] == {"rag": "no reply leaves by itself"}


async def test_it_lives_until_a_stage_stops_itself(
    client: AsyncClient, healths: list[Health]
) -> None:
    healths[0].waiting_for = "Kafka does not confirm"
    answer = await client.get("/health/live")
    assert (answer.status_code, answer.json()) == (200, {"status": "alive"})
    healths[1].stopped = "50 dead letters in a row"
    answer = await client.get("/health/live")
    assert answer.status_code == 503
    assert answer.json() == {"status": "stopped", "stopped": {"rag": "50 dead letters in a row"}}
    assert (await client.get("/health/ready")).status_code == 503


async def test_metrics_are_those_of_prometheus(client: AsyncClient) -> None:
    answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "# HELP astreinte_events_total" in answer.text


def test_a_stage_that_is_still_put_together_is_not_ready() -> None:
    (health,) = healths_of(["rag"], [])
    assert (health.stage, health.ready) == ("rag", False)


def test_consumers_of_one_stage_are_shown_together() -> None:
    drafts, reports = Health("dispatch", assigned=2, handled=3), Health("dispatch", lag=4)
    both = together("dispatch", [drafts, reports])
    assert (both.ready, both.handled, both.lag, both.last_progress) == (False, 3, 4, None)
    reports.assigned = 0
    assert together("dispatch", [drafts, reports]).held_up == ""
    reports.waiting_for = "the database does not answer"
    assert together("dispatch", [drafts, reports]).held_up == "the database does not answer"


# --- neighbours ----------------------------------------------------------------------------------


async def test_a_neighbour_is_asked_at_most_every_two_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = 0

    async def ask() -> bool:
        nonlocal asked
        asked += 1
        return asked == 1

    probe = Probe(ask)
    assert [await probe.answers() for _ in range(20)] == [True] * 20
    assert asked == 1
    monkeypatch.setattr(watch, "FRESH_S", 0.0)
    assert not await probe.answers()
    assert asked == 2


async def test_a_neighbour_that_is_silent_or_fails_is_missing_and_not_asked_twice_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watch, "ANSWER_S", 0.02)
    monkeypatch.setattr(watch, "FRESH_S", 0.0)
    asked = 0
    release = asyncio.Event()

    async def ask() -> bool:
        nonlocal asked
        asked += 1
        await release.wait()
        raise OSError

    probe = Probe(ask)
    assert [await probe.answers() for _ in range(3)] == [False] * 3
    assert asked == 1
    release.set()
    assert not await probe.answers()


async def test_kafka_and_the_database_are_asked_where_they_are_used(settings: Settings) -> None:
    broker = EmbeddedKafka()
    async with Neighbours(settings, broker.address, embedded=True) as near:
        reach = Reach(near)
        assert await reach.missing() == {"kafka": "no answer"}  # not connected yet
        await near.broker.connect()
        reach = Reach(near)
        assert await reach.missing() == {}
        await near.broker.stop()
    broker.close()
    nowhere = DatabaseSettings(url="mysql+pymysql://me:secret@127.0.0.1:1/x")
    changed = settings.model_copy(update={"database": nowhere})
    async with Neighbours(changed, broker.address) as near:
        assert near.database
        assert await Reach(near).missing() == {"kafka": "no answer", "database": "no answer"}


async def test_a_broker_that_dies_is_missing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "FRESH_S", 0.0)
    monkeypatch.setattr(watch, "ANSWER_S", 0.2)
    broker = EmbeddedKafka()
    async with Neighbours(settings, broker.address, embedded=True) as near:
        await near.broker.connect()
        reach = Reach(near)
        assert await reach.missing() == {}
        broker.close()

        async def gone() -> bool:
            return await reach.missing() == {"kafka": "no answer"}

        await until(gone)
        await near.broker.stop()


async def test_the_language_models_are_shown_where_some_are_asked(client: AsyncClient) -> None:
    assert (await client.get("/health/models")).json() == {}
    app = FastAPI()
    app.include_router(watching(list, dict, lambda: {"answers": "ollama"}))  # type: ignore[arg-type]
    async with AsyncClient(transport=httpx.ASGITransport(app), base_url="http://watch") as made:
        assert (await made.get("/health/models")).json() == {"answers": "ollama"}
