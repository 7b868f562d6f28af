"""Runs stages: put together, started, drained at the end. One alone, or all in one process."""

from __future__ import annotations

import asyncio
import importlib
import logging
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from aiokafka.errors import KafkaConnectionError

from gateways.kafka import missing_topics
from schemas.errors import Unavailable
from schemas.topics import STAGES, TOPICS
from services.neighbours import Neighbours
from services.policy import Policy
from services.record import RECORDED, every_step, read_step
from services.runtime import Runner
from services.settings import Settings
from services.stage import Stage

log = logging.getLogger(__name__)

CONNECT_TRIES = 30


async def build_record(near: Neighbours) -> Stage:
    """Return the record's consumer."""
    stage = near.stage("record")
    await near.database.create_tables()
    stage.add(
        Runner(
            "record",
            RECORDED,
            stage.group,
            near.teller,
            read_step,
            every_step(near.database),
            Policy(batch=500),
        )
    )
    return stage


async def build(name: str, near: Neighbours) -> Stage:
    """Put a stage together by its name, or the record."""
    if name == "record":
        return await build_record(near)
    return await importlib.import_module(f"services.{name}.app").build(near)  # type: ignore[no-any-return]


@asynccontextmanager
async def running(near: Neighbours, names: Sequence[str]) -> AsyncIterator[list[Stage]]:
    """Have stages run; at the end they drain, then the connection closes."""
    stages: list[Stage] = []
    try:
        await _connect(near)
        # Side by side: while one trains its classifier, the others join their groups.
        ends = (_start(name, near, stages) for name in names)
        for end in await asyncio.gather(*ends, return_exceptions=True):
            if isinstance(end, BaseException):
                raise end
        yield stages
    finally:
        # In the order of the road: what one stage still tells, the next one still takes.
        for stage in sorted(stages, key=lambda stage: names.index(stage.name)):
            await stage.drain()
        await near.broker.stop()


async def _start(name: str, near: Neighbours, stages: list[Stage]) -> None:
    stage = await build(name, near)
    stages.append(stage)
    await stage.start()


async def _connect(near: Neighbours) -> None:
    """Start the broker's connection; Kafka may come up later than we do.

    Raises
    ------
    Unavailable
        No Kafka there, or topics that are missing: said, instead of consuming nothing.
    """
    for attempt in range(1, CONNECT_TRIES + 1):
        try:
            await near.broker.connect()
        except KafkaConnectionError:
            if attempt == CONNECT_TRIES:
                msg = f"no Kafka at {near.kafka}"
                raise Unavailable(msg) from None
            log.warning("no Kafka at %s yet, trying again", near.kafka)
            await asyncio.sleep(2)
        else:
            break
    if not near.embedded:
        missing = await missing_topics(near.kafka, [topic.name for topic in TOPICS])
        if missing:
            msg = f"Kafka lacks {', '.join(missing)}; `astreinte topics --create` makes them"
            raise Unavailable(msg)


async def until_stopped(stages: Sequence[Stage]) -> int:
    """Wait for SIGINT or SIGTERM, or for a stage that stopped itself; return the exit status."""
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, asked.set)
    while not asked.is_set():
        for health in (health for stage in stages for health in stage.health()):
            if health.stopped:
                print(f"{health.stage} stopped: {health.stopped}", file=sys.stderr)
                return 1
        try:
            await asyncio.wait_for(asked.wait(), 0.5)
        except TimeoutError:
            continue
    return 0


async def serve(name: str) -> int:
    """Run one stage against the Kafka of the settings, until stopped."""
    settings = Settings()
    if not settings.kafka.servers:
        print("ASTREINTE_KAFKA_SERVERS is not set: a stage alone needs a Kafka", file=sys.stderr)
        return 2
    async with (
        Neighbours(settings, settings.kafka.servers) as near,
        running(near, [name]) as stages,
    ):
        log.info("%s runs", name)
        return await until_stopped(stages)


def main(name: str) -> None:
    """Run one stage as a process: `ingest` … `dispatch`, or `record`."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    if name not in {*STAGES, "record"}:
        sys.exit(f"no stage {name!r}; there are: {', '.join(STAGES)}, record")
    sys.exit(asyncio.run(serve(name)))
