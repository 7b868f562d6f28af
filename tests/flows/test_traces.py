"""The road of a message, as a collector of traces sees it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaProducer

from astreinte.desk import Desk, desk
from schemas.topics import STAGES
from services.settings import Settings, TracingSettings
from tests.collector import Seen, collecting
from tests.conftest import inbound
from tests.flows.conftest import settle_in

GATEWAY = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def ask(running: Desk, **body: Any) -> str:
    """Hand a message in as a gateway that traces does, and wait for its outcome."""
    async with httpx.AsyncClient(base_url=running.url, trust_env=False, timeout=30) as http:
        answer = await http.post(
            "/messages",
            json={"channel": "chat", "from": "ana", "text": "Mon HP LaserJet affiche 49.4C02"}
            | body,
            headers={"traceparent": GATEWAY},
        )
        trace = answer.json()["trace_id"]
        page = (await http.get(f"/api/messages/{trace}", params={"wait": 20})).json()
    assert page["state"] in {"answered", "failed"}
    return str(trace)


async def test_a_message_is_one_trace_in_which_each_hop_is_the_child_of_the_one_before(
    quick: None, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle_in(tmp_path)
    monkeypatch.chdir(tmp_path)
    with collecting() as collector:
        traced = settings.model_copy(update={"tracing": TracingSettings(endpoint=collector.url)})
        async with desk(traced) as running:
            trace = await ask(running)
            poisoned = await ask(running, received_at="2098-01-01T00:00:00Z")
            foreign = await straight_into_the_topic(running)
    spans = {seen.span_id: seen for seen in collector.spans if seen.trace_id == trace}
    road = way_down(spans, "send file")
    assert [seen.service for seen in road] == [
        "astreinte-edge",
        *(f"astreinte-{stage}" for stage in STAGES),
        "astreinte-dispatch",
    ]
    assert [seen.name for seen in road] == [
        "POST /messages",
        "process printer.inbound",
        "process printer.received",
        "process printer.classified",
        "process printer.extracted",
        "process printer.grounded",
        "process printer.drafted",
        "send file",
    ]
    told = way_down(spans, "publish printer.sent")
    assert told[:-1] == road[:-1]
    assert {seen.span_id for seen in (*road, told[-1])} == spans.keys()
    assert [seen.start_ns for seen in road] == sorted(seen.start_ns for seen in road)
    assert all(seen.start_ns < seen.end_ns for seen in spans.values())
    # The gateway's own trace is linked: ours follows from the message, whoever tells it again.
    assert road[0].links == (GATEWAY[3:-3],)
    assert road[1].attributes["messaging.destination.name"] == "printer.inbound"

    edge, dead = sorted(
        (seen for seen in collector.spans if seen.trace_id == poisoned), key=lambda s: s.start_ns
    )
    assert (edge.name, dead.service, dead.error) == (
        "POST /messages",
        "astreinte-ingest",
        "Rejected",
    )
    assert dead.parent_id == edge.span_id

    (first,) = (
        seen
        for seen in collector.spans
        if seen.trace_id == foreign and seen.service == "astreinte-ingest"
    )
    assert (first.parent_id, first.links) == ("", (GATEWAY[3:-3],))


def way_down(spans: dict[str, Seen], name: str) -> list[Seen]:
    """Return a span and those above it, from the top."""
    (seen,) = (seen for seen in spans.values() if seen.name == name)
    road = [seen]
    while road[0].parent_id:
        road.insert(0, spans[road[0].parent_id])
    return road


async def straight_into_the_topic(running: Desk) -> str:
    """Publish as a gateway of others does, which writes its own trace into the headers."""
    message = inbound("bourrage papier")
    producer = AIOKafkaProducer(bootstrap_servers=running.near.kafka)
    await producer.start()
    await producer.send_and_wait(
        "printer.inbound",
        message.model_dump_json(by_alias=True).encode(),
        key=message.key.encode(),
        headers=[("traceparent", GATEWAY.encode())],
    )
    await producer.stop()
    async with httpx.AsyncClient(base_url=running.url, trust_env=False, timeout=30) as http:
        await http.get(f"/api/messages/{message.trace_id}", params={"wait": 20})
    return message.trace_id
