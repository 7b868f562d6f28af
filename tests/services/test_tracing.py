"""Spans: ids that derive, and a collector that holds nothing up."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from pathlib import Path
from uuid import uuid4

import pytest

from schemas.printer import MessageReceived
from services import otlp, spans, tracing, wire
from services.spans import Work
from services.tracing import tracing as tracing_to
from tests.collector import collecting
from tests.conftest import inbound
from tests.console.record import raw
from tests.events import NOW, received

ROOT = Path(__file__).parents[2]
WORK = Work("classify", 1, 2)


def test_work_done_twice_is_the_same_span() -> None:
    event = received("bonjour")
    told = MessageReceived.after(event, NOW)
    first, again = (spans.handled(WORK, raw(event, 1), event, [told], 1) for _ in range(2))
    assert first == again
    assert spans.handled(WORK, raw(event, 1), event, [], 1) == spans.handled(
        WORK, raw(event, 1), event, [], 1
    )


def test_a_span_is_the_one_that_the_told_event_names_and_the_child_of_the_given_one() -> None:
    event = received("bonjour")
    told = MessageReceived.after(event, NOW), MessageReceived.after(event, NOW, index=1)
    made = spans.handled(WORK, raw(event, 1), event, told, 1)
    for span, child in zip(made, told, strict=True):
        assert wire.traceparent_of(child) == f"00-{span.trace_id}-{span.span_id}-01"
        assert wire.traceparent_of(event) == f"00-{span.trace_id}-{span.parent_id}-01"
    (silent,) = spans.handled(WORK, raw(event, 1), event, [], 1)
    assert silent.parent_id == made[0].parent_id
    assert silent.span_id not in {made[0].span_id, made[1].span_id, silent.parent_id}


def test_what_is_traced_holds_no_word_of_the_customer() -> None:
    event = inbound("Rosalie", **{"from": "Kerguelen"})
    told = (
        *spans.handled(WORK, raw(event, 0), event, [], 1),
        spans.told(WORK, event, "POST /messages", "00-x"),
        spans.died(WORK, raw(event, 0), "Rejected", uuid4()),
    )
    assert "Rosalie" not in repr(told)
    assert "Kerguelen" not in repr(told)


async def test_spans_arrive_with_times_and_failures(tmp_path: Path) -> None:
    message = inbound()
    with collecting() as collector:
        async with tracing_to(f"{collector.url}/v1/traces"):
            began = time.time_ns()
            tracing.tried(str(message.event_id), str(uuid4()), "webhook", "later", began)
            tracing.tried(str(message.event_id), str(uuid4()), "webhook", "accepted", began)
            tracing.asked("respond", message, "ollama", "taken", 1.5)
    later, accepted, asked = collector.spans
    assert (later.name, later.error, accepted.error) == ("send webhook", "later", "")
    assert later.trace_id == asked.trace_id == message.trace_id
    assert asked.parent_id == message.event_id.hex[:16]
    assert 1.4e9 < asked.end_ns - asked.start_ns < 1.6e9


async def test_a_collector_that_is_gone_or_silent_holds_up_neither_work_nor_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(otlp, "TIMEOUT_S", 0.4)
    monkeypatch.setattr(otlp, "CLOSE_S", 0.2)
    silent = await asyncio.start_server(lambda *_: asyncio.sleep(60), "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    message = inbound()
    for endpoint in ("http://127.0.0.1:1", f"http://127.0.0.1:{port}"):
        began = time.monotonic()
        async with tracing_to(endpoint):
            for _ in range(3_000):
                tracing.told("edge", [message])
            assert time.monotonic() - began < 1
        assert time.monotonic() - began < 2
    silent.close()


def test_without_a_collector_nothing_of_it_is_loaded_and_nothing_is_kept() -> None:
    code = (
        "import asyncio, sys; from services.tracing import tracing, told, arrived\n"
        "async def main():\n"
        "    async with tracing(''):\n"
        "        arrived('POST /', []); told('edge', [None])\n"
        "asyncio.run(main())\n"
        "assert not [name for name in sys.modules if name.startswith('opentelemetry.sdk')]\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, timeout=60)


@pytest.mark.parametrize("given", ["", "00-zz-1-01", "x" * 9_000, "00-" + "a" * 32])
async def test_a_traceparent_that_is_none_is_no_link(given: str) -> None:
    with collecting() as collector:
        async with tracing_to(collector.url):
            tracing.arrived("POST /messages", [(b"traceparent", given.encode())])
            tracing.told("edge", [inbound()])
    (seen,) = collector.spans
    assert (seen.links, seen.parent_id) == ((), "")
