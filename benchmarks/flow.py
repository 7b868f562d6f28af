"""The whole printer flow, from a message told to its reply sent: how many, how fast, at what cost.

The desk runs in a process of its own (`benchmarks.desk`); messages are told and their ends are
seen from this one, so neither its processor time nor its memory is in the figures.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import psutil
from sqlmodel import Session, col, func, select

from benchmarks.alone import alone
from benchmarks.brokers import Broker
from benchmarks.desk import NAMES, desk, new_group
from benchmarks.figures import Figure
from benchmarks.messages import inbound_messages
from benchmarks.places import Place
from benchmarks.road import Phase, Road, road
from benchmarks.watched import Watched, cpu_s
from schemas.topics import PRINTER, STAGES
from services.record import RECORDED
from storage.engine import engine_of
from storage.tables import Recorded

NAME = "printer flow"
AT_ONCE = 500
WARM_UP = 300
FLOOR_RATE = 80.0
FLOOR_P95_S = 1.0
GROWTH = 1.25
"""Of the desk's memory, at most, while it works off a lag."""
IDLE_S = 5.0


@dataclass
class Lag:
    """Many messages at once, worked off; memory in MiB, of the desk."""

    phase: Phase
    before_mib: float
    peak_mib: float


@dataclass
class Outcome:
    """Both phases in one place, and what they cost; with how a lag was worked off."""

    full: Phase
    half: Phase
    cpu_full_ms: dict[str, float]
    cpu_half_ms: dict[str, float]
    idle_cores: float
    peak_mib: float
    lag: Lag | None = None
    stages: dict[str, float] = field(default_factory=dict)
    dead: int = 0


async def measure(place: Place, seconds: float, lag: int) -> list[Figure]:
    """Measure in a place; `lag`: so many messages are worked off at the end, none on SQLite."""
    with place.record() as url:
        outcome = await _outcome(place, url, seconds, lag)
    with place.record() as url:
        handlers = await alone(url)
    return _figures(place, outcome, handlers)


async def _outcome(place: Place, url: str, seconds: float, lag: int) -> Outcome:
    broker = Broker(place.kafka, embedded=False) if place.kafka else None
    group = new_group()
    if broker:
        ends = await broker.ends(*RECORDED)
        for name in NAMES:
            await broker.place(f"{group}.{name}", ends)
    messages = inbound_messages(uuid4().hex[:8])
    async with desk(url, broker, group) as process:
        address = (await process.line())["address"]
        async with road(broker or Broker(address, embedded=True), messages) as way:
            outcome = await _phases(way, process, place.servers(), seconds)
            if place.mysql and lag:
                outcome.lag = await _lag(way, process, lag)
        last = await process.stop()
    if last["stopped"]:
        raise RuntimeError("; ".join(last["stopped"]))
    outcome.dead = last["dead"]
    outcome.stages = _took_ms(url, outcome.full)
    return outcome


async def _phases(
    way: Road, process: Watched, servers: dict[str, psutil.Process], seconds: float
) -> Outcome:
    def used() -> dict[str, float]:
        return {"desk": process.cpu_s()} | {name: cpu_s(each) for name, each in servers.items()}

    def spent(before: dict[str, float], after: dict[str, float], phase: Phase) -> dict[str, float]:
        return {name: (after[name] - before[name]) / len(phase.done) * 1000 for name in after}

    await way.lot(WARM_UP)
    idle = await _idle_cores(process)
    start = used()
    full = await way.full(seconds, AT_ONCE)
    middle = used()
    half = await way.paced(seconds, full.rate() / 2)
    end = used()
    costs = spent(start, middle, full), spent(middle, end, half)
    return Outcome(full, half, *costs, idle, process.peak_mib())


async def _lag(way: Road, process: Watched, count: int) -> Lag:
    process.forget_peak()
    before = process.memory_mib()
    phase = await way.lot(count)
    return Lag(phase, before, process.peak_mib())


async def _idle_cores(process: Watched) -> float:
    await asyncio.sleep(2)
    before = process.cpu_s()
    await asyncio.sleep(IDLE_S)
    return (process.cpu_s() - before) / IDLE_S


def _took_ms(url: str, phase: Phase) -> dict[str, float]:
    """Return the mean `ce_tookms` of each stage, as the record kept it."""
    began, ended = (datetime.fromtimestamp(at, UTC) for at in (phase.began_at, phase.ended_at))
    engine = engine_of(url)
    with Session(engine) as session:
        sums = dict(
            session.exec(
                select(Recorded.stage, func.sum(Recorded.took_ms))
                .where(col(Recorded.occurred_at).between(began, ended))
                .group_by(Recorded.stage)
            ).all()
        )
    engine.dispose()
    return {name: sums.get(name, 0.0) / len(phase.done) for name in STAGES}


def _figures(place: Place, outcome: Outcome, handlers: dict[str, float]) -> list[Figure]:
    full, half = outcome.full, outcome.half
    alone_ms = sum(handlers.values())

    def figure(what: str, value: float, unit: str, beside: str = "", **more: Any) -> Figure:
        return Figure(NAME, place.name, what, value, unit, beside=beside, **more)

    phases = [full, half] + ([outcome.lag.phase] if outcome.lag else [])
    told = sum(len(phase.told) for phase in phases)
    lost = sum(phase.under_way + phase.seen_twice for phase in phases) + outcome.dead
    return [
        figure("sustained", full.rate(), "messages/s", floor=FLOOR_RATE),
        figure("handlers alone, one after the other", 1000 / alone_ms, "messages/s"),
        figure("p50 at half of it", half.quantile(0.5), "s", f"{half.rate():.0f} messages/s"),
        figure("p95 at half of it", half.quantile(0.95), "s", floor=FLOOR_P95_S, at_most=True),
        figure("p99 at half of it", half.quantile(0.99), "s"),
        figure("p50 at full load", full.quantile(0.5), "s", f"{AT_ONCE} under way"),
        figure("lost, doubled or dead", lost, "", f"of {told:,}", floor=0, at_most=True),
        *(
            figure(f"processor time, full load: {name}", value, "ms a message")
            for name, value in outcome.cpu_full_ms.items()
        ),
        *(
            figure(f"processor time, half load: {name}", value, "ms a message")
            for name, value in outcome.cpu_half_ms.items()
        ),
        figure("processor of the desk, nothing to do", outcome.idle_cores, "cores"),
        figure("memory of the desk, peak", outcome.peak_mib, "MiB"),
        *(
            figure(
                f"{name}: `ce_tookms`",
                outcome.stages[name],
                "ms a message",
                f"handler alone {handlers[name]:.2f}",
            )
            for name in STAGES
        ),
        *(_lag_figures(place, outcome.lag) if outcome.lag else ()),
    ]


def _lag_figures(place: Place, lag: Lag) -> list[Figure]:
    count = len(lag.phase.told)
    events = f"{count * len(PRINTER):,} events in the end"

    def figure(what: str, value: float, unit: str, beside: str = "", **more: Any) -> Figure:
        told = f"{count:,} at once: {what}"
        return Figure(NAME, place.name, told, value, unit, beside=beside, **more)

    growth = lag.peak_mib / lag.before_mib
    return [
        figure("worked off", lag.phase.rate(), "messages/s", events),
        figure("memory before", lag.before_mib, "MiB"),
        figure("memory, peak", lag.peak_mib, "MiB"),
        figure("memory, peak ÷ before", growth, "", floor=GROWTH, at_most=True),
    ]
