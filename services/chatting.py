"""The chat put together: its door, by which dispatch shows replies, and what its routes need."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID, uuid5

from fastapi import APIRouter

from gateways.app import Accept, Publish
from gateways.chat import ChatDesk, Said, chat
from gateways.chats import Chats
from gateways.listening import Listener
from gateways.outbound import Letter
from gateways.visitors import Visitors
from schemas.delivery import ReplyShown
from schemas.event import ASTREINTE
from services import wire
from services.neighbours import EMBEDDED_FETCH_WAIT_MS, Neighbours
from services.telling import Teller
from storage import chats as kept

FETCH_WAIT_MS = 500


class ChatOutbound:
    """Shows replies in chats: each edge hears of them, and whoever is not there reads them later.

    Showing twice shows once: browsers know replies by their ids.
    """

    name = "chat"
    at_once = 200
    settles_after_s = 0.0

    def __init__(self, teller: Teller) -> None:
        self._teller = teller

    async def send(self, letter: Letter) -> str:
        """Tell every edge. Raises as `Outbound.send` says."""
        reply_id = UUID(letter.reply_id)
        shown = ReplyShown(
            event_id=uuid5(ASTREINTE, f"shown {reply_id}"),
            trace_id=reply_id.hex,
            caused_by=reply_id,
            occurred_at=datetime.now(UTC),
            why="montré dans le chat",
            reply_id=reply_id,
            conversation_id=letter.conversation_id or "-",
            visitor=letter.address,
            text=letter.text,
        )
        await self._teller.tell([shown], "dispatch")
        return letter.reply_id

    async def was_sent(self, reply_id: str) -> bool:
        """Never: showing again changes nothing."""
        del reply_id
        return False

    async def close(self) -> None:
        """Nothing to do."""


def chat_routes(near: Neighbours, publish: Publish, accept: Accept) -> APIRouter:
    """Return the chat's routes; they listen to what is shown once the first one comes."""
    settings = near.settings.chat
    chats = Chats(settings.sockets)
    listener = Listener(
        near.cluster,
        ReplyShown.topic,
        lambda record: chats.show(wire.parse(record, ReplyShown)),
        chats.close_all,
        EMBEDDED_FETCH_WAIT_MS if near.embedded else FETCH_WAIT_MS,
    )
    near.at_end(listener.stop)

    async def history(visitor: str) -> list[Said]:
        rows = await near.database.read(kept.said, visitor)
        return [Said(*row) for row in rows]

    visitors = Visitors(settings.secret.get_secret_value(), settings.per_minute)
    desk = ChatDesk(visitors, chats, publish, accept, history, listener.listening, settings.allowed)
    return chat(desk)
