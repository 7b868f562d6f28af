"""The relay of alarms: claims messages that are due, sends or edits them, writes down the outcome.

A message that may have left is sent again: read twice it costs a glance, not read it costs a room
of food, or a drive through the night. An edit that is repeated says the same.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid5

from gateways.alerts import AlertDoor, Card
from gateways.outbound import OutcomeUnknown
from schemas.errors import Rejected, Unavailable
from schemas.event import ASTREINTE
from schemas.frigo import AlertSent
from schemas.vocabulary import Language, SendStatus, Severity
from services.doubts import LEASE
from services.owner import is_gone, new_owner
from services.rounds import Rounds
from services.telling import Teller
from storage import alerts, episodes
from storage.database import Database
from storage.tables import Alert

log = logging.getLogger(__name__)

AT_ONCE = 100
EVERY_S = 1.0
SEND_S, STOP_S = 60.0, 5.0
AWAY_S, DOUBT_S = 60.0, 300.0
"""At most so long between two tries: of a door that is away, of what may have left."""
MAX_ATTEMPTS = 1_440  # a day
MAX_DOUBTS = 12
"""Of what nobody waits for: an end, an alarm that somebody has taken on."""

Row = dict[str, Any]


class Courier:
    """Sends what the outbox of alarms holds; several processes may, from one outbox.

    Parameters
    ----------
    database
        Of the outbox.
    doors
        By name.
    teller
        Publishes outcomes.
    changed
        Called when an outcome may mean that somebody else has to be told.
    """

    def __init__(
        self,
        database: Database,
        doors: Mapping[str, AlertDoor],
        teller: Teller,
        changed: Callable[[], None],
    ) -> None:
        self._database = database
        self._doors = doors
        self._teller = teller
        self._changed = changed
        self.owner = new_owner()
        self._carried: dict[str, asyncio.Task[None]] = {}
        self.rounds = Rounds("the outbox of alarms", self.turn, EVERY_S)

    async def stop(self) -> None:
        """End, and let the doors' connections go."""
        await self.rounds.stop()
        if self._carried:
            await asyncio.wait(self._carried.values(), timeout=STOP_S)
        for task in self._carried.values():
            task.cancel()
        for door in self._doors.values():
            await door.close()

    async def turn(self) -> bool:
        """Send what is due; say whether there may be more.

        What takes its time, in a door's queue or without an answer, does not keep the rest waiting.
        """
        await self._give_up_claims()
        room = AT_ONCE - len(self._carried)
        rows = await self._database.write(alerts.claim, self.owner, datetime.now(UTC), room)
        for row in rows:
            task = asyncio.create_task(self._finish(row))
            self._carried[row.alert_id] = task
            task.add_done_callback(partial(self._put_down, row.alert_id))
        if self._carried:
            await asyncio.wait(self._carried.values(), timeout=EVERY_S)
        await self._tell()
        return bool(rows)

    def _put_down(self, name: str, task: asyncio.Task[None]) -> None:
        del self._carried[name]
        if not task.cancelled() and task.exception():
            log.error("alarm %s failed; it is tried again", name, exc_info=task.exception())

    async def _finish(self, row: Alert) -> None:
        """Try once, and write down what became of it: the next may take its time.

        While the database is away it is remembered here: forgotten, it would be sent again.
        """
        found = await self._try(row)
        await self._write(row, found)
        if found["new_status"] in {SendStatus.FAILED.value, SendStatus.UNKNOWN.value}:
            log.error("alarm %s to %s: %s", row.alert_id, row.outbound, found["new_error"])
            self._changed()

    async def _write(self, row: Alert, found: Row) -> None:
        while True:
            try:
                return await self._database.write(_mark, row, found)
            except Unavailable as why:
                log.warning("alarm %s: what became of it is not written yet: %s", row.alert_id, why)
                await asyncio.sleep(EVERY_S)

    async def _try(self, row: Alert) -> Row:
        try:
            async with asyncio.timeout(SEND_S):
                reference = await self._hand_over(row)
        except Unavailable as why:
            return _later(row, str(why), why.retry_after_s)
        except Rejected as why:
            return _refused(row, str(why))
        except Exception as error:
            if not isinstance(error, OutcomeUnknown | TimeoutError):
                log.exception("the door %s failed", row.outbound)
            return _doubt(row, str(error) or type(error).__name__)
        return _outcome(row, SendStatus.SENT) | {"new_reference": reference[:255]}

    async def _hand_over(self, row: Alert) -> str:
        """Send a card or edit it, and return its reference."""
        door, card = self._doors.get(row.outbound), card_of(row)
        if door is None:
            msg = f"there is no door {row.outbound!r}"
            raise Rejected(msg)
        if not row.reference:
            return await door.send(row.address, card)
        await door.edit(row.address, row.reference, card)
        return row.reference

    async def _give_up_claims(self) -> None:
        """Take claims away from owners who are gone: what they sent may have left."""
        now = datetime.now(UTC)
        for row in await self._database.read(alerts.claimed):
            if row.alert_id in self._carried and row.owner == self.owner:
                continue
            if row.owner == self.owner:
                found = _later(row, "nobody heard that it was claimed", None)
            elif is_gone(row.owner, self.owner) or (row.claimed_at or now) <= now - LEASE:
                found = _doubt(row, "the process that sent it ended")
            else:
                continue
            await self._database.write(_mark, row, found)
            self._changed()

    async def _tell(self) -> None:
        rows = await self._database.read(alerts.untold)
        if not rows:
            return
        now = datetime.now(UTC)
        await self._teller.tell([sent(row, now) for row in rows], "dispatch")
        await self._database.write(alerts.mark_told, [row.alert_id for row in rows], now)


