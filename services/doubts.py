"""Settles what may have left: asks the provider once it must know, and never sends on a guess."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from schemas.errors import Unavailable
from schemas.vocabulary import SendStatus
from services.doors import Doors
from services.owner import is_gone
from storage import doubts
from storage.database import Database
from storage.tables import Outgoing

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=2)
"""After which a claim counts as abandoned, where its owner cannot be seen: twice a door's time."""
GIVE_UP = timedelta(minutes=30)
"""After the claim: a provider that neither reported nor answered by then leaves it to a person."""
ASK_AGAIN = timedelta(seconds=30)


class Doubts:
    """Looks after one outbox. `carries`: says whether this process still sends a row."""

    def __init__(
        self, database: Database, doors: Doors, owner: str, carries: Callable[[Outgoing], bool]
    ) -> None:
        self._database = database
        self._doors = doors
        self._owner = owner
        self._carries = carries

    async def look(self) -> None:
        """Take over claims whose owner is gone, then settle what can be settled."""
        now = datetime.now(UTC)
        for row in await self._database.read(doubts.claimed):
            if self._abandoned(row, now):
                # It may have been sent in its owner's last moment, however old the claim.
                await self._database.write(doubts.doubt, row, now + self._settles_after(row))
        for row in await self._database.read(doubts.due, datetime.now(UTC)):
            await self._settle(row)

    def _settles_after(self, row: Outgoing) -> timedelta:
        try:
            return timedelta(seconds=self._doors[row.outbound].settles_after_s)
        except Unavailable:
            return timedelta(0)

    async def _was_sent(self, row: Outgoing) -> bool | None:
        try:
            return await self._doors[row.outbound].was_sent(row.reply_id)
        except Unavailable:
            return None  # nobody is left to ask

    def _abandoned(self, row: Outgoing, now: datetime) -> bool:
        if self._carries(row):
            return False
        return is_gone(row.owner, self._owner) or (row.claimed_at or now) <= now - LEASE

    async def _settle(self, row: Outgoing) -> None:
        was_sent = await self._was_sent(row)
        now = datetime.now(UTC)
        found: dict[str, Any]
        if was_sent:
            found = {"status": SendStatus.SENT.value, "sent_at": now, "last_error": ""}
        elif was_sent is False:
            found = {"status": SendStatus.QUEUED.value, "next_attempt_at": now}
        elif now - (row.claimed_at or now) > GIVE_UP:
            found = {"status": SendStatus.UNKNOWN.value}
        else:
            found = {"next_attempt_at": now + ASK_AGAIN}
        log.info("reply %s: %s", row.reply_id, found.get("status", "still in doubt"))
        await self._database.write(lambda session: doubts.settle(session, row.reply_id, **found))
