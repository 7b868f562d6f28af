"""A provider of messages, played: a ledger of all that it took, and every way to fail.

`python -m tests.chaos.provider FOLDER --port PORT --edge URL --secret SECRET --seed SEED`

It does not look at `Idempotency-Key`: what arrives twice is in its ledger twice. It is never
killed. In FOLDER it writes `ledger.jsonl`, a line for each message it took, and `calls.jsonl`, a
line for each call, look-up and status callback, with what was answered. `PUT /mood` changes how
it behaves.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import hmac
import json
import random
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO, TypeVar
from uuid import uuid4

import h11
import httpx

from tests.chaos.moods import SILENT, TOOK, Mood

T = TypeVar("T")

SLOW_S = (0.3, 2.0)
LATE_S = (0.5, 3.5)
RETRY_AFTER_S = (1, 4)
CALLBACK_S = (0.0, 3.0)
CALLBACK_TRIES = 200
CALLBACK_WAIT_S = (0.5, 3.0)
STATUS_OF = {
    "ok": 200,
    "slow": 200,
    "late": 200,
    "later_429": 429,
    "later_503": 503,
    "refused": 400,
    "error_before": 500,
    "error_after": 500,
}
"""What is answered, whether or not it was taken; the other faults leave no answer."""
OUR_FAULT = ("bad_signature", "bad_key", "bad_body")
"""Calls that no provider would take: each is a bug of the caller."""


@dataclass(frozen=True)
class Answer:
    """What goes back over the wire."""

    status: int
    body: dict[str, Any]
    headers: tuple[tuple[str, str], ...] = ()


Handle = Callable[[str, str, dict[str, str], bytes], Awaitable[Answer | None]]
"""Method, path, headers and body to an answer, or nothing: the connection is dropped."""


class Provider:
    """Takes messages, and remembers every one of them."""

    def __init__(self, folder: Path, edge: str, secret: str, seed: int) -> None:
        self._dice = random.Random(seed)
        self._edge = edge
        self._secret = secret.encode()
        self._mood = Mood()
        self._ledger = (folder / "ledger.jsonl").open("a", buffering=1)
        self._calls = (folder / "calls.jsonl").open("a", buffering=1)
        self._taken: dict[str, str] = {}
        self._http = httpx.AsyncClient(trust_env=False, timeout=10)
        self._open: set[asyncio.Task[Any]] = set()

    async def handle(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> Answer | None:
        if method == "PUT" and path == "/mood":
            self._mood = Mood(**json.loads(body))
            return Answer(200, {})
        if method == "GET" and path in {"/open", "/health/ready"}:
            return Answer(200, {"open": len(self._open)})
        if method == "GET" and path.startswith("/send/"):
            return self._look_up(path.removeprefix("/send/"))
        if method == "POST" and path == "/send":
            return await self._take(headers, body)
        return Answer(405, {})

    def _look_up(self, reply_id: str) -> Answer:
        if self._dice.random() < self._mood.look_up_fails:
            answer = Answer(500, {})
        elif reply_id in self._taken:
            answer = Answer(200, {"status": "sent", "id": self._taken[reply_id]})
        else:
            answer = Answer(404, {})
        self._note("look-up", reply_id, answer.status)
        return answer

    async def _take(self, headers: dict[str, str], body: bytes) -> Answer | None:
        asked, complaint = self._read(headers, body)
        reply_id = str(asked.get("reply_id", ""))
        if complaint:
            self._note(complaint, reply_id, 401)
            return Answer(401, {"detail": complaint})
        fault = self._fault()
        self._note("call", reply_id, STATUS_OF.get(fault, 0), fault=fault)
        name = ""
        if fault == "late":
            name = await asyncio.shield(self._beside(self._accept_later(reply_id, asked)))
        elif fault in TOOK:
            name = self._accept(reply_id, asked, fault)
        return await self._answer(fault, name)

    async def _accept_later(self, reply_id: str, asked: dict[str, Any]) -> str:
        await asyncio.sleep(self._dice.uniform(*LATE_S))
        return self._accept(reply_id, asked, "late")

    def _beside(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Do it whatever becomes of the caller."""
        task = asyncio.create_task(work)
        self._open.add(task)
        task.add_done_callback(self._open.discard)
        return task

    def _read(self, headers: dict[str, str], body: bytes) -> tuple[dict[str, Any], str]:
        signature = "sha256=" + hmac.new(self._secret, body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(headers.get("astreinte-signature", ""), signature):
            return {}, "bad_signature"
        try:
            asked = json.loads(body)
        except ValueError:
            return {}, "bad_body"
        if set(asked) != {"reply_id", "channel", "to", "subject", "text"} or not asked["text"]:
            return asked, "bad_body"
        if headers.get("idempotency-key") != asked["reply_id"]:
            return asked, "bad_key"
        return asked, ""

    def _fault(self) -> str:
        mark = self._dice.random()
        for fault, share in self._mood.faults.items():
            if mark < share:
                return fault
            mark -= share
        return "ok"

    def _accept(self, reply_id: str, asked: dict[str, Any], fault: str) -> str:
        name = uuid4().hex
        line = {"at": time.time(), "reply_id": reply_id, "to": asked["to"], "id": name}
        _write(self._ledger, line | {"channel": asked["channel"], "how": fault})
        self._taken.setdefault(reply_id, name)
        silent = fault in SILENT
        if self._dice.random() < (self._mood.settled if silent else self._mood.told):
            self._beside(self._report(reply_id, name))
        return name

    async def _answer(self, fault: str, name: str) -> Answer | None:
        if fault in {"hung_before", "hung_after"}:
            await asyncio.sleep(3600)
        if fault == "slow":
            await asyncio.sleep(self._dice.uniform(*SLOW_S))
        if fault not in STATUS_OF:
            return None
        if fault in {"ok", "slow", "late"}:
            return Answer(200, {"id": name})
        seconds = str(self._dice.randint(*RETRY_AFTER_S))
        later = (("retry-after", seconds),) if fault == "later_429" else ()
        return Answer(STATUS_OF[fault], {"detail": fault}, later)

    async def _report(self, reply_id: str, name: str) -> None:
        statuses = ["sent", "delivered"]
        if self._dice.random() < self._mood.disordered:
            statuses.reverse()
        for status in statuses:
            await asyncio.sleep(self._dice.uniform(*CALLBACK_S))
            for _ in range(1 + (self._dice.random() < self._mood.twice)):
                await self._call_back({"reply_id": reply_id, "status": status, "id": name})

    async def _call_back(self, said: dict[str, str]) -> None:
        body = json.dumps(said).encode()
        signature = hmac.new(self._secret, body, hashlib.sha256).hexdigest()
        headers = {
            "Astreinte-Signature": f"sha256={signature}",
            "Content-Type": "application/json",
        }
        for _ in range(CALLBACK_TRIES):
            status = 0
            with suppress(httpx.HTTPError):
                address = f"{self._edge}/callbacks/webhook"
                status = (await self._http.post(address, content=body, headers=headers)).status_code
            self._note("callback", said["reply_id"], status, status=said["status"])
            if 200 <= status < 300:
                return
            await asyncio.sleep(self._dice.uniform(*CALLBACK_WAIT_S))

    def _note(self, what: str, reply_id: str, answer: int, **more: str) -> None:
        line = {"at": time.time(), "what": what, "reply_id": reply_id, "answer": answer}
        _write(self._calls, line | more)


def _write(file: TextIO, line: dict[str, Any]) -> None:
    file.write(json.dumps(line) + "\n")


async def converse(
    handle: Handle, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Speak HTTP/1.1 over one connection, until either side ends it."""
    connection = h11.Connection(h11.SERVER)
    try:
        while (asked := await _next_request(connection, reader)) is not None:
            working = asyncio.ensure_future(handle(*asked))
            gone = asyncio.ensure_future(reader.read(1))  # no pipelining: only an end comes here
            await asyncio.wait({working, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                working.cancel()
                return
            gone.cancel()
            with suppress(asyncio.CancelledError):
                await gone
            answer = working.result()
            if answer is None:
                return
            body = json.dumps(answer.body).encode()
            headers = [("content-type", "application/json"), ("content-length", str(len(body)))]
            writer.write(
                connection.send(
                    h11.Response(status_code=answer.status, headers=[*headers, *answer.headers])
                )
                + connection.send(h11.Data(data=body))
                + connection.send(h11.EndOfMessage())
            )
            await writer.drain()
            if connection.our_state is not h11.DONE:
                return
            connection.start_next_cycle()
    except (OSError, h11.RemoteProtocolError):
        return
    finally:
        writer.transport.abort()  # a reset, as of a process that fell over


async def _next_request(
    connection: h11.Connection, reader: asyncio.StreamReader
) -> tuple[str, str, dict[str, str], bytes] | None:
    request: h11.Request | None = None
    body = bytearray()
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(65_536))
        elif isinstance(event, h11.Request):
            request = event
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage) and request:
            headers = {name.decode(): value.decode("latin-1") for name, value in request.headers}
            return request.method.decode(), request.target.decode(), headers, bytes(body)
        else:
            return None


async def serve(provider: Provider, port: int) -> None:
    server = await asyncio.start_server(
        lambda reader, writer: converse(provider.handle, reader, writer), "127.0.0.1", port
    )
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.provider", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--edge", required=True)
    parser.add_argument("--secret", required=True)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    asyncio.run(serve(Provider(given.folder, given.edge, given.secret, given.seed), given.port))
