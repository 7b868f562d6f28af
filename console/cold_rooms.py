"""The page of cold rooms: what there is, and what people say of an alarm.

An episode is changed by events only: a button publishes `FeedbackGiven`, and dispatch hears it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import FileResponse, JSONResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlmodel import Session

from console import room_views
from gateways.buttons import NOTHING, SHELVE_H
from gateways.reading import bounded
from schemas.errors import reason_of
from schemas.event import Event
from schemas.frigo import FeedbackGiven
from schemas.vocabulary import Fault
from services.cards import DETECTOR
from storage import rooms, units
from storage.database import Database
from storage.tables import Alert, Episode

PAGE = Path(__file__).parent / "static" / "cold-rooms.html"
MAX_BODY_BYTES = 10_000
MAX_EPISODES = 200
MAX_PAST = 50
NOBODY = "console"
"""Who pressed without saying who it was: the console has no sign-in."""

Publish = Callable[[Event], Awaitable[None]]
Told = list[tuple[Episode, str]]


class Said(BaseModel):
    """What a button sends."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    episode_id: str = Field(min_length=1, max_length=40)
    action: Literal["acknowledge", "shelve", "unshelve", "label"]
    by: str = Field(default="", max_length=80)
    fault: str = Field(default="", max_length=40)
    note: str = Field(default="", max_length=2_000)


def cold_rooms(database: Database, publish: Publish | None = None) -> APIRouter:
    """Return the routes; without `publish` one may look and not press."""
    router = APIRouter()

    @router.get("/cold-rooms", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(PAGE, headers={"Cache-Control": "no-cache"})

    @router.get("/api/cold-rooms", summary="Units and the alarms that go on")
    async def fleet(limit: Annotated[int, Query(ge=1, le=500)] = 200) -> dict[str, Any]:
        return await database.read(_fleet, limit, datetime.now(UTC))

    @router.get("/api/cold-rooms/unit", summary="One unit, with its episodes")
    async def unit(unit_id: Annotated[str, Query(max_length=80)]) -> dict[str, Any]:
        found = await database.read(_unit, unit_id, datetime.now(UTC))
        if found is None:
            raise HTTPException(404, "no such unit")
        return found

    if publish:
        _feedback(router, database, publish)
    return router


def _feedback(router: APIRouter, database: Database, publish: Publish) -> None:
    @router.post("/api/cold-rooms/feedback", status_code=202, summary="Say something of an alarm")
    async def take(request: Request) -> JSONResponse:
        if not _is_ours(request):
            raise HTTPException(403, "only the console's own page may say this")
        said = await _said(request)
        episode = await database.read(rooms.episode, said.episode_id)
        if episode is None:
            raise HTTPException(404, "no such episode")
        if episode.ended_at and said.action != "label":
            raise HTTPException(409, "the episode is over")
        event = _event(said, episode.unit_id, datetime.now(UTC))
        await publish(event)
        return JSONResponse({"event_id": str(event.event_id), "trace_id": event.trace_id}, 202)


def _is_ours(request: Request) -> bool:
    """Say whether a page of ours asks. Other sites cannot send JSON here without being asked first.

    Browsers say where a request comes from; who says nothing is a program, not a page.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        return False
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        return False
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


async def _said(request: Request) -> Said:
    raw = await bounded(request, MAX_BODY_BYTES)
    if raw is None:
        raise HTTPException(413, f"more than {MAX_BODY_BYTES} bytes")
    try:
        said = Said.model_validate_json(raw)
    except ValidationError as error:
        raise HTTPException(422, reason_of(error)) from None
    if said.action == "label" and said.fault not in {*Fault, NOTHING}:
        raise HTTPException(422, "fault: none of those that there are")
    return said


def _event(said: Said, unit_id: str, now: datetime) -> FeedbackGiven:
    labels = said.action == "label" and said.fault != NOTHING
    return FeedbackGiven.model_validate(
        {
            "occurred_at": now,
            "unit_id": unit_id,
            "episode_id": said.episode_id,
            "action": said.action,
            "by": " ".join(said.by.split()) or NOBODY,
            "via": "console",
            "until": now + timedelta(hours=SHELVE_H) if said.action == "shelve" else None,
            "fault": said.fault if labels else "",
            "note": said.note,
        }
    )


def _fleet(session: Session, limit: int, now: datetime) -> dict[str, Any]:
    going_on = rooms.open_episodes(session, MAX_EPISODES)
    by_unit: dict[str, list[Episode]] = defaultdict(list)
    for episode, _ in going_on:
        by_unit[episode.unit_id].append(episode)
    beat = units.last_beat(session)
    return {
        "now": now.isoformat(),
        "detector_at": beat.isoformat() if beat else None,
        "causes": room_views.causes(),
        "total": rooms.count(session, DETECTOR),
        "units": [
            room_views.unit_row(unit, by_unit.get(unit.unit_id, ()))
            for unit in rooms.fleet(session, limit, list(by_unit), DETECTOR)
        ],
        "episodes": _episodes(session, going_on, now),
    }


def _unit(session: Session, unit_id: str, now: datetime) -> dict[str, Any] | None:
    found = rooms.unit(session, unit_id)
    if found is None:
        return None
    past = rooms.episodes_of(session, unit_id, MAX_PAST)
    page = room_views.unit_page(found, [each for each, _ in past if each.ended_at is None])
    shown = {"now": now.isoformat(), "causes": room_views.causes()}
    return page | shown | {"episodes": _episodes(session, past, now)}


def _episodes(session: Session, told: Told, now: datetime) -> list[dict[str, Any]]:
    bodies = rooms.drafts(session, [episode for episode, _ in told])
    sent = rooms.messages(session, {e.leader_id or e.episode_id for e, _ in told})
    rows = [
        room_views.episode_row(e, name, bodies.get(e.episode_id), _sent(e, sent), now)
        for e, name in told
    ]
    return sorted(rows, key=room_views.order)


def _sent(episode: Episode, sent: dict[str, list[Alert]]) -> Sequence[Alert]:
    return sent.get(episode.leader_id or episode.episode_id, ())
