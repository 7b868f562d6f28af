"""The route at which SendGrid's Event Webhook tells what became of our mails.

A batch may come twice and in any order. What follows from an event is an event of ours whose id
derives from the reply and what is reported: the same again is the same. `sg_event_id` adds nothing.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import ValidationError

from gateways.reading import bounded
from gateways.sendgrid import NAME, OURS
from gateways.sendgrid_signature import PublicKey, is_fresh
from schemas.delivery import DeliveryReported
from schemas.errors import Unavailable

log = logging.getLogger(__name__)

MAX_BATCH_BYTES = 5_000_000
"""SendGrid's batches have 768 kB at most."""

MEANINGS = {
    ("processed", ""): ("sent", ""),
    ("delivered", ""): ("delivered", ""),
    ("bounce", ""): ("failed", "bounce"),
    ("bounce", "bounce"): ("failed", "bounce"),
    ("bounce", "blocked"): ("failed", "blocked"),
    ("blocked", ""): ("failed", "blocked"),
    ("dropped", ""): ("failed", "dropped"),
    ("spamreport", ""): ("delivered", "spamreport"),
    ("unsubscribe", ""): ("delivered", "unsubscribe"),
    ("group_unsubscribe", ""): ("delivered", "unsubscribe"),
}
"""Status and code of an event and its type; others (deferred, open …) change nothing."""
OF_THE_ADDRESS = {
    *("bounced address", "unsubscribed address", "spam reporting address", "invalid"),
}
"""Reasons to drop a mail that are the recipient's; others are ours: content, quota."""

PublishAll = Callable[[Sequence[DeliveryReported]], Awaitable[None]]


def events_route(key: PublicKey, publish: PublishAll) -> APIRouter:
    """Return the route; `publish` returns once Kafka confirmed."""
    router = APIRouter()

    @router.post("/callbacks/sendgrid/events", summary="Report what became of mails")
    async def take(request: Request) -> JSONResponse:
        body = await bounded(request, MAX_BATCH_BYTES)
        if body is None:
            return JSONResponse({"detail": f"more than {MAX_BATCH_BYTES} bytes"}, 413)
        if not key.signed(request.headers, body):
            return JSONResponse({"detail": "the signature is not SendGrid's"}, 401)
        if not is_fresh(request.headers, time.time()):
            return JSONResponse({"detail": "signed too long ago, or by another clock"}, 401)
        try:
            reports = reports_of(json.loads(body), datetime.now(UTC))
        except (ValueError, RecursionError):
            log.warning("passed over a batch of SendGrid's that cannot be read")
            return JSONResponse({"reports": 0})  # it would come again for a day
        try:
            await publish(reports)
        except Unavailable as error:
            return JSONResponse({"detail": f"{error}; try again"}, 503, {"Retry-After": "5"})
        return JSONResponse({"reports": len(reports)})

    return router


def reports_of(batch: Any, now: datetime) -> list[DeliveryReported]:
    """Return what a batch reports of mails of ours, each once."""
    found = (_report(each, now) for each in (batch if isinstance(batch, list) else [batch]))
    return list({report.event_id: report for report in found if report}.values())


def _report(event: Any, now: datetime) -> DeliveryReported | None:
    if not isinstance(event, dict) or OURS not in event:
        return None  # of a mail that somebody else sent from the same account
    what = str(event.get("event"))
    meaning = MEANINGS.get((what, str(event.get("type") or "") if what == "bounce" else ""))
    if meaning is None:
        return None
    status, code = meaning
    if code == "dropped" and str(event.get("reason", "")).lower() not in OF_THE_ADDRESS:
        code = "dropped_by_us"
    try:
        return DeliveryReported.model_validate(
            {
                "reply_id": UUID(str(event[OURS])),
                "status": status,
                "outbound": NAME,
                "provider_id": str(event.get("sg_message_id", "")).partition(".")[0][:255],
                "code": code,
                "detail": _why(event),
                "occurred_at": _moment(event, now),
            }
        )
    except (ValidationError, ValueError):
        return None


def _why(event: Mapping[str, Any]) -> str:
    # Not its reason: that may quote the address.
    return " ".join(str(event.get(name, "")) for name in ("event", "status")).strip()[:255]


def _moment(event: Mapping[str, Any], now: datetime) -> datetime:
    try:
        said = datetime.fromtimestamp(int(event["timestamp"]), UTC)
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return now
    return said if 2000 <= said.year < 2100 else now  # noqa: PLR2004 - as the contract
