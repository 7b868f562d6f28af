"""Puts the doors of e-mail together, in and out, as the settings say."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from gateways.composing import Sender
from gateways.outbound import Outbound
from schemas.delivery import DeliveryReported
from schemas.errors import Unavailable
from services.settings import Settings
from services.verdicts import JudgedOutbound
from storage.database import Database

if TYPE_CHECKING:  # loaded where mails come in
    from fastapi import APIRouter

    from gateways.mailroom import HandIn, MailRoom
    from gateways.sendgrid_signature import PublicKey
    from gateways.smtp import MailServer

PublishAll = Callable[[Sequence[DeliveryReported]], Awaitable[None]]


def sender_of(settings: Settings) -> Sender:
    """Return who our mails are from."""
    mail = settings.mail
    return Sender(mail.sender, mail.reply_to, mail.secret.get_secret_value())


def mail_door(settings: Settings, database: Database) -> Outbound | None:
    """Return the door by which mails leave, if they have one; `database` says what codes mean."""
    door = _plain_door(settings)
    return JudgedOutbound(door, database) if door else None


def _plain_door(settings: Settings) -> Outbound | None:
    if settings.mail.out == "smtp":
        from gateways.smtp import SmtpOutbound  # noqa: PLC0415 - where it is set

        return SmtpOutbound(server_of(settings), sender_of(settings))
    if settings.mail.out == "sendgrid":
        from gateways.sendgrid import SendGridOutbound  # noqa: PLC0415 - where it is set

        grid = settings.sendgrid
        key = grid.key.get_secret_value()
        return SendGridOutbound(key, sender_of(settings), grid.url, grid.timeout_s)
    return None


def server_of(settings: Settings) -> MailServer:
    """Return the mail server of the settings."""
    from gateways.smtp import MailServer  # noqa: PLC0415 - where it is set

    smtp = settings.smtp
    password = smtp.password.get_secret_value()
    return MailServer(smtp.host, smtp.port, smtp.tls, smtp.ca, smtp.user, password, smtp.timeout_s)


def mail_room(settings: Settings, hand_in: HandIn) -> MailRoom:
    """Return what takes mails in; `hand_in` puts events on the road."""
    from gateways.attachments import Files  # noqa: PLC0415 - where mails come in
    from gateways.inbound_mail import Ours  # noqa: PLC0415
    from gateways.mailroom import MailRoom  # noqa: PLC0415
    from gateways.spool import Spool  # noqa: PLC0415

    mail = settings.mail
    files = Files(mail.files, mail.file_bytes)
    return MailRoom(files, Spool(mail.spool), Ours(mail.domain, mail.out), hand_in)


def mail_routes(settings: Settings, hand_in: HandIn, publish: PublishAll) -> list[APIRouter]:
    """Return the routes at which SendGrid posts: mails, and what became of ours.

    Raises
    ------
    Unavailable
        A public key of the settings is none.
    """
    grid, routers = settings.sendgrid, []
    if grid.takes_mail:
        from gateways.sendgrid_inbound import Proof, inbound_route  # noqa: PLC0415

        key = _key("INBOUND_KEY", grid.inbound_key) if grid.inbound_key else None
        proof = Proof(key, grid.inbound_secret.get_secret_value())
        routers.append(inbound_route(proof, mail_room(settings, hand_in)))
    if grid.events_key:
        from gateways.sendgrid_events import events_route  # noqa: PLC0415

        routers.append(events_route(_key("EVENTS_KEY", grid.events_key), publish))
    return routers


def _key(name: str, text: str) -> PublicKey:
    from gateways.sendgrid_signature import PublicKey  # noqa: PLC0415

    try:
        return PublicKey(text)
    except ValueError as error:
        msg = f"ASTREINTE_SENDGRID_{name} {error}"
        raise Unavailable(msg) from None
