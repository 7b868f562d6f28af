"""How a process is, over HTTP: does it live, is it ready, what does it count.

Ready means something here: every stage of the process is in its group and goes on, and the
neighbours that the process needs answer. FastStream's own ping answers while nothing is consumed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text

from services.neighbours import Neighbours
from services.policy import Health
from services.stage import Stage

FRESH_S = 2.0
"""For so long an answer of a neighbour counts: health may be asked as often as one likes."""
ANSWER_S = 2.0
"""For a neighbour to answer; those who ask us commonly give up after five seconds."""

Healths = Callable[[], Sequence[Health]]


def healths_of(names: Iterable[str], stages: Sequence[Stage]) -> list[Health]:
    """Say how stages are; one that is still being put together is not in its group."""
    there = {stage.name: stage.health() for stage in stages}
    return [there.get(name) or Health(name) for name in names]


class Probe:
    """Asks a neighbour whether it answers: at most every two seconds, and never twice at once."""

    def __init__(self, ask: Callable[[], Awaitable[bool]]) -> None:
        self._ask = ask
        self._asked_at = 0.0
        self._asking: asyncio.Task[bool] | None = None

    async def answers(self) -> bool:
        """Return what the neighbour said lately; silence is no."""
        now = time.monotonic()
        # One that never answers is not asked again meanwhile: each question may hold a thread.
        if self._asking is None or (self._asking.done() and now - self._asked_at > FRESH_S):
            self._asked_at = now
            self._asking = asyncio.create_task(self._answer())
        await asyncio.wait((self._asking,), timeout=ANSWER_S)
        return self._asking.done() and self._asking.result()

    async def _answer(self) -> bool:
        try:
            return await self._ask()
        except Exception:  # noqa: BLE001 - whatever it is, it is no answer
            return False


class Reach:
    """Whether the neighbours that a process has made answer."""

    def __init__(self, near: Neighbours) -> None:
        self._near = near
        self._kafka = Probe(lambda: near.broker.ping(ANSWER_S))
        self._database = Probe(self._reads)

    async def missing(self) -> dict[str, str]:
        """Return who does not answer."""
        needed = {"kafka": self._kafka}
        if self._near.has_database:
            needed["database"] = self._database
        found = await asyncio.gather(*(probe.answers() for probe in needed.values()))
        return {name: "no answer" for name, yes in zip(needed, found, strict=True) if not yes}

    async def _reads(self) -> bool:
        await self._near.database.read(lambda session: session.execute(text("select 1")))
        return True


def watching(
    healths: Healths,
    missing: Callable[[], Awaitable[dict[str, str]]],
    models: Callable[[], dict[str, Any]] = dict,
) -> APIRouter:
    """Return the routes by which a process is watched.

    Parameters
    ----------
    healths
        How its stages are.
    missing
        Its neighbours that do not answer, each with the reason.
    models
        How the language models are that it asks.
    """
    router = APIRouter()

    @router.get("/health/live")
    async def live() -> JSONResponse:
        stopped = {health.stage: health.stopped for health in healths() if health.stopped}
        if stopped:
            return JSONResponse({"status": "stopped", "stopped": stopped}, 503)
        return JSONResponse({"status": "alive"})

    @router.get("/health/ready")
    async def ready() -> JSONResponse:
        shown = healths()
        held_up = {health.stage: health.held_up for health in shown if not health.ready}
        held_up |= await missing()
        standby = [health.stage for health in shown if health.standby]
        found = {"ready": not held_up, "held_up": held_up, "standby": standby}
        if notes := {health.stage: health.note for health in shown if health.note}:
            found["notes"] = notes
        return JSONResponse(found, 503 if held_up else 200)

    @router.get("/health/models")
    async def language_models() -> dict[str, Any]:
        return models()

    @router.get("/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return router
