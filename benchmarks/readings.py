"""Readings through ingest and classify: how many a second, and what each costs.

Each stage is a process of its own, as `astreinte run ingest` and `astreinte run classify` have
them; the readings lie in Kafka before ingest starts. Time runs from the first readings seen behind
ingest until classify has committed the last. The raw loop beside it does the work of ingest alone,
on the same bytes: read, parse, derive, publish, wait for all confirmations, commit.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import psutil
from aiokafka import AIOKafkaConsumer, TopicPartition

from benchmarks import alarm, held
from benchmarks.brokers import Broker, Letter, partitions
from benchmarks.desk import desk, new_group
from benchmarks.figures import Figure, say
from benchmarks.places import Place
from benchmarks.plant import Plant, declare, lay, letter
from benchmarks.watched import Watched, cpu_s
from refrigeration.profile import Profile
from schemas.printer import InboundMessage, MessageReceived
from schemas.readings import InboundReading, ReadingReceived
from services import wire
from services.ingest.frigo import Names, receive

NAME = "readings"
COUNT, UNITS = 60_000, 500
STEP_S, SLOW_STEP_S = 10.0, 60.0
"""Between two readings of a unit; of the slow ones each closes a minute, and is diagnosed."""
BATCH = 500
FLOOR, RATIO, CPU_US = 5_000.0, 0.4, 100.0
LOOK_S = 0.1
STUCK_S = 90.0
STAGES = ("ingest", "classify")
TAKEN = (InboundMessage.topic, MessageReceived.topic, InboundReading.topic, ReadingReceived.topic)


@dataclass
class Run:
    """All readings through both stages; processor time in µs a reading."""

    rate: float
    ingest_rate: float
    classify_mib: float
    cpu_us: dict[str, float] = field(default_factory=dict)


@dataclass
class Lag:
    """Readings of a plant, as they will lie in Kafka."""

    profiles: Sequence[Profile]
    letters: Sequence[Letter]
    step_s: float

    @classmethod
    def of(cls, count: int, step_s: float) -> Lag:
        """Return so many readings, whose units nobody has met."""
        plant = Plant(uuid4().hex[:6], UNITS, count // UNITS, step_s)
        return cls(plant.profiles(), [letter(event) for event in plant.readings()], step_s)


async def measure(places: Sequence[Place], count: int = COUNT) -> list[Figure]:
    """Measure the rate on Apache Kafka, the memory, and how soon an alarm leaves in each place."""
    figures: list[Figure] = []
    for place in places:
        say(NAME, place.name)
        if place.kafka:
            broker = Broker(place.kafka, embedded=False)
            for number, step_s in ((count, STEP_S), (count // 3, SLOW_STEP_S)):
                lag = Lag.of(number, step_s)
                ours, raw = await _pair(place, broker, lag)
                figures += _figures(place, lag, ours, raw)
        figures += await alarm.measure(place)
    return figures + await held.measure()


async def _pair(place: Place, broker: Broker, lag: Lag) -> tuple[Run, float]:
    begin = await broker.ends(*TAKEN)
    ours = await _ours(place, broker, lag, begin)
    return ours, await _raw(broker, lag, begin)


# --- both stages -------------------------------------------------------------------------------


async def _ours(place: Place, broker: Broker, lag: Lag, begin: Mapping[TopicPartition, int]) -> Run:
    group = new_group()
    for name in STAGES:
        await broker.place(f"{group}.{name}", begin)
    with place.record() as url:
        declare(url, lag.profiles)
        async with desk(url, broker, group, ["classify"]) as classify:
            await classify.line()
            await lay(broker, lag.letters)
            async with desk(url, broker, group, ["ingest"]) as ingest:
                processes = {"ingest": ingest, "classify": classify}
                run = await _watch(broker, group, len(lag.letters), begin, processes, place)
                await ingest.line()
                dead = (await ingest.stop())["dead"] + (await classify.stop())["dead"]
    if dead:
        msg = f"{dead} dead letters"
        raise RuntimeError(msg)
    return run


async def _watch(
    broker: Broker,
    group: str,
    count: int,
    begin: Mapping[TopicPartition, int],
    processes: Mapping[str, Watched],
    place: Place,
) -> Run:
    """Wait for the first readings behind ingest, and for the last behind classify."""
    servers: dict[str, psutil.Process] = place.servers()

    def used() -> dict[str, float]:
        found = {name: each.cpu_s() for name, each in processes.items()}
        return found | {name: cpu_s(each) for name, each in servers.items()}

    before_mib = processes["classify"].memory_mib()
    async with broker.consumer(group_id=f"{group}.classify") as source:
        while not (first := await _told(source, begin)):  # noqa: ASYNC110 - at the broker
            await asyncio.sleep(LOOK_S)
        began, before, moved_at = time.perf_counter(), used(), time.monotonic()
        told, ingest_s, done, last = first, 0.0, 0, 0
        while done < count:
            await asyncio.sleep(LOOK_S)
            if not ingest_s and (told := await _told(source, begin)) >= count:
                ingest_s = time.perf_counter() - began
            done = await _done(source, begin)
            if done > last:
                last, moved_at = done, time.monotonic()
            if time.monotonic() - moved_at > STUCK_S:
                msg = f"classify stands still at {done} of {count}, ingest at {told}"
                raise TimeoutError(msg)
        seconds, after = time.perf_counter() - began, used()
    return Run(
        (count - first) / seconds,
        (count - first) / (ingest_s or seconds),
        processes["classify"].memory_mib() - before_mib,
        {name: (after[name] - before[name]) / (count - first) * 1e6 for name in after},
    )


async def _told(source: AIOKafkaConsumer, begin: Mapping[TopicPartition, int]) -> int:
    ends = await source.end_offsets(partitions(ReadingReceived.topic))
    return sum(end - begin[place] for place, end in ends.items())


async def _done(source: AIOKafkaConsumer, begin: Mapping[TopicPartition, int]) -> int:
    places = partitions(ReadingReceived.topic)
    return sum([(await source.committed(place) or 0) - begin[place] for place in places])


# --- the raw loop ------------------------------------------------------------------------------


async def _raw(broker: Broker, lag: Lag, begin: Mapping[TopicPartition, int]) -> float:
    """Return the readings a second of the work of ingest, in one loop without anything else."""
    names = {profile.unit_id: Names(profile) for profile in lag.profiles}
    topic = f"bench.{uuid4().hex[:8]}.received"
    await broker.make([topic])
    group = new_group()
    await broker.place(group, {p: at for p, at in begin.items() if p.topic == InboundReading.topic})
    done, first = 0, 0.0
    async with (
        broker.producer() as producer,
        broker.consumer(InboundReading.topic, group_id=group) as source,
    ):
        while done < len(lag.letters):
            polled = await source.getmany(max_records=BATCH, timeout_ms=500)
            records = [record for part in polled.values() for record in part]
            first = first or (time.perf_counter() if records else 0.0)
            now = datetime.now(UTC)
            sent = []
            for record in records:
                event = wire.parse(record, InboundReading)
                received = receive(event, names[event.unit_id], now)
                key, body, headers = letter(received, "ingest")
                sent.append(await producer.send(topic, body, key=key, headers=headers))
            await asyncio.gather(*sent)
            await source.commit()
            done += len(records)
    return done / (time.perf_counter() - first)


# --- what is told ------------------------------------------------------------------------------


def _figures(place: Place, lag: Lag, ours: Run, raw: float) -> list[Figure]:
    fast = lag.step_s == STEP_S
    every = f", one in {lag.step_s:g} s of a unit"
    size = round(statistics.mean(len(body) for _, body, _ in lag.letters))

    def figure(
        what: str,
        value: float,
        unit: str,
        beside: str = "",
        floor: float | None = None,
        **more: Any,
    ) -> Figure:
        held_to = floor if fast else None
        return Figure(NAME, place.name, what + every, value, unit, held_to, beside=beside, **more)

    lying = f"{len(lag.letters):,} of {size} bytes, {UNITS} units"
    return [
        figure("through ingest and classify", ours.rate, "readings/s", lying, FLOOR),
        figure("behind ingest", ours.ingest_rate, "readings/s"),
        figure("raw loop, the work of ingest", raw, "readings/s"),
        figure("ours ÷ raw loop", ours.rate / raw, "", "", RATIO),
        *(
            figure(
                f"processor time: {name}",
                value,
                "µs a reading",
                "",
                CPU_US if name in STAGES else None,
                at_most=True,
            )
            for name, value in ours.cpu_us.items()
        ),
        figure("memory that classify grew by", ours.classify_mib, "MiB"),
    ]
