"""The whole desk in one process: broker, record, six stages, edge, console."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from astreinte import running
from astreinte.faces import face
from astreinte.playing import simulator_of
from astreinte.running import Running
from gateways.http import listen, serving, url_of
from gateways.kafka import EmbeddedKafka
from schemas.printer import InboundMessage
from schemas.topics import STAGES
from services.bridge import NAME as BRIDGE
from services.bridge import has_work
from services.neighbours import Neighbours
from services.policy import Health
from services.serve import running as stages_running
from services.settings import Settings
from services.stage import Stage
from services.watch import Reach, watching
from storage import journal, outbox

REPLAY_AT_ONCE = 100


@dataclass
class Desk:
    """What runs, and where to look."""

    url: str
    near: Neighbours
    stages: list[Stage]
    replayed: int

    def health(self) -> list[Health]:
        """Say how the stages are."""
        return [stage.health() for stage in self.stages]


@asynccontextmanager
async def desk(settings: Settings, *, simulated: bool = False) -> AsyncIterator[Desk]:
    """Have the whole desk run; `simulated`: with the simulator's routes, whatever is set.

    Raises
    ------
    PortTaken
        The console's port is in use.
    """
    listener = listen(settings.http.host, settings.http.port)
    url = url_of(listener)
    with broker(settings) as (kafka, embedded):
        async with Neighbours(settings, kafka, embedded=embedded) as near:
            names = [*[BRIDGE] * has_work(settings), *STAGES, "record"]
            async with stages_running(near, names) as stages:
                found = Desk(url, near, stages, replayed=0)
                app = face(near, found.health)
                app.include_router(watching(found.health, Reach(near).missing, near.model_state))
                open_to_all = simulated or settings.http.simulator
                simulator = simulator_of(near, app) if open_to_all else contextlib.nullcontext()
                async with simulator, serving(app, listener):
                    found.replayed = await _replay(near)
                    running.announce(
                        Running(url, kafka, settings.database.url, os.getpid(), embedded)
                    )
                    try:
                        yield found
                    finally:
                        running.withdraw()


@contextlib.contextmanager
def broker(settings: Settings) -> Iterator[tuple[str, bool]]:
    """Give the broker's address, and whether it is the embedded one, which ends with the block."""
    if settings.kafka.servers:
        yield settings.kafka.servers, False
        return
    embedded = EmbeddedKafka()
    try:
        yield embedded.address, True
    finally:
        embedded.close()


async def _replay(near: Neighbours) -> int:
    """Put back on the road what was acknowledged and not finished when the process ended."""
    if not near.embedded:
        return 0
    bodies = await near.database.read(journal.unfinished)
    for start in range(0, len(bodies), REPLAY_AT_ONCE):
        part = bodies[start : start + REPLAY_AT_ONCE]
        messages = [InboundMessage.model_validate_json(body) for body in part]
        names = [str(message.event_id) for message in messages]
        await near.database.write(outbox.tell_again, names)
        await near.teller.tell(messages, "journal")
    return len(bodies)
