"""Bad input, at the HTTP edge and straight in the topic: a clear refusal, and the next is answered.

One desk serves all tests of this file.
"""

from __future__ import annotations

import io
import json
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer

from astreinte.desk import Desk, desk
from schemas.printer import MAX_TEXT_CHARACTERS
from services import logs
from storage import roads
from tests.conftest import settings_in, until
from tests.flows.conftest import settle_in

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECRET = "Rosalie Kerguelen"
GOOD = "Mon imprimante HP LaserJet affiche 49.4C02 et ne démarre plus"


@pytest.fixture(scope="module")
def log() -> Iterator[io.StringIO]:
    """What the desk logs from its start."""
    handler = logs.handler_of("json", ["up"])
    assert isinstance(handler, logging.StreamHandler)
    stream = io.StringIO()
    handler.setStream(stream)
    logging.getLogger().addHandler(handler)
    yield stream
    logging.getLogger().removeHandler(handler)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(
    quick: None, log: io.StringIO, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Desk]:
    folder = tmp_path_factory.mktemp("desk")
    settle_in(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)  # where the desk says that it runs
        async with desk(settings_in(folder)) as found:
            yield found


@asynccontextmanager
async def client(running: Desk) -> AsyncIterator[httpx.AsyncClient]:
    # Certificates of authorities are read for each client, and nothing here is encrypted.
    async with httpx.AsyncClient(
        base_url=running.url, trust_env=False, timeout=30, verify=False
    ) as made:
        yield made


def body(**changes: Any) -> dict[str, Any]:
    fields = {
        "channel": "chat",
        "external_id": uuid4().hex,
        "from": f"visiteur-{uuid4().hex[:8]}",
        "text": GOOD,
        "received_at": "2025-02-01T08:30:00Z",
    }
    return fields | changes


def as_json(**changes: Any) -> bytes:
    return json.dumps(body(**changes), ensure_ascii=False).encode()


MEGABYTE = as_json(text="é" * 500_000)

