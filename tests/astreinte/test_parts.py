"""Parts of the desk as processes of their own, beside a Kafka."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from typer.testing import CliRunner

from astreinte.cli import app
from schemas.topics import PARTITIONS, TOPICS
from tests.conftest import QuickKafka, until

ROOT = Path(__file__).parents[2]
START_S = 60
NOWHERE = "mysql+pymysql://me:secret@127.0.0.1:1/x"


@pytest.fixture
async def kafka() -> AsyncIterator[QuickKafka]:
    """A broker that has all topics."""
    broker = QuickKafka()
    producer = AIOKafkaProducer(bootstrap_servers=broker.address)
    await producer.start()
    await asyncio.gather(*(producer.partitions_for(topic.name) for topic in TOPICS))
    await producer.stop()
    yield broker
    broker.close()


class Part:
    """A process, and where it says how it is."""

    def __init__(self, folder: Path, kafka: str, *words: str, **env: str) -> None:
        self._log = folder / f"{uuid4().hex}.log"
        ours = {
            "PYTHONPATH": str(ROOT),
            "ASTREINTE_KAFKA_SERVERS": kafka,
            "ASTREINTE_DATABASE_URL": NOWHERE,
            "ASTREINTE_HTTP_PORT": "0",
        }
        with self._log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *words],
                cwd=folder,
                env=os.environ | ours | env,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    @property
    def log(self) -> str:
        return self._log.read_text()

    async def serving(self) -> httpx.AsyncClient:
        """Wait until it says where it serves, and return a client of it."""
        told = await until(lambda: re.search(r"; (http://\S+)/health/ready", self.log), START_S)
        return httpx.AsyncClient(base_url=told[1], trust_env=False, timeout=10)

    async def ready(self) -> httpx.AsyncClient:
        """Wait until it is ready, and return a client of it."""
        client = await self.serving()

        async def is_ready() -> bool:
            return (await client.get("/health/ready")).status_code == 200

        await until(is_ready, START_S)
        return client

    def end(self) -> int:
        """Ask it to stop, and return its status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)


@pytest.fixture
def start(tmp_path: Path, kafka: QuickKafka) -> Iterator[Callable[..., Part]]:
    started: list[Part] = []

    def begin(*words: str) -> Part:
        started.append(Part(tmp_path, kafka.address, *words))
        return started[-1]

    yield begin
    for part in started:
        part.process.kill()
        part.process.wait()


async def test_parts_alone_say_how_they_are_and_the_edge_needs_no_database(
    start: Callable[..., Part], kafka: QuickKafka
) -> None:
    parts = start("astreinte", "run", "edge"), start("services.respond")
    edge, respond = await asyncio.gather(*(part.ready() for part in parts))
    assert (await respond.get("/health/live")).json() == {"status": "alive"}
    assert (await respond.get("/health/ready")).json()["standby"] == []
    assert "python_info" in (await respond.get("/metrics")).text
    assert (await respond.post("/messages")).status_code == 404
    body = {"channel": "chat", "from": "ana", "text": "bonjour"}
    answer = await edge.post("/messages", json=body)
    assert (answer.status_code, answer.json()["duplicate"]) == (202, False)
    assert answer.json()["event_id"].encode() in await newest(kafka.address, "printer.inbound")
    assert parts[1].end() == 0
    kafka.close()
    assert (await edge.get("/health/live")).status_code == 200
    await asyncio.sleep(2)  # for so long the last answer of Kafka counts
    held_up = (await edge.get("/health/ready")).json()["held_up"]
    assert held_up == {"kafka": "no answer"}
    assert parts[0].end() == 0
    assert "secret" not in parts[0].log + parts[1].log
    await asyncio.gather(edge.aclose(), respond.aclose())


async def newest(address: str, topic: str) -> bytes:
    """Return the only record of a topic."""
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=address, auto_offset_reset="earliest", fetch_max_wait_ms=20
    )
    await consumer.start()
    try:
        return (await asyncio.wait_for(consumer.getone(), 10)).value or b""
    finally:
        await consumer.stop()


def test_a_part_without_a_kafka_says_what_is_missing() -> None:
    answer = CliRunner(env={"ASTREINTE_KAFKA_SERVERS": ""}).invoke(app, ["run", "edge"])
    assert answer.exit_code == 2
    assert answer.stderr == "ASTREINTE_KAFKA_SERVERS is not set: parts alone need a Kafka\n"


async def test_an_edge_that_waits_for_kafka_says_so_and_can_be_stopped(tmp_path: Path) -> None:
    part = Part(tmp_path, "127.0.0.1:1", "astreinte", "run", "edge")
    async with await part.serving() as edge:
        body = {"channel": "chat", "from": "ana", "text": "bonjour"}
        answer = await edge.post("/messages", json=body)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert answer.json() == {"detail": "Kafka is not connected; try again"}
        assert (await edge.get("/health/live")).status_code == 200
        found = (await edge.get("/health/ready")).json()
    assert found == {"ready": False, "held_up": {"kafka": "no answer"}, "standby": []}
    assert part.end() == 0


# --- more of a kind ------------------------------------------------------------------------------


@pytest.mark.kafka
async def test_five_instances_share_the_partitions_and_four_do_when_one_has_ended(
    tmp_path: Path,
) -> None:
    address = os.environ.get("ASTREINTE_KAFKA", "")
    if not address:
        pytest.skip("ASTREINTE_KAFKA is not set: scripts/kafka run -- pytest -m kafka")
    create = [sys.executable, "-m", "astreinte", "topics", "create", "--broker", address]
    await asyncio.to_thread(subprocess.run, create, cwd=tmp_path, check=True, timeout=60)
    group = {"ASTREINTE_KAFKA_GROUP": uuid4().hex}
    parts = [Part(tmp_path, address, "services.respond", **group) for _ in range(5)]
    try:
        clients = await asyncio.gather(*(part.ready() for part in parts))
        held = await until(lambda: _settled(clients))
        assert parts[0].end() == 0
        del clients[0]
        assert sum(await until(lambda: _settled(clients))) == sum(held)
    finally:
        for part in parts:
            part.process.kill()
            part.process.wait()


async def _settled(clients: list[httpx.AsyncClient]) -> list[int]:
    """Return how many partitions each holds, once all of both topics are shared out."""
    found = []
    for client in clients:
        text = (await client.get("/metrics")).text
        told = re.search(r'^astreinte_partitions{stage="respond"} (\d+)', text, re.MULTILINE)
        found.append(int(told[1]) if told else -1)
    return found if sum(found) == 2 * PARTITIONS and max(found) <= 2 else []  # one of each topic


async def test_a_part_whose_record_cannot_be_used_says_why_and_ends(
    tmp_path: Path, kafka: QuickKafka
) -> None:
    began = time.monotonic()
    bad = {
        ("services.ingest",): ("postgresql://me:secret@x/y", "kept in SQLite, MySQL or MariaDB"),
        ("astreinte", "run", "record", "console"): (NOWHERE, "does not answer (error 2003)"),
    }
    parts = []
    for words, (url, _) in bad.items():
        env = {"ASTREINTE_DATABASE_URL": url, "ASTREINTE_DATABASE_CONNECT_S": "2"}
        parts.append(Part(tmp_path, kafka.address, *words, **env))
    for part, (_, why) in zip(parts, bad.values(), strict=True):
        assert await asyncio.to_thread(part.process.wait, START_S) == 1
        assert why in part.log.splitlines()[-1]
        assert "Traceback" not in part.log
        assert "secret" not in part.log
    assert time.monotonic() - began > 2
