"""Alarms by telephone: Twilio calls, reads the alarm twice, and asks for a key.

`send` stays with a call until it is answered: one that is busy, or that nobody takes, has not
reached anybody, and the next one on call is told at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import aiohttp
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.twiml.voice_response import Gather, VoiceResponse

from gateways.alerts import Card
from gateways.outbound import OutcomeUnknown
from gateways.twilio import SERVER, Account, client_of
from gateways.voice import LOCALE
from schemas.errors import Rejected, Unavailable
from schemas.vocabulary import Language

RING_S = 25
"""Five rings: a mailbox mostly answers later."""
WAIT_S = 45.0
KEY_S = 8
UNAUTHORIZED = 401
ANSWERED = frozenset({"in-progress", "completed"})
NOT_REACHED = frozenset({"busy", "no-answer", "failed", "canceled"})

_ASK = {
    Language.FR: "Pour prendre en charge, appuyez sur 1.",
    Language.EN: "To take it on, press 1.",
}
_NOBODY = {
    Language.FR: "Personne n'a pris en charge : la personne suivante est prévenue. Au revoir.",
    Language.EN: "Nobody has taken it on: the next person is told. Goodbye.",
}
_HELLO = {Language.FR: "Alarme.", Language.EN: "Alarm."}

ActionOf = Callable[[str, Card], str]
"""Makes the URL at which a key pressed by the person at a number comes in."""


class CallDoor:
    """Alarms by telephone.

    Parameters
    ----------
    account
        Ours, at Twilio.
    number
        Of ours, from which it calls.
    action_of
        Where keys come in.
    every_s
        How often it is asked whether somebody answered.
    """

    name = "call"

    def __init__(
        self, account: Account, number: str, action_of: ActionOf, every_s: float = 1.5
    ) -> None:
        self._client = client_of(account)
        self._number = number
        self._action_of = action_of
        self._every_s = every_s

    async def send(self, to: str, card: Card) -> str:
        """Call, unless it is over or taken on: that wakes nobody. Raises as `AlertDoor.send`."""
        if not card.open or card.acknowledged:
            return "-"
        try:
            call = await self._client.calls.create_async(
                to=to,
                from_=self._number,
                twiml=str(script(card, self._action_of(to, card))),
                timeout=RING_S,
            )
        except TwilioRestException as error:
            raise _read(error) from error
        except (aiohttp.ClientError, TimeoutError, TwilioException, ValueError) as error:
            msg = f"no answer from Twilio ({type(error).__name__})"
            raise OutcomeUnknown(msg) from error
        sid = str(call.sid or "")
        await self._answered(sid)
        return sid

    async def _answered(self, sid: str) -> None:
        """Return once somebody took the call."""
        loop = asyncio.get_running_loop()
        until = loop.time() + WAIT_S
        while loop.time() < until:
            await asyncio.sleep(self._every_s)
            status = await self._status(sid)
            if status in ANSWERED:
                return
            if status in NOT_REACHED:
                msg = f"nobody was reached ({status})"
                raise Rejected(msg)
        msg = "whether somebody answered cannot be said"
        raise OutcomeUnknown(msg)

    async def _status(self, sid: str) -> str:
        try:
            return str((await self._client.calls(sid).fetch_async()).status)
        except (aiohttp.ClientError, TimeoutError, TwilioException, ValueError, Unavailable):
            return ""  # the next time

    async def edit(self, to: str, reference: str, card: Card) -> None:
        """Do nothing: what was said was said."""

    async def close(self) -> None:
        """Close the connections."""
        await self._client.http_client.close()


def script(card: Card, action: str) -> VoiceResponse:
    """Return what is said: the alarm twice, and what to press; a key counts at any time."""
    locale = LOCALE[card.language]
    answer = VoiceResponse()
    gather = Gather(input="dtmf", num_digits=1, timeout=KEY_S, action=action)
    for _ in range(2):
        said = f"{_HELLO[card.language]} {card.short_text or card.title} {_ASK[card.language]}"
        gather.say(said, language=locale)
        gather.pause(length=1)
    answer.append(gather)
    answer.say(_NOBODY[card.language], language=locale)
    answer.hangup()
    return answer


def _read(error: TwilioRestException) -> Exception:
    said: Any = f"Twilio answers {error.status} ({error.code})"
    if error.status >= SERVER:
        return OutcomeUnknown(said)
    if error.status == UNAUTHORIZED:  # not this alarm's fault: it waits until that is mended
        return Unavailable(said)
    return Rejected(said)
