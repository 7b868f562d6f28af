"""The inbound edge: takes messages over HTTP and answers once they cannot be lost."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from pydantic_core import from_json

from gateways.reading import bounded
from schemas.errors import Rejected, Unavailable, reason_of
from schemas.printer import InboundMessage

MAX_BODY_BYTES = 800_000
"""Of a request. The longest text that the contract allows has 524,288 bytes."""
MAX_HEADER_BYTES = 8_192
"""Of one header; other HTTP servers commonly stop there too."""

Publish = Callable[[InboundMessage], Awaitable[None]]
Accept = Callable[[InboundMessage], Awaitable[bool]]


def edge(publish: Publish, accept: Accept) -> APIRouter:
    """Return the routes by which gateways hand messages in.

    Parameters
    ----------
    publish
        Puts a message on the road; returns when the broker has confirmed it.
    accept
        Writes it down first, where the broker keeps nothing; returns False when the message was
        taken before and its road is finished.
    """
    router = APIRouter()

    @router.post("/messages", status_code=202, summary="Hand a message in")
    async def take(request: Request) -> JSONResponse:
        body = _long_header(request) or await _body(request)
        if isinstance(body, JSONResponse):
            return body
        try:
            message = InboundMessage.model_validate(body)
        except ValidationError as error:
            return _refused(422, reason_of(error))
        try:
            fresh = await accept(message)
            if fresh:
                await publish(message)
        except Rejected as error:
            return _refused(413, str(error))
        except Unavailable as error:
            return _refused(503, f"{error}; try again", {"Retry-After": "5"})
        answer = {"event_id": str(message.event_id), "trace_id": message.trace_id}
        return JSONResponse(answer | {"duplicate": not fresh}, 202 if fresh else 200)

    return router


def _long_header(request: Request) -> JSONResponse | None:
    for name, value in request.headers.items():
        if len(value) > MAX_HEADER_BYTES:
            return _refused(
                431, f"header {name[:80]!r} has {len(value)} bytes, {MAX_HEADER_BYTES} are accepted"
            )
    return None


async def _body(request: Request) -> dict[str, Any] | JSONResponse:
    """Read a JSON object of bounded size, with the defaults that an HTTP caller may leave out."""
    raw = await bounded(request, MAX_BODY_BYTES)
    if raw is None:
        return _refused(413, f"more than {MAX_BODY_BYTES} bytes")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        return _refused(422, f"the body is not UTF-8 (byte {error.start})")
    return _object(text)


def _object(text: str) -> dict[str, Any] | JSONResponse:

    try:
        body = from_json(text, allow_inf_nan=False)
    except ValueError as error:
        return _refused(422, f"the body is not JSON: {error}"[:300])
    if not isinstance(body, dict):
        return _refused(422, "the body is not a JSON object")
    defaults = {"external_id": uuid4().hex, "received_at": datetime.now(UTC).isoformat()}
    return defaults | {name: value for name, value in body.items() if value is not None}


def _refused(status: int, detail: str, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"detail": detail}, status, headers)
