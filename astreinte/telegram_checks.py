"""What `astreinte channels check` looks at for Telegram."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx

from astreinte.finding import Finding
from gateways.outbound import OutcomeUnknown
from schemas.errors import Rejected, Unavailable
from services.settings import Settings
from services.settings_frigo import TelegramSettings

CHANNEL = "Telegram"
HEADER = "X-Telegram-Bot-Api-Secret-Token"
NOTHING = {"update_id": 0}
"""An update that tells of nothing."""


async def telegram(settings: Settings) -> AsyncIterator[Finding]:
    """Check that the bot is let in, and that it posts where the edge is, or is asked.

    Nothing is sent, and no update is taken away from the bridge.
    """
    own = settings.telegram
    if not own.token.get_secret_value():
        return
    who = "alarmes et clients" if own.customers else "alarmes"
    how = "Telegram poste" if own.callback_url else "le pont demande"
    yield Finding(CHANNEL, "réglages", good=True, detail=f"complets ; {who} ; {how}")
    async for finding in _bot(own):
        yield finding
    if own.callback_url:
        yield await _secret(own)


async def _bot(own: TelegramSettings) -> AsyncIterator[Finding]:
    from aiogram.methods import GetMe, GetWebhookInfo  # noqa: PLC0415 - loads aiogram

    from gateways.telegram import TelegramDoor  # noqa: PLC0415

    door = TelegramDoor(own.token.get_secret_value(), own.url, own.timeout_s)
    try:
        me = await door.call(GetMe())
        hook = await door.call(GetWebhookInfo())
    except (Unavailable, Rejected, OutcomeUnknown) as why:
        yield Finding(CHANNEL, "identifiants", good=False, detail=str(why))
        return
    finally:
        await door.close()
    yield Finding(CHANNEL, "identifiants", good=True, detail=f"admis : @{me.username}")
    good = hook.url == own.callback_url
    wanted = own.callback_url or "rien : le pont demande"
    wrong = f"poste à « {hook.url or 'rien'} » au lieu de {wanted} ; le pont le dit à son démarrage"
    said = f" ; dernier refus : {hook.last_error_message}" if hook.last_error_message else ""
    yield Finding(CHANNEL, "adresse", good=good, detail=(wanted if good else wrong) + said)


async def _secret(own: TelegramSettings) -> Finding:
    url, secret = own.callback_url, own.secret.get_secret_value()
    try:
        async with httpx.AsyncClient(timeout=own.timeout_s) as http:
            passed = await http.post(url, json=NOTHING, headers={HEADER: secret})
            forged = await http.post(url, json=NOTHING, headers={HEADER: "A"})
    except httpx.HTTPError as error:
        why = f"{url} ne répond pas ({type(error).__name__})"
        return Finding(CHANNEL, "secret", good=False, detail=why)
    found = f"{url} répond {passed.status_code} à notre secret, {forged.status_code} à un autre"
    good = passed.is_success and forged.status_code == httpx.codes.UNAUTHORIZED
    return Finding(CHANNEL, "secret", good=good, detail=found)
