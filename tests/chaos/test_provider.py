"""The played provider behaves as it is told to, and its ledger knows what it took."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.chaos.evidence import Ledger, read_ledger
from tests.chaos.moods import LEFT, TOOK, Mood
from tests.chaos.provider import Provider, converse
from tests.conftest import until

SECRET = "a secret of the test"


class Asking:
    """A caller of a provider that runs in this process; it plays the edge too."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.reported: list[dict[str, str]] = []
        self.answers = [503]

    async def start(self) -> None:
        self._edge = await asyncio.start_server(
            lambda reader, writer: converse(self._take, reader, writer), "127.0.0.1", 0
        )
        edge = f"http://127.0.0.1:{self._edge.sockets[0].getsockname()[1]}"
        provider = Provider(self.folder, edge, SECRET, seed=1)
        self._server = await asyncio.start_server(
            lambda reader, writer: converse(provider.handle, reader, writer), "127.0.0.1", 0
        )
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        self.http = httpx.AsyncClient(trust_env=False, timeout=0.5)

    async def close(self) -> None:
        await self.http.aclose()
        self._server.close()
        self._edge.close()

    async def _take(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Any:
        from tests.chaos.provider import Answer

        assert (method, path) == ("POST", "/callbacks/webhook")
        assert headers["astreinte-signature"] == signed(body)
        status = self.answers.pop() if self.answers else 202
        if status == 202:
            self.reported.append(json.loads(body))
        return Answer(status, {})

    async def mood(self, **changes: Any) -> None:
        body = asdict(Mood(**({"told": 0.0, "settled": 0.0} | changes)))
        (await self.http.put(f"{self.url}/mood", json=body)).raise_for_status()

    async def send(self, reply_id: str, **changes: str) -> int:
        """Send a letter, and return the status that came, 0 when none did."""
        asked = {"reply_id": reply_id, "channel": "sms", "to": "+33639980001"}
        body = json.dumps(asked | {"subject": "", "text": "bonjour"}).encode()
        headers = {"Idempotency-Key": reply_id, "Astreinte-Signature": signed(body)} | changes
        try:
            answer = await self.http.post(f"{self.url}/send", content=body, headers=headers)
        except httpx.HTTPError:
            return 0
        return answer.status_code

    def ledger(self) -> Ledger:
        return read_ledger(self.folder)


def signed(body: bytes) -> str:
    return "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()


@pytest.fixture
async def provider(tmp_path: Path) -> AsyncIterator[Asking]:
    made = Asking(tmp_path)
    await made.start()
    yield made
    await made.close()


@pytest.mark.parametrize("fault", [*TOOK, *LEFT])
async def test_whatever_it_answers_its_ledger_says_whether_it_took_the_letter(
    provider: Asking, fault: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("tests.chaos.provider.SLOW_S", (0.0, 0.1))
    monkeypatch.setattr("tests.chaos.provider.LATE_S", (0.0, 0.1))
    await provider.mood(faults={fault: 1.0} if fault != "ok" else {})
    answers = {
        "ok": 200,
        "slow": 200,
        "late": 200,
        "later_429": 429,
        "later_503": 503,
        "refused": 400,
    }
    answers |= {"error_after": 500, "error_before": 500}
    assert await provider.send("r1") == answers.get(fault, 0)
    took = fault in TOOK
    assert [line["reply_id"] for line in provider.ledger().taken] == ["r1"] * took
    assert (await provider.http.get(f"{provider.url}/send/r1")).status_code == (
        200 if took else 404
    )


async def test_what_it_takes_late_it_takes_though_the_caller_is_gone(
    provider: Asking, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("tests.chaos.provider.LATE_S", (0.2, 0.2))
    await provider.mood(faults={"late": 1.0})
    provider.http.timeout = httpx.Timeout(0.1)
    assert await provider.send("r1") == 0
    assert provider.ledger().taken == []
    await until(lambda: provider.ledger().taken)


async def test_what_arrives_twice_is_in_its_ledger_twice(provider: Asking):
    await provider.mood()
    assert [await provider.send("r1"), await provider.send("r1")] == [200, 200]
    assert len(provider.ledger().taken) == 2


async def test_a_call_without_the_right_signature_or_key_is_noted(provider: Asking):
    await provider.mood()
    assert await provider.send("r1", **{"Astreinte-Signature": "sha256=0"}) == 401
    assert await provider.send("r1", **{"Idempotency-Key": "r2"}) == 401
    assert [line["what"] for line in provider.ledger().calls] == ["bad_signature", "bad_key"]
    assert provider.ledger().taken == []


async def test_it_reports_until_the_edge_has_taken_the_report(
    provider: Asking, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("tests.chaos.provider.CALLBACK_S", (0.0, 0.0))
    monkeypatch.setattr("tests.chaos.provider.CALLBACK_WAIT_S", (0.01, 0.01))
    await provider.mood(faults={"dropped_after": 1.0}, settled=1.0, twice=1.0, disordered=1.0)
    assert await provider.send("r1") == 0

    async def all_reported() -> bool:
        return not (await provider.http.get(f"{provider.url}/open")).json()["open"]

    await until(all_reported)
    assert [said["status"] for said in provider.reported] == [
        "delivered",
        "delivered",
        "sent",
        "sent",
    ]
    calls = [line["answer"] for line in provider.ledger().calls if line["what"] == "callback"]
    assert calls == [503, 202, 202, 202, 202]