REFUSED: dict[str, tuple[bytes, int, str]] = {
    "no text": (as_json(text=""), 422, "a message without text"),
    "blank text": (as_json(text=" \n\t "), 422, "a message without text"),
    "no text at all": (as_json(text=None), 422, "a message without text"),
    "1 MB of text": (MEGABYTE, 413, "more than 800000 bytes"),
    "too much text in few bytes": (
        as_json(text="x" * (MAX_TEXT_CHARACTERS + 1)),
        422,
        "text: String should have at most 131072 characters",
    ),
    "invalid UTF-8": (
        as_json(text=SECRET).replace(b"Rosalie", b"Ros\xe9"),
        422,
        "the body is not UTF-8 (byte",
    ),
    "NUL in the text": (as_json(text=f"{SECRET}\x00"), 422, "text: String should match"),
    "a lone surrogate": (
        as_json(text="?").replace(b"?", b"\\ud800"),
        422,
        "the body is not JSON: ",
    ),
    "an unknown channel": (
        as_json(channel=f"pigeon of {SECRET}"),
        422,
        "channel: Input should be 'email', ",
    ),
    "no channel": (as_json(channel=None), 422, "channel: Field required"),
    "a telephone number as e-mail": (
        as_json(channel="email", **{"from": "06 12 34 56 78"}),
        422,
        "99 99 99 99 99 is not an e-mail address",
    ),
    "an e-mail address as telephone number": (
        as_json(channel="sms", **{"from": "rosalie@kerguelen.fr"}),
        422,
        "xxxxxxx@xxxxxxxxx.xx is not a telephone number",
    ),
    "nobody": (as_json(**{"from": None}), 422, "a message from nobody"),
    "a date in 1970": (
        as_json(received_at="1970-01-01T00:00:00Z"),
        422,
        "received_at: Value error, a date of the year 1970 cannot be right (2000 to 2099",
    ),
    "a date in 2100": (
        as_json(received_at="2100-01-01T00:00:00Z"),
        422,
        "received_at: Value error, a date of the year 2100 cannot be right (2000 to 2099",
    ),
    "a date without zone": (as_json(received_at="2025-02-01T08:30:00"), 422, "received_at: "),
    "truncated JSON": (as_json(text=SECRET)[:-30], 422, "the body is not JSON: EOF"),
    "an empty body": (b"", 422, "the body is not JSON: EOF"),
    "a JSON list": (b"[" + as_json() + b"]", 422, "the body is not a JSON object"),
    "a JSON string": (b'"Rosalie"', 422, "the body is not a JSON object"),
    "deeply nested JSON": (b"[" * 100_000, 422, "the body is not JSON: "),
    "not a number": (b'{"channel": NaN}', 422, "the body is not JSON: "),
    "a mail header that is too long": (
        as_json(headers={"X-Note": SECRET * 100}),
        422,
        "headers: String should have at most 998 characters",
    ),
    "a subject of two lines": (
        as_json(subject=f"{SECRET}\r\nBcc: all@example.org"),
        422,
        "subject: String should match",
    ),
    "a number too long to read": (
        b'{"text": 1' + b"0" * 10_000 + b"}",
        422,
        "the body is not JSON: number out of range",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_the_edge_says_what_is_wrong_and_repeats_none_of_it(running: Desk, name: str):
    content, status, detail = REFUSED[name]
    async with client(running) as http:
        answer = await http.post("/messages", content=content)
    assert answer.status_code == status, answer.text
    assert detail in answer.json()["detail"]
    assert len(answer.json()["detail"]) <= 1_000
    assert "Rosalie" not in answer.text
    assert "Kerguelen" not in answer.text


@pytest.mark.parametrize("length", [8_193, 100_000])
async def test_a_request_header_that_is_too_long_is_refused(running: Desk, length: int):
    async with client(running) as http:
        answer = await http.post("/messages", content=as_json(), headers={"X-Note": "n" * length})
    assert answer.status_code == 431
    assert answer.json() == {"detail": f"header 'x-note' has {length} bytes, 8192 are accepted"}


async def test_a_request_header_of_8_kib_is_read(running: Desk):
    async with client(running) as http:
        answer = await http.post("/messages", json=body(), headers={"X-Note": "n" * 8_192})
    assert answer.status_code == 202


async def test_nobody_simulates_rooms_in_a_desk_that_was_not_told_to_let_them(running: Desk):
    async with client(running) as http:
        asked = await http.get("/api/simulator/info"), await http.post("/api/simulator/start")
    assert [answer.status_code for answer in asked] == [404, 404]


async def test_what_was_refused_is_not_kept(running: Desk):
    known = {"channel": "sms", "external_id": "refused-once", "from": "not a number"}
    async with client(running) as http:
        refused = await http.post("/messages", json=body(**known))
        taken = await http.post("/messages", json=body(**known | {"from": "+33 6 12 34 56 78"}))
    assert (refused.status_code, taken.status_code) == (422, 202)


async def test_what_lies_ahead_of_our_clock_is_accepted_and_dies_with_its_reason(running: Desk):
    async with client(running) as http:
        answer = await http.post("/messages", json=body(received_at="2098-01-01T00:00:00Z"))
        assert answer.status_code == 202
        page = (
            await http.get(f"/api/messages/{answer.json()['trace_id']}", params={"wait": 10})
        ).json()
    assert [step["topic"] for step in page["steps"]] == ["printer.inbound", "dead.ingest"]
    assert page["steps"][-1]["why"] == "received_at is more than 1 day ahead of our clock"


# --- the same, past the edge ---------------------------------------------------------------------

DEAD: dict[str, tuple[bytes | None, list[tuple[str, bytes | None]], str]] = {
    "no text": (as_json(text=""), [], "a message without text"),
    "1 MB of text": (MEGABYTE, [], "text: String should have at most 131072 characters"),
    "invalid UTF-8": (as_json(text=SECRET).replace(b"Rosalie", b"Ros\xe9"), [], "Invalid JSON"),
    "NUL": (as_json(text=f"{SECRET}\x00"), [], "text: String should match"),
    "an unknown channel": (as_json(channel=SECRET), [], "channel: Input should be 'email', "),
    "a telephone number as e-mail": (
        as_json(channel="email", **{"from": "06 12 34 56 78"}),
        [],
        "99 99 99 99 99 is not an e-mail address",
    ),
    "a date in 1970": (as_json(received_at="1970-01-01T00:00:00Z"), [], "the year 1970"),
    "a date in 2100": (as_json(received_at="2100-01-01T00:00:00Z"), [], "the year 2100"),
    "truncated JSON": (as_json(text=SECRET)[:-30], [], "Invalid JSON"),
    "an empty value": (b"", [], "an empty value"),
    "a tombstone": (None, [], "an empty value"),
    "a JSON list": (b"[" + as_json() + b"]", [], "body: Input should be an object"),
    "a header that is too long": (
        as_json(),
        [("x-note", b"n" * 9_000)],
        "header 'x-note' has 9000 bytes, 8192 are accepted",
    ),
    "a newer version": (
        as_json(),
        [("ce_type", b"astreinte.printer.inbound.v2")],
        "a 'astreinte.printer.inbound.v2', not a astreinte.printer.inbound.v1",
    ),
}


async def answered(running: Desk) -> None:
    async with client(running) as http:
        answer = await http.post("/messages", json=body())
        page = (
            await http.get(f"/api/messages/{answer.json()['trace_id']}", params={"wait": 20})
        ).json()
    assert [step["topic"] for step in page["steps"]][-1] == "printer.sent"
    assert page["steps"][-1]["event"]["action"] == "reply"


async def test_bad_records_in_the_topic_die_with_their_reasons_and_the_next_is_answered(
    running: Desk,
):
    before = await running.near.database.read(roads.last_seq)
    producer = AIOKafkaProducer(bootstrap_servers=running.near.kafka, max_request_size=1 << 21)
    await producer.start()
    for value, headers, _ in DEAD.values():
        await producer.send_and_wait(
            "printer.inbound", value, key=b"k", headers=headers, partition=0
        )
    await producer.stop()

    async def reasons() -> list[str]:
        found = await running.near.database.read(_whys, before)
        return found if len(found) >= len(DEAD) else []

    whys = await until(reasons)
    assert len(whys) == len(DEAD)
    for why, (name, (_, _, wanted)) in zip(whys, DEAD.items(), strict=True):
        assert wanted in why, name
        assert "Rosalie" not in why
    await answered(running)
    assert all(health.ready for health in running.health())


async def test_the_log_says_what_was_wrong_and_repeats_none_of_it(log: io.StringIO):
    told = log.getvalue()
    assert told.count("ingest rejects printer.inbound/") > len(DEAD)
    for words in ("Rosalie", "Kerguelen", "49.4C02", "06 12 34 56 78"):
        assert words not in told


def _whys(session: Any, seq: int) -> list[str]:
    from sqlmodel import col, select

    from storage.tables import Recorded

    return list(
        session.exec(
            select(Recorded.why)
            .where(col(Recorded.seq) > seq, Recorded.topic == "dead.ingest")
            .order_by(col(Recorded.seq))
        )
    )
