"""What customers write to the bot, as inbound messages; files are kept where all others are.

Whoever is on call and answers to an alarm is no customer. In a group the bot hears what is said to
it: an answer to its own words, or its name.
"""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiogram.enums import ContentType
from aiogram.exceptions import AiogramError
from aiogram.methods import GetFile, SendMessage
from aiogram.types import Message
from pydantic import ValidationError

from gateways.attachments import Keep
from gateways.outbound import OutcomeUnknown
from gateways.roster import Roster
from gateways.telegram import TelegramDoor
from schemas.errors import Rejected, Unavailable, reason_of
from schemas.printer import Attachment, InboundMessage
from schemas.vocabulary import Channel, Language

log = logging.getLogger(__name__)

MAX_FILE_BYTES = 20_000_000
"""That a bot may fetch."""
AT_TELEGRAM = "telegram:"
"""Before the id of a file that was not fetched."""
PRIVATE = "private"
WORDLESS = {
    ContentType.VOICE: "message vocal",
    ContentType.AUDIO: "son",
    ContentType.VIDEO: "vidéo",
    ContentType.VIDEO_NOTE: "vidéo",
    ContentType.PHOTO: "image",
    ContentType.DOCUMENT: "fichier",
    ContentType.LOCATION: "lieu",
    ContentType.CONTACT: "contact",
}
"""What may come without a word: a person looks at it."""
_COMMAND = re.compile(r"/(start|help)(@\w+)?(\s.*)?", re.DOTALL)
_UNREADABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")

Publish = Callable[[InboundMessage], Awaitable[None]]
Returned = Callable[[str], Awaitable[None]]


@dataclass(frozen=True)
class Desk:
    """What is behind the bot.

    Parameters
    ----------
    roster
        Who is on call.
    publish
        Returns once Kafka has the message; raises `Unavailable`.
    keep
        Puts a file somewhere; `limit_bytes`: of one file.
    greetings
        What `/start` is answered with.
    returned
        Hears of a chat that begins, perhaps again after the bot was blocked there.
    """

    roster: Roster
    publish: Publish
    keep: Keep
    limit_bytes: int
    greetings: Mapping[Language, str]
    returned: Returned


class TelegramChats:
    """Takes what is written to a bot."""

    def __init__(self, door: TelegramDoor, desk: Desk) -> None:
        self._door = door
        self._desk = desk

    async def take(self, message: Message) -> None:
        """Take a message in; told again it is the same event.

        Raises
        ------
        Unavailable
            Kafka did not confirm, or Telegram is away: it has to be handed in again.
        """
        if (message.from_user and message.from_user.is_bot) or self._is_of_an_alarm(message):
            return
        text = message.text or message.caption or ""
        if message.chat.type != PRIVATE:
            name = f"@{(await self._door.bot.me()).username}"
            if not self._is_meant(message, text, name):
                return
            text = re.sub(re.escape(name) + r"\b", "", text, flags=re.IGNORECASE).strip()
        if _COMMAND.fullmatch(text):
            await self._greet(message)
            return
        if not text.strip():
            if message.content_type not in WORDLESS:
                return  # somebody joined, a sticker …
            text = f"({WORDLESS[ContentType(message.content_type)]}, sans texte)"
        await self._hand_in(message, text)

    def _is_of_an_alarm(self, message: Message) -> bool:
        """Say whether somebody on call answers to what the bot said."""
        chat = str(message.chat.id)
        user = str(message.from_user.id) if message.from_user else ""
        on_call = any(self._desk.roster.person_at("telegram", one) for one in (chat, user))
        return on_call and self._answers_us(message)

    def _answers_us(self, message: Message) -> bool:
        answered = message.reply_to_message
        return bool(answered and answered.from_user and answered.from_user.id == self._door.bot.id)

    def _is_meant(self, message: Message, text: str, name: str) -> bool:
        said = [
            each.extract_from(text).lower()
            for each in message.entities or message.caption_entities or ()
            if each.type in {"mention", "bot_command"}
        ]
        return self._answers_us(message) or any(one.endswith(name.lower()) for one in said)

    async def _greet(self, message: Message) -> None:
        chat = str(message.chat.id)
        await self._desk.returned(chat)
        code = (message.from_user.language_code if message.from_user else "") or "fr"
        language = Language.FR if code.startswith("fr") else Language.EN
        method = SendMessage(chat_id=message.chat.id, text=self._desk.greetings[language])
        try:
            await self._door.in_turn(method, chat)
        except (Rejected, OutcomeUnknown, Unavailable) as why:
            log.info("nobody saw the greeting: %s", why)

    async def _hand_in(self, message: Message, text: str) -> None:
        who = message.from_user.full_name if message.from_user else message.chat.title
        said: dict[str, Any] = {
            "channel": Channel.TELEGRAM,
            "external_id": f"{message.chat.id}:{message.message_id}",
            "from": str(message.chat.id),
            "from_name": " ".join((who or "").split())[:200],
            "to": str(self._door.bot.id),
            "text": _UNREADABLE.sub("", text),
            "attachments": await self._files(message),
            "received_at": message.date,
        }
        try:
            event = InboundMessage.model_validate(said)
        except ValidationError as why:
            log.warning("passed over a message of Telegram's: %s", reason_of(why))
            return
        await self._desk.publish(event)

    async def _files(self, message: Message) -> list[Attachment]:
        """Fetch the photograph or document that came along."""
        if message.photo:
            photo = message.photo[-1]  # the largest
            claimed = self._claimed("photo.jpg", "image/jpeg", photo.file_size, photo.file_id)
        elif given := (message.document or message.voice or message.video or message.audio):
            name = str(getattr(given, "file_name", None) or message.content_type)
            kind = given.mime_type or "application/octet-stream"
            claimed = self._claimed(name, kind, given.file_size, given.file_id)
        else:
            return []
        return [await self._kept(claimed)]

    @staticmethod
    def _claimed(name: str, kind: str, size: int | None, file_id: str) -> Attachment:
        plain = " ".join(_UNREADABLE.sub("", name).split())[:200]
        kind = kind if re.fullmatch(r"[\w.+-]+/[\w.+-]+", kind) else "application/octet-stream"
        reference = AT_TELEGRAM + file_id
        return Attachment(name=plain, content_type=kind, size_bytes=size or 0, reference=reference)

    async def _kept(self, claimed: Attachment) -> Attachment:
        if claimed.size_bytes > min(self._desk.limit_bytes, MAX_FILE_BYTES):
            return claimed.model_copy(update={"warning": "too_large"})
        try:
            found = await self._door.call(
                GetFile(file_id=claimed.reference.removeprefix(AT_TELEGRAM))
            )
            data = io.BytesIO()
            await self._door.bot.download_file(found.file_path or "", data)
        except (
            Rejected,
            Unavailable,
            OutcomeUnknown,
            AiogramError,
            aiohttp.ClientError,
            TimeoutError,
        ) as why:
            # The words do not wait for it; Telegram keeps it under its id.
            log.warning("a file of a customer was not fetched: %s", type(why).__name__)
            return claimed.model_copy(update={"warning": "not_fetched"})
        read = data.getvalue()
        return self._desk.keep(claimed.model_copy(update={"size_bytes": len(read)}), read)
