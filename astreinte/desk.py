"""The whole desk in one process: broker, record, six stages, edge, console."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import uvicorn
from fastapi import FastAPI

from astreinte import running
from astreinte.running import Running
from console.app import create_app
from gateways.app import Accept, Publish, edge
from gateways.kafka import EmbeddedKafka
from schemas.printer import InboundMessage
from schemas.topics import STAGES
from services.neighbours import Neighbours
from services.policy import Health
from services.serve import running as stages_running
from services.settings import Settings
from services.stage import Stage
from storage import journal, outbox

REPLAY_AT_ONCE = 100


class PortTaken(Exception):  # noqa: N818 - said to whoever chose it
    """Somebody listens on that port already."""


@dataclass
class Desk:
    """What runs, and where to look."""

    url: str
    near: Neighbours
    stages: list[Stage]
    replayed: int

    def health(self) -> list[Health]:
        """Say how the stages are."""
        return [health for stage in self.stages for health in stage.health()]


@asynccontextmanager
async def desk(settings: Settings) -> AsyncIterator[Desk]:
    """Have the whole desk run.

    Raises
    ------
    PortTaken
        The console's port is in use.
    """
    listener = _listen(settings.http.host, settings.http.port)
    url = f"http://{settings.http.host}:{listener.getsockname()[1]}"
    with broker(settings) as (kafka, embedded):
        async with Neighbours(settings, kafka, embedded=embedded) as near:
            names = [*STAGES, "record"]
            async with stages_running(near, names) as stages:
                found = Desk(url, near, stages, replayed=0)
                app = create_app(near.database, found.health)
                app.include_router(edge(_publisher(near), _acceptor(near)))
                async with _serving(app, listener):
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


def _publisher(near: Neighbours) -> Publish:
    async def publish(message: InboundMessage) -> None:
        await near.teller.tell([message], "gateway")

    return publish


def _acceptor(near: Neighbours) -> Accept:
    async def accept(message: InboundMessage) -> bool:
        if not near.embedded:
            return True  # Kafka keeps it on disk; ingest knows what it has seen
        body = message.model_dump_json(by_alias=True)
        return await near.database.write(
            journal.accept, str(message.event_id), body, datetime.now(UTC)
        )

    return accept


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


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        msg = f"{host}:{port} cannot be listened on ({error.strerror}); choose another with --port"
        raise PortTaken(msg) from None
    return listener


class _Server(uvicorn.Server):
    """Uvicorn without its signal handlers: stopping is ours, in our order."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone."""
        yield


@asynccontextmanager
async def _serving(app: FastAPI, listener: socket.socket) -> AsyncIterator[None]:
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, lifespan="off", timeout_graceful_shutdown=2
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        while not server.started and not task.done():  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.02)
        yield
    finally:
        app.state.stopping = True
        server.should_exit = True
        await task
