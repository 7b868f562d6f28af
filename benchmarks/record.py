"""The record's consumer: events a second into a database, and what a long lag costs in memory.

The record alone, in a process of its own, as `astreinte run record` has it; its events lie in
Kafka before it starts. The raw loop beside it writes the same row of each event to one table: it
does not look for rows that are there already, and keeps nothing of what was found.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any
from uuid import uuid4

import psutil
from aiokafka import TopicPartition
from sqlalchemy import Column, Connection, Engine, MetaData, Table, func, insert, select
from sqlmodel import SQLModel

from benchmarks.brokers import Broker
from benchmarks.desk import broker_at, desk, new_group
from benchmarks.figures import Figure, say
from benchmarks.letters import Road, roads, take_in
from benchmarks.places import Place
from benchmarks.watched import Watched, cpu_s
from services.record import RECORDED
from services.steps import read_step
from storage.engine import engine_of
from storage.tables.columns import MYSQL

NAME = "record"
LAG, LONG = 10_000, 4
"""Events, and how many times as many lie there for the memory."""
ROUNDS = 3
BATCH = 500
FLOOR = 1_000.0
GROWTH = 1.25
"""Of the peak of memory, at most, with the long lag."""
LOOK_S = 0.02
STUCK_S = 60.0

ROWS = SQLModel.metadata.tables["event"]


@dataclass
class Run:
    """One lag worked off; memory and time of the record's process, time of servers too."""

    rate: float
    peak_mib: float
    cpu_ms: dict[str, float] = field(default_factory=dict)


@dataclass
class Lag:
    """What lies in Kafka, from `begin` on; an embedded broker has nothing else."""

    broker: Broker
    begin: Mapping[TopicPartition, int]
    roads: Sequence[Road]

    @property
    def events(self) -> int:
        """How many records it has."""
        return sum(len(road.letters) for road in self.roads)

    async def group(self) -> str:
        """Return the prefix of a group `….record` that begins at its beginning."""
        name = new_group()
        if self.begin:
            await self.broker.place(f"{name}.record", self.begin)
        return name


async def measure(places: Sequence[Place], events: int = LAG) -> list[Figure]:
    """Measure raw, ours, raw, ours … in each place; on a server with a long lag too."""
    most = events * LONG if any(place.mysql for place in places) else events
    with Place().record() as url:
        made = await roads(url, uuid4().hex[:8], most)
    few = _first(made, events)
    figures: list[Figure] = []
    for place in places:
        say(NAME, place.name)
        with broker_at(place.kafka) as broker:
            lag = await _laid(broker, few)
            raw, ours = [], []
            for _ in range(ROUNDS):
                raw.append(await _raw(place, lag))
                ours.append(await _ours(place, lag))
            figures += _figures(place, lag.events, raw, ours)
            if place.mysql:
                long = await _laid(broker, made)
                figures += _memory(place, long.events, ours, await _ours(place, long))
    return figures


def _first(made: Sequence[Road], events: int) -> Sequence[Road]:
    counts = accumulate(len(road.letters) for road in made)
    return made[: next(number for number, count in enumerate(counts, 1) if count >= events)]


async def _laid(broker: Broker, made: Sequence[Road]) -> Lag:
    begin = {} if broker.embedded else await broker.ends(*RECORDED)
    async with broker.producer() as producer:
        for road in made:
            sent = [
                await producer.send(topic, body, key=key, headers=headers)
                for topic, (key, body, headers) in road.letters
            ]
        await asyncio.gather(*sent)
        await producer.flush()
    return Lag(broker, begin, made)


# --- the record --------------------------------------------------------------------------------


async def _ours(place: Place, lag: Lag) -> Run:
    with place.record() as url:
        await take_in(url, [road.message for road in lag.roads])
        async with desk(url, lag.broker, await lag.group(), ["record"]) as process:
            run = await asyncio.to_thread(_watch, url, lag.events, process, place.servers())
            await process.line()
            await process.stop()
    return run


