"""Telegram as a channel of customers, put together from settings."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from gateways.roster import Roster
from knowledge.wording import load_wording
from schemas.errors import Unavailable
from schemas.printer import InboundMessage
from schemas.vocabulary import Channel, Language
from services import tracing
from services.neighbours import Neighbours
from services.settings import Settings
from services.settings_frigo import TelegramSettings
from services.verdicts import JudgedOutbound
from storage import journal
from storage.database import Database
from storage.suppressions import welcome_back

if TYPE_CHECKING:  # loading aiogram takes seconds, and most desks have no Telegram
    from gateways.presses import Customers
    from gateways.telegram import TelegramDoor

log = logging.getLogger(__name__)


def telegram_door(telegram: TelegramSettings, database: Database) -> JudgedOutbound | None:
    """Return the door for replies, or nothing where customers do not write to the bot."""
    token = telegram.token.get_secret_value()
    if not (token and telegram.customers):
        return None
    from gateways.telegram import TelegramDoor  # noqa: PLC0415 - loaded where a token is set
    from gateways.telegram_outbound import TelegramOutbound  # noqa: PLC0415

    bot = TelegramDoor(token, telegram.url, telegram.timeout_s)
    return JudgedOutbound(TelegramOutbound(bot), database)


def customers_of(
    near: Neighbours, door: TelegramDoor, roster: Roster, source: str
) -> Customers | None:
    """Return what takes the messages of customers; nothing where none may write."""
    settings = near.settings
    if not settings.telegram.customers:
        return None
    from gateways.attachments import Files  # noqa: PLC0415 - where files come in
    from gateways.telegram_chats import Desk, TelegramChats  # noqa: PLC0415 - loads aiogram

    async def publish(message: InboundMessage) -> None:
        if near.embedded:  # that broker keeps nothing on disk: the journal does
            body, now = message.model_dump_json(by_alias=True), datetime.now(UTC)
            name = str(message.event_id)
            if not await near.database.write(journal.accept, name, body, now):
                return
        await near.teller.tell([message], source)
        tracing.told(source, [message])

    async def returned(chat: str) -> None:
        channel = Channel.TELEGRAM.value
        try:
            await near.database.write(welcome_back, channel, chat, "telegram")
        except (Unavailable, SQLAlchemyError) as why:
            log.warning("whether chat %s was suppressed is not known: %s", chat, type(why).__name__)

    mail = settings.mail
    files = Files(mail.files, mail.file_bytes)
    desk = Desk(roster, publish, files.keep, mail.file_bytes, greetings(settings), returned)
    return TelegramChats(door, desk).take


def greetings(settings: Settings) -> dict[Language, str]:
    """Return what `/start` is answered with: that a machine answers, and how to reach a person."""
    own = settings.dispatch
    contact = f" ({own.contact})" if own.contact else ""
    return {
        language: load_wording()
        .of(language)
        .telegram.format(signature=own.signature, contact=contact)
        for language in Language
    }
