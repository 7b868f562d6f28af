"""Buttons that people press under alarms in Telegram, as events; from those of the roster only.

Two ways in, one at a time: `Presses.poll` asks Telegram (no public address needed), or Telegram
posts to the route of `gateways.hooks`. Either way an update counts as taken once Kafka has it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid5
from zoneinfo import ZoneInfo

from aiogram.methods import (
    AnswerCallbackQuery,
    DeleteWebhook,
    EditMessageReplyMarkup,
    GetUpdates,
    SetWebhook,
    TelegramMethod,
)
from aiogram.types import CallbackQuery, InaccessibleMessage, Message, Update

from gateways.buttons import NOTHING, SHELVE_H, Press, causes, first_row, read_press
from gateways.outbound import OutcomeUnknown
from gateways.roster import Person, Roster
from gateways.telegram import TelegramDoor, keyboard
from schemas.errors import Rejected, Unavailable
from schemas.event import ASTREINTE
from schemas.frigo import FeedbackGiven
from schemas.vocabulary import Fault, Language

log = logging.getLogger(__name__)

POLL_S = 25
AGAIN_S = (1.0, 2.0, 5.0, 15.0, 30.0)
KINDS = ["callback_query", "message"]

Publish = Callable[[FeedbackGiven], Awaitable[None]]
Customers = Callable[[Message], Awaitable[None]]

_STRANGER = "Vous n'êtes pas de l'astreinte. / You are not on call here."
_GONE = {
    Language.FR: "Cette alarme ne se retrouve plus.",
    Language.EN: "This alarm cannot be found any more.",
}
_TAKEN = {Language.FR: "Merci, c'est noté : {}", Language.EN: "Thank you, noted: {}"}
_ACK = {Language.FR: "vous vous en occupez", Language.EN: "you look after it"}
_SHELVED = {Language.FR: "silence jusqu'à {}", Language.EN: "silent until {}"}
_NOTHING = {Language.FR: "fausse alerte", Language.EN: "false alarm"}


class Presses:
    """Turns updates of a bot into `FeedbackGiven`.

    Parameters
    ----------
    door
        The bot whose buttons they are.
    roster
        Who may press.
    publish
        Returns once Kafka has confirmed the event; raises `Unavailable`.
    customers
        Takes what is written to the bot, where customers may; raises `Unavailable`.
    """

    def __init__(
        self,
        door: TelegramDoor,
        roster: Roster,
        publish: Publish,
        customers: Customers | None = None,
    ) -> None:
        self._door = door
        self._roster = roster
        self._publish = publish
        self._customers = customers

    async def take(self, update: Update) -> None:
        """Do what an update asks for; a repeated one tells the same event again.

        Raises
        ------
        Unavailable
            Kafka did not confirm: Telegram has to hand it in again.
        """
        if update.message:
            log.info("chat %s wrote to the bot; its number goes into the roster", _chat(update))
            if self._customers:
                await self._customers(update.message)
        pressed = update.callback_query
        if pressed is None:
            return
        person = self._presser(pressed)
        if person is None:
            log.warning("refused a button: chat %s is not in the roster", _chat(update))
            await self._answer(pressed, _STRANGER, alert=True)
            return
        try:
            press = read_press(pressed.data or "")
        except ValueError:
            log.warning("refused a button that is none of ours")
            await self._answer(pressed, _GONE[person.language])
            return
        if press.action in {"was", "back"} and not press.fault:
            await self._show(pressed, press, person)
            await self._answer(pressed, "")
        else:
            await self._tell(pressed, press, person)

    def _presser(self, pressed: CallbackQuery) -> Person | None:
        """Return who pressed: by their own chat; in a group of the roster, whoever names it."""
        if pressed.message is None:
            return None
        at_home = self._roster.person_at("telegram", str(pressed.message.chat.id))
        own = self._roster.person_at("telegram", str(pressed.from_user.id))
        return own if own and at_home else at_home

    async def _tell(self, pressed: CallbackQuery, press: Press, person: Person) -> None:
        unit_id = _unit_of(pressed)
        if not unit_id:
            await self._answer(pressed, _GONE[person.language], alert=True)
            return
        now = datetime.now(UTC)
        event, said = _feedback(press, person, now)
        identity = uuid5(ASTREINTE, f"telegram press {pressed.id}")  # however often it is handed in
        await self._publish(
            FeedbackGiven.model_validate(
                event
                | {"event_id": identity, "trace_id": identity.hex, "unit_id": unit_id}
                | {"episode_id": press.episode_id, "by": person.name, "via": self._door.name}
                | {"occurred_at": now}
            )
        )
        await self._answer(pressed, _TAKEN[person.language].format(said))
        if press.action == "was":
            await self._show(pressed, Press("back", press.episode_id), person)

    async def _show(self, pressed: CallbackQuery, press: Press, person: Person) -> None:
        """Put the causes, or again the first row, under the message."""
        make = causes if press.action == "was" else first_row
        message = pressed.message
        if message is None:
            return
        markup = keyboard(make(press.episode_id, person.language))
        method = EditMessageReplyMarkup(
            chat_id=message.chat.id, message_id=message.message_id, reply_markup=markup
        )
        await self._kindly(method)

    async def _answer(self, pressed: CallbackQuery, text: str, *, alert: bool = False) -> None:
        method = AnswerCallbackQuery(
            callback_query_id=pressed.id, text=text or None, show_alert=alert
        )
        await self._kindly(method)

    async def _kindly(self, method: TelegramMethod[Any]) -> None:
        """Do what is only for the eye of who pressed: where it fails, the event stands."""
        try:
            await self._door.call(method)
        except (Unavailable, Rejected, OutcomeUnknown) as error:
            log.info("nobody saw the answer to a button: %s", error)

    async def poll(self) -> None:
        """Ask Telegram for updates, for ever. Whatever fails is waited out."""
        offset: int | None = None
        failures = 0
        await self._kindly(DeleteWebhook())
        while True:
            asked = GetUpdates(offset=offset, timeout=POLL_S, allowed_updates=KINDS)
            try:
                for update in await self._door.call(asked, timeout_s=POLL_S + 10):
                    await self._survive(update)
                    offset = update.update_id + 1
                failures = 0
            except (Unavailable, Rejected, OutcomeUnknown) as error:
                wait_s = AGAIN_S[min(failures, len(AGAIN_S) - 1)]
                wait_s = max(wait_s, getattr(error, "retry_after_s", 0) or 0)
                failures += 1
                log.warning("no buttons for %g s: %s", wait_s, error)
                await asyncio.sleep(wait_s)

    async def _survive(self, update: Update) -> None:
        """Take an update; one that we cannot stand must not be handed in for ever."""
        try:
            await self.take(update)
        except Unavailable:
            raise
        except Exception:
            log.exception("an update of Telegram was passed over")

    async def announce(self, url: str, secret: str) -> None:
        """Tell Telegram where to post updates to, again until it has heard."""
        for wait_s in (*AGAIN_S, *[AGAIN_S[-1]] * 10_000):
            try:
                await self._door.call(
                    SetWebhook(url=url, secret_token=secret, allowed_updates=KINDS)
                )
            except (Unavailable, Rejected, OutcomeUnknown) as error:
                log.warning("Telegram was not told where to post: %s", error)
                await asyncio.sleep(wait_s)
            else:
                return

    async def close(self) -> None:
        """Let the door's connections go."""
        await self._door.close()

    async def posted(self, update: Update) -> None:
        """Take an update that Telegram posted. Raises as `take`."""
        await self._survive(update)


def _chat(update: Update) -> int | None:
    pressed = update.callback_query
    message = (pressed.message if pressed else None) or update.message
    return message.chat.id if message else None


def _unit_of(pressed: CallbackQuery) -> str:
    """Return the unit, which stands as code at the end of each alarm."""
    message = pressed.message
    if message is None or isinstance(message, InaccessibleMessage) or not message.text:
        return ""
    codes = [entity for entity in message.entities or () if entity.type == "code"]
    return codes[-1].extract_from(message.text) if codes else ""


def _feedback(press: Press, person: Person, now: datetime) -> tuple[dict[str, object], str]:
    """Return what a press means, and how it is said to who pressed."""
    language = person.language
    if press.action == "ack":
        return {"action": "acknowledge"}, _ACK[language]
    if press.action == "shelve":
        until = now + timedelta(hours=SHELVE_H)
        clock = until.astimezone(ZoneInfo(person.time_zone))
        return {"action": "shelve", "until": until}, _SHELVED[language].format(f"{clock:%H:%M}")
    if press.fault == NOTHING:
        return {"action": "label"}, _NOTHING[language]
    fault = Fault(press.fault)
    return {"action": "label", "fault": fault.value}, fault.label(language)
