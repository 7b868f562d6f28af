"""SendGrid, played on loopback: `POST /v3/mail/send` as its documents say, and its webhooks.

`python -m tests.vendors.sendgrid --port 8091 [--events URL] [--events-key FILE]`

It checks key, size, recipients, subject, content, reserved headers and the size of `custom_args`,
answers 202 with `X-Message-Id`, then tells the Event Webhook `processed` and `delivered`, signed
with ECDSA. `SendGrid.moods` holds what the next requests meet: an HTTP status, `slow`, `drop` (the
mail is taken, the connection breaks), `refuse` (it breaks, nothing was taken). An address whose
local part is `bounce`, `block`, `drop`, `spam`, `leave` or `defer` has that event. `GET /ledger`
shows what was taken.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import aiohttp
from aiohttp import web
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

KEY = "SG.test"
SLOW_S = 3.0
MAX_BYTES = 30 * 2**20
RESERVED = {
    *("x-sg-id", "x-sg-eid", "received", "dkim-signature", "content-type", "to", "from"),
    *("content-transfer-encoding", "subject", "reply-to", "cc", "bcc"),
}
SIGNATURE = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP = "X-Twilio-Email-Event-Webhook-Timestamp"
FATES: dict[str, list[dict[str, Any]]] = {
    "bounce": [
        {"event": "bounce", "type": "bounce", "status": "5.1.1", "reason": "550 no such user"}
    ],
    "block": [{"event": "bounce", "type": "blocked", "reason": "421 try again"}],
    "drop": [{"event": "dropped", "reason": "Bounced Address"}],
    "defer": [{"event": "deferred", "attempt": "1", "response": "400 try later"}],
    "spam": [{"event": "delivered"}, {"event": "spamreport"}],
    "leave": [{"event": "delivered"}, {"event": "unsubscribe"}],
}


class Signer:
    """Signs as SendGrid does: ECDSA over the moment and the very bytes."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())

    @property
    def public(self) -> str:
        """The public key, as SendGrid's settings show it."""
        form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        return b64encode(self._key.public_key().public_bytes(*form)).decode()

    def headers(self, body: bytes, at: float | None = None) -> dict[str, str]:
        """Return the headers that go with a body."""
        moment = str(int(time.time() if at is None else at))
        signed = self._key.sign(moment.encode() + body, ec.ECDSA(hashes.SHA256()))
        return {TIMESTAMP: moment, SIGNATURE: b64encode(signed).decode()}


@dataclass
class SendGrid:
    """The server's state."""

    key: str = KEY
    events_url: str = ""
    signer: Signer = field(default_factory=Signer)
    moods: list[int | str] = field(default_factory=list)
    taken: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""
    posted: list[int] = field(default_factory=list)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def send(self, request: web.Request) -> web.StreamResponse:
        """Take a mail."""
        mood = self.moods.pop(0) if self.moods else 202
        if mood == "refuse":
            return self._hang_up(request)
        if mood == "slow":
            await asyncio.sleep(SLOW_S)
        if isinstance(mood, int) and mood != 202:
            return _refused(mood, "as told", reset=int(time.time()) + 7)
        if request.headers.get("Authorization") != f"Bearer {self.key}":
            return _refused(401, "The provided authorization grant is invalid")
        body = await request.json()
        if why := _wrong(body):
            return _refused(400, why)
        number = uuid4().hex[:22]
        self.taken.append(body | {"message_id": number})
        self._later(self._tell(body, number))
        if mood == "drop":
            return self._hang_up(request)
        return web.Response(status=202, headers={"X-Message-Id": number})

    async def scopes(self, request: web.Request) -> web.Response:
        """Say what the key may do."""
        if request.headers.get("Authorization") != f"Bearer {self.key}":
            return _refused(401, "The provided authorization grant is invalid")
        return web.json_response({"scopes": ["mail.send", "alerts.read"]})

    def _hang_up(self, request: web.Request) -> web.Response:
        assert request.transport
        request.transport.abort()
        return web.Response()

    def _later(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tell(self, body: dict[str, Any], number: str) -> None:
        person = body["personalizations"][0]
        to = person["to"][0]["email"]
        fate = FATES.get(to.partition("@")[0], [{"event": "delivered"}])
        batch = [
            {
                "email": to,
                "timestamp": int(time.time()),
                "smtp-id": f"<{number}@geopod-ismtpd-1>",
                "sg_event_id": uuid4().hex,
                "sg_message_id": f"{number}.recvd-1",
                **person.get("custom_args", {}),
                **each,
            }
            for each in ({"event": "processed"}, *fate)
        ]
        await self.post(batch)

    async def post(self, batch: Any, **headers: str) -> int:
        """Post a batch of events, signed; return the answer's status."""
        if not self.events_url:
            return 0
        body = json.dumps(batch).encode() + b"\r\n"
        sent = {"Content-Type": "application/json"} | self.signer.headers(body) | headers
        async with (
            aiohttp.ClientSession() as client,
            client.post(self.events_url, data=body, headers=sent) as answer,
        ):
            self.posted.append(answer.status)
            return answer.status


def _wrong(body: dict[str, Any]) -> str:
    people = body.get("personalizations") or []
    kinds = [part.get("type") for part in body.get("content") or []]
    headers = body.get("headers", {})
    said = {
        "The to array is required for all personalization objects": people
        and all(person.get("to") for person in people),
        "The from object must be provided": "@" in body.get("from", {}).get("email", ""),
        "The subject is required": body.get("subject"),
        "text/plain must come first, followed by text/html": kinds
        and kinds == sorted(kinds, reverse=True),
        "The headers property cannot contain reserved headers": not RESERVED
        & {name.lower() for name in headers},
        "The headers property must be ASCII": all(
            value.isascii() and "\n" not in value for value in headers.values()
        ),
        "The custom_args exceed 10,000 bytes": all(
            len(json.dumps(person.get("custom_args", {}))) <= 10_000 for person in people
        ),
    }
    return next((why for why, good in said.items() if not good), "")


def _refused(status: int, why: str, reset: int | None = None) -> web.Response:
    headers = {"X-RateLimit-Reset": str(reset)} if status == 429 and reset else {}
    errors = {"errors": [{"message": why, "field": None, "help": None}]}
    return web.json_response(errors, status=status, headers=headers)


@asynccontextmanager
async def sendgrid(port: int = 0, events_url: str = "") -> AsyncIterator[SendGrid]:
    """Have SendGrid on loopback."""
    state = SendGrid(events_url=events_url)

    async def ledger(_request: web.Request) -> web.Response:
        return web.json_response({"taken": state.taken, "posted": state.posted})

    app = web.Application(client_max_size=MAX_BYTES)
    app.router.add_post("/v3/mail/send", state.send)
    app.router.add_get("/v3/scopes", state.scopes)
    app.router.add_get("/ledger", ledger)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    state.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield state
    finally:
        await runner.cleanup()


async def _serve(port: int, events: str) -> None:
    async with sendgrid(port, events) as state:
        print(f"{state.url}  key {KEY}  events signed with {state.signer.public}", flush=True)  # noqa: T201
        await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8091)
    parser.add_argument("--events", default="", help="where events are posted")
    options = parser.parse_args()
    asyncio.run(_serve(options.port, options.events))
