"""What is due about alarms: the next one on call, reminders, ends; and whether anybody watches."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

from sqlmodel import Session

from gateways.roster import Roster
from schemas.vocabulary import Change, Fault
from services import alarms
from services.cards import DETECTOR, detector_down
from services.rounds import Rounds
from services.settings_frigo import AlarmSettings
from storage import episodes, units
from storage.database import Database

EVERY_S = 1.0
LOOK_EVERY_S = 5.0
"""After the detector's sign of life."""
FIRST_S = 300.0
"""So long the very first sign of life may take: the first start makes its models."""


class Clerk:
    """Takes turns beside the handlers of dispatch."""

    def __init__(self, database: Database, roster: Roster, settings: AlarmSettings) -> None:
        self._database = database
        self._roster = roster
        self._limit = timedelta(seconds=settings.detector_s)
        self._group_wait = timedelta(seconds=settings.group_wait_s)
        self._began = time.monotonic()
        self._looked_at = 0.0
        self.rounds = Rounds("the clerk of alarms", self.turn, EVERY_S)
        self.sent_off: Callable[[], None] = lambda: None

    async def turn(self) -> bool:
        """Do what is due; say whether there may be more."""
        now = datetime.now(UTC)
        if time.monotonic() - self._looked_at > LOOK_EVERY_S:
            self._looked_at = time.monotonic()
            # Who has only just started gives the detector as long to start.
            age_s = time.monotonic() - self._began
            if age_s > self._limit.total_seconds():
                watch = partial(watch_the_detector, first=age_s > FIRST_S)
                await self._database.write(watch, now, self._limit, self._group_wait)
        done = await self._database.write(alarms.do_what_is_due, self._roster, now)
        if done:
            self.sent_off()
        return bool(done)


def watch_the_detector(
    session: Session, now: datetime, limit: timedelta, group_wait: timedelta, *, first: bool = True
) -> None:
    """Raise an alarm when the detector gives no sign of life while there are units, or end it.

    `first`: one that never gave any counts as silent too.
    """
    last = units.last_beat(session)
    gone = list(episodes.open_of(session, DETECTOR))
    silent = first if last is None else now - last > limit
    if silent and not gone and units.watched(session):
        event = detector_down(last or now - limit, Change.RAISED, now)
        alarms.take_in(session, [event], now, group_wait)
    elif not silent:
        for episode in gone:
            if episode.fault == Fault.DETECTOR_DOWN.value:
                event = detector_down(episode.began_at, Change.CLEARED, now)
                alarms.take_in(session, [event], now, group_wait)
