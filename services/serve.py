"""Runs stages: put together, started, drained at the end. One alone, or all in one process."""

from __future__ import annotations

import asyncio
import gc
import importlib
import logging
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import partial

from fastapi import FastAPI
from pydantic import ValidationError

from gateways.http import PortTaken, listen, serving, url_of
from schemas.errors import Unavailable
from schemas.topics import STAGES
from services import logs
from services.bridge import NAME as BRIDGE
from services.bridge import build_bridge
from services.neighbours import Neighbours
from services.policy import Policy
from services.record import BATCH, RECORDED, every_step
from services.runtime import Runner
from services.settings import Settings, unfit
from services.stage import Stage
from services.steps import read_step
from services.watch import Healths, Reach, healths_of, watching
from storage.engine import WrongDatabase

log = logging.getLogger(__name__)

CONSUMERS = (*STAGES, "record")
RUNNING = (BRIDGE, *CONSUMERS)
"""What runs beside the faces, in the order of the road."""
KEEPERS = {"ingest", "dispatch", "record"}
"""Who needs the database."""
COLLECT_AFTER = 50_000
"""Objects more than before: a few MB."""
SENTENCE = "starting %s, with Kafka at %s; %s/health/ready says how it goes"

Face = Callable[[Neighbours, Healths], FastAPI]


async def build_record(near: Neighbours) -> Stage:
    """Return the record's consumer."""
    stage = near.stage("record")
    await near.database.prepare(near.settings.database.connect_s)
    stage.add(
        Runner(
            "record",
            RECORDED,
            stage.group,
            near.teller,
            read_step,
            every_step(near.database),
            Policy(batch=BATCH),
        )
    )
    return stage


async def build(name: str, near: Neighbours) -> Stage:
    """Put a stage together by its name, or the record, or the bridge."""
    if name == "record":
        return await build_record(near)
    if name == BRIDGE:
        return await build_bridge(near)
    return await importlib.import_module(f"services.{name}.app").build(near)  # type: ignore[no-any-return]


@asynccontextmanager
async def running(
    near: Neighbours, names: Sequence[str], stages: list[Stage] | None = None
) -> AsyncIterator[list[Stage]]:
    """Have stages run; at the end they drain, then the connection closes.

    `stages`, where given, takes them in as they come: who looks at it sees them start.
    """
    stages = [] if stages is None else stages
    try:
        await near.connect()
        if near.has_database or KEEPERS & set(names):  # first: what is wrong is said at once
            await near.database.prepare(near.settings.database.connect_s)
        # Side by side: while one trains its classifier, the others join their groups.
        ends = (_start(name, near, stages) for name in names)
        for end in await asyncio.gather(*ends, return_exceptions=True):
            if isinstance(end, BaseException):
                raise end
        with _collecting_seldom():
            yield stages
    finally:
        # In the order of the road: what one stage still tells, the next one still takes.
        for stage in sorted(stages, key=lambda stage: names.index(stage.name)):
            await stage.drain()
        await near.broker.stop()


@contextmanager
def _collecting_seldom() -> Iterator[None]:
    """Let Python look for cycles in what comes, seldom, and in what is there already, never.

    A unit of work holds thousands of small objects, none of them in a cycle: with Python's own
    threshold, the search for cycles took a quarter of the time of a reading.
    """
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


async def _start(name: str, near: Neighbours, stages: list[Stage]) -> None:
    stage = await build(name, near)
    stages.append(stage)
    await stage.start()


async def until_stopped(stages: Sequence[Stage]) -> int:
    """Wait for SIGINT or SIGTERM, or for a stage that stopped itself; return the exit status."""
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, asked.set)
    while not asked.is_set():
        for health in (stage.health() for stage in stages):
            if health.stopped:
                return 1  # and it said why
        try:
            await asyncio.wait_for(asked.wait(), 0.5)
        except TimeoutError:
            continue
    return 0


async def run(parts: Sequence[str], face: Face | None = None) -> int:
    """Run parts against the Kafka of the settings, until stopped; return the exit status.

    Parameters
    ----------
    parts
        Stages, the record, and whatever `face` shows.
    face
        Makes what the process shows over HTTP. Without one it only says how it is, elsewhere.
    """
    settings = Settings()
    if not settings.kafka.servers:
        print("ASTREINTE_KAFKA_SERVERS is not set: parts alone need a Kafka", file=sys.stderr)
        return 2
    where, prefix = (settings.http, "HTTP") if face else (settings.watch, "WATCH")
    listener = listen(where.host, where.port, f"ASTREINTE_{prefix}_PORT")
    _end_at_sigterm()
    names = [name for name in parts if name in RUNNING]
    stages: list[Stage] = []
    healths = partial(healths_of, names, stages)
    try:
        async with Neighbours(settings, settings.kafka.servers) as near:
            app = face(near, healths) if face else FastAPI(docs_url=None, redoc_url=None)
            app.include_router(watching(healths, Reach(near).missing, near.model_state))
            # Served from before the start until after the end: both may take their time.
            async with serving(app, listener):
                log.info(SENTENCE, " ".join(parts), near.kafka, url_of(listener))
                async with running(near, names, stages):
                    return await until_stopped(stages)
    except asyncio.CancelledError:
        return 0  # asked to stop before all had started


def _end_at_sigterm() -> None:
    """Have SIGTERM end the current task as SIGINT does, so that what has started is drained."""
    task = asyncio.current_task()
    if task:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)


def main(name: str) -> None:
    """Run one stage as a process: `ingest` … `dispatch`."""
    try:
        logs.begin([name])
        sys.exit(asyncio.run(run([name])))
    except ValidationError as error:
        sys.exit(f"settings: {unfit(error)}")
    except (Unavailable, WrongDatabase, PortTaken) as error:
        sys.exit(str(error))
