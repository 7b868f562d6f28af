"""The first system's simulator over HTTP: `/api/simulator/start` and `info`; and `stop`, `runs`."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from refrigeration.profile import Profile
from schemas.errors import Unavailable
from schemas.frigo import FeedbackGiven
from simulation.fleet import Chances, Publish

Declare = Callable[[Profile], Awaitable[None]]

AT_ONCE = 4
"""Runs side by side: each is a room that is calculated in this process."""
KEPT = 50
BOUNDS: dict[str, tuple[float, float, float, str]] = {
    "cycles": (100, 1, 10_000, "cycles doit être un entier de 1 à 10000"),
    "interval": (30, 1, 3600, "interval doit être de 1 à 3600 secondes"),
    "prob_panne": (0.1, 0, 1, "prob_panne doit être de 0 à 1"),
}
MAX_BODY_BYTES = 10_000


@dataclass
class Run:
    """One run: what was asked, how far it is."""

    run_id: str
    config: dict[str, Any]
    unit_id: str
    started: str
    status: str = "running"
    sent: int = 0
    refused: int = 0
    task: asyncio.Task[None] | None = field(default=None, repr=False)

    def told(self) -> dict[str, Any]:
        """Return what is shown of it."""
        shown = ("run_id", "status", "unit_id", "config", "sent", "refused", "started")
        return {name: getattr(self, name) for name in shown}


class Runs:
    """The runs of this process; `close` ends them.

    Parameters
    ----------
    publish
        Puts events on the road.
    declare
        Makes a unit known, with its profile, before it sends.
    """

    def __init__(self, publish: Publish, declare: Declare) -> None:
        self._publish = publish
        self._declare = declare
        self._numbers = itertools.count(1)
        self.all: dict[str, Run] = {}

    def active(self) -> list[Run]:
        """Return those that still send."""
        return [run for run in self.all.values() if run.status == "running"]

    async def start(self, config: dict[str, Any]) -> Run:
        """Begin a run, of a unit that is declared first.

        Raises
        ------
        Unavailable
            The record does not answer; nothing was begun.
        """
        number = next(self._numbers)
        seed = 900_000 + number % 100_000
        unit = Chances(seed, config["prob_panne"], config["interval"], time.time())
        run = Run(f"sim-{number}", config, unit.unit.unit_id, _now())
        await self._declare(unit.unit.profile)
        run.task = asyncio.create_task(self._send(run, unit))
        self.all[run.run_id] = run
        for old in [name for name, r in self.all.items() if r.status != "running"][:-KEPT]:
            del self.all[old]
        return run

    async def _send(self, run: Run, unit: Chances) -> None:
        try:
            await self._say(run, "in_service")
            for cycle in range(run.config["cycles"]):
                if cycle:
                    await asyncio.sleep(run.config["interval"])
                try:
                    await self._publish([unit.reading()])
                except Unavailable:
                    run.refused += 1  # a room goes on while its network is down
                else:
                    run.sent += 1
            await self._say(run, "out_of_service")
            run.status = "finished"
        except asyncio.CancelledError:
            run.status = "stopped"
            raise
        except Exception:
            run.status = "failed"
            raise

    async def _say(self, run: Run, action: str) -> None:
        """Take the unit in service or out of it: a run that ended is no silence to worry about."""
        said = FeedbackGiven.model_validate(
            {
                "unit_id": run.unit_id,
                "episode_id": run.unit_id,
                "action": action,
                "by": "simulateur",
                "via": "simulator",
                "occurred_at": datetime.now(UTC),
            }
        )
        with contextlib.suppress(Unavailable):
            await self._publish([said])

    async def stop(self, run: Run) -> None:
        """End a run; its status is `stopped` afterwards, unless it had ended."""
        if run.task and not run.task.done():
            run.task.cancel()
            await asyncio.wait({run.task})
            run.status = "stopped"
            await self._say(run, "out_of_service")

    async def close(self) -> None:
        """End all."""
        for run in self.active():
            await self.stop(run)


def simulator(runs: Runs) -> APIRouter:
    """Return the routes, under the first system's names."""
    router = APIRouter(prefix="/api/simulator")

    @router.post("/start", status_code=202, summary="Start a simulated unit")
    async def start(request: Request) -> JSONResponse:
        config = await _config(request)
        if isinstance(config, str):
            return JSONResponse({"error": config}, 400)
        if len(runs.active()) >= AT_ONCE:
            return JSONResponse({"error": f"déjà {AT_ONCE} simulations en cours"}, 429)
        try:
            run = await runs.start(config)
        except Unavailable as error:
            return JSONResponse({"error": "simulateur", "message": str(error)}, 503)
        shown = config | {"app_url": str(request.base_url).rstrip("/")}
        message = f"Simulation démarrée : {config['cycles']} cycles de {config['interval']:g} s"
        return JSONResponse(
            {
                "status": "started",
                "message": message,
                "config": shown,
                "timestamp": _now(),
                "run_id": run.run_id,
                "unit_id": run.unit_id,
            },
            202,
        )

    @router.post("/stop", summary="Stop a run, or all")
    async def stop(run_id: str = "") -> JSONResponse:
        if run_id and run_id not in runs.all:
            return JSONResponse({"error": f"simulation inconnue : {run_id[:80]}"}, 404)
        ended = [runs.all[run_id]] if run_id else runs.active()
        for run in ended:
            await runs.stop(run)
        return JSONResponse({"stopped": [run.told() for run in ended], "timestamp": _now()})

    @router.get("/runs", summary="List the runs")
    async def shown() -> JSONResponse:
        return JSONResponse({"runs": [run.told() for run in runs.all.values()]})

    @router.get("/info", summary="What the simulator is")
    async def info() -> JSONResponse:
        return JSONResponse(_INFO)

    return router


_INFO: dict[str, Any] = {
    "available": True,
    "description": "Chambres froides simulées par leur physique, publiées sur frigo.inbound",
    "endpoints": {
        "start": "POST /api/simulator/start",
        "stop": "POST /api/simulator/stop?run_id=",
        "runs": "GET /api/simulator/runs",
        "info": "GET /api/simulator/info",
    },
    "examples": {
        "quick_test": {"cycles": 5, "interval": 5},
        "production_mode": {"cycles": 100, "interval": 60, "prob_panne": 0.15},
    },
}


async def _config(request: Request) -> dict[str, Any] | str:
    """Return what a request asks for, or in French what is wrong with it."""
    try:
        raw = await request.body()
        body = await request.json() if raw and len(raw) <= MAX_BODY_BYTES else {}
    except ValueError:
        return "le corps de la requête n'est pas du JSON"
    if not isinstance(body, dict):
        return "le corps de la requête doit être un objet JSON"
    config: dict[str, Any] = {}
    for name, (usual, low, high, wrong) in BOUNDS.items():
        value = body.get(name, usual)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return wrong
        if not (math.isfinite(value) and low <= value <= high):
            return wrong
        if name == "cycles" and value != int(value):
            return wrong
        config[name] = int(value) if name == "cycles" else value
    return config


def _now() -> str:
    return datetime.now(UTC).isoformat()
