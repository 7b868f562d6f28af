"""Replies to a provider of one's own over HTTP, and its reports of what became of them.

The request: `POST URL` with JSON `{reply_id, channel, to, subject, text}`, an `Idempotency-Key`
(the reply's id) and `Astreinte-Signature: sha256=HMAC` of the body. Answers: 2xx `{"id": …}` took
it; 429 and 503 not now; other 4xx never. A time-out, a connection that breaks once the request
was written, any other 5xx: it may have left. Then the provider's report settles it, or the answer
to `GET URL/REPLY_ID` (200: it left; 404: it never arrived).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from uuid import UUID

import httpx
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from pydantic_core import from_json, to_json

from gateways.outbound import Letter, OutcomeUnknown
from gateways.reading import bounded
from schemas.delivery import DeliveryReported
from schemas.errors import Rejected, Unavailable, reason_of

AT_ONCE = 16
MAX_ANSWER_BYTES = 65_536
MAX_REPORT_BYTES = 65_536
MAX_RETRY_AFTER_S = 3_600.0
SETTLE_MARGIN_S = 5.0
"""Beyond the time-out: for a request that left in its last moment."""
KEEP_ALIVE_S = 2.0
"""Of idle connections: less than servers allow (5 s and more), so that none is closed under us."""

NOT_NOW = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}

Publish = Callable[[DeliveryReported], Awaitable[None]]


def signature(secret: str, body: bytes) -> str:
    """Return the signature of a body, as it stands in the header."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


class WebhookOutbound:
    """A provider at `url`; `timeout_s` is for one whole request."""

    name = "webhook"
    at_once = AT_ONCE

    def __init__(self, url: str, secret: str, timeout_s: float) -> None:
        self._url = url.rstrip("/")
        self._secret = secret
        self.settles_after_s = timeout_s + SETTLE_MARGIN_S
        self._client = httpx.AsyncClient(
            timeout=timeout_s,
            follow_redirects=False,
            trust_env=False,
            limits=httpx.Limits(max_connections=AT_ONCE, keepalive_expiry=KEEP_ALIVE_S),
        )

    async def send(self, letter: Letter) -> str:
        """Post a letter. Raises as `Outbound.send` says."""
        fields = {"reply_id": letter.reply_id, "channel": letter.channel, "to": letter.address}
        body = to_json(fields | {"subject": letter.subject, "text": letter.text})
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": letter.reply_id,
            "Astreinte-Signature": signature(self._secret, body),
        }
        try:
            answer = await self._client.post(self._url, content=body, headers=headers)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            msg = f"the provider cannot be reached ({type(error).__name__})"
            raise Unavailable(msg) from error
        except httpx.HTTPError as error:
            msg = f"no answer from the provider ({type(error).__name__})"
            raise OutcomeUnknown(msg) from error
        return self._read(answer)

    def _read(self, answer: httpx.Response) -> str:
        said = f"the provider answers {answer.status_code}"
        if answer.is_success:
            return _provider_id(answer)
        if answer.status_code in NOT_NOW:
            raise Unavailable(said, _retry_after(answer))
        if answer.is_server_error:
            raise OutcomeUnknown(said)
        raise Rejected(said)

    async def was_sent(self, reply_id: str) -> bool | None:
        """Ask the provider."""
        headers = {"Astreinte-Signature": signature(self._secret, reply_id.encode())}
        try:
            answer = await self._client.get(f"{self._url}/{reply_id}", headers=headers)
        except httpx.HTTPError:
            return None
        if answer.status_code == HTTPStatus.NOT_FOUND:
            return False
        return True if answer.is_success else None

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def _provider_id(answer: httpx.Response) -> str:
    if len(answer.content) > MAX_ANSWER_BYTES:
        return ""
    try:
        found = from_json(answer.content)
    except ValueError:
        return ""  # it took the letter; what it calls it is lost
    return str(found.get("id", ""))[:255] if isinstance(found, dict) else ""


def _retry_after(answer: httpx.Response) -> float | None:
    try:
        seconds = float(answer.headers.get("Retry-After", ""))
    except ValueError:  # a date, or none: our own schedule will do
        return None
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_S)


def reports(secret: str, publish: Publish) -> APIRouter:
    """Return the route by which the provider reports; `publish` returns once Kafka confirmed."""
    router = APIRouter()

    @router.post("/callbacks/webhook", status_code=202, summary="Report what became of a reply")
    async def take(request: Request) -> JSONResponse:
        body = await bounded(request, MAX_REPORT_BYTES)
        if body is None:
            return JSONResponse({"detail": f"more than {MAX_REPORT_BYTES} bytes"}, 413)
        given = request.headers.get("Astreinte-Signature", "")
        if not hmac.compare_digest(given.encode(), signature(secret, body).encode()):
            return JSONResponse({"detail": "the signature is not ours"}, 401)
        try:
            report = _report(from_json(body))
        except ValidationError as error:
            return JSONResponse({"detail": reason_of(error)}, 422)
        except ValueError:
            return JSONResponse({"detail": "the body is no report"}, 422)
        try:
            await publish(report)
        except Unavailable as error:
            return JSONResponse({"detail": f"{error}; try again"}, 503, {"Retry-After": "5"})
        return JSONResponse({"event_id": str(report.event_id)}, 202)

    return router


def _report(body: Any) -> DeliveryReported:
    if not isinstance(body, dict):
        msg = "not an object"
        raise ValueError(msg)  # noqa: TRY004 - as other bodies that are no report
    known = {name: body[name] for name in ("status", "detail") if name in body}
    reply_id = str(UUID(str(body.get("reply_id"))))
    return DeliveryReported.model_validate(
        known
        | {
            "reply_id": reply_id,
            "outbound": WebhookOutbound.name,
            "provider_id": str(body.get("id", "")),
            "occurred_at": datetime.now(UTC),
        }
    )
