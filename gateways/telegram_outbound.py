"""Replies by Telegram, through the bot that tells of alarms.

The Bot API knows no idempotency key and cannot be asked: after a lost answer a reply may have left,
and is not sent again. One that is longer than a message leaves in parts.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus

from aiogram.exceptions import TelegramForbiddenError
from aiogram.methods import SendMessage
from aiogram.types import LinkPreviewOptions

from gateways.outbound import Letter, OutcomeUnknown, Refused
from gateways.telegram import MAX_UNITS, TelegramDoor
from schemas.errors import Rejected, Unavailable
from schemas.printer import CHAT

NAME = "telegram"
AT_ONCE = 16
BLOCKED = HTTPStatus.FORBIDDEN
PATIENCE_S = 20.0
"""Between two parts of a reply: whoever waits longer for the rest takes the beginning for all."""
TRIES = 3


class TelegramOutbound:
    """The door for replies; the last part's number is the reply's."""

    name = NAME
    at_once = AT_ONCE
    settles_after_s = 0.0

    def __init__(self, door: TelegramDoor) -> None:
        self._door = door

    async def send(self, letter: Letter) -> str:
        """Send. Raises as `Outbound.send` says, and `Refused` where the bot is blocked."""
        if not CHAT.fullmatch(letter.address):
            msg = "the address is no chat of Telegram's"
            raise Rejected(msg)
        first, *rest = parts(letter.text)
        number = await self._say(letter.address, first)
        for part in rest:
            number = await self._go_on(letter.address, part)
        return number

    async def _say(self, chat: str, text: str) -> str:
        method = SendMessage(
            chat_id=int(chat), text=text, link_preview_options=LinkPreviewOptions(is_disabled=True)
        )
        try:
            return str((await self._door.in_turn(method, chat)).message_id)
        except Rejected as why:
            if isinstance(why.__cause__, TelegramForbiddenError):
                raise Refused(NAME, str(BLOCKED.value), str(why), status=BLOCKED) from why
            raise

    async def _go_on(self, chat: str, text: str) -> str:
        """Say a later part: the beginning has left, so the whole is not sent again."""
        for _ in range(TRIES):
            try:
                return await self._say(chat, text)
            except Unavailable as why:
                if (why.retry_after_s or 1.0) > PATIENCE_S:
                    break
                await asyncio.sleep(why.retry_after_s or 1.0)
        msg = "only a part of it left"
        raise OutcomeUnknown(msg)

    async def was_sent(self, reply_id: str) -> None:
        """Telegram cannot be asked: a person looks into the chat."""
        del reply_id

    async def close(self) -> None:
        """Close the connections."""
        await self._door.close()


def parts(text: str) -> list[str]:
    """Return a text in parts as long as a message may be, cut between paragraphs, lines or words.

    Telegram counts UTF-16 units, of which some characters are two.
    """
    left, found = text.replace("\x00", "").strip() or "…", []
    while left:
        room = left.encode("utf-16-le", "replace")[: 2 * MAX_UNITS].decode("utf-16-le", "ignore")
        if len(room) < len(left):
            ends = (room.rfind(end) for end in ("\n\n", "\n", " "))
            room = room[: next((end for end in ends if end > len(room) // 2), len(room))]
        found.append(room.rstrip())
        left = left[len(room) :].lstrip()
    return found
