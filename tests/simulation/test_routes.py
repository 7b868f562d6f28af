"""The first system's simulator over HTTP, and what it lacked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import httpx
import pytest
from fastapi import FastAPI

from refrigeration.profile import Profile
from schemas.errors import Unavailable
from schemas.event import Event
from schemas.frigo import FeedbackGiven, InboundReading
from simulation.routes import AT_ONCE, Runs, simulator

Door = tuple[httpx.AsyncClient, Runs, list[Event]]


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    sent: list[Event] = []

    async def publish(events: Sequence[Event]) -> None:
        sent.extend(events)

    declared: list[str] = []

    async def declare(profile: Profile) -> None:
        declared.append(profile.unit_id)

    runs, app = Runs(publish, declare), FastAPI()
    app.include_router(simulator(runs))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://desk") as client:
        yield client, runs, sent
    await runs.close()


async def test_start_answers_as_the_first_system_did_and_readings_leave(door: Door):
    client, runs, sent = door
    body = {"cycles": 1, "interval": 1, "prob_panne": 0.5}
    answer = await client.post("/api/simulator/start", json=body)
    assert answer.status_code == 202
    told = answer.json()
    assert told["status"] == "started"
    assert told["config"] == body | {"app_url": "http://desk"}
    assert {"message", "timestamp"} <= told.keys()
    run = runs.all[told["run_id"]]
    assert run.task
    await asyncio.wait_for(run.task, 10)
    readings = [event for event in sent if isinstance(event, InboundReading)]
    assert [event.key for event in readings] == [told["unit_id"]]
    assert run.status == "finished"


async def test_without_a_body_the_old_defaults_count(door: Door):
    answer = await door[0].post("/api/simulator/start")
    config = answer.json()["config"]
    assert (config["cycles"], config["interval"], config["prob_panne"]) == (100, 30, 0.1)


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({"cycles": 0}, "cycles"),
        ({"cycles": 10_001}, "cycles"),
        ({"cycles": 2.5}, "cycles"),
        ({"cycles": "vite"}, "cycles"),
        ({"cycles": True}, "cycles"),
        ({"interval": 0}, "interval"),
        ({"interval": 3601}, "interval"),
        ({"prob_panne": -0.1}, "prob_panne"),
        ({"prob_panne": 1.1}, "prob_panne"),
        ([1], "objet JSON"),
    ],
)
async def test_what_is_out_of_bounds_is_said_in_french(door: Door, body: object, word: str):
    answer = await door[0].post("/api/simulator/start", json=body)
    assert answer.status_code == 400
    assert word in answer.json()["error"]
    assert "doit être" in answer.json()["error"]
    assert door[1].all == {}


async def test_what_is_no_json_is_refused(door: Door):
    answer = await door[0].post("/api/simulator/start", content=b"{cycles")
    assert answer.status_code == 400
    assert "JSON" in answer.json()["error"]


async def test_runs_are_limited_listed_and_stopped(door: Door):
    client, runs, _ = door
    body = {"cycles": 100, "interval": 3600}
    begun = [await client.post("/api/simulator/start", json=body) for _ in range(AT_ONCE)]
    assert {answer.status_code for answer in begun} == {202}
    assert (await client.post("/api/simulator/start", json=body)).status_code == 429
    listed = (await client.get("/api/simulator/runs")).json()["runs"]
    assert [run["status"] for run in listed] == ["running"] * AT_ONCE
    one = begun[0].json()["run_id"]
    stopped = await client.post("/api/simulator/stop", params={"run_id": one})
    assert [run["status"] for run in stopped.json()["stopped"]] == ["stopped"]
    assert (await client.post("/api/simulator/start", json=body)).status_code == 202
    await client.post("/api/simulator/stop")
    assert runs.active() == []
    unknown = await client.post("/api/simulator/stop", params={"run_id": "x"})
    assert unknown.status_code == 404


async def test_info_names_the_routes_that_there_are(door: Door):
    told = (await door[0].get("/api/simulator/info")).json()
    assert told["available"] is True
    assert set(told["endpoints"]) == {"start", "stop", "runs", "info"}
    assert set(told["examples"]) == {"quick_test", "production_mode"}


async def test_a_run_that_ends_takes_its_unit_out_of_service_so_that_nobody_is_called(door: Door):
    client, runs, sent = door
    for body in ({"cycles": 1}, {"cycles": 100}):
        sent.clear()
        told = (await client.post("/api/simulator/start", json=body)).json()
        run = runs.all[told["run_id"]]
        await asyncio.sleep(0.05)
        await client.post("/api/simulator/stop")
        said = [event.action for event in sent if isinstance(event, FeedbackGiven)]
        assert said == ["in_service", "out_of_service"]
        assert run.status in {"finished", "stopped"}


async def test_a_unit_that_cannot_be_declared_does_not_send():
    async def never(_: object) -> None:
        msg = "the record does not answer"
        raise Unavailable(msg)

    runs, app = Runs(never, never), FastAPI()
    app.include_router(simulator(runs))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://desk") as client:
        answer = await client.post("/api/simulator/start", json={"cycles": 1})
    assert answer.status_code == 503
    assert "does not answer" in answer.json()["message"]
    assert runs.all == {}
