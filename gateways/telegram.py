"""Alarms by Telegram: a message with buttons, edited as the episode goes on.

What Telegram asks of bots: about 30 messages a second in all, one a second in a chat, twenty a
minute in a group, and to be left alone for `retry_after` seconds after a 429.
"""

from __future__ import annotations

from typing import Any, TypeVar

from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import PRODUCTION, TelegramAPIServer
from aiogram.exceptions import (
    AiogramError,
    TelegramAPIError,
    TelegramBadRequest,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)
from aiogram.methods import EditMessageText, SendMessage, TelegramMethod
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions
from aiogram.utils.formatting import Bold, Code, Text
from aiohttp import ClientConnectorError, ConnectionTimeoutError

from gateways.alerts import Card
from gateways.buttons import Rows, first_row
from gateways.outbound import OutcomeUnknown
from gateways.pacing import Pace
from schemas.errors import Rejected, Unavailable

PER_S = 30.0
CHAT_GAP_S = 1.0
GROUP_GAP_S = 3.0
"""A group's chat id is negative."""
MAX_UNITS = 4096
"""Of a text, in UTF-16 code units."""
TOKEN_REFUSED_S = 60.0

T = TypeVar("T")


class TelegramDoor:
    """A bot; `url`: of another Bot API server than Telegram's; `timeout_s`: of one request."""

    name = "telegram"

    def __init__(self, token: str, url: str = "", timeout_s: float = 10.0) -> None:
        api = TelegramAPIServer.from_base(url) if url else PRODUCTION
        self.bot = Bot(token, session=AiohttpSession(api=api, timeout=timeout_s))
        self._pace = Pace(PER_S)

    async def send(self, to: str, card: Card) -> str:
        """Send a message, and return its number. Raises as `AlertDoor.send` says."""
        method = SendMessage(chat_id=int(to), **_shown(card))
        return str((await self.in_turn(method, to, urgent=card.urgent)).message_id)

    async def edit(self, to: str, reference: str, card: Card) -> None:
        """Edit a message. Raises as `AlertDoor.edit` says."""
        method = EditMessageText(chat_id=int(to), message_id=int(reference), **_shown(card))
        try:
            await self.in_turn(method, to, urgent=card.urgent)
        except OutcomeUnknown as error:
            raise Unavailable(str(error)) from error
        except Rejected as error:
            # Of the answers that have no code of their own, one is no failure.
            if "message is not modified" not in str(error):
                raise

    async def close(self) -> None:
        """Close the connections."""
        await self.bot.session.close()

    async def in_turn(self, method: TelegramMethod[T], to: str, *, urgent: bool = False) -> T:
        """Call a method that writes to a chat, when its turn has come. Raises as `call`."""
        gap_s = GROUP_GAP_S if to.startswith("-") else CHAT_GAP_S
        await self._pace.turn(to, gap_s, urgent=urgent)
        try:
            return await self.call(method)
        except Unavailable as error:
            if error.retry_after_s:
                self._pace.hold(error.retry_after_s)
            raise

    async def call(self, method: TelegramMethod[T], timeout_s: int | None = None) -> T:
        """Call a method of the Bot API at once. Raises as `AlertDoor.send` says."""
        try:
            return await self.bot(method, request_timeout=timeout_s)
        except TelegramRetryAfter as error:
            msg = "Telegram asks for a pause (429)"
            raise Unavailable(msg, float(error.retry_after)) from error
        except (TelegramUnauthorizedError, TelegramNotFound) as error:
            # Not this message's fault: it waits until somebody has mended the setting.
            msg = "Telegram refuses the token (ASTREINTE_TELEGRAM_TOKEN)"
            raise Unavailable(msg, TOKEN_REFUSED_S) from error
        except TelegramServerError as error:
            msg = f"Telegram is in trouble ({type(error).__name__})"
            raise Unavailable(msg) from error
        except TelegramNetworkError as error:
            cause = error.__cause__
            why = type(cause).__name__
            if isinstance(cause, ClientConnectorError | ConnectionTimeoutError):
                msg = f"Telegram cannot be reached ({why})"
                raise Unavailable(msg) from error
            msg = f"no answer from Telegram ({why})"
            raise OutcomeUnknown(msg) from error
        except TelegramMigrateToChat as error:
            msg = f"the group has another chat id by now: {error.migrate_to_chat_id}"
            raise Rejected(msg) from error
        except TelegramAPIError as error:  # 400 and 403: the chat, the text, or its owner says no
            kind = "" if type(error) is TelegramBadRequest else f" ({type(error).__name__})"
            msg = f"Telegram refuses: {error.message[:200]}{kind}"
            raise Rejected(msg) from error
        except AiogramError as error:  # an answer that cannot be read
            msg = f"Telegram's answer cannot be read ({type(error).__name__})"
            raise OutcomeUnknown(msg) from error


def _shown(card: Card) -> dict[str, Any]:
    """Return text, entities and keyboard. The unit stands last, as code: a press is known by it."""
    last = card.unit_id
    room = MAX_UNITS - _units(card.title[:200]) - _units(last) - 4
    body = Text(Bold(card.title[:200]), "\n", _cut(card.text, room), "\n\n", Code(last))
    rows = (
        first_row(card.episode_id, card.language, acknowledged=card.acknowledged)
        if card.open
        else []
    )
    return {
        **body.as_kwargs(),
        "reply_markup": keyboard(rows),
        "link_preview_options": LinkPreviewOptions(is_disabled=True),
    }


def keyboard(rows: Rows) -> InlineKeyboardMarkup:
    """Return buttons as Telegram takes them; no rows take them away."""
    return InlineKeyboardMarkup(
        inline_keyboard=[
            [InlineKeyboardButton(text=label, callback_data=data) for label, data in row]
            for row in rows
        ]
    )


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "replace")) // 2


def _cut(text: str, room: int) -> str:
    text = text.replace("\x00", "").strip()
    if _units(text) <= room:
        return text
    return text.encode("utf-16-le", "replace")[: 2 * (room - 1)].decode("utf-16-le", "ignore") + "…"
