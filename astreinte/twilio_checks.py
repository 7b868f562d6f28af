"""What `astreinte channels check` looks at for Twilio."""

from __future__ import annotations

from collections.abc import AsyncIterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx

from ai.speech import Listener
from astreinte.finding import Finding
from schemas.errors import Unavailable
from services.settings import Settings
from services.settings_channels import TwilioSettings
from services.telephone import forms_of
from services.text_doors import account_of

CHANNEL = "SMS et appels (Twilio)"


async def twilio(settings: Settings) -> AsyncIterator[Finding]:
    """Check that our signature passes at the public URL, that we are let in, and what posts where.

    Nothing is sent: the signed form that is posted reports on no reply.
    """
    own = settings.twilio
    if not own.sid:
        return
    named = ", ".join((*own.ours, own.sender, own.service)).strip(", ")
    yield Finding(CHANNEL, "réglages", good=True, detail=f"complets ; envoi depuis {named}")
    yield await _signature(own)
    async for finding in _account(own):
        yield finding
    if settings.voice.model:
        yield _model(settings.voice.model)


async def _signature(own: TwilioSettings) -> Finding:
    from gateways.sms import REPORTS  # noqa: PLC0415 - loaded where Twilio is set

    what, url = "signature", own.public_url.rstrip("/") + REPORTS
    form = {"MessageSid": "SM0", "MessageStatus": "check"}
    signed = forms_of(own).signature(REPORTS, form)
    try:
        async with httpx.AsyncClient(timeout=own.timeout_s) as http:
            passed = await http.post(url, data=form, headers={"X-Twilio-Signature": signed})
            forged = await http.post(url, data=form, headers={"X-Twilio-Signature": "AAAA"})
    except httpx.HTTPError as error:
        why = f"{url} ne répond pas ({type(error).__name__})"
        return Finding(CHANNEL, what, good=False, detail=why)
    found = f"{url} répond {passed.status_code} à notre signature, {forged.status_code} à une autre"
    good = passed.is_success and forged.status_code == httpx.codes.FORBIDDEN
    advice = "" if good else " ; l'URL publique ou le jeton de cette machine-là sont autres"
    return Finding(CHANNEL, what, good=good, detail=found + advice)


async def _account(own: TwilioSettings) -> AsyncIterator[Finding]:
    import aiohttp  # noqa: PLC0415 - as Twilio's client
    from twilio.base.exceptions import TwilioException  # noqa: PLC0415

    from gateways.twilio import client_of  # noqa: PLC0415

    client = client_of(account_of(own))
    try:
        listed = await client.incoming_phone_numbers.list_async(limit=1_000)
    except (TwilioException, Unavailable, aiohttp.ClientError, TimeoutError, ValueError) as error:
        status = getattr(error, "status", type(error).__name__)
        why = f"Twilio refuse ou ne répond pas ({status})"
        yield Finding(CHANNEL, "identifiants", good=False, detail=why)
        return
    finally:
        await client.http_client.close()
    yield Finding(CHANNEL, "identifiants", good=True, detail=f"admis ; {len(listed)} numéro(s)")
    by_number = {each.phone_number: each for each in listed}
    for number in own.ours:
        yield _number(own, number, by_number.get(number))


def _model(folder: Path) -> Finding:
    what = "modèle de parole"
    try:
        Listener(folder)
    except Unavailable as why:
        return Finding(CHANNEL, what, good=False, detail=str(why))
    if find_spec("faster_whisper") is None:
        return Finding(CHANNEL, what, good=False, detail="pip install 'astreinte[voice]' manque")
    return Finding(CHANNEL, what, good=True, detail=f"{folder} ; les appels sont enregistrés")


def _number(own: TwilioSettings, number: str, found: Any) -> Finding:
    """Say whether a number is ours, and whether it posts to the edge."""
    if found is None:
        return Finding(CHANNEL, number, good=False, detail="pas un numéro de ce compte")
    base = own.public_url.rstrip("/") + "/callbacks/twilio"
    wrong = [
        f"{what} poste à « {given or 'rien'} » au lieu de {base}{path}"
        for what, given, path in (
            ("un SMS", found.sms_url, "/sms"),
            ("un appel", found.voice_url, "/voice"),
        )
        if (given or "").partition("#")[0] != base + path
    ]
    detail = " ; ".join(wrong) or f"poste à {base}/sms et /voice"
    return Finding(CHANNEL, number, good=not wrong, detail=detail)
