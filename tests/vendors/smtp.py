"""A mail server on loopback: takes mails, or refuses them as it is told to.

`python -m tests.vendors.smtp --port 2525` prints what it takes. `MailServer.moods` holds, for a
command, the answers of its next uses: a line of SMTP, `"hang up"`, or `"hang up after"` (DATA: the
mail was taken, nobody hears of it).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import ssl
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

Login = tuple[str, str]


@dataclass
class Taken:
    """A mail as it came."""

    sender: str
    to: list[str]
    raw: bytes

    @property
    def mail(self) -> EmailMessage:
        """The mail, read."""
        return cast("EmailMessage", message_from_bytes(self.raw, policy=default))


@dataclass
class MailServer:
    """The server's state; `login`: the only user, who must log in."""

    login: Login | None = None
    trust: ssl.SSLContext | None = None
    taken: list[Taken] = field(default_factory=list)
    moods: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    port: int = 0
    loud: bool = False

    def _mood(self, command: str, server: SMTP) -> str | None:
        mood = self.moods[command].pop(0) if self.moods[command] else None
        if mood == "hang up":
            server.transport.abort()
        return mood

    async def handle_MAIL(  # noqa: N802 - as aiosmtpd calls it
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any
    ) -> str:
        """Take a sender."""
        mood = self._mood("MAIL", server)
        envelope.mail_from = address
        return mood or "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any
    ) -> str:
        """Take a recipient."""
        if mood := self._mood("RCPT", server):
            return mood
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take a mail."""
        mood = self._mood("DATA", server)
        if mood and mood != "hang up after":
            return mood
        self.taken.append(
            Taken(envelope.mail_from or "", list(envelope.rcpt_tos), bytes(envelope.content or b""))
        )
        if self.loud:
            print(self.taken[-1].raw.decode(errors="replace"), flush=True)  # noqa: T201
        if mood:
            server.transport.abort()
        return "250 OK"

    def _lets_in(self, server: SMTP, session: Any, envelope: Any, mechanism: str, data: Any) -> Any:
        assert isinstance(data, LoginPassword)
        given = (data.login.decode(), data.password.decode())
        return AuthResult(success=given == self.login, handled=False)

    def protocol(self) -> SMTP:
        """Return the protocol of one connection."""
        return SMTP(
            self,
            hostname="127.0.0.1",
            tls_context=self.trust,
            require_starttls=bool(self.trust),
            auth_required=bool(self.login),
            auth_require_tls=bool(self.trust),
            authenticator=self._lets_in,
            enable_SMTPUTF8=True,
        )


@asynccontextmanager
async def mail_server(
    port: int = 0, login: Login | None = None, trust: ssl.SSLContext | None = None
) -> AsyncIterator[MailServer]:
    """Have a mail server on loopback."""
    state = MailServer(login, trust)
    server = await asyncio.get_running_loop().create_server(state.protocol, "127.0.0.1", port)
    state.port = server.sockets[0].getsockname()[1]
    try:
        yield state
    finally:
        server.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(server.wait_closed(), 1)


async def _serve(port: int) -> None:
    async with mail_server(port) as server:
        server.loud = True
        await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=2525)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(parser.parse_args().port))
