"""The console's web application: the inbound edge, the API, the page, and what changes."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Query, Request
from fastapi.responses import FileResponse, JSONResponse, StreamingResponse
from fastapi.staticfiles import StaticFiles

from console import views
from console.cold_rooms import Publish, cold_rooms
from knowledge.wording import load_wording
from schemas.errors import Unavailable
from services import contract
from services.watch import Healths
from storage import roads
from storage.database import Database

STATIC = Path(__file__).parent / "static"
LOOK_EVERY_S = 0.25
PING_EVERY_S = 15.0
MAX_WAIT_S = 60.0


def create_app(database: Database, healths: Healths, publish: Publish | None = None) -> FastAPI:
    """Make the application.

    Parameters
    ----------
    database
        The record.
    healths
        Says how the stages of this process are.
    publish
        Tells what people say of alarms; without it they can only look.
    """
    app = FastAPI(title="Astreinte", docs_url=None, redoc_url=None)
    app.state.stopping = False
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.add_exception_handler(Unavailable, _unavailable)
    _pages(app)
    _reading(app, database)
    _watching(app, database, healths)
    app.include_router(cold_rooms(database, publish))
    return app


async def _unavailable(_request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, 503, {"Retry-After": "5"})


def _pages(app: FastAPI) -> None:
    @app.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(STATIC / "index.html", headers={"Cache-Control": "no-cache"})

    @app.get("/asyncapi", include_in_schema=False)
    async def contract_page() -> FileResponse:
        return FileResponse(STATIC / "contract.html", headers={"Cache-Control": "no-cache"})

    @app.get("/asyncapi.json", include_in_schema=False)
    async def contract_document() -> dict[str, Any]:
        return contract.document()


def _reading(app: FastAPI, database: Database) -> None:
    wording = load_wording()

    @app.get("/api/conversations")
    async def conversations(limit: Annotated[int, Query(ge=1, le=500)] = 100) -> dict[str, Any]:
        rows = await database.read(roads.conversations, limit)
        totals = await database.read(roads.totals)
        return {
            "conversations": [views.conversation_row(*row, wording) for row in rows],
            "total": sum(totals.values()),
            "waiting": totals.get("handed_over", 0) + totals.get("failed", 0),
        }

    @app.get("/api/conversations/{conversation_id}")
    async def conversation(conversation_id: str) -> dict[str, Any]:
        found = await database.read(roads.conversation, conversation_id)
        if found is None:
            raise HTTPException(404, "no such conversation")
        return views.conversation_page(*found, wording)

    @app.get("/api/traces/{name}")
    async def trace(name: str) -> dict[str, Any]:
        steps = await database.read(roads.trace, name)
        if not steps:
            raise HTTPException(404, "nothing recorded of it (yet)")
        return views.trace_page(steps)

    @app.get("/api/messages/{trace_id}")
    async def message(
        trace_id: str, wait: Annotated[float, Query(ge=0, le=MAX_WAIT_S)] = 0
    ) -> dict[str, Any]:
        until = time.monotonic() + wait
        while True:
            page = views.trace_page(await database.read(roads.trace, trace_id))
            if page["state"] != "on_the_road" or time.monotonic() >= until:
                return page
            await asyncio.sleep(0.1)


def _watching(app: FastAPI, database: Database, healths: Healths) -> None:
    @app.get("/api/pipeline")
    async def pipeline() -> dict[str, Any]:
        shown = list(healths())
        stages = [asdict(health) | {"last_progress": None} for health in shown]
        # Stages in other processes say themselves how they are: of them nothing is known here.
        ready = all(health.ready for health in shown) if shown else None
        return {"ready": ready, "stages": stages}

    @app.get("/api/stream")
    async def stream(request: Request) -> StreamingResponse:
        return StreamingResponse(_changes(request, database), media_type="text/event-stream")


async def _changes(request: Request, database: Database) -> AsyncIterator[str]:
    """Tell what was recorded, as it is recorded."""
    seq = await database.read(roads.last_seq)
    pinged = time.monotonic()
    yield "event: ping\ndata: {}\n\n"
    while not (await request.is_disconnected() or request.app.state.stopping):
        try:
            changes = await database.read(roads.since, seq)
        except Unavailable:
            changes = []
        for number, conversation, trace, topic in changes:
            seq = max(seq, number)
            change = {"conversation_id": conversation, "trace_id": trace, "topic": topic}
            yield f"event: change\ndata: {json.dumps(change)}\n\n"
        if time.monotonic() - pinged > PING_EVERY_S:
            pinged = time.monotonic()
            yield "event: ping\ndata: {}\n\n"
        await asyncio.sleep(LOOK_EVERY_S)
