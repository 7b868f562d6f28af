"""What `astreinte channels check` looks at for alarms: who is told by what, and the way back."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator

import httpx

from astreinte.finding import Finding
from services.alert_doors import NEEDS
from services.on_call import roster_of
from services.settings import Settings

CHANNEL = "alarmes"


async def alarms(settings: Settings) -> AsyncIterator[Finding]:
    """Check that the roster is one, that its doors are set, and that links come back to the edge.

    Nobody is told of anything: the link that is opened is the page that asks, and no button.
    """
    if not settings.roster.file:
        return
    try:
        roster = roster_of(settings.roster)
    except ValueError as why:
        yield Finding(CHANNEL, "astreinte", good=False, detail=str(why))
        return
    told = Counter(door for person in roster.people for door in person.channels)
    named = ", ".join(f"{door} ({count})" for door, count in sorted(told.items()))
    detail = f"{len(roster.people)} personne(s) : {named}"
    yield Finding(CHANNEL, "astreinte", good=True, detail=detail)
    twilio = settings.twilio
    there = {
        "telegram": bool(settings.telegram.token.get_secret_value()),
        "sms": bool(twilio.sid),
        "call": bool(twilio.ours),
        "mail": bool(settings.mail.out),
        "console": True,
    }
    for door in sorted(told):
        if not there[door]:
            needs = NEEDS.get(door, "ASTREINTE_TELEGRAM_TOKEN")
            yield Finding(CHANNEL, door, good=False, detail=f"il faut {needs}")
    if told["mail"]:
        yield await _link(settings)


async def _link(settings: Settings) -> Finding:
    alarm, what = settings.alarm, "lien des courriels"
    if not alarm.url:
        why = "aucun : ASTREINTE_ALARM_URL et ASTREINTE_ALARM_SECRET en donnent un"
        return Finding(CHANNEL, what, good=True, detail=why)
    from gateways.taking import Links, Taking  # noqa: PLC0415 - loads the vendor's library

    ours, other = (
        Links(alarm.url, secret).link(Taking("check", "check", "astreinte"))
        for secret in (alarm.secret.get_secret_value(), "A" * 32)
    )
    try:
        async with httpx.AsyncClient(timeout=10.0) as http:
            passed, forged = await http.get(ours), await http.get(other)
    except httpx.HTTPError as error:
        why = f"{alarm.url} ne répond pas ({type(error).__name__})"
        return Finding(CHANNEL, what, good=False, detail=why)
    good = passed.is_success and forged.status_code == httpx.codes.GONE
    found = f"{alarm.url} répond {passed.status_code} au nôtre, {forged.status_code} à un autre"
    return Finding(CHANNEL, what, good=good, detail=found)