def _watch(url: str, rows: int, process: Watched, servers: Mapping[str, psutil.Process]) -> Run:
    """Wait for the first rows and for the last; say what happened between them."""

    def used() -> dict[str, float]:
        return {"record": process.cpu_s()} | {name: cpu_s(each) for name, each in servers.items()}

    engine = engine_of(url)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        first = _rows(connection, 1)
        began, before = time.perf_counter(), used()
        last = _rows(connection, rows)
        seconds, after = time.perf_counter() - began, used()
    engine.dispose()
    if last != rows:
        msg = f"{last} rows of {rows} events"
        raise RuntimeError(msg)
    count = last - first
    costs = {name: (after[name] - before[name]) / count * 1000 for name in after}
    return Run(count / seconds, process.peak_mib(), costs)


def _rows(connection: Connection, wanted: int) -> int:
    """Return how many rows there are, as soon as there are so many."""
    highest, moved_at = 0, time.monotonic()
    while time.monotonic() - moved_at < STUCK_S:
        found = connection.scalar(select(func.max(ROWS.c.seq))) or 0
        if found > highest:
            highest, moved_at = found, time.monotonic()
        # Numbers may be left out, never given twice; and counting takes longer than looking.
        if highest >= wanted:
            count = connection.scalar(select(func.count()).select_from(ROWS)) or 0
            if count >= wanted:
                return count
        time.sleep(LOOK_S)
    msg = f"the record stands still at {highest} rows, {wanted} are wanted"
    raise TimeoutError(msg)


# --- the raw loop ------------------------------------------------------------------------------


async def _raw(place: Place, lag: Lag) -> float:
    columns = [Column(each.name, each.type, primary_key=each.primary_key) for each in ROWS.c]
    table = Table("raw_event", MetaData(), *columns, **MYSQL)
    with place.record() as url:
        engine = engine_of(url)
        table.create(engine)
        rate = await _raw_rate(engine, table, lag)
        engine.dispose()
    return rate


async def _raw_rate(engine: Engine, table: Table, lag: Lag) -> float:
    done, first, began = 0, 0, 0.0
    group = f"{await lag.group()}.record"
    async with lag.broker.consumer(*RECORDED, group_id=group) as source:
        while done < lag.events:
            polled = await source.getmany(max_records=BATCH, timeout_ms=500)
            rows = [read_step(record).row for part in polled.values() for record in part]
            if not rows:
                continue
            await asyncio.to_thread(_insert, engine, table, rows)
            await source.commit()
            done += len(rows)
            if not first:
                first, began = done, time.perf_counter()
    return (done - first) / (time.perf_counter() - began)


def _insert(engine: Engine, table: Table, rows: list[dict[str, Any]]) -> None:
    with engine.begin() as connection:
        connection.execute(insert(table), rows)


# --- what is told ------------------------------------------------------------------------------


def _figures(place: Place, events: int, raw: list[float], ours: list[Run]) -> list[Figure]:
    rate = statistics.median(run.rate for run in ours)
    bare = statistics.median(raw)

    def figure(what: str, value: float, unit: str, beside: str = "", **more: Any) -> Figure:
        return Figure(NAME, place.name, what, value, unit, beside=beside, **more)

    singly = ", ".join(f"{run.rate:,.0f}" for run in ours)
    return [
        figure("written down", rate, "events/s", f"of {events:,}: {singly}", floor=FLOOR),
        figure("raw loop", bare, "events/s", ", ".join(f"{each:,.0f}" for each in raw)),
        figure("ours ÷ raw loop", rate / bare, ""),
        *(
            figure(
                f"processor time: {name}",
                statistics.median(run.cpu_ms[name] for run in ours),
                "ms an event",
            )
            for name in ours[0].cpu_ms
        ),
        figure("memory, peak", max(run.peak_mib for run in ours), "MiB", f"{events:,} events"),
    ]


def _memory(place: Place, events: int, ours: list[Run], long: Run) -> list[Figure]:
    short = max(run.peak_mib for run in ours)
    ratio = "memory, peak ÷ that of the short lag"
    lag = f"{events:,} events waiting"
    return [
        Figure(NAME, place.name, f"written down, {lag}", long.rate, "events/s", FLOOR),
        Figure(NAME, place.name, f"memory, peak, {lag}", long.peak_mib, "MiB"),
        Figure(NAME, place.name, ratio, long.peak_mib / short, "", GROWTH, at_most=True),
    ]
