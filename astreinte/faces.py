"""What a process shows to the outside over HTTP: the edge, the console, or both on one port."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, datetime

from fastapi import FastAPI

from console.app import create_app
from gateways.app import Accept, edge
from gateways.webhook import reports
from schemas.event import Event
from schemas.printer import InboundMessage
from services import tracing
from services.meters import MeteredEdge, paths_of
from services.neighbours import Neighbours
from services.telling import Teller
from services.watch import Healths
from storage import journal

FACES = ("edge", "console")
CONFIRM_S = 10.0
"""For Kafka to confirm a message: those who hand it in commonly give up after 15 s."""


def face(near: Neighbours, healths: Healths, parts: Collection[str] = FACES) -> FastAPI:
    """Make the application of those of `parts` that have one.

    The edge alone needs no database: Kafka keeps what it was told. Only the embedded broker keeps
    nothing, so there the edge writes a journal.
    """
    if "console" in parts:
        app = create_app(near.database, healths)
    else:
        app = FastAPI(title="Astreinte", docs_url=None, redoc_url=None)
    if "edge" in parts:
        publish = _publisher(near)
        routers = [edge(publish, _acceptor(near))]
        if secret := near.settings.webhook.secret.get_secret_value():
            routers.append(reports(secret, publish))
        for router in routers:
            app.include_router(router)
        app.add_middleware(MeteredEdge, paths=paths_of(routers))
    return app


def _publisher(near: Neighbours) -> Callable[[Event], Awaitable[None]]:
    teller = Teller(near.broker, CONFIRM_S)

    async def publish(event: Event) -> None:
        await teller.tell([event], "gateway")
        tracing.told("edge", [event])

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
