"""The route at which Telegram posts updates, where it is told to instead of being asked."""

from __future__ import annotations

import hmac
import logging

from aiogram.types import Update
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import ValidationError

from gateways.presses import Presses
from gateways.reading import bounded
from schemas.errors import Unavailable

log = logging.getLogger(__name__)

MAX_UPDATE_BYTES = 262_144


def presses_route(presses: Presses, secret: str) -> APIRouter:
    """Return the route at which Telegram posts; `secret` is what it proves itself with."""
    router = APIRouter()

    @router.post("/callbacks/telegram", summary="Hand a pressed button in")
    async def take(request: Request) -> JSONResponse:
        given = request.headers.get("X-Telegram-Bot-Api-Secret-Token", "")
        if not hmac.compare_digest(given.encode(), secret.encode()):
            return JSONResponse({"detail": "the secret is not ours"}, 401)
        raw = await bounded(request, MAX_UPDATE_BYTES)
        if raw is None:
            return JSONResponse({"detail": f"more than {MAX_UPDATE_BYTES} bytes"}, 413)
        try:
            update = Update.model_validate_json(raw)
        except ValidationError:
            # Anything but 2xx would have Telegram post it for hours.
            log.warning("passed over an update of Telegram that cannot be read")
            return JSONResponse({"ok": False})
        try:
            await presses.posted(update)
        except Unavailable as error:
            return JSONResponse({"detail": f"{error}; try again"}, 503, {"Retry-After": "5"})
        return JSONResponse({"ok": True})

    return router
