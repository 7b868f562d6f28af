"""A mailbox over IMAP, one connection at a time; its blocking client has a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import IMAPClientError

from schemas.errors import Unavailable

T = TypeVar("T")

SLICE_S = 1.0
"""So long the thread listens before it looks whether it should stop."""


@dataclass(frozen=True)
class Account:
    """Where a mailbox is, and how one gets in: by `password`, or by `token` (XOAUTH2)."""

    host: str
    port: int
    user: str
    password: str = ""
    token: str = ""
    tls: str = "tls"
    ca: Path | None = None
    folder: str = "INBOX"
    timeout_s: float = 30.0

    @property
    def name(self) -> str:
        """Return what the record calls it."""
        return f"{self.user}@{self.host}/{self.folder}"[:255]


@dataclass(frozen=True)
class Extent:
    """A mailbox as it is: `validity` of its numbers, and the next that it will give."""

    validity: int
    next_uid: int


class Mailbox:
    """The door. All it raises is `Unavailable`; then it is closed, and connects anew."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._client: IMAPClient | None = None
        self._thread = ThreadPoolExecutor(1, "imap")
        self._stopping = False

    async def _do(self, work: Callable[..., T], *args: Any) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work, *args)
        except (IMAPClientError, OSError, AttributeError, ValueError) as error:
            # The two last: what the client makes of an answer that is none.
            await self.close()
            msg = f"the mailbox at {self._account.host} is away ({type(error).__name__})"
            raise Unavailable(msg) from error

    async def look(self) -> Extent:
        """Open the folder, without changing what is read or not; connect where needed."""
        return await self._do(self._look)

    def _look(self) -> Extent:
        if self._client is None:
            self._client = self._connected()
        found = self._client.select_folder(self._account.folder, readonly=True)
        return Extent(int(found[b"UIDVALIDITY"]), int(found.get(b"UIDNEXT", 1)))

    def _connected(self) -> IMAPClient:
        account = self._account
        trust = ssl.create_default_context(cafile=account.ca) if account.tls != "none" else None
        client = IMAPClient(
            account.host,
            port=account.port,
            ssl=account.tls == "tls",
            ssl_context=trust,
            timeout=SocketTimeout(account.timeout_s, account.timeout_s),
        )
        if account.tls == "starttls":
            client.starttls(trust)
        if account.token:
            client.oauth2_login(account.user, account.token)
        else:
            client.login(account.user, account.password)
        return client

    async def numbers_from(self, first: int) -> list[int]:
        """Return the numbers of all mails from `first` on."""
        found = await self._do(lambda: self._open.search(["UID", f"{first}:*"]))
        return sorted(number for number in found if number >= first)  # `*` may be less than it

    async def numbers_since(self, day: date) -> list[int]:
        """Return the numbers of all mails that came on a day or later."""
        return sorted(await self._do(lambda: self._open.search(["SINCE", day])))

    async def size_of(self, number: int) -> int | None:
        """Return a mail's bytes; nothing: it is not there any more."""
        found = await self._do(lambda: self._open.fetch([number], ["RFC822.SIZE"]))
        return int(found[number][b"RFC822.SIZE"]) if number in found else None

    async def fetch(self, number: int) -> bytes | None:
        """Return a mail, which stays unread; nothing: it is not there any more."""
        found = await self._do(lambda: self._open.fetch([number], ["BODY.PEEK[]"]))
        data = found.get(number, {}).get(b"BODY[]")
        return data if isinstance(data, bytes) else None

    @property
    def _open(self) -> IMAPClient:
        if self._client is None:
            msg = "not connected"
            raise OSError(msg)
        return self._client

    async def wait(self, seconds: float) -> None:
        """Wait until something comes (IDLE), or for so long where the server tells nothing."""
        await self._do(self._wait, seconds)

    def _wait(self, seconds: float) -> None:
        client, until = self._open, time.monotonic() + seconds
        tells = client.has_capability("IDLE")
        if tells:
            client.idle()
        heard: Sequence[Any] = ()
        while not (self._stopping or _is_news(heard)) and time.monotonic() < until:
            left = min(SLICE_S, max(until - time.monotonic(), 0))
            if tells:
                heard = _heard(client, left)
            else:
                time.sleep(left)
        if tells:
            client.idle_done()

    async def close(self) -> None:
        """Let the connection go."""
        client, self._client = self._client, None
        if client:
            with contextlib.suppress(Exception):
                await asyncio.get_running_loop().run_in_executor(self._thread, client.shutdown)

    def stop(self) -> None:
        """Wait for nothing any more, and let the thread end."""
        self._stopping = True
        self._thread.shutdown(wait=False, cancel_futures=True)


def _heard(client: IMAPClient, seconds: float) -> Sequence[Any]:
    began = time.monotonic()
    heard: Sequence[Any] = client.idle_check(timeout=seconds)
    # The client says nothing of a connection that was closed: it only does not wait any more.
    closed = not heard and time.monotonic() - began < seconds / 2
    if closed or any(each[0] == b"BYE" for each in heard):
        msg = "the server closed the connection"
        raise OSError(msg)
    return heard


def _is_news(heard: Sequence[Any]) -> bool:
    return any(len(each) > 1 and each[1] == b"EXISTS" for each in heard)
