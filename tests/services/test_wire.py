"""What a record may hold: read, or refused with a reason that repeats none of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from aiokafka import ConsumerRecord

from schemas.errors import Rejected
from schemas.printer import MAX_TEXT_CHARACTERS, InboundMessage, MessageReceived
from services import wire
from services.lanes import Record
from tests.conftest import inbound

SECRET = "Rosalie Kerguelen, 06 12 34 56 78, imprimante en panne"
Headers = Sequence[tuple[str, bytes | None]]


def record(value: bytes | None, headers: Headers = (), topic: str = "printer.inbound") -> Record:
    return ConsumerRecord(
        topic=topic,
        partition=2,
        offset=17,
        timestamp=1_763_000_000_000,
        timestamp_type=0,
        key=b"chat:visiteur",
        value=value,
        checksum=None,
        serialized_key_size=0,
        serialized_value_size=0,
        headers=tuple(headers),
    )


def body(**changes: Any) -> bytes:
    fields = {
        "channel": "chat",
        "external_id": "e-1",
        "from": "visiteur",
        "text": SECRET,
        "received_at": "2025-02-01T08:30:00Z",
    }
    return json.dumps(fields | changes, ensure_ascii=False).encode()


def reason(value: bytes | None, headers: Headers = ()) -> str:
    with pytest.raises(Rejected) as refused:
        wire.parse(record(value, headers), InboundMessage)
    return str(refused.value)


def test_what_is_written_is_read_again():
    message = inbound("bonjour", html="<p>bonjour</p>", headers={"List-Id": "<a.b>"})
    headers = [(k, v.encode()) for k, v in wire.headers_of(message, "gateway", 1.5).items()]
    assert wire.parse(record(wire.body_of(message), headers), InboundMessage) == message


def test_the_headers_are_cloudevents_and_trace_context():
    message = inbound()
    headers = wire.headers_of(message, "gateway", 12.345)
    assert headers == {
        "ce_specversion": "1.0",
        "ce_id": str(message.event_id),
        "ce_type": "astreinte.printer.inbound.v1",
        "ce_source": "/astreinte/gateway",
        "ce_time": message.received_at.isoformat(),
        "ce_tookms": "12.35",
        "content-type": "application/json",
        "traceparent": f"00-{message.trace_id}-{message.event_id.hex[:16]}-01",
    }


def test_a_record_without_headers_is_read():
    assert wire.parse(record(body()), InboundMessage).text == SECRET


BROKEN = {
    "an empty value": (b"", "an empty value"),
    "a tombstone": (None, "an empty value"),
    "truncated JSON": (body()[:-20], "Invalid JSON"),
    "bytes that are not UTF-8": (body().replace(b"panne", b"pann\xe9"), "Invalid JSON"),
    "UTF-16": (body().decode().encode("utf-16"), "Invalid JSON"),
    "not JSON": (SECRET.encode(), "Invalid JSON"),
    "a JSON list": (b"[" + body() + b"]", "body: Input should be an object"),
    "a JSON string": (json.dumps(SECRET).encode(), "body: Input should be an object"),
    "deeply nested JSON": (b"[" * 100_000, "Invalid JSON"),
    "a lone surrogate": (body().replace(b"panne", rb"\ud800"), "Invalid JSON"),
    "NUL in the text": (body(text=SECRET + "\x00"), "text: String should match"),
    "NUL in the subject": (body(subject=SECRET + "\x00"), "subject: String should match"),
    "two lines in the subject": (body(subject=SECRET + "\r\nBcc: x@y.fr"), "subject:"),
    "an unknown channel": (body(channel=SECRET), "channel: Input should be 'email'"),
    "no channel": (body(channel=None), "channel: Input should be"),
    "no text": (body(text="  \n"), "a message without text"),
    "a number as text": (body(text=5), "text: Input should be a valid string"),
    "nobody": (body(**{"from": None}), "a message from nobody"),
    "a telephone number as e-mail": (
        body(channel="email", **{"from": "06 12 34 56 78"}),
        "99 99 99 99 99 is not an e-mail address",
    ),
    "a name as telephone number": (
        body(channel="sms", **{"from": "Rosalie Kerguelen"}),
        "xxxxxxx xxxxxxxxx is not a telephone number",
    ),
    "the year 1970": (
        body(received_at="1970-01-01T00:00:00Z"),
        "received_at: Value error, a date of the year 1970",
    ),
    "the year 2100": (
        body(received_at="2100-01-01T00:00:00Z"),
        "received_at: Value error, a date of the year 2100",
    ),
    "a date without zone": (body(received_at="2025-02-01T08:30:00"), "timezone"),
    "no date at all": (body(received_at=SECRET), "received_at: Input should be a valid datetime"),
    "a megabyte of text": (body(text="é" * 500_000), f"at most {MAX_TEXT_CHARACTERS} characters"),
    "an id of 300 characters": (body(external_id=SECRET * 10), "at most 255 characters"),
    "a mail header of a megabyte": (body(headers={"X-A": SECRET * 20_000}), "at most 998"),
    "a mail header with an odd name": (body(headers={SECRET: 5}), "headers"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_it_is_refused_with_a_reason_that_repeats_none_of_it(name: str):
    value, wanted = BROKEN[name]
    why = reason(value)
    assert wanted in why
    assert len(why) <= 1_000
    for word in ("Rosalie", "Kerguelen", "06 12", "panne", "é" * 3):
        assert word not in why


@pytest.mark.parametrize("text", ["x" * MAX_TEXT_CHARACTERS, "\U0001f5a8" * MAX_TEXT_CHARACTERS])
def test_the_longest_text_is_read(text: str):
    assert wire.parse(record(body(text=text)), InboundMessage).text == text


@pytest.mark.parametrize("year", [2000, 2099])
def test_the_first_and_the_last_year_are_read(year: int):
    message = wire.parse(record(body(received_at=f"{year}-06-01T00:00:00Z")), InboundMessage)
    assert message.received_at == datetime(year, 6, 1, tzinfo=UTC)


@pytest.mark.parametrize("version", ["v0", "v2", "v10", "v1.1"])
def test_another_major_version_is_refused_and_named(version: str):
    kind = f"astreinte.printer.inbound.{version}"
    why = reason(body(), [("ce_type", kind.encode())])
    assert why == f"a '{kind}', not a astreinte.printer.inbound.v1"


def test_another_event_is_refused_although_its_body_would_do():
    why = reason(body(), [("ce_type", b"astreinte.printer.received.v1")])
    assert "astreinte.printer.received.v1" in why


def test_a_field_of_a_newer_minor_version_is_passed_over():
    value = body(
        mood={"guessed": "angry"},
        attachments=[{"name": "a", "size_bytes": 1, "reference": "r", "sha256": "00"}],
    )
    message = wire.parse(
        record(value, [("ce_type", b"astreinte.printer.inbound.v1")]), InboundMessage
    )
    assert message.text == SECRET
    assert not hasattr(message, "mood")


def test_a_field_that_later_versions_make_optional_must_be_there_today():
    with pytest.raises(Rejected, match="message: Field required"):
        wire.parse(record(body()), MessageReceived)


def test_a_header_of_8_kib_is_read_and_a_longer_one_is_refused():
    wire.parse(record(body(), [("x-note", b"n" * 8_192)]), InboundMessage)
    why = reason(body(), [("x-note", SECRET.encode() * 300)])
    assert why == f"header 'x-note' has {len(SECRET.encode()) * 300} bytes, 8192 are accepted"


def test_null_and_non_utf8_headers_do_no_harm():
    headers: Headers = [("x-null", None), ("x-raw", b"\xff\x00\xfe"), ("ce_type", None)]
    assert wire.parse(record(body(), headers), InboundMessage).text == SECRET
    assert wire.read_headers(record(b"", headers)) == {
        "x-null": "",
        "x-raw": "\\xff\x00\\xfe",
        "ce_type": "",
    }


def test_a_type_that_is_not_utf8_is_refused_readably():
    assert reason(body(), [("ce_type", b"\xff\xfe")]).startswith("a '\\\\xff\\\\xfe', not a ")


def test_headers_are_cut_before_they_fill_a_record():
    assert len(wire.read_headers(record(b"", [("x", b"y" * 50_000)]))["x"]) == 8_192


def test_a_dead_letter_says_where_it_comes_from_and_keeps_the_headers_it_had():
    died = record(b"{", [("ce_id", b"17"), ("x-raw", b"\xff")])
    headers = wire.dead_letter_headers(died, "ingest", Rejected("Invalid JSON"), "astreinte.ingest")
    died_at = datetime.fromisoformat(headers.pop("dead_time"))
    assert abs((datetime.now(UTC) - died_at).total_seconds()) < 5
    assert headers == {
        "ce_id": "17",
        "x-raw": "\\xff",
        "dead_stage": "ingest",
        "dead_topic": "printer.inbound",
        "dead_partition": "2",
        "dead_offset": "17",
        "dead_written": "1763000000000",
        "dead_group": "astreinte.ingest",
        "dead_error": "Rejected",
        "dead_reason": "Invalid JSON",
    }
    for value in headers.values():
        value.encode()


def test_a_dead_letter_keeps_the_words_of_an_unexpected_error_to_itself():
    headers = wire.dead_letter_headers(record(b"{}"), "ingest", ValueError(SECRET), "g")
    assert headers["dead_error"] == "ValueError"
    assert "Rosalie" not in str(headers)


def test_a_letter_that_dies_again_says_so_of_its_last_death():
    first = wire.dead_letter_headers(record(b"{}"), "ingest", Rejected("one"), "g")
    again = record(b"{}", [(name, value.encode()) for name, value in first.items()], "dead.ingest")
    headers = wire.dead_letter_headers(again, "rag", Rejected("two"), "g")
    assert (headers["dead_stage"], headers["dead_reason"]) == ("rag", "two")
