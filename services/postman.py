"""The outbox's relay: claims what is due, sends it, writes down the outcome, tells it.

Each step is recorded before the next begins, so a process killed between two leaves a row that
says how far it came. What is slow holds up nothing but its own conversation.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

from gateways.outbound import Letter, OutcomeUnknown
from schemas.errors import Rejected, Unavailable
from schemas.printer import ReplySent
from schemas.vocabulary import SendStatus
from services import metrics, tracing
from services.doors import Doors
from services.doubts import LEASE, Doubts
from services.owner import new_owner
from services.rounds import Rounds
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
        doors: Doors,
        teller: Teller,
        report: Callable[[Outgoing, datetime], ReplySent],
        *,
        max_attempts: int,
        full: int = FULL,
    ) -> None:
        self._database = database
        self._doors = doors
        self._teller = teller
        self._report = report
        self._max_attempts = max_attempts
        self._full = full
        self.owner = new_owner()
        self.depth = outbox.Depth({}, None)
        self._doubts = Doubts(database, doors, self.owner, self._carrying)
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._ended: list[Outgoing] = []
        self._tried: list[dict[str, Any]] = []
        self._looked_at = 0.0
        self._stopping = False
        self._rounds = Rounds("the outbox", self._turn, IDLE_S)
        self.hurry = self._rounds.hurry

    def room(self) -> None:
        """Refuse more when too much waits.

        Raises
        ------
        Unavailable
            The outbox is full: what comes next waits in Kafka, on disk.
        """
        if self.depth.waiting >= self._full:
            msg = (
                f"the outbox is full: {self.depth.waiting} replies wait for "
                f"{' and '.join(self._doors.names)}; is a provider down?"
            )
            raise Unavailable(msg)

    def start(self) -> None:
        """Begin."""
        self._rounds.start()

    async def stop(self) -> None:
        """Finish what is under way, end, and let the doors' connections go."""
        self._stopping = True
        if self._under_way:
            await asyncio.wait(set(self._under_way.values()), timeout=STOP_S)
        await self._rounds.stop()
        await self._doors.close()

    def _carrying(self, row: Outgoing) -> bool:
        return row.owner == self.owner and row.reply_id in self._under_way

    async def _turn(self) -> bool:
        clock = asyncio.get_running_loop().time
        if not self._looked_at or clock() - self._looked_at > LOOK_EVERY_S:
            await self._doubts.look()
            self.depth = await self._database.read(outbox.depth)
            metrics.outbox(self.depth.rows, self.depth.oldest)
            self._looked_at = clock()
        return bool(await self._round())

    async def _round(self) -> int:
        began = time.perf_counter()
        places = 0 if self._stopping else AT_ONCE - len(self._under_way)
        ended, tried = list(self._ended), list(self._tried)
        rows = await self._database.write(_step, ended, tried, self.owner, places, self._doors)
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
            async with self._doors.place(row.outbound):
                held_up = await self._try(row)
        self._ended += rows
        self.hurry()

    def _give_back(self, row: Outgoing) -> None:
        row.status = SendStatus.QUEUED.value
        row.attempts -= 1  # claimed, but not tried

    async def _try(self, row: Outgoing) -> bool:
        """Try a reply once; say whether what follows in its conversation must wait."""
        if datetime.now(UTC) - (row.claimed_at or row.created_at) > LEASE - timedelta(
            seconds=SEND_S
        ):
            self._give_back(row)  # it waited so long for a place that others may take the claim
            return True
        began_ns = time.time_ns()
        outcome = await self._attempt(row)
        tracing.tried(row.message_id, row.reply_id, row.outbound, outcome, began_ns)
        self._tried.append(
            {
                "reply_id": row.reply_id,
                "outbound": row.outbound,
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
        row.last_error = ""
        try:
            door = self._doors[row.outbound]
            async with asyncio.timeout(SEND_S):
                row.provider_id = await door.send(_letter(row))
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
            log.exception("the door %s failed", row.outbound)
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
        row.next_attempt_at = datetime.now(UTC) + timedelta(
            seconds=self._doors[row.outbound].settles_after_s
        )

    async def _tell(self, rows: Sequence[Outgoing], took_ms: float) -> None:
        if not rows:
            return
        now = datetime.now(UTC)
        events = [self._report(row, now) for row in rows]
        await self._teller.tell(events, "dispatch", took_ms)
        tracing.told("dispatch", events, took_ms / 1000)
        await self._database.write(outbox.mark_told, rows, now)


def _letter(row: Outgoing) -> Letter:
    return Letter(
        row.reply_id,
        row.channel,
        row.address,
        row.subject,
        row.text,
        row.conversation_id,
        row.ours,
        row.mail_id,
        row.in_reply_to,
        tuple(row.mail_references or ()),
    )


def _step(
    session: Any,
    ended: Sequence[Outgoing],
    tried: Sequence[dict[str, Any]],
    owner: str,
    places: int,
    doors: Doors,
) -> Sequence[Outgoing]:
    """Write down what was tried, and claim what comes next, in one transaction."""
    now = datetime.now(UTC)
    if ended:
        outbox.mark(session, ended, now)
        outbox.note_attempts(session, tried)
    rows = outbox.claim(session, owner, now, places)
    for row in rows:
        if row.status == SendStatus.SENDING.value and row.outbound not in doors.names:
            row.outbound = doors.name_for(row.channel)  # settings changed; nothing has left yet
    return rows
