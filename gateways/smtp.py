"""Replies by mail, over a mail server (SMTP).

Until the text itself is on its way, whatever goes wrong is `Unavailable` or, by the server's
code, `Refused`: 4xx not now, 5xx never. When the connection breaks after that, nobody can say
whether the server took the mail.
"""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass
from pathlib import Path

from aiosmtplib import SMTP, SMTPException, SMTPResponseException, SMTPSenderRefused

from gateways.composing import Sender, mail_of, recipient_of
from gateways.outbound import Letter, OutcomeUnknown, Refused
from schemas.errors import Unavailable

NAME = "smtp"
AT_ONCE = 8
ENHANCED = re.compile(r"([245]\.\d{1,3}\.\d{1,3})\b")
"""What a refusal is about (RFC 3463): 5.1.1 is a mailbox that does not exist."""
NOT_NOW, NEVER = 400, 500
"""Where the codes begin that refuse for now, and for good (RFC 5321, 4.2.1)."""


@dataclass(frozen=True)
class MailServer:
    """Where mails are handed in; `tls`: starttls, tls or none."""

    host: str
    port: int
    tls: str = "starttls"
    ca: Path | None = None
    user: str = ""
    password: str = ""
    timeout_s: float = 20.0

    def client(self, ours: str) -> SMTP:
        """Return a client that is not connected; `ours` is the name that we greet with."""
        trust = ssl.create_default_context(cafile=self.ca) if self.tls != "none" else None
        return SMTP(
            hostname=self.host,
            port=self.port,
            local_hostname=ours,
            timeout=self.timeout_s,
            use_tls=self.tls == "tls",
            start_tls=self.tls == "starttls",
            tls_context=trust,
            username=self.user or None,
            password=self.password or None,
        )


class SmtpOutbound:
    """A mail server; each letter has a connection of its own."""

    name = NAME
    at_once = AT_ONCE
    settles_after_s = 0.0

    def __init__(self, server: MailServer, sender: Sender) -> None:
        self._server = server
        self._sender = sender

    async def send(self, letter: Letter) -> str:
        """Hand a mail in. Raises as `Outbound.send` says, and `Refused`."""
        mail = mail_of(letter, self._sender)
        data, to = mail.as_bytes(), recipient_of(letter)
        client = self._server.client(self._sender.domain)
        try:
            await connect(client)
            await self._address(client, to)
            await _hand_in(client, data)
        finally:
            client.close()
        return letter.mail_id

    async def _address(self, client: SMTP, to: str) -> None:
        try:
            await client.mail(self._sender.address)
            await client.rcpt(to)
        except SMTPResponseException as error:
            raise _refused(error) from error
        except (SMTPException, OSError) as error:
            msg = f"the mail server does not answer ({type(error).__name__})"
            raise Unavailable(msg) from error

    async def was_sent(self, reply_id: str) -> None:
        """Nobody can be asked: a bounce may say so, or a person."""
        del reply_id

    async def close(self) -> None:
        """Nothing to do: each letter has a connection of its own."""


async def connect(client: SMTP) -> None:
    """Connect, encrypt and log in.

    Raises
    ------
    Unavailable
        The server cannot be reached or does not let us in: that says nothing of the letter.
    """
    try:
        await client.connect()
    except SMTPResponseException as error:
        msg = f"the mail server does not let us in ({error.code})"
        raise Unavailable(msg) from error
    except (SMTPException, OSError, ValueError) as error:
        msg = f"the mail server cannot be reached ({type(error).__name__})"
        raise Unavailable(msg) from error


async def _hand_in(client: SMTP, data: bytes) -> None:
    try:
        await client.data(data)
    except SMTPResponseException as error:
        if error.code < NOT_NOW:  # no answer that makes sense
            raise OutcomeUnknown(str(error.code)) from error
        raise _refused(error) from error
    except (SMTPException, OSError) as error:
        msg = f"no answer from the mail server ({type(error).__name__})"
        raise OutcomeUnknown(msg) from error


def _refused(error: SMTPResponseException) -> Exception:
    told = ENHANCED.match(error.message)
    code = told[1] if told else str(error.code)
    if isinstance(error, SMTPSenderRefused):
        code = "sender"  # whatever it says is of us, not of the recipient
    said = f"the mail server answers {error.code}"
    return Refused(NAME, code, said) if error.code >= NEVER else Unavailable(said)
