"""The stages' handlers called one after the other: no Kafka, no waiting for one another."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from benchmarks.desk import CACHE, settings
from benchmarks.messages import inbound_messages
from schemas.event import Event
from schemas.topics import STAGES
from services.neighbours import Neighbours
from services.runtime import Runner
from services.serve import build

MESSAGES = 1_000


async def alone(folder: Path) -> dict[str, float]:
    """Return the milliseconds a message that each stage's handler takes, in its own batches.

    SQLite and the embedding model are in it; the outbox's relay is not.
    """
    near = Neighbours(settings(folder), "127.0.0.1:1", embedded=True)
    near.cache = CACHE
    async with near:
        runners = {name: (await build(name, near)).runners[0] for name in STAGES}
        events: Sequence[Event] = list(islice(inbound_messages("alone", seed=8), MESSAGES))
        spent: dict[str, float] = {}
        for name, runner in runners.items():
            began = time.perf_counter()
            events = await _through(runner, events)
            spent[name] = (time.perf_counter() - began) / MESSAGES * 1000
        return spent


async def _through(runner: Runner, events: Sequence[Event]) -> list[Event]:
    told: list[Event] = []
    size = runner.policy.batch
    for start in range(0, len(events), size):
        for made in await runner.handle(events[start : start + size]):
            told.extend(made)
    return told
