"""A provider over HTTP: what its answers mean, and what it may report."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from gateways.outbound import Letter, OutcomeUnknown
from gateways.webhook import WebhookOutbound, reports, signature
from schemas.delivery import DeliveryReported
from schemas.errors import Rejected, Unavailable

SECRET = "between us"
REPLY = "5a0f3d0e-1c1b-4b7e-9a52-3f6f0c6f9d11"
LETTER = Letter(REPLY, "sms", "+33612345678", "", "Bonjour, l’encre est arrivée 🖨")

Answer = bytes | None


class Provider:
    """A server that answers what it is told to, byte by byte; nothing: it hangs up."""

    def __init__(self) -> None:
        self.answer: Callable[[str], Answer] = lambda _: _http(200, b'{"id": "p7"}')
        self.taken: list[tuple[str, dict[str, str], bytes]] = []
        self.wait = asyncio.Event()
        self.wait.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            line, *rest = head.strip().split("\r\n")
            headers = {name.lower(): value for name, value in (h.split(": ", 1) for h in rest)}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            self.taken.append((line, headers, body))
            await self.wait.wait()
            if (answer := self.answer(line)) is not None:
                writer.write(answer)
                await writer.drain()
        writer.close()


def _http(status: int, body: bytes = b"", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} x", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


@asynccontextmanager
async def meeting(timeout_s: float = 2.0) -> AsyncIterator[tuple[Provider, WebhookOutbound]]:
    provider = Provider()
    server = await asyncio.start_server(provider.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    door = WebhookOutbound(f"http://127.0.0.1:{port}/send/", SECRET, timeout_s)
    try:
        yield provider, door
    finally:
        provider.wait.set()
        await door.close()
        server.close()


async def test_a_letter_is_posted_signed_with_its_identity():
    async with meeting() as (provider, door):
        assert await door.send(LETTER) == "p7"
    ((line, headers, body),) = provider.taken
    assert line == "POST /send HTTP/1.1"
    assert headers["idempotency-key"] == REPLY
    assert headers["astreinte-signature"] == signature(SECRET, body)
    assert json.loads(body) == {
        "reply_id": REPLY,
        "channel": "sms",
        "to": "+33612345678",
        "subject": "",
        "text": LETTER.text,
    }


@pytest.mark.parametrize("body", [b"", b"not json", b"[]", b'{"other": 1}', b"x" * 100_000])
async def test_a_letter_that_was_taken_is_taken_whatever_the_provider_calls_it(body: bytes):
    async with meeting() as (provider, door):
        provider.answer = lambda _: _http(202, body)
        assert not await door.send(LETTER)


@pytest.mark.parametrize(
    ("status", "headers", "wait"),
    [
        (429, {"Retry_After": "7"}, 7.0),
        (503, {}, None),
        (429, {"Retry_After": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
        (429, {"Retry_After": "1e9"}, 3600.0),
        (503, {"Retry_After": "-5"}, 0.0),
    ],
)
async def test_not_now_is_unavailable_and_says_for_how_long(
    status: int, headers: dict[str, str], wait: float | None
):
    async with meeting() as (provider, door):
        provider.answer = lambda _: _http(status, **headers)
        with pytest.raises(Unavailable) as raised:
            await door.send(LETTER)
    assert raised.value.retry_after_s == wait


@pytest.mark.parametrize("status", [400, 401, 404, 422, 301])
async def test_what_the_provider_refuses_is_never_sent(status: int):
    async with meeting() as (provider, door):
        provider.answer = lambda _: _http(status)
        with pytest.raises(Rejected, match=str(status)):
            await door.send(LETTER)


@pytest.mark.parametrize(
    "answer", [_http(500), _http(502), None, b"HTTP/1.1 2", b"\x00\xff\x00 nonsense\r\n\r\n"]
)
async def test_a_lost_answer_leaves_the_outcome_unknown(answer: Answer):
    async with meeting() as (provider, door):
        provider.answer = lambda _: answer
        with pytest.raises(OutcomeUnknown):
            await door.send(LETTER)


async def test_an_answer_that_takes_too_long_leaves_the_outcome_unknown():
    async with meeting(timeout_s=0.1) as (provider, door):
        provider.wait.clear()
        with pytest.raises(OutcomeUnknown):
            await door.send(LETTER)


async def test_where_nobody_listens_nothing_left():
    async with meeting() as (_, door):
        pass
    door = WebhookOutbound(door._url, SECRET, 1)
    with pytest.raises(Unavailable, match="cannot be reached"):
        await door.send(LETTER)
    assert await door.was_sent(REPLY) is None
    await door.close()


@pytest.mark.parametrize(
    ("answer", "was_sent"),
    [(_http(200, b"{}"), True), (_http(404), False), (_http(500), None), (None, None)],
)
async def test_the_provider_is_asked_what_became_of_a_letter(answer: Answer, was_sent: bool | None):
    async with meeting() as (provider, door):
        provider.answer = lambda _: answer
        assert await door.was_sent(REPLY) is was_sent
    ((line, headers, _),) = provider.taken
    assert line == f"GET /send/{REPLY} HTTP/1.1"
    assert headers["astreinte-signature"] == signature(SECRET, REPLY.encode())


# --- reports -------------------------------------------------------------------------------------


class Ears:
    def __init__(self) -> None:
        self.heard: list[DeliveryReported] = []
        self.down = False

    async def publish(self, report: DeliveryReported) -> None:
        if self.down:
            msg = "Kafka does not confirm"
            raise Unavailable(msg)
        self.heard.append(report)


async def told(ears: Ears, body: bytes, signed: bytes | None = None) -> httpx.Response:
    app = FastAPI()
    app.include_router(reports(SECRET, ears.publish))
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://desk")
    async with client:
        given = signature(SECRET, body).encode() if signed is None else signed
        headers = {b"Astreinte-Signature": given}
        return await client.post("/callbacks/webhook", content=body, headers=headers)


def report(**changes: Any) -> bytes:
    return json.dumps({"reply_id": REPLY, "status": "delivered", "id": "p7"} | changes).encode()


async def test_a_report_is_told_with_an_identity_of_its_own():
    ears = Ears()
    first, again = await told(ears, report()), await told(ears, report())
    assert (first.status_code, again.status_code) == (202, 202)
    one, other = ears.heard
    assert one.event_id == other.event_id
    assert (one.reply_id, one.status, one.provider_id) == (UUID(REPLY), "delivered", "p7")
    await told(ears, report(status="sent"))
    assert ears.heard[-1].event_id != one.event_id


@pytest.mark.parametrize("signed", ["", "sha256=0", "é", signature("another secret", report())])
async def test_a_report_that_is_not_signed_by_us_is_refused(signed: str):
    ears = Ears()
    answer = await told(ears, report(), signed.encode())
    assert (answer.status_code, ears.heard) == (401, [])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"\xff",
        b"{" * 5_000,
        report(status="lost"),
        report(reply_id="x"),
        report(reply_id=None),
        report(detail="x" * 1_000),
        report(id="x" * 300),
    ],
)
async def test_a_report_that_is_none_is_refused_with_a_reason(body: bytes):
    ears = Ears()
    answer = await told(ears, body)
    assert (answer.status_code, ears.heard) == (422, [])
    assert answer.json()["detail"]


async def test_a_report_that_is_too_long_is_refused():
    assert (await told(Ears(), report(detail="x" * 70_000))).status_code == 413


async def test_while_kafka_is_down_the_provider_is_asked_to_report_again():
    ears = Ears()
    ears.down = True
    answer = await told(ears, report())
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
