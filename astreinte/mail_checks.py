"""What `astreinte channels check` looks at for e-mail. Nothing is sent, nothing is fetched."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

from astreinte.finding import Finding
from schemas.errors import Unavailable
from schemas.tags import conversation_of, tagged
from services.settings import Settings
from services.settings_mail import MailSettings, SendGridSettings

OUT, IN = "courriel sortant", "courriel entrant"
EXAMPLE = "c0123456789abcdef0123"


async def mail_out(settings: Settings) -> AsyncIterator[Finding]:
    """Check who our mails are from, the tag in their reply address, and that we are let in."""
    mail = settings.mail
    if not mail.out:
        return
    yield Finding(OUT, "réglages", good=True, detail=f"complets ; {mail.out}, de {mail.sender}")
    yield _tag(mail)
    if mail.out == "smtp":
        yield await _smtp(settings)
    else:
        yield await _sendgrid(settings.sendgrid)


def _tag(mail: MailSettings) -> Finding:
    secret, own = mail.secret.get_secret_value(), mail.reply_to or mail.address
    if not secret:
        detail = "aucune : sans ASTREINTE_MAIL_SECRET, seuls les en-têtes rattachent une réponse"
        return Finding(OUT, "étiquette de réponse", good=True, detail=detail)
    address = tagged(own, EXAMPLE, secret)
    good = conversation_of(address, secret) == EXAMPLE
    why = f"{address} : la boîte doit accepter ces adresses" if good else f"{own} est trop longue"
    return Finding(OUT, "étiquette de réponse", good=good, detail=why)


async def _smtp(settings: Settings) -> Finding:
    from gateways.smtp import connect  # noqa: PLC0415 - where it is set
    from services.mail_doors import server_of  # noqa: PLC0415

    client = server_of(settings).client(settings.mail.domain)
    where = f"{settings.smtp.host}:{settings.smtp.port} ({settings.smtp.tls})"
    try:
        await connect(client)
    except Unavailable as error:
        return Finding(OUT, "serveur", good=False, detail=f"{where} : {error}")
    finally:
        client.close()
    login = f", connecté en tant que {settings.smtp.user}" if settings.smtp.user else ""
    return Finding(OUT, "serveur", good=True, detail=f"{where} répond{login}")


async def _sendgrid(own: SendGridSettings) -> Finding:
    from gateways.sendgrid import scopes_of  # noqa: PLC0415 - where it is set

    try:
        scopes = await asyncio.to_thread(
            scopes_of, own.key.get_secret_value(), own.url, own.timeout_s
        )
    except Unavailable as error:
        return Finding(OUT, "clé", good=False, detail=f"inutilisable : {error}")
    good = "mail.send" in scopes
    return Finding(OUT, "clé", good=good, detail=f"{'peut' if good else 'ne peut pas'} envoyer")


async def mail_in(settings: Settings) -> AsyncIterator[Finding]:
    """Check SendGrid's public keys, the mailbox, and the folders that mails are kept in."""
    own = settings.sendgrid
    for name, text in (("INBOUND_KEY", own.inbound_key), ("EVENTS_KEY", own.events_key)):
        if text:
            yield _key(name, text)
    if settings.imap.host:
        yield await _mailbox(settings)
    if settings.imap.host or own.takes_mail:
        for folder in (settings.mail.spool, settings.mail.files):
            yield _folder(folder)


def _key(name: str, text: str) -> Finding:
    from gateways.sendgrid_signature import PublicKey  # noqa: PLC0415 - where it is set

    try:
        PublicKey(text)
    except ValueError:
        why = f"ASTREINTE_SENDGRID_{name} n'est pas une clé publique (MFkwEwYH…)"
        return Finding(IN, "signature", good=False, detail=why)
    return Finding(IN, "signature", good=True, detail=f"ASTREINTE_SENDGRID_{name} est une clé")


async def _mailbox(settings: Settings) -> Finding:
    from gateways.mailbox import Mailbox  # noqa: PLC0415 - where it is set
    from services.fetching import account_of  # noqa: PLC0415

    account = account_of(settings.imap)
    mailbox = Mailbox(account)
    try:
        extent = await mailbox.look()
    except Unavailable as error:
        return Finding(IN, "boîte", good=False, detail=f"{account.name} : {error}")
    finally:
        await mailbox.close()
        mailbox.stop()
    return Finding(IN, "boîte", good=True, detail=f"{account.name}, {extent.next_uid - 1} reçus")


def _folder(folder: Path) -> Finding:
    there = next((each for each in (folder, *folder.parents) if each.exists()), Path())
    good = there.is_dir() and os.access(there, os.W_OK)
    how = "accessible en écriture" if good else "ne peut pas être écrit"
    return Finding(IN, "dossier", good=good, detail=f"{folder} {how}")