def sent(row: Alert, now: datetime) -> AlertSent:
    """Return what is told of a message, once its outcome is known."""
    return AlertSent(
        event_id=uuid5(ASTREINTE, f"alert {row.alert_id}/sent"),
        trace_id=row.trace_id or UUID(row.alert_id).hex,
        occurred_at=now,
        why=f"{row.kind} : {row.status}" + (f" ({row.last_error})" if row.last_error else ""),
        unit_id=row.unit_id,
        episode_id=row.episode_id,
        recipient=row.recipient or row.address[:80],
        outbound=row.outbound,
        status=SendStatus(row.status),
    )


def card_of(row: Alert) -> Card:
    """Return the card of a message."""
    card = row.card or {}
    return Card(
        episode_id=row.episode_id,
        unit_id=row.unit_id,
        title=str(card.get("title", "")),
        text=str(card.get("text", "")),
        short_text=str(card.get("short_text", "")),
        severity=Severity(str(card.get("severity", Severity.HIGH.value))),
        language=Language(str(card.get("language", Language.FR.value))),
        open=bool(card.get("open", True)),
        acknowledged=bool(card.get("acknowledged", False)),
        kind=row.kind,
    )


def _mark(session: Any, row: Alert, found: Row) -> None:
    alerts.mark(session, [found])
    if found["new_status"] in {SendStatus.FAILED.value, SendStatus.UNKNOWN.value}:
        episodes.look_at(session, row.episode_id, datetime.now(UTC))


def _outcome(row: Alert, status: SendStatus, why: str = "") -> Row:
    now = datetime.now(UTC)
    left = status is SendStatus.SENT
    return {
        "name": row.alert_id,
        "claimer": row.owner,
        "new_status": status.value,
        "new_reference": row.reference,
        "new_shown": row.wanted if left else row.shown,
        "new_attempts": row.attempts,
        "new_attempt_at": now,
        "new_sent_at": row.sent_at or (now if left else None),
        "new_error": why[:500],
    }


def _later(row: Alert, why: str, asked_s: float | None, longest_s: float = AWAY_S) -> Row:
    """Try it again after 10 s, 20 s, 40 s …, or when the door asked for it."""
    if row.attempts >= MAX_ATTEMPTS:
        return _outcome(row, SendStatus.FAILED, why)
    wait_s = min(10.0 * 2 ** (row.attempts - 1), longest_s) if asked_s is None else asked_s
    again = datetime.now(UTC) + timedelta(seconds=wait_s)
    return _outcome(row, SendStatus.QUEUED, why) | {"new_attempt_at": again}


def _refused(row: Alert, why: str) -> Row:
    if row.reference:  # the message is gone: a new one says it
        return _later(row, why, 0.0) | {"new_reference": ""}
    return _outcome(row, SendStatus.FAILED, why)


def _doubt(row: Alert, why: str) -> Row:
    """Have what may have left said again; what nobody waits for stays unknown in the end."""
    card = card_of(row)
    tries = MAX_ATTEMPTS if card.open and not card.acknowledged else MAX_DOUBTS
    if row.reference or row.attempts < tries:
        return _later(row, why, None, AWAY_S if row.reference else DOUBT_S)
    return _outcome(row, SendStatus.UNKNOWN, why)
