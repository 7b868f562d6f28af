"""The whole printer flow, from a message told to its reply sent: how many, how fast, at what cost.

The desk runs in a process of its own (`benchmarks.desk`); messages are told and their ends are
seen from this one, so neither its processor time nor its memory is in the figures.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil

from benchmarks.alone import alone
from benchmarks.brokers import Broker
from benchmarks.desk import RECORD
from benchmarks.figures import Figure
from benchmarks.messages import inbound_messages
from benchmarks.road import Phase, road
from gateways.kafka import Cluster
from gateways.topics import look
from schemas.topics import STAGES, TOPICS

NAME = "printer flow"
AT_ONCE = 500
WARM_UP = 300
FLOOR_RATE = 80.0
FLOOR_P95_S = 1.0
IDLE_S = 5.0
START_S, STOP_S = 180.0, 120.0


@dataclass
class Outcome:
    """Both phases on one broker, and what they cost."""

    full: Phase
    half: Phase
    cpu_full_ms: float
    cpu_half_ms: float
    idle_cores: float
    peak_mib: float
    stages: dict[str, float]
    dead: int


async def measure(kafka: str, seconds: float) -> list[Figure]:
    """Measure on the broker at `kafka`, or on an embedded one when there is none."""
    outcome = await _outcome(kafka, seconds)
    with tempfile.TemporaryDirectory(prefix="astreinte-bench-") as folder:
        handlers = await alone(Path(folder))
    broker = Broker(kafka, embedded=not kafka).name
    return _figures(broker, outcome, handlers)


async def _outcome(kafka: str, seconds: float) -> Outcome:
    if kafka:
        await _make_topics(kafka)
    messages = inbound_messages(uuid4().hex[:8])
    with tempfile.TemporaryDirectory(prefix="astreinte-bench-") as folder:
        async with _desk(Path(folder), kafka) as (process, address):
            watched = psutil.Process(process.pid)
            async with road(Broker(address, embedded=not kafka), messages) as way:
                await way.some(WARM_UP)
                idle = await _idle_cores(watched)
                start = _cpu_s(watched)
                full = await way.full(seconds, AT_ONCE)
                middle = _cpu_s(watched)
                half = await way.paced(seconds, full.rate() / 2)
                end = _cpu_s(watched)
                peak = _peak_mib(process.pid)
            last = await _stop(process)
        if last["stopped"]:
            raise RuntimeError("; ".join(last["stopped"]))
        return Outcome(
            full,
            half,
            (middle - start) / len(full.done) * 1000,
            (end - middle) / len(half.done) * 1000,
            idle,
            peak,
            _took_ms(Path(folder) / RECORD, full),
            last["dead"],
        )


async def _make_topics(kafka: str) -> None:
    names = [topic.name for topic in TOPICS]
    if (await look(Cluster(kafka), names)).topics:
        msg = (
            f"the Kafka at {kafka} has topics of Astreinte already; the flow needs a fresh one: "
            "scripts/kafka run -- .venv/bin/python -m benchmarks flow"
        )
        raise RuntimeError(msg)
    await Broker(kafka, embedded=False).make(names)


@asynccontextmanager
async def _desk(folder: Path, kafka: str) -> AsyncIterator[tuple[Process, str]]:
    words = [sys.executable, "-m", "benchmarks.desk", str(folder)]
    words += ["--kafka", kafka] if kafka else []
    process = await asyncio.create_subprocess_exec(*words, stdin=PIPE, stdout=PIPE)
    try:
        yield process, (await _line(process, START_S))["address"]
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _stop(process: Process) -> dict[str, Any]:
    if process.stdin:
        process.stdin.close()
    last = await _line(process, STOP_S)
    await asyncio.wait_for(process.wait(), STOP_S)
    return last


async def _line(process: Process, seconds: float) -> dict[str, Any]:
    line = await asyncio.wait_for(process.stdout.readline(), seconds) if process.stdout else b""
    if not line:
        msg = f"the desk ended ({await process.wait()})"
        raise RuntimeError(msg)
    return dict(json.loads(line))


async def _idle_cores(process: psutil.Process) -> float:
    await asyncio.sleep(2)
    before = _cpu_s(process)
    await asyncio.sleep(IDLE_S)
    return (_cpu_s(process) - before) / IDLE_S


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _peak_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    (kib,) = (line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
    return int(kib) / 1024


def _took_ms(record: Path, phase: Phase) -> dict[str, float]:
    """Return the mean `ce_tookms` of each stage, as the record kept it."""
    moments = [
        datetime.fromtimestamp(at, UTC).replace(tzinfo=None).isoformat(" ")
        for at in (phase.began_at, phase.ended_at)
    ]
    with closing(sqlite3.connect(record)) as database:
        rows = database.execute(
            "SELECT stage, SUM(took_ms) FROM event WHERE occurred_at BETWEEN ? AND ?"
            " GROUP BY stage",
            moments,
        )
        sums = dict(rows.fetchall())
    return {name: sums.get(name, 0.0) / len(phase.done) for name in STAGES}


def _figures(broker: str, outcome: Outcome, handlers: dict[str, float]) -> list[Figure]:
    full, half = outcome.full, outcome.half
    alone_ms = sum(handlers.values())

    def figure(what: str, value: float, unit: str, beside: str = "", **more: Any) -> Figure:
        return Figure(NAME, broker, what, value, unit, beside=beside, **more)

    bare = f"the handlers alone, one after the other: {1000 / alone_ms:.0f} messages/s"
    near = f"at {half.rate():.0f} messages/s"
    told = len(full.told) + len(half.told)
    lost = full.under_way + half.under_way + full.seen_twice + half.seen_twice + outcome.dead
    return [
        figure("sustained", full.rate(), "messages/s", bare, floor=FLOOR_RATE),
        figure("p50 at half of it", half.quantile(0.5), "s", near),
        figure(
            "p95 at half of it", half.quantile(0.95), "s", near, floor=FLOOR_P95_S, at_most=True
        ),
        figure("p99 at half of it", half.quantile(0.99), "s", near),
        figure("p50 at full load", full.quantile(0.5), "s", f"{AT_ONCE} under way"),
        figure("lost, doubled or dead", lost, "", f"of {told:,} told", floor=0, at_most=True),
        figure("processor time, full load", outcome.cpu_full_ms, "ms a message"),
        figure("processor time, half load", outcome.cpu_half_ms, "ms a message"),
        figure("processor, nothing to do", outcome.idle_cores, "cores"),
        figure("memory, peak", outcome.peak_mib, "MiB"),
        *(
            figure(
                f"{name}: `ce_tookms`",
                outcome.stages[name],
                "ms a message",
                f"handler alone {handlers[name]:.2f} ms",
            )
            for name in STAGES
        ),
    ]
