"""What is due about alarms: the next one on call, reminders, ends; and whether anybody watches."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlmodel import Session

from gateways.roster import Roster
from schemas.vocabulary import Change, Fault
from services import alarms, breaker, metrics
from services.cards import DETECTOR, detector_down
from services.rounds import Rounds
from services.settings_frigo import AlarmSettings
from storage import episodes, units
from storage.database import Database

EVERY_S = 1.0
LOOK_EVERY_S = 5.0
"""After the detector's sign of life."""
NEVER = datetime(2000, 1, 1, tzinfo=UTC)
FIRST = timedelta(minutes=5)
"""So long the very first sign of life may take: the first start makes its models."""


class Clerk:
    """Takes turns beside the handlers of dispatch."""

    def __init__(self, database: Database, roster: Roster, settings: AlarmSettings) -> None:
        self._database = database
        self._roster = roster
        self._limit = timedelta(seconds=settings.detector_s)
        self._group_wait = timedelta(seconds=settings.group_wait_s)
        self._looked_at = 0.0
        self.rounds = Rounds("the clerk of alarms", self.turn, EVERY_S)
        self.sent_off: Callable[[], None] = lambda: None
        self.noted: Callable[[str], None] = lambda _note: None

    async def turn(self) -> bool:
        """Do what is due; say whether there may be more."""
        now = datetime.now(UTC)
        if (passed := time.monotonic() - self._looked_at) > LOOK_EVERY_S:
            # While we could not look, nobody listened: what was said then is not silence.
            longer = timedelta(seconds=min(passed, 2 * LOOK_EVERY_S) if self._looked_at else 0.0)
            self._looked_at = time.monotonic()
            await self._database.write(
                watch_the_detector, now, self._limit, self._group_wait, longer
            )
            note = await self._database.write(breaker.watch, now, self._group_wait)
            metrics.BREAKER.set(bool(note))
            self.noted(note)
        done = await self._database.write(alarms.do_what_is_due, self._roster, now)
        if done:
            self.sent_off()
        return bool(done)


def watch_the_detector(
    session: Session, now: datetime, limit: timedelta, group_wait: timedelta, longer: timedelta
) -> None:
    """Raise an alarm when the detector gives no sign of life while there are units, or end it.

    Silence counts while somebody listens, `longer` since the last look: after a start of the whole
    machine, or without the database, a detector has as long as ever to say something.
    """
    last = units.last_beat(session)
    ours = episodes.open_of(session, DETECTOR)
    gone = [each for each in ours if each.fault == Fault.DETECTOR_DOWN.value]
    listened = units.listen(session, last or NEVER, longer)
    patience = limit if last else max(limit, FIRST)
    silent = listened > patience and now - (last or NEVER) > limit
    if silent and not gone and units.watched(session):
        event = detector_down(last or now - limit, Change.RAISED, now)
        alarms.take_in(session, [event], now, group_wait)
    elif not silent:
        for episode in gone:
            event = detector_down(episode.began_at, Change.CLEARED, now)
            alarms.take_in(session, [event], now, group_wait)
