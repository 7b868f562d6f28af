"""What a process shows to the outside over HTTP: the edge, the console, or both on one port."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import UTC, datetime

from fastapi import APIRouter, FastAPI

from console.app import create_app
from gateways.app import Accept, edge
from gateways.diagnostics import EpisodeOf, OpenEpisode, diagnostics
from gateways.readings import Lock, readings
from gateways.webhook import reports
from schemas.delivery import DeliveryReported
from schemas.event import Event
from schemas.frigo import InboundReading
from schemas.printer import InboundMessage
from schemas.vocabulary import Fault
from services import tracing
from services.alert_doors import taking_routes, taking_texts
from services.bridge import presses_of
from services.chatting import chat_routes
from services.mail_doors import mail_routes
from services.meters import MeteredEdge, paths_of
from services.neighbours import Neighbours
from services.telephone import telephone_routes
from services.telling import Teller
from services.watch import Healths
from storage import journal, standing

FACES = ("edge", "console")
CONFIRM_S = 10.0
"""For Kafka to confirm a message: those who hand it in commonly give up after 15 s."""


def face(near: Neighbours, healths: Healths, parts: Collection[str] = FACES) -> FastAPI:
    """Make the application of those of `parts` that have one.

    The edge alone needs no database: Kafka keeps what it was told. Only the embedded broker keeps
    nothing, so there the edge writes a journal.
    """
    if "console" in parts:
        app = create_app(near.database, healths, _publisher(near))
    else:
        app = FastAPI(title="Astreinte", docs_url=None, redoc_url=None)
    if "edge" in parts:
        publish = _publisher(near)
        routers = [edge(publish, _acceptor(near))]
        if secret := near.settings.webhook.secret.get_secret_value():
            routers.append(reports(secret, publish))
        routers += _of_rooms(near)
        routers += _of_mails(near)
        takes_on = taking_texts(near, publish)
        routers += telephone_routes(near.settings, publish, _acceptor(near), takes_on)
        routers += taking_routes(near.settings, publish)
        if near.settings.chat.secret.get_secret_value():
            routers.append(chat_routes(near, publish, _acceptor(near)))
        for router in routers:
            app.include_router(router)
        app.add_middleware(MeteredEdge, paths=paths_of(routers))
    return app


def _of_rooms(near: Neighbours) -> list[APIRouter]:
    """Return the routes of cold rooms: readings come in, and buttons where Telegram posts them."""
    teller = Teller(near.broker, CONFIRM_S)

    async def publish(events: Sequence[InboundReading]) -> None:
        await teller.tell(events, "gateway")
        tracing.told("edge", events)

    given = near.settings.readings
    lock = Lock(given.key.get_secret_value(), given.open_on_loopback)
    at_hand = _episode_of(near) if near.has_database else None
    routers = [readings(publish, lock), diagnostics(publish, lock, at_hand)]
    if near.settings.telegram.callback_url:
        from gateways.hooks import presses_route  # noqa: PLC0415 - loads aiogram

        secret = near.settings.telegram.secret.get_secret_value()
        routers.append(presses_route(presses_of(near, "edge"), secret))
    return routers


def _of_mails(near: Neighbours) -> list[APIRouter]:
    """Return the routes of e-mail: what comes in, and what became of what left."""
    teller, publish, accept = Teller(near.broker, CONFIRM_S), _publisher(near), _acceptor(near)

    async def hand_in(event: InboundMessage | DeliveryReported) -> None:
        if not isinstance(event, InboundMessage) or await accept(event):
            await publish(event)

    async def publish_all(events: Sequence[DeliveryReported]) -> None:
        await teller.tell(events, "gateway")
        tracing.told("edge", events)

    return mail_routes(near.settings, hand_in, publish_all)


def _episode_of(near: Neighbours) -> EpisodeOf:
    async def episode_of(unit_id: str) -> OpenEpisode | None:
        found = await near.database.read(standing.worst_open, unit_id)
        if found is None:
            return None
        known = Fault._value2member_map_.get(found.fault)
        label = known.fr if isinstance(known, Fault) else found.fault
        score = found.causes[0].get("probability") if found.causes else None
        return OpenEpisode(label, score if isinstance(score, float) else None, found.announced)

    return episode_of


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
