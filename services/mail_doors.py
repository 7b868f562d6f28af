"""Puts the doors of e-mail together, as the settings say."""

from __future__ import annotations

from gateways.composing import Sender
from gateways.outbound import Outbound
from services.settings import Settings


def sender_of(settings: Settings) -> Sender:
    """Return who our mails are from."""
    mail = settings.mail
    return Sender(mail.sender, mail.reply_to, mail.secret.get_secret_value())


def mail_door(settings: Settings) -> Outbound | None:
    """Return the door by which mails leave, if they have one of their own."""
    if settings.mail.out == "smtp":
        from gateways.smtp import MailServer, SmtpOutbound  # noqa: PLC0415 - where it is set

        smtp = settings.smtp
        password = smtp.password.get_secret_value()
        server = MailServer(
            smtp.host, smtp.port, smtp.tls, smtp.ca, smtp.user, password, smtp.timeout_s
        )
        return SmtpOutbound(server, sender_of(settings))
    if settings.mail.out == "sendgrid":
        from gateways.sendgrid import SendGridOutbound  # noqa: PLC0415 - where it is set

        grid = settings.sendgrid
        key = grid.key.get_secret_value()
        return SendGridOutbound(key, sender_of(settings), grid.url, grid.timeout_s)
    return None
