"""`astreinte topics`, and what a process says that Kafka does not serve."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from click.testing import Result
from typer.testing import CliRunner

from astreinte.cli import app
from gateways.kafka import Cluster
from gateways.topics import alter_configs
from schemas.errors import Unavailable
from schemas.topics import DAY_MS, TOPICS
from tests.apache import served

ROOT = Path(__file__).parents[2]


def environment(cluster: Cluster) -> dict[str, str]:
    """The settings by which a process reaches a Kafka."""
    found = {
        "SERVERS": cluster.address,
        "SECURITY": cluster.protocol,
        "MECHANISM": cluster.mechanism,
        "USER": cluster.user,
        "PASSWORD": cluster.password,
        "CA": str(cluster.ca or ""),
    }
    return {f"ASTREINTE_KAFKA_{name}": value for name, value in found.items()}


def typed(*words: str, env: dict[str, str]) -> Result:
    return CliRunner(env=env).invoke(app, ["topics", *words])


def started(module: str, *words: str, folder: Path, env: dict[str, str]) -> Any:
    """Run a process to its end, and time it."""
    began = time.monotonic()
    ended = subprocess.run(
        [sys.executable, "-m", module, *words],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "300"} | env,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    return ended, time.monotonic() - began


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Be in a folder in which no desk runs."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_process_gives_a_silent_kafka_up_after_the_time_of_the_setting(elsewhere: Path):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        env = environment(Cluster(address)) | {"ASTREINTE_KAFKA_CONNECT_S": "0.5"}
        ended, _ = started("services.extract", folder=elsewhere, env=env)
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1] == (
        f"Kafka at {address} does not answer: is it well, and is ASTREINTE_KAFKA_SERVERS right?"
    )


@pytest.mark.parametrize("command", ["check", "create"])
def test_without_a_kafka_there_is_nothing_to_compare(elsewhere: Path, command: str):
    answer = typed(command, env={})
    assert answer.exit_code == 1
    assert "name a Kafka with --broker HOST:PORT" in answer.stderr


def test_options_before_a_command_that_has_its_own_are_refused(elsewhere: Path):
    for words in (["--broker", "kafka:1", "check"], ["--json", "create"]):
        answer = typed(*words, env={})
        assert answer.exit_code == 2
        assert "options stand after" in answer.stderr


def test_the_topics_of_an_embedded_broker_can_be_shown(elsewhere: Path, embedded_kafka: str):
    answer = typed("--broker", embedded_kafka, "--json", env={})
    assert answer.exit_code == 0
    assert isinstance(json.loads(answer.stdout), list)


# --- Apache Kafka ----------------------------------------------------------------------------


@pytest.mark.kafka
@pytest.mark.parametrize("protocol", ["plaintext", "sasl_ssl"])
def test_topics_are_made_shown_compared_and_adjusted(elsewhere: Path, protocol: str):
    cluster = served(protocol)
    env = environment(cluster)
    answer = typed("create", "--partitions", "4", env=env)
    assert answer.exit_code == 0, answer.output
    assert answer.stdout.endswith("Les topics sont tels que prévus.\n")
    assert typed("check", env=env).exit_code == 0
    shown = json.loads(typed("--json", env=env).stdout)
    assert [state["topic"] for state in shown] == [topic.name for topic in TOPICS]

    asyncio.run(alter_configs(cluster, {"dead.record": {"retention.ms": "60000"}}))
    answer = typed("check", "--json", env=env)
    assert answer.exit_code == 1
    month = str(30 * DAY_MS)
    differs = {"topic": "dead.record", "what": "retention.ms", "found": "60000", "wanted": month}
    assert json.loads(answer.stdout) == [differs | {"fatal": False}]
    answer = typed("create", env=env)
    assert answer.exit_code == 0
    assert "retention.ms : `astreinte topics create --adjust` le règle" in answer.stdout
    answer = typed("create", "--adjust", env=env)
    assert f"réglé : dead.record retention.ms 60000 → {month}\n" in answer.stdout
    assert typed("check", env=env).exit_code == 0


@pytest.mark.kafka
@pytest.mark.parametrize("words", [(), ("check",), ("create",)])
def test_a_command_that_is_not_let_in_says_why(elsewhere: Path, words: tuple[str, ...]):
    answer = typed(*words, env=environment(served("sasl_plaintext", password="wrong")))
    assert isinstance(answer.exception, Unavailable)
    assert "refuses the user astreinte" in str(answer.exception)


@pytest.mark.kafka
@pytest.mark.parametrize(
    "words", [("services.extract",), ("astreinte", "run", "edge"), ("astreinte", "up", "--port=0")]
)
def test_a_process_that_is_not_let_in_ends_with_a_sentence(elsewhere: Path, words: tuple[str, ...]):
    cluster = served("sasl_plaintext", password="wrong")
    env = environment(cluster) | {"ASTREINTE_HTTP_PORT": "0"}
    ended, seconds = started(*words, folder=elsewhere, env=env)
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    assert f"Kafka at {cluster.address} refuses the user astreinte: " in ended.stderr
    assert "wrong" not in ended.stderr
    assert seconds < 45  # not the 60 s for which a broker that does not answer is waited for


async def read_all(cluster: Cluster, topic: str, group: str) -> list[bytes]:
    """Read a topic to its end as a member of a group, and commit."""
    reader = AIOKafkaConsumer(
        topic,
        group_id=group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        **cluster.client,
    )
    await reader.start()
    try:
        found: list[bytes] = []
        while got := await reader.getmany(timeout_ms=2000 if not found else 300):
            found += [record.value for records in got.values() for record in records]
        await reader.commit()
        return found
    finally:
        await reader.stop()


@pytest.mark.kafka
async def test_a_stage_that_is_stopped_reads_again_what_came_since_a_moment(elsewhere: Path):
    cluster = served("sasl_ssl")
    env = environment(cluster) | {"ASTREINTE_KAFKA_GROUP": "rewinding"}
    group, topic = "rewinding.record", "dead.record"
    assert (await asyncio.to_thread(typed, "create", env=env)).exit_code == 0
    producer = AIOKafkaProducer(**cluster.client)
    await producer.start()
    for number in range(8):
        await producer.send_and_wait(topic, b"before %d" % number, partition=number % 4)
    await asyncio.sleep(0.05)
    moment = datetime.now(UTC).isoformat()
    for number in range(4):  # the fourth partition has nothing new
        await producer.send_and_wait(topic, b"after %d" % number, partition=number % 3)
    await producer.stop()
    assert len(await read_all(cluster, topic, group)) >= 12

    words = ["rewind", "record", "--to", moment]
    dry = await asyncio.to_thread(typed, *words, "--dry-run", env=env)
    assert "rewinding.record : 4 message(s) à relire" in dry.stdout
    assert await read_all(cluster, topic, group) == []
    done = await asyncio.to_thread(typed, *words, env=env)
    assert (done.exit_code, done.stdout) == (0, dry.stdout)
    assert sorted(await read_all(cluster, topic, group)) == [b"after %d" % n for n in range(4)]
    # What it has not read yet is not skipped.
    later = await asyncio.to_thread(typed, "rewind", "record", "--to", "0s", env=env)
    assert "0 message(s) à relire" in later.stdout


@pytest.mark.kafka
async def test_a_stage_that_still_reads_is_not_taken_back_nor_are_the_others(elsewhere: Path):
    cluster = served()
    env = environment(cluster) | {"ASTREINTE_KAFKA_GROUP": "busy"}
    assert (await asyncio.to_thread(typed, "create", env=env)).exit_code == 0
    producer = AIOKafkaProducer(**cluster.client)
    await producer.start()
    await producer.send_and_wait("dead.record", b"one")
    await producer.stop()
    assert await read_all(cluster, "dead.record", "busy.record")
    assert await read_all(cluster, "dead.record", "busy.ingest")
    member = AIOKafkaConsumer("dead.record", group_id="busy.ingest", **cluster.client)
    await member.start()
    try:
        words = ["rewind", "record", "ingest", "--to", "1h"]
        answer = await asyncio.to_thread(typed, *words, env=env)
        assert isinstance(answer.exception, Unavailable)
        assert "busy.ingest is still read: stop its processes" in str(answer.exception)
    finally:
        await member.stop()
    assert await read_all(cluster, "dead.record", "busy.record") == []
    unknown = await asyncio.to_thread(typed, "rewind", "respond", "--to", "1h", env=env)
    assert "busy.respond : 0 message(s) à relire" in unknown.stdout


def test_only_stages_that_there_are_can_be_taken_back(elsewhere: Path):
    answer = typed("rewind", "gateway", "--to", "1h", "--broker", "127.0.0.1:1", env={})
    assert answer.exit_code == 2
    assert "no stage gateway; there are: ingest" in answer.stderr
