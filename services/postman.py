"""The outbox's relay: claims what is due, sends it, writes down the outcome, tells it.

Each step is recorded before the next begins, so a process killed between two leaves a row that
says how far it came: claimed but unfinished ones are settled by asking the door what left.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import groupby
from uuid import uuid4

from gateways.outbound import Letter, Outbound
from schemas.errors import Unavailable
from schemas.printer import ReplySent
from schemas.vocabulary import SendStatus
from services.telling import Teller
from storage import outbox
from storage.database import Database
from storage.tables import Outgoing

log = logging.getLogger(__name__)

AT_ONCE = 200
IDLE_S = 1.0
LEASE = timedelta(minutes=2)
"""After which a claim counts as abandoned: far longer than any time-out of a door."""
SETTLE_EVERY_S = 30.0
SEND_S = 60.0


class Postman:
    """Sends what the outbox holds. `alone`: no other process sends from this outbox."""

    def __init__(
        self,
        database: Database,
        door: Outbound,
        teller: Teller,
        report: Callable[[Outgoing, datetime], ReplySent],
        *,
        max_attempts: int,
        alone: bool = False,
    ) -> None:
        self._database = database
        self._door = door
        self._teller = teller
        self._report = report
        self._max_attempts = max_attempts
        self._alone = alone
        self._owner = f"{socket.gethostname()[:30]}:{os.getpid()}:{uuid4().hex[:8]}"
        self._due = asyncio.Event()
        self._stopping = False
        self._tried: set[str] = set()
        self._task: asyncio.Task[None] | None = None

    def hurry(self) -> None:
        """Say that there is something to send."""
        self._due.set()

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._work())

    async def stop(self) -> None:
        """Finish the round at hand, then end."""
        self._stopping = True
        self._due.set()
        if self._task:
            with suppress(asyncio.CancelledError, TimeoutError):
                await asyncio.wait_for(self._task, 5)

    async def _work(self) -> None:
        settled_at = 0.0
        clock = asyncio.get_running_loop().time
        while not self._stopping:
            try:
                if not settled_at or clock() - settled_at > SETTLE_EVERY_S:
                    await self._settle(first=not settled_at)
                    settled_at = clock()
                if await self._round():
                    continue
            except Unavailable as why:
                log.warning("the outbox waits: %s", why)
            except Exception:
                log.exception("the outbox failed; it goes on")
                await asyncio.sleep(IDLE_S)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._due.wait(), IDLE_S)
            self._due.clear()

    async def _settle(self, *, first: bool) -> None:
        """Find out what became of claims whose owner is gone."""
        now = datetime.now(UTC)
        before = now if first and self._alone else now - LEASE
        for row in await self._database.read(outbox.unsettled, before):
            if row.owner != self._owner:
                sent = await self._door.was_sent(row.reply_id)
                log.info(
                    "settled %s: %s", row.reply_id, "it had left" if sent else "it had not left"
                )
                await self._database.write(
                    lambda session, row=row, sent=sent: outbox.settle(
                        session, row.reply_id, sent=sent, now=now
                    )
                )

    async def _round(self) -> int:
        began = time.perf_counter()
        rows = await self._database.write(outbox.claim, self._owner, datetime.now(UTC), AT_ONCE)
        mine = [row for row in rows if row.status == SendStatus.SENDING.value]
        if mine:
            ordered = sorted(mine, key=lambda row: row.conversation_id)  # stable: keeps the order
            groups = [list(group) for _, group in groupby(ordered, lambda row: row.conversation_id)]
            await asyncio.gather(*(self._deliver(group) for group in groups))
            await self._database.write(outbox.mark, mine, datetime.now(UTC))
            self._tried.clear()
        told = [row for row in rows if row.status != SendStatus.QUEUED.value]
        await self._tell(told, (time.perf_counter() - began) * 1000 / max(len(told), 1))
        return len(rows)

    async def _deliver(self, rows: Sequence[Outgoing]) -> None:
        for place, row in enumerate(rows):
            try:
                async with asyncio.timeout(SEND_S):
                    await self._send(row)
                row.status = SendStatus.SENT.value
            except Unavailable as why:
                self._postpone(row, str(why))
            except Exception as error:
                log.exception("the door %s failed", self._door.name)
                self._postpone(row, type(error).__name__)
            if row.status == SendStatus.QUEUED.value:  # what follows must not overtake it
                for later in rows[place + 1 :]:
                    later.status = row.status
                return

    async def _send(self, row: Outgoing) -> None:
        # Tried before, and the answer was lost or not written down: it may have left.
        again = row.attempts > 1 or row.reply_id in self._tried
        self._tried.add(row.reply_id)
        if again and await self._door.was_sent(row.reply_id):
            return
        letter = Letter(row.reply_id, row.channel, row.address, row.subject, row.text)
        row.provider_id = await self._door.send(letter)

    def _postpone(self, row: Outgoing, why: str) -> None:
        row.last_error = why[:500]
        spent = row.attempts >= self._max_attempts
        row.status = (SendStatus.FAILED if spent else SendStatus.QUEUED).value
        row.next_attempt_at = outbox.retry_at(datetime.now(UTC), row.attempts)

    async def _tell(self, rows: Sequence[Outgoing], took_ms: float) -> None:
        if not rows:
            return
        now = datetime.now(UTC)
        await self._teller.tell([self._report(row, now) for row in rows], "dispatch", took_ms)
        await self._database.write(outbox.mark_told, rows, now)
