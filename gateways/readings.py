"""Readings over HTTP: who may post them, bodies of bounded size, one or many in a request."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from pydantic_core import from_json

from gateways.reading import bounded
from schemas.errors import Rejected, Unavailable, reason_of
from schemas.frigo import InboundReading

MAX_BODY_BYTES = 2_000_000
MAX_BATCH = 1_000
"""Readings of one request: sixteen hours of a unit that says every minute how it is."""
NESTS = ("readings", "lectures", "diagnostics")

Publish = Callable[[Sequence[InboundReading]], Awaitable[None]]
"""Puts readings on the road; returns when the broker has confirmed all of them."""


@dataclass(frozen=True)
class Lock:
    """Who may post. `key`: empty, and nobody may, except from this machine where it is `open`."""

    key: str = ""
    open_on_loopback: bool = False

    def lets_in(self, request: Request) -> bool:
        """Say whether a request has the key, or needs none."""
        given = request.headers.get("X-API-Key") or request.query_params.get("cle") or ""
        if self.key and hmac.compare_digest(given.encode(), self.key.encode()):
            return True
        return self.open_on_loopback and _is_here(request)


def _is_here(request: Request) -> bool:
    try:
        return ipaddress.ip_address(request.client.host if request.client else "").is_loopback
    except ValueError:
        return False


class Unreadable(Exception):  # noqa: N818 - said to the caller
    """A body that cannot be read: an HTTP status, what kind of mistake, and a sentence."""

    def __init__(self, status: int, kind: str, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.kind = status, kind


async def body_of(request: Request) -> Any:
    """Read JSON of bounded size. NaN is let through: it costs its sensor only.

    Raises
    ------
    Unreadable
        It is larger, no UTF-8 or no JSON.
    """
    raw = await bounded(request, MAX_BODY_BYTES)
    if raw is None:
        raise Unreadable(413, "corps_trop_grand", f"plus de {MAX_BODY_BYTES} octets")
    try:
        return from_json(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise Unreadable(400, "corps_illisible", f"pas d'UTF-8 (octet {error.start})") from None
    except ValueError as error:
        raise Unreadable(400, "corps_illisible", f"pas de JSON : {error}"[:300]) from None


def many_of(body: Any) -> list[Any] | None:
    """Return the parts of a batch: a list, or one under a name; nothing for a single reading.

    Raises
    ------
    Unreadable
        There are more than `MAX_BATCH`, or none.
    """
    nest = body
    if isinstance(body, dict):
        nest = next((body[name] for name in NESTS if isinstance(body.get(name), list)), None)
    if not isinstance(nest, list):
        return None
    if not 0 < len(nest) <= MAX_BATCH:
        sentence = f"un lot a de 1 à {MAX_BATCH} mesures, celui-ci en a {len(nest)}"
        raise Unreadable(413 if nest else 422, "lot_hors_limites", sentence)
    return nest


def readings(publish: Publish, lock: Lock) -> APIRouter:
    """Return the route by which bridges of one's own hand readings in, as `InboundReading`s."""
    router = APIRouter()

    @router.post("/readings", status_code=202, summary="Hand readings of units in")
    async def take(request: Request) -> JSONResponse:
        if not lock.lets_in(request):
            return _said(401, "X-API-Key is missing or wrong (ASTREINTE_READINGS_KEY)")
        try:
            body = await body_of(request)
            parts = many_of(body)
        except Unreadable as error:
            return _said(error.status, str(error))
        taken, refused = _validated([body] if parts is None else parts)
        if taken:
            try:
                await publish([reading for _, reading in taken])
            except Unavailable as error:
                return _said(503, f"{error}; try again", {"Retry-After": "5"})
            except Rejected as error:
                return _said(413, str(error))
        if parts is None:
            return _single(taken, refused)
        answer = {
            "accepted": [{"index": n, "event_id": str(each.event_id)} for n, each in taken],
            "refused": [{"index": n, "detail": why} for n, why in refused],
        }
        return JSONResponse(answer, 422 if not taken else 207 if refused else 202)

    return router


Taken = list[tuple[int, InboundReading]]
Refused = list[tuple[int, str]]


def _validated(parts: list[Any]) -> tuple[Taken, Refused]:
    taken: Taken = []
    refused: Refused = []
    now = datetime.now(UTC).isoformat()
    for place, part in enumerate(parts):
        if not isinstance(part, dict):
            refused.append((place, "not a JSON object"))
            continue
        given = {name: value for name, value in part.items() if value is not None}
        try:
            reading = InboundReading.model_validate({"measured_at": now} | given)
            reading.model_dump_json()  # what cannot be written in UTF-8 is refused here
            taken.append((place, reading))
        except ValidationError as error:
            refused.append((place, reason_of(error)))
        except ValueError:
            refused.append((place, "a text that is no Unicode"))
    return taken, refused


def _single(taken: Taken, refused: Refused) -> JSONResponse:
    if refused:
        return _said(422, refused[0][1])
    reading = taken[0][1]
    return JSONResponse({"event_id": str(reading.event_id), "trace_id": reading.trace_id}, 202)


def _said(status: int, detail: str, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"detail": detail}, status, headers)
