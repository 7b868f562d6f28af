"""The stages' handlers called one after the other: no Kafka, no waiting for one another."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import islice

from benchmarks.desk import CACHE, settings
from benchmarks.messages import inbound_messages
from schemas.event import Event
from schemas.topics import STAGES
from services.neighbours import Neighbours
from services.runtime import Runner
from services.serve import build

MESSAGES = 1_000


async def alone(url: str) -> dict[str, float]:
    """Return the milliseconds a message that each stage's handler takes, in its own batches.

    The record at `url` and the embedding model are in it; the outbox's relay is not.
    """
    async with handlers(url) as runners:
        events: Sequence[Event] = list(islice(inbound_messages("alone", seed=8), MESSAGES))
        spent: dict[str, float] = {}
        for name, runner in runners.items():
            began = time.perf_counter()
            events = await through(runner, events)
            spent[name] = (time.perf_counter() - began) / MESSAGES * 1000
        return spent


@asynccontextmanager
async def handlers(url: str, names: Sequence[str] = STAGES) -> AsyncIterator[dict[str, Runner]]:
    """Yield stages, put together with the record at `url` and never started."""
    near = Neighbours(settings(url), "127.0.0.1:1", embedded=True)
    near.cache = CACHE
    async with near:
        yield {name: (await build(name, near)).runners[0] for name in names}


async def through(runner: Runner, events: Sequence[Event]) -> list[Event]:
    """Return what a stage tells about events, which it handles in its own batches."""
    told: list[Event] = []
    size = runner.policy.batch
    for start in range(0, len(events), size):
        for made in await runner.handle(events[start : start + size]):
            told.extend(made)
    return told
