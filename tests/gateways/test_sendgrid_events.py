"""What SendGrid reports of our mails: signed, fresh, and what follows from it."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from gateways.sendgrid_events import events_route, reports_of
from gateways.sendgrid_signature import SIGNATURE, TIMESTAMP, PublicKey, is_fresh
from schemas.delivery import DeliveryReported
from schemas.errors import Unavailable
from tests.vendors.sendgrid import Signer

SHARED = Path(__file__).parents[3] / "shared/data/webhooks/sendgrid_event_signature.json"
REPLY = "5a0f3d0e-1c1b-4b7e-9a52-3f6f0c6f9d11"
NOW = datetime(2026, 3, 1, tzinfo=UTC)


class Ears:
    def __init__(self) -> None:
        self.heard: list[DeliveryReported] = []
        self.down = False

    async def publish(self, events: Sequence[DeliveryReported]) -> None:
        if self.down:
            msg = "Kafka does not confirm"
            raise Unavailable(msg)
        self.heard += events


SIGNER = Signer()


async def post(ears: Ears, body: bytes, headers: dict[str, str] | None = None) -> httpx.Response:
    app = FastAPI()
    app.include_router(events_route(PublicKey(SIGNER.public), ears.publish))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://desk") as client:
        sent = SIGNER.headers(body) if headers is None else headers
        return await client.post("/callbacks/sendgrid/events", content=body, headers=sent)


def event(what: str, **more: Any) -> dict[str, Any]:
    return {
        "event": what,
        "outbound_id": REPLY,
        "email": "ana@example.org",
        "timestamp": 1_772_000_000,
        "sg_event_id": what,
        "sg_message_id": "14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0",
    } | more


@pytest.mark.parametrize(
    ("given", "status", "code"),
    [
        (event("processed"), "sent", ""),
        (event("delivered"), "delivered", ""),
        (event("bounce", type="bounce", status="5.1.1"), "failed", "bounce"),
        (event("bounce", type="bounce"), "failed", "bounce"),
        (event("bounce"), "failed", "bounce"),
        (event("bounce", type="blocked"), "failed", "blocked"),
        (event("dropped", reason="Bounced Address"), "failed", "dropped"),
        (event("dropped", reason="Spam Content"), "failed", "dropped_by_us"),
        (event("spamreport"), "delivered", "spamreport"),
        (event("unsubscribe"), "delivered", "unsubscribe"),
        (event("group_unsubscribe"), "delivered", "unsubscribe"),
    ],
)
def test_an_event_means_something_of_the_reply(given: dict[str, Any], status: str, code: str):
    (report,) = reports_of([given], NOW)
    assert (str(report.reply_id), report.status, report.code) == (REPLY, status, code)
    assert (report.outbound, report.provider_id) == ("sendgrid", "14c5d75ce93")
    assert report.occurred_at == datetime.fromtimestamp(1_772_000_000, UTC)
    assert "ana" not in report.model_dump_json()


@pytest.mark.parametrize(
    "given",
    [
        event("deferred"),
        event("open"),
        event("click"),
        event("group_resubscribe"),
        event("delivered", outbound_id="not ours"),
        {"event": "delivered"},
        [],
        None,
        7,
    ],
)
def test_what_means_nothing_for_a_reply_reports_nothing(given: Any):
    assert reports_of([given], NOW) == []


@pytest.mark.parametrize("timestamp", [None, "soon", 1e99, -1e18, []])
def test_an_absurd_moment_is_now(timestamp: Any):
    (report,) = reports_of(event("delivered", timestamp=timestamp), NOW)
    assert report.occurred_at == NOW


def test_what_is_reported_twice_is_reported_once_and_as_the_same():
    (first,) = reports_of([event("delivered"), event("delivered", sg_event_id="other")], NOW)
    (again,) = reports_of([event("delivered")], NOW)
    assert first.event_id == again.event_id
    (spam,) = reports_of([event("spamreport")], NOW)
    assert spam.event_id != first.event_id


async def test_a_signed_batch_is_handed_on():
    ears = Ears()
    batch = [event("processed"), event("delivered"), event("open")]
    answer = await post(ears, json.dumps(batch).encode() + b"\r\n")
    assert (answer.status_code, answer.json()) == (200, {"reports": 2})
    assert [report.status for report in ears.heard] == ["sent", "delivered"]


BODY = json.dumps([event("delivered")]).encode()


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {SIGNATURE: "x", TIMESTAMP: "1"},
        {SIGNATURE: "MEUCIGH=", TIMESTAMP: "1"},
        Signer().headers(BODY),
        SIGNER.headers(BODY + b" "),
        SIGNER.headers(BODY, time.time() - 600),
        SIGNER.headers(BODY, time.time() + 600),
        SIGNER.headers(BODY) | {TIMESTAMP: "0"},
    ],
    ids=range(8),
)
async def test_a_forged_changed_or_old_batch_is_refused(headers: dict[str, str]):
    ears = Ears()
    assert (await post(ears, BODY, headers)).status_code == 401
    assert ears.heard == []


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000])
async def test_a_batch_that_cannot_be_read_does_not_come_for_ever(body: bytes):
    answer = await post(Ears(), body)
    assert (answer.status_code, answer.json()) == (200, {"reports": 0})


async def test_while_kafka_is_down_sendgrid_is_asked_to_report_again():
    ears = Ears()
    ears.down = True
    assert (await post(ears, BODY)).status_code == 503


async def test_a_batch_that_is_too_long_is_refused():
    assert (await post(Ears(), bytes(5_000_001), {})).status_code == 413


@pytest.mark.parametrize("text", ["", "x", "AAAA", "MFkwEwYH"])
def test_a_key_that_is_none_is_said(text: str):
    with pytest.raises(ValueError, match="is no public key"):
        PublicKey(text)


@pytest.mark.skipif(not SHARED.is_file(), reason="the collected samples are not here")
def test_sendgrids_own_signature_fits():
    sample = json.loads(SHARED.read_text())
    key = PublicKey(sample["public_key"])
    headers = {SIGNATURE: sample["signature"], TIMESTAMP: sample["timestamp"]}
    body = sample["payload"].encode()
    assert key.signed(headers, body)
    assert not key.signed(headers, body.rstrip())
    assert is_fresh(headers, 1_600_112_700) and not is_fresh(headers, 1_600_112_803)
