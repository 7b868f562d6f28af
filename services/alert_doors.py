"""Alarms by text message, mail and call: their doors, and the ways by which they are taken on."""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid5

from fastapi import APIRouter
from sqlalchemy.exc import SQLAlchemyError

from gateways.alert_letters import MailDoor, SmsDoor
from gateways.alerts import AlertDoor, Card
from gateways.roster import Roster
from knowledge.segments import in_plain_letters
from schemas.errors import Unavailable
from schemas.event import ASTREINTE
from schemas.frigo import FeedbackGiven
from schemas.printer import InboundMessage
from schemas.vocabulary import Channel, Language
from services.addresses import plain
from services.mail_doors import mail_door
from services.meters import MeteredOutbound
from services.neighbours import Neighbours
from services.on_call import roster_of
from services.settings import Settings
from services.telephone import forms_of
from services.text_doors import account_of, text_door
from storage import addressed

if TYPE_CHECKING:  # loads the vendor's library, and most desks have none
    from gateways.taking import Taking

log = logging.getLogger(__name__)

YES = re.compile(r"\W*(ok(ay)?|pris|prise|1|oui|yes|taken|je m['’]en occupe)\W*", re.IGNORECASE)
"""What somebody answers who takes an alarm on."""
NEEDS = {
    "sms": "ASTREINTE_TWILIO_SID",
    "mail": "ASTREINTE_MAIL_OUT",
    "call": "ASTREINTE_TWILIO_SID and a number in ASTREINTE_TWILIO_NUMBERS",
}
_NOTED = {
    Language.FR: "C'est noté, vous vous en occupez : {}",
    Language.EN: "Noted, you look after it: {}",
}

Answer = Callable[[InboundMessage], Awaitable[str]]
Publish = Callable[[FeedbackGiven], Awaitable[None]]


def own_doors(near: Neighbours) -> dict[str, AlertDoor]:
    """Return these doors by name, those that the settings have.

    Raises
    ------
    Unavailable
        The roster names one that they have not.
    """
    settings, doors = near.settings, list[AlertDoor]()
    roster = roster_of(settings.roster)
    named = {door for person in roster.people for door in person.channels}
    texts = text_door(settings.twilio, near.database) if "sms" in named else None
    if texts:
        answers = bool(settings.twilio.ours or settings.twilio.service)
        doors.append(SmsDoor(MeteredOutbound(texts), answers=answers))
    mails = mail_door(settings, near.database) if "mail" in named else None
    if mails:
        link_of = _link_of(settings, roster)
        doors.append(MailDoor(MeteredOutbound(mails), settings.mail.domain, link_of))
    if "call" in named and settings.twilio.ours:
        doors.append(_call_door(settings, roster))
    there = {door.name for door in doors}
    for name in sorted(named & NEEDS.keys() - there):
        msg = f"ASTREINTE_ROSTER_FILE: somebody is told by {name}, which needs {NEEDS[name]}"
        raise Unavailable(msg)
    return {door.name: door for door in doors}


def _link_of(settings: Settings, roster: Roster) -> Callable[[str, Card], str]:
    alarm = settings.alarm
    if not alarm.url:
        return lambda _to, _card: ""
    from gateways.taking import Links  # noqa: PLC0415 - loads the vendor's library

    links = Links(alarm.url, alarm.secret.get_secret_value())
    return lambda to, card: links.link(_taking(roster, "mail", to, card))


def _call_door(settings: Settings, roster: Roster) -> AlertDoor:
    from gateways.alert_calls import CallDoor  # noqa: PLC0415 - loads the vendor's library
    from gateways.taking import KEYS  # noqa: PLC0415

    forms, twilio = forms_of(settings.twilio), settings.twilio

    def action_of(to: str, card: Card) -> str:
        return forms.url(KEYS, _taking(roster, "call", to, card).query)

    return CallDoor(account_of(twilio), twilio.ours[0], action_of)


def _taking(roster: Roster, door: str, to: str, card: Card) -> Taking:
    from gateways.taking import Taking  # noqa: PLC0415

    person = roster.person_at(door, to)
    name = person.name if person else to
    return Taking(card.episode_id, card.unit_id, name, card.language.value)


def taking_routes(settings: Settings, publish: Publish) -> list[APIRouter]:
    """Return the routes by which alarms are taken on, where mails have links and calls keys."""
    if not (settings.alarm.url or settings.twilio.ours):
        return []
    from gateways.taking import Links, keys, links  # noqa: PLC0415 - loads the vendor's library

    alarm, routers = settings.alarm, []
    if alarm.url:
        routers.append(links(Links(alarm.url, alarm.secret.get_secret_value()), publish))
    if settings.twilio.ours:
        routers.append(keys(forms_of(settings.twilio), publish))
    return routers


def taking_texts(near: Neighbours, publish: Publish) -> Answer:
    """Return what takes alarms on by text, and says so to whom it was; nothing to all others.

    Without an alarm that this number was told of and that nobody has taken on, or without the
    record, a text stays a customer's message: the alarm goes on to the next one.

    Raises
    ------
    Unavailable
        The roster is wrong.
    """
    try:
        roster = roster_of(near.settings.roster)
    except ValueError as error:
        msg = f"ASTREINTE_ROSTER_FILE: {error}"
        raise Unavailable(msg) from None

    async def answer(message: InboundMessage) -> str:
        number = plain(Channel.SMS, message.sender or "")
        person = roster.person_at("sms", number)
        if not (person and YES.fullmatch(message.text.strip())):
            return ""
        now = datetime.now(UTC)
        try:
            episode = await near.database.read(addressed.taken_by, "sms", number, person.name, now)
        except (Unavailable, SQLAlchemyError):
            log.exception("whether %s takes an alarm on cannot be looked up", person.name)
            episode = None
        if episode is None:
            return ""
        name = uuid5(ASTREINTE, f"taken on by sms {message.external_id}")
        about = {"episode_id": episode.episode_id, "unit_id": episode.unit_id}
        who = {"by": person.name, "via": "sms", "action": "acknowledge"}
        when = {"event_id": name, "trace_id": name.hex, "occurred_at": now}
        await publish(FeedbackGiven.model_validate(about | who | when))
        log.info("%s took an alarm on by text message", person.name)
        title = in_plain_letters(str((episode.card or {}).get("title") or episode.unit_id))[:80]
        return _NOTED[person.language].format(title)

    return answer
