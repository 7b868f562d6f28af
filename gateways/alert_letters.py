"""Alarms as letters: text messages and mails, through the doors by which replies leave.

Neither can be edited: what changes is not said, and the end is a letter of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid5

from gateways.alerts import Card
from gateways.outbound import Letter, Outbound
from knowledge.segments import in_plain_letters, segments
from schemas.event import ASTREINTE
from schemas.vocabulary import Channel, Language

MAX_SEGMENTS = 2
_OK = {
    Language.FR: "Répondez OK pour prendre en charge.",
    Language.EN: "Reply OK to take it on.",
}
_LINK = {Language.FR: "Prendre en charge :", Language.EN: "Take it on:"}

LinkOf = Callable[[str, Card], str]
"""Makes the link by which the person at an address takes an alarm on; empty: there is none."""


class SmsDoor:
    """Alarms by text message. `answers`: whoever gets one can answer it."""

    name = "sms"

    def __init__(self, door: Outbound, *, answers: bool) -> None:
        self._door = door
        self._answers = answers

    async def send(self, to: str, card: Card) -> str:
        """Send a text. Raises as `AlertDoor.send` says."""
        text = text_of(card, answers=self._answers)
        return await self._door.send(Letter(_name(self, to, card), Channel.SMS.value, to, "", text))

    async def edit(self, to: str, reference: str, card: Card) -> None:
        """Do nothing: a text that was sent stays as it is."""

    async def close(self) -> None:
        """Let connections go."""
        await self._door.close()


class MailDoor:
    """Alarms by mail, all of an episode in one thread.

    Parameters
    ----------
    door
        Takes the mails.
    domain
        What our Message-IDs end with.
    link_of
        The link in each mail.
    """

    name = "mail"

    def __init__(self, door: Outbound, domain: str, link_of: LinkOf) -> None:
        self._door = door
        self._domain = domain
        self._link_of = link_of

    async def send(self, to: str, card: Card) -> str:
        """Send a mail. Raises as `AlertDoor.send` says."""
        first = self._mail_id(to, card, "raised")
        answered = "" if card.kind == "raised" else first
        link = self._link_of(to, card) if _to_be_taken(card) else ""
        parts = (card.text, f"{_LINK[card.language]} {link}" if link else "", card.unit_id)
        letter = Letter(
            _name(self, to, card),
            Channel.EMAIL.value,
            to,
            card.title,
            "\n\n".join(part for part in parts if part),
            mail_id=self._mail_id(to, card, card.kind),
            in_reply_to=answered,
            references=(answered,) if answered else (),
        )
        return await self._door.send(letter) or letter.mail_id

    def _mail_id(self, to: str, card: Card, kind: str) -> str:
        own = uuid5(ASTREINTE, f"alarm {card.episode_id}/{kind}/{to}")
        return f"<alarm.{own.hex}@{self._domain}>"

    async def edit(self, to: str, reference: str, card: Card) -> None:
        """Do nothing: a mail that was sent stays as it is."""

    async def close(self) -> None:
        """Let connections go."""
        await self._door.close()


def text_of(card: Card, *, answers: bool) -> str:
    """Return an alarm in two segments at most, the end of its words cut off where needed."""
    ask = f" {_OK[card.language]}" if answers and _to_be_taken(card) else ""
    words = in_plain_letters(card.short_text or card.title).strip()
    text = in_plain_letters(words + ask)
    while segments(text).count > MAX_SEGMENTS and words:
        words = words[:-5].rstrip(" .")
        text = in_plain_letters(f"{words}...{ask}")
    return text


def _to_be_taken(card: Card) -> bool:
    return card.open and not card.acknowledged


def _name(door: SmsDoor | MailDoor, to: str, card: Card) -> str:
    """Return the identity of a letter: of one kind, an episode has one to each address."""
    return str(uuid5(ASTREINTE, f"alert {card.episode_id}/{card.kind}/{door.name}/{to}"))
