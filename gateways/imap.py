"""Mails of a mailbox into the desk: each once, none skipped, whoever reads or moves them.

What counts is a mail's number (UID) and the ledger, not whether it is marked as read: others may
read the mailbox too. Every number that is seen stands in the ledger before anything is done, and
ends there in one state: done, kept (not understood), gone (somebody took it away), failed. A
process that is killed leaves claims, which the next takes over; what it had handed in comes again
with the same identity.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from gateways.mailbox import Extent, Mailbox
from gateways.mailroom import MailRoom
from schemas.errors import Unavailable

log = logging.getLogger(__name__)

SOURCE = "imap"
MAX_MAIL_BYTES = 40_000_000
LOOK_BACK = 100
"""Numbers before the last that are looked for again: servers may show two mails out of order."""
TRIES = 3
AGAIN_S = (1.0, 2.0, 5.0, 15.0, 60.0)


@dataclass(frozen=True)
class Met:
    """A mailbox as it was when we last looked."""

    validity: int
    first_uid: int
    next_uid: int
    looked_at: datetime


class Ledger(Protocol):
    """Every mail of one mailbox, and what became of it."""

    async def met(self) -> Met | None:
        """Return the mailbox as it was; nothing: we never looked."""

    async def note(self, extent: Extent, first_uid: int, uids: Sequence[int]) -> None:
        """Note that these mails are there; those that are known stay as they are."""

    async def claim(self, validity: int) -> Sequence[tuple[int, int]]:
        """Take mails that wait, or whose owner is gone: numbers, and how often each was tried."""

    async def end(self, validity: int, uid: int, state: str, detail: str = "") -> None:
        """Note what became of a mail."""


@dataclass
class Taken:
    """What was done, for health and metrics."""

    done: int = 0
    refused: int = 0
    waiting_for: str = "IMAP"
    last: datetime | None = None


class ImapBridge:
    """Takes mails from one mailbox.

    Parameters
    ----------
    mailbox, ledger, room
        Where mails are, what became of each, and where they go.
    poll_s
        After which it looks again although the server told nothing.
    since_days
        Mails that came so many days before the first look are taken too.
    count
        Hears how many were taken, and how many could not be understood.
    """

    def __init__(
        self,
        mailbox: Mailbox,
        ledger: Ledger,
        room: MailRoom,
        *,
        poll_s: float = 60.0,
        since_days: int = 0,
        count: Callable[[int, int], None] = lambda _done, _refused: None,
    ) -> None:
        self._mailbox = mailbox
        self._ledger = ledger
        self._room = room
        self._poll_s = poll_s
        self._since = timedelta(days=since_days)
        self._count = count
        self.taken = Taken()

    async def run(self) -> None:
        """Take mails for ever; whatever the server, Kafka or the database do is waited out."""
        failures = 0
        try:
            while True:
                try:
                    await self.turn()
                    failures = 0
                    await self._mailbox.wait(self._poll_s)
                except Unavailable as error:
                    wait_s = AGAIN_S[min(failures, len(AGAIN_S) - 1)] * random.uniform(0.7, 1.3)  # noqa: S311
                    failures += 1
                    self.taken.waiting_for = str(error)
                    log.warning("%s; again in %.1f s", error, wait_s)
                    await asyncio.sleep(wait_s)
        finally:
            self._mailbox.stop()

    async def turn(self) -> None:
        """Look once, and take what is there.

        Raises
        ------
        Unavailable
            The server, Kafka or the database are away. Nothing is lost.
        """
        extent = await self._mailbox.look()
        first = await self._first(extent)
        uids = await self._mailbox.numbers_from(first)
        await self._ledger.note(extent, first, uids)
        self.taken.waiting_for = ""
        while claimed := await self._ledger.claim(extent.validity):
            for uid, tries in claimed:
                await self._take(extent.validity, uid, tries)

    async def _first(self, extent: Extent) -> int:
        """Return the first number to look for."""
        met = await self._ledger.met()
        if met and met.validity == extent.validity:
            return max(met.first_uid, met.next_uid - LOOK_BACK)
        since = self._since
        if met:
            # All numbers are new. What came since we looked is among them; what we had is known
            # by its Message-ID further on.
            log.warning("the mailbox has new numbers: it was made anew, or moved")
            since = datetime.now(UTC) - met.looked_at + timedelta(days=1)
        if not since:
            return extent.next_uid
        day = (datetime.now(UTC) - since).date()
        return min(await self._mailbox.numbers_since(day), default=extent.next_uid)

    async def _take(self, validity: int, uid: int, tries: int) -> None:
        try:
            state, detail = await self._read(uid)
        except Unavailable:
            await self._ledger.end(validity, uid, "waiting")
            raise
        except Exception as error:
            log.exception("mail %d cannot be taken", uid)
            state = "failed" if tries >= TRIES else "waiting"
            detail = type(error).__name__
        await self._ledger.end(validity, uid, state, detail)
        well = state in {"done", "gone"}
        self.taken.done += well
        self.taken.refused += not well
        self.taken.last = datetime.now(UTC)
        self._count(int(well), int(not well))

    async def _read(self, uid: int) -> tuple[str, str]:
        size = await self._mailbox.size_of(uid)
        if size is not None and size > MAX_MAIL_BYTES:
            return "failed", f"{size} bytes"
        raw = await self._mailbox.fetch(uid) if size is not None else None
        if raw is None:
            return "gone", "somebody took it away before we could"
        taken = await self._room.take(raw, SOURCE)
        return ("kept" if taken == "kept" else "done"), taken
