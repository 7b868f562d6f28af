"""What a process shows to the outside over HTTP: the edge, the console, or both on one port."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

from fastapi import FastAPI

from console.app import create_app
from gateways.app import Accept, Publish, edge
from schemas.printer import InboundMessage
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
        app.include_router(edge(_publisher(near), _acceptor(near)))
    return app


def _publisher(near: Neighbours) -> Publish:
    teller = Teller(near.broker, CONFIRM_S)

    async def publish(message: InboundMessage) -> None:
        await teller.tell([message], "gateway")

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
