"""The record writes everything down, whatever it holds."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from schemas.printer import InboundMessage
from services import record as consumer
from services import wire
from services.record import BATCH, RECORDED, every_step
from services.steps import read_step
from storage.database import Database
from tests.conftest import inbound
from tests.services.test_wire import record


def test_an_event_is_kept_with_its_stage_time_and_road():
    message = inbound("bonjour")
    headers = wire.headers_of(message, "gateway", 12.5)
    step = read_step(record(wire.body_of(message), [(k, v.encode()) for k, v in headers.items()]))
    assert (step.row["stage"], step.row["topic"]) == ("gateway", "printer.inbound")
    assert step.row["event_id"] == step.message_id == str(message.event_id)
    assert step.row["trace_id"] == message.trace_id
    assert step.row["took_ms"] == 12.5
    assert step.row["partition_offset"] == "2/17"
    assert InboundMessage.model_validate_json(step.row["body"]) == message
    assert not step.finished
    assert not step.dead


def test_a_dead_letter_is_kept_with_stage_reason_and_the_road_that_it_ends():
    message = inbound()
    died = record(wire.body_of(message))
    headers = wire.dead_letter_headers(died, "rag", ValueError("words"), "g")
    letter = record(died.value, [(k, v.encode()) for k, v in headers.items()], "dead.rag")
    step = read_step(letter)
    assert step.dead
    assert step.message_id == str(message.event_id)
    assert (step.row["stage"], step.row["why"]) == ("rag", "an unexpected error; see the log")
    assert step.row["event_id"] == step.dead["dead_id"]
    assert step.dead["place"] == "2/17"
    assert step.dead["body"] == died.value


def test_dead_letters_of_every_stage_and_all_events_are_recorded():
    assert len(RECORDED) == 15 + 6  # of readings, only what came of them


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"\xff\xfe\x00",
        b"[1, 2]",
        b'"text"',
        b"{" * 100_000,
        b"1" + b"0" * 10_000,
        b'{"message": 5, "event_id": 7, "trace_id": null}',
        json.dumps({"event_id": "x" * 5_000, "why": "y" * 5_000, "trace_id": "z" * 99}).encode(),
    ],
)
def test_what_cannot_be_read_is_kept_as_it_is(value: bytes | None):
    step = read_step(record(value, [("traceparent", b"\xff"), ("ce_tookms", b"a while")]))
    assert step.row["took_ms"] == 0.0
    assert 0 < len(step.row["event_id"]) <= 80
    assert len(step.row["trace_id"]) <= 32
    assert len(step.row["why"]) <= 1_000
    assert len(step.row["body"]) >= len(value or b"")


@pytest.mark.parametrize("timestamp", [-1, 0, -(2**63), 2**63 - 1, 253_402_300_800_000])
def test_a_producer_with_an_odd_clock_is_recorded_too(timestamp: int):
    step = read_step(replace(record(wire.body_of(inbound())), timestamp=timestamp))
    assert 1969 <= step.row["occurred_at"].year <= 9999
    assert step.row["occurred_at"].tzinfo


async def test_only_a_batch_that_is_not_full_waits_for_more(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(consumer, "GATHER_S", 60)
    database = Database(f"sqlite:///{tmp_path}/record.db")
    await database.prepare()
    handle, step = every_step(database), read_step(record(wire.body_of(inbound())))
    await asyncio.wait_for(handle([step] * BATCH), 30)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(handle([step]), 0.2)
    database.close()
