"""A real Prometheus reads a real desk: what dashboards and alerts ask is answered."""

from __future__ import annotations

import asyncio
import json
import math
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaProducer

from tests.conftest import CACHE, until
from tests.deploy.promql import DASHBOARDS, DEPLOY, queries, rules
from tests.vendors.ollama import Ollama, serving

pytestmark = pytest.mark.prometheus

RULES = DEPLOY / "prometheus"
WRITES_S = 12
"""For so long customers write: a few scrapes of one second, twice the interval of a rate."""


@pytest.fixture
def prometheus() -> str:
    url = os.environ.get("ASTREINTE_PROMETHEUS", "")
    if not url:
        pytest.skip(
            "ASTREINTE_PROMETHEUS is not set: scripts/prometheus run -- pytest -m prometheus"
        )
    return url


def watch(address: str) -> None:
    """Have Prometheus read that address instead of what it reads now."""
    targets = Path(os.environ["ASTREINTE_PROMETHEUS_TARGETS"])
    targets.write_text(json.dumps([{"targets": [address]}]))


def promtool(*words: str | Path) -> None:
    command = ["promtool", *words]
    done = subprocess.run(command, capture_output=True, check=False, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_rules_and_the_configuration_are_good(prometheus: str) -> None:
    promtool("check", "rules", RULES / "alerts.yml")
    promtool("check", "config", RULES / "prometheus.yml")


def test_alerts_fire_when_they_should_and_only_then(prometheus: str) -> None:
    promtool("test", "rules", *sorted(RULES.glob("*.test.yml")))


@asynccontextmanager
async def desk(folder: Path, ollama: str) -> AsyncIterator[dict[str, Any]]:
    """A desk in a process of its own, as `make run` starts it, without the story."""
    (folder / "data").mkdir()
    (folder / "data" / "cache").symlink_to(CACHE)
    words = ["up", "--no-story", "--port", "0"]
    own = {"ASTREINTE_OLLAMA_URL": ollama, "ASTREINTE_DISPATCH_OUTBOUND": "file"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "astreinte", *words, cwd=folder, env=os.environ | own
    )
    try:
        file = folder / "data" / "running.json"
        await until(lambda: file.exists() or process.returncode is not None, 90)
        assert process.returncode is None, "the desk ended while starting"
        yield json.loads(file.read_text())
    finally:
        if process.returncode is None:
            process.terminate()
        assert await process.wait() == 0


async def write(found: dict[str, Any]) -> None:
    """Customers write for a while; twice comes what is no message."""
    producer = AIOKafkaProducer(bootstrap_servers=found["kafka"])
    await producer.start()
    async with httpx.AsyncClient(base_url=found["url"], trust_env=False) as client:
        for second in range(WRITES_S):
            body = {"channel": "chat", "from": f"visiteur-{second}", "text": "bourrage papier"}
            assert (await client.post("/messages", json=body)).status_code == 202
            if second in (0, 4):
                await producer.send_and_wait("printer.inbound", b"no message")
            await asyncio.sleep(1)
    await producer.stop()


async def test_every_query_of_the_dashboards_and_alerts_is_answered(
    prometheus: str, tmp_path: Path
) -> None:
    async with (
        serving(Ollama()) as ollama,
        desk(tmp_path, ollama.url) as found,
        httpx.AsyncClient(base_url=f"{prometheus}/api/v1", trust_env=False) as client,
    ):

        async def ask(query: str) -> list[dict[str, Any]]:
            answer = (await client.get("/query", params={"query": query})).json()
            assert answer["status"] == "success", (query, answer)
            return list(answer["data"]["result"])

        watch(found["url"].removeprefix("http://"))
        await until(lambda: ask('up{job="astreinte"} == 1'), 30)
        await write(found)

        shown = [each for file in DASHBOARDS for each in queries(file)]
        empty = [f"{title}: {query}" for title, query in shown if not numbers(await ask(query))]
        assert empty == []

        for rule in rules():
            await ask(rule["expr"])
        groups = (await client.get("/rules")).json()["data"]["groups"]
        read = {rule["name"]: rule["health"] for group in groups for rule in group["rules"]}
        assert read == {rule["alert"]: "ok" for rule in rules()}
        firing = await ask('ALERTS{alertstate="firing"}')
        assert {alert["metric"]["alertname"] for alert in firing} == {"DeadLetters"}


def numbers(result: list[dict[str, Any]]) -> list[float]:
    """The values that can be drawn: a quantile of nothing is none."""
    values = [float(series["value"][1]) for series in result]
    return [value for value in values if not math.isnan(value)]
