"""Takes mails in, by whatever way they came: hands them on, or keeps the bytes. Refuses none."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from gateways.attachments import Files
from gateways.inbound_mail import Bounce, Ours, bounce_of, message_from, message_of, report_of
from gateways.spool import Spool
from schemas.delivery import DeliveryReported
from schemas.errors import Rejected
from schemas.printer import InboundMessage

log = logging.getLogger(__name__)

HandIn = Callable[[InboundMessage | DeliveryReported], Awaitable[None]]
"""Puts an event on the road; returns once it cannot be lost. Raises Unavailable or Rejected."""
Taken = Literal["message", "bounce", "kept"]


@dataclass(frozen=True)
class MailRoom:
    """What mails need on their way in."""

    files: Files
    spool: Spool
    ours: Ours
    hand_in: HandIn

    async def take(self, raw: bytes, source: str, to: str = "") -> Taken:
        """Take a mail, as it came over the wire.

        Parameters
        ----------
        raw
            The mail.
        source
            By what way it came, for the spool.
        to
            Whom it was delivered to, where that is known.

        Raises
        ------
        Unavailable
            Not now: nobody has it yet, it must come again.
        """
        now = datetime.now(UTC)
        try:
            read = await asyncio.to_thread(self._read, raw, now, to)
            return await self._hand_on(read, now)
        except Rejected as why:
            return await self.keep(raw, source, str(why))

    async def take_fields(self, found: dict[str, Any], raw: bytes, source: str, to: str) -> Taken:
        """Take a mail that another has read already; `raw` is kept if it makes no sense."""
        try:
            now = datetime.now(UTC)
            return await self._hand_on(message_from(found, now, to), now)
        except Rejected as why:
            return await self.keep(raw, source, str(why))

    async def keep(self, raw: bytes, source: str, why: str) -> Taken:
        """Keep bytes that make no sense, for people. Raises as `take` does."""
        await asyncio.to_thread(self.spool.keep, raw, source, why)
        return "kept"

    def _read(self, raw: bytes, now: datetime, to: str) -> InboundMessage | Bounce:
        bounce = bounce_of(raw, self.ours)
        return bounce or message_of(raw, now, self.files.keep, to)

    async def _hand_on(self, read: InboundMessage | Bounce, now: datetime) -> Taken:
        if isinstance(read, InboundMessage):
            await self.hand_in(read)
            return "message"
        report = report_of(read, self.ours, now)
        log.info("a bounce (%s) of %s", read.code or "no code", read.reply_id or "no mail of ours")
        if report:
            await self.hand_in(report)
        return "bounce"
