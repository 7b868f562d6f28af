"""The outbox's relay: claims what is due, sends it, writes down the outcome, tells it.

Each step is recorded before the next begins, so a process killed between two leaves a row that
says how far it came. What is slow holds up nothing but its own conversation.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

from gateways.outbound import Letter, Outbound, OutcomeUnknown
from schemas.errors import Rejected, Unavailable
from schemas.printer import ReplySent
from schemas.vocabulary import SendStatus
from services import metrics, tracing
from services.doubts import LEASE, Doubts
from services.owner import new_owner
from services.telling import Teller
from storage import outbox
from storage.database import Database
from storage.tables import Outgoing

log = logging.getLogger(__name__)

AT_ONCE = 200
IDLE_S = 1.0
LOOK_EVERY_S = 5.0
"""After claims whose owner is gone, doubtful outcomes, and how much waits."""
SEND_S = 60.0
STOP_S = 5.0

FULL = 100_000
"""Replies that wait before drafts are left in Kafka instead: a day of the busiest desk's."""


class Postman:
    """Sends what the outbox holds; several processes may, from one outbox."""

    def __init__(
        self,
        database: Database,
        door: Outbound,
        teller: Teller,
        report: Callable[[Outgoing, datetime], ReplySent],
        *,
        max_attempts: int,
        full: int = FULL,
    ) -> None:
        self._database = database
        self._door = door
        self._teller = teller
        self._report = report
        self._max_attempts = max_attempts
        self._full = full
        self.owner = new_owner()
        self.depth = outbox.Depth({}, None)
        self._doubts = Doubts(database, door, self.owner, self._carrying)
        self._places = asyncio.Semaphore(door.at_once)
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._ended: list[Outgoing] = []
        self._tried: list[dict[str, Any]] = []
        self._due = asyncio.Event()
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    def hurry(self) -> None:
        """Say that there is something to send."""
        self._due.set()

    def room(self) -> None:
        """Refuse more when too much waits.

        Raises
        ------
        Unavailable
            The outbox is full: what comes next waits in Kafka, on disk.
        """
        if self.depth.waiting >= self._full:
            msg = (
                f"the outbox is full: {self.depth.waiting} replies wait for {self._door.name}; "
                "is the provider down?"
            )
            raise Unavailable(msg)

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._work())

    async def stop(self) -> None:
        """Finish what is under way, end, and let the door's connections go."""
        self._stopping = True
        self._due.set()
        if self._task:
            with suppress(asyncio.CancelledError, TimeoutError):
                await asyncio.wait_for(self._task, STOP_S)
        await self._door.close()

    def _carrying(self, row: Outgoing) -> bool:
        return row.owner == self.owner and row.reply_id in self._under_way

    async def _work(self) -> None:
        looked_at = 0.0
        clock = asyncio.get_running_loop().time
        while not (self._stopping and not self._under_way):
            try:
                if not looked_at or clock() - looked_at > LOOK_EVERY_S:
                    await self._doubts.look()
                    self.depth = await self._database.read(outbox.depth)
                    metrics.outbox(self.depth.rows, self.depth.oldest)
                    looked_at = clock()
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

    async def _round(self) -> int:
        began = time.perf_counter()
        places = 0 if self._stopping else AT_ONCE - len(self._under_way)
        ended, tried = list(self._ended), list(self._tried)
        rows = await self._database.write(_step, ended, tried, self.owner, places)
        del self._ended[: len(ended)], self._tried[: len(tried)]
        for row in ended:
            self._under_way.pop(row.reply_id, None)
        mine = [row for row in rows if row.status == SendStatus.SENDING.value]
        ordered = sorted(mine, key=lambda row: row.conversation_id)  # stable: keeps the order
        for _, group in groupby(ordered, lambda row: row.conversation_id):
            self._send_off(list(group))
        told = [row for row in rows if row.status != SendStatus.SENDING.value]
        await self._tell(told, (time.perf_counter() - began) * 1000 / max(len(told), 1))
        return len(rows)

    def _send_off(self, rows: list[Outgoing]) -> None:
        task = asyncio.create_task(self._deliver(rows))
        self._under_way |= {row.reply_id: task for row in rows}

    async def _deliver(self, rows: Sequence[Outgoing]) -> None:
        held_up = False
        for row in rows:
            if held_up:
                self._give_back(row)
                continue
            async with self._places:
                held_up = await self._turn(row)
        self._ended += rows
        self._due.set()

    def _give_back(self, row: Outgoing) -> None:
        row.status = SendStatus.QUEUED.value
        row.attempts -= 1  # claimed, but not tried

    async def _turn(self, row: Outgoing) -> bool:
        """Try a reply once; say whether what follows in its conversation must wait."""
        if datetime.now(UTC) - (row.claimed_at or row.created_at) > LEASE - timedelta(
            seconds=SEND_S
        ):
            self._give_back(row)  # it waited so long for a place that others may take the claim
            return True
        began_ns = time.time_ns()
        outcome = await self._attempt(row)
        tracing.tried(row.message_id, row.reply_id, self._door.name, outcome, began_ns)
        self._tried.append(
            {
                "reply_id": row.reply_id,
                "outbound": self._door.name,
                "outcome": outcome,
                "provider_id": row.provider_id,
                "detail": row.last_error,
                "at": datetime.now(UTC),
            }
        )
        # After a refusal too: until it is written down, a process that dies would try again.
        return row.status != SendStatus.SENT.value

    async def _attempt(self, row: Outgoing) -> str:
        """Try once; the row then says what became of it."""
        letter = Letter(row.reply_id, row.channel, row.address, row.subject, row.text)
        row.last_error = ""
        try:
            async with asyncio.timeout(SEND_S):
                row.provider_id = await self._door.send(letter)
        except Unavailable as why:
            self._postpone(row, why)
            return "later"
        except Rejected as why:
            row.status, row.last_error = SendStatus.FAILED.value, str(why)[:500]
            return "refused"
        except (OutcomeUnknown, TimeoutError) as why:
            self._doubt(row, str(why) or type(why).__name__)
            return "unknown"
        except Exception as error:
            log.exception("the door %s failed", self._door.name)
            self._doubt(row, type(error).__name__)
            return "unknown"
        row.status = SendStatus.SENT.value
        return "accepted"

    def _postpone(self, row: Outgoing, why: Unavailable) -> None:
        row.last_error = str(why)[:500]
        spent = row.attempts >= self._max_attempts
        row.status = (SendStatus.FAILED if spent else SendStatus.QUEUED).value
        now = datetime.now(UTC)
        asked = now + timedelta(seconds=why.retry_after_s or 0)
        row.next_attempt_at = max(asked, outbox.retry_at(now, row.attempts))

    def _doubt(self, row: Outgoing, why: str) -> None:
        row.status, row.last_error = SendStatus.DOUBTFUL.value, why[:500]
        row.next_attempt_at = datetime.now(UTC) + timedelta(seconds=self._door.settles_after_s)

    async def _tell(self, rows: Sequence[Outgoing], took_ms: float) -> None:
        if not rows:
            return
        now = datetime.now(UTC)
        events = [self._report(row, now) for row in rows]
        await self._teller.tell(events, "dispatch", took_ms)
        tracing.told("dispatch", events, took_ms / 1000)
        await self._database.write(outbox.mark_told, rows, now)


def _step(
    session: Any,
    ended: Sequence[Outgoing],
    tried: Sequence[dict[str, Any]],
    owner: str,
    places: int,
) -> Sequence[Outgoing]:
    """Write down what was tried, and claim what comes next, in one transaction."""
    now = datetime.now(UTC)
    if ended:
        outbox.mark(session, ended, now)
        outbox.note_attempts(session, tried)
    return outbox.claim(session, owner, now, places)
