"""What is remembered of units, in this process and in the record, and what is told of them.

Readings of a unit come to one process, in order; its memory is read from the record with the first
of them. What decides is written with its batch, with the alarms that it led to; only then are they
published, and struck out later. A process that dies between two of these steps leaves them in the
record, and whoever takes the unit over publishes them again, under the same ids.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta

from refrigeration import detector
from refrigeration.detector import Sample, Transition
from refrigeration.inference import Diagnoses
from refrigeration.memory import Memory
from refrigeration.profile import Profile
from schemas.errors import Unavailable
from schemas.event import Event
from schemas.frigo import Measures, ReadingReceived, UnitStateChanged
from services.profiles import Profiles
from services.remembered import Room
from services.telling import Teller
from storage import units
from storage.database import Database
from storage.units import Conflict

log = logging.getLogger(__name__)

WRITE_EVERY_S = 60.0
"""Of a memory in which nothing moved that decides."""
ABANDONED = timedelta(seconds=90)
"""Beyond the last write: a unit that is due for so long has no keeper any more."""
AT_ONCE = 200
LET_GO_S = 4.0  # others wait for the partitions meanwhile
LINGER_S = 30.0
"""So long an alarm that was told stays in the record: the embedded broker keeps nothing on disk,
and one that is told again after a kill is recognised by its id."""

Tell = Callable[[Transition, Profile, Measures | None, datetime], UnitStateChanged]
SampleOf = Callable[[ReadingReceived, float], Sample]


class Rooms:
    """The units that come to this process."""

    def __init__(
        self,
        database: Database,
        profiles: Profiles,
        teller: Teller,
        rules: tuple[SampleOf, Tell],
        diagnoser: Diagnoses | None = None,
    ) -> None:
        self._database = database
        self._profiles = profiles
        self._teller = teller
        self._sample_of, self._tell = rules
        self._diagnoser = diagnoser
        self._rooms: dict[str, Room] = {}
        self._untold: set[str] = set()
        self._told: dict[str, float] = {}
        self._turns = asyncio.Lock()

    def __len__(self) -> int:
        return len(self._rooms)

    async def take(self, events: Sequence[ReadingReceived]) -> bool:
        """Take readings in; say whether there is something to tell.

        Raises
        ------
        Unavailable
            The record does not answer, or another process looks after one of the units.
        """
        async with self._turns:
            await self._profiles.fresh()
            named = {event.unit_id for event in events}
            mine = {name for name in named if self._profiles.get(name)}
            try:
                await self._load(mine)
                failed = self._advance(events)
                kept = [name for name in mine if name in self._rooms]
                await self._write([n for n in kept if self._rooms[n].memory.changed])
            except BaseException as error:
                self._drop(mine)  # the readings come again, to what the record knows
                if isinstance(error, Conflict):
                    raise Unavailable(str(error)) from error
                raise
        if failed:
            raise failed
        return bool(self._untold)

    def _advance(self, events: Sequence[ReadingReceived]) -> Exception | None:
        failed: Exception | None = None
        wall = time.time()
        now = datetime.fromtimestamp(wall, UTC)
        for event in events:
            profile, room = self._profiles.get(event.unit_id), self._rooms.get(event.unit_id)
            if profile is None or room is None:
                continue
            try:
                sample = self._sample_of(event, wall)
                found = detector.advance(room.memory, profile, sample, self._diagnoser)
            except Exception as error:  # noqa: BLE001 - the runner finds out which one, singly
                self._drop([event.unit_id])
                failed = error
                continue
            room.touched = True
            if found:
                self._note(room, found, profile, event.values, now)
        return failed

    def _note(
        self,
        room: Room,
        found: Sequence[Transition],
        profile: Profile,
        values: Measures,
        now: datetime,
    ) -> None:
        for each in found:
            told = self._tell(each, profile, values, now)
            room.untold = [*room.untold, told.model_dump(mode="json")]
            room.memory.changed = room.touched = True
            self._untold.add(profile.unit_id)

    async def pass_time(self, now: float) -> bool:
        """Say what silence until `now` means; say whether there is something to tell."""
        async with self._turns:
            await self._profiles.fresh()
            moment = datetime.fromtimestamp(now, UTC)
            left = await self._database.read(units.overdue, moment - ABANDONED)
            await self._load({name for name in left if self._profiles.get(name)})
            moved = []
            for name, room in self._rooms.items():
                profile = self._profiles.get(name)
                due = detector.due(room.memory, profile) if profile else None
                if profile and due is not None and due <= now:
                    found = detector.pass_time(room.memory, profile, now)
                    self._note(room, found, profile, room.values(), moment)
                    moved.append(name)
            await self._written(moved)
        return bool(self._untold)

    async def keep(self) -> None:
        """Write what was not written for a while."""
        old = time.monotonic() - WRITE_EVERY_S
        due = [n for n, room in self._rooms.items() if room.touched and room.written_at < old]
        for place in range(0, len(due), AT_ONCE):
            async with self._turns:  # readings come in between
                await self._written([n for n in due[place : place + AT_ONCE] if n in self._rooms])

    async def tell(self) -> None:
        """Publish what was decided and is written.

        Raises
        ------
        Unavailable
            Kafka does not confirm: it is told again.
        """
        async with self._turns:
            names = {name for name in self._untold if name in self._rooms}
            bodies = [body for name in sorted(names) for body in self._rooms[name].untold]
            self._untold.clear()
        events: list[Event] = [
            UnitStateChanged.model_validate(body)
            for body in bodies
            if body["event_id"] not in self._told
        ]
        try:
            await self._teller.tell(events, "classify")
        except BaseException:
            self._untold |= names
            raise
        self._told |= dict.fromkeys((str(event.event_id) for event in events), time.monotonic())

    async def strike_out(self) -> None:
        """Forget what was told a while ago: by now it has come where it is kept for good."""
        old = time.monotonic() - LINGER_S
        over = {name for name, at in self._told.items() if at <= old}
        if not over:
            return
        async with self._turns:
            names = [n for n, room in self._rooms.items() if room.struck_out(over)]
            await self._written(names)
        for name in over:
            del self._told[name]

    async def let_go(self) -> None:
        """Write all and forget it: partitions go to somebody else. Never raises."""
        try:
            async with asyncio.timeout(LET_GO_S):
                await self.tell()
                async with self._turns:
                    await self._written([n for n, room in self._rooms.items() if room.touched])
        except (Unavailable, TimeoutError) as why:
            log.warning("what units did lately is not written: %s", str(why) or "no time left")
        finally:
            self._drop(list(self._rooms))

    async def _load(self, names: Collection[str]) -> None:
        missing = [name for name in names if name not in self._rooms]
        if not missing:
            return
        found = await self._database.read(units.remembered, missing)
        for name, kept in found.items():
            self._rooms[name] = Room(Memory.of(kept.state), kept.version, kept.untold)
            if kept.untold:
                self._untold.add(name)

    async def _written(self, names: Sequence[str]) -> None:
        """Write units outside of a batch of theirs; those that another process has are dropped."""
        try:
            await self._write(names)
        except Conflict as conflict:
            self._drop(conflict.units)
            await self._written([name for name in names if name in self._rooms])
        except BaseException:
            self._drop(names)
            raise

    async def _write(self, names: Sequence[str]) -> None:
        for place in range(0, len(names), AT_ONCE):
            some = names[place : place + AT_ONCE]
            rows = [self._rooms[n].row(n, self._profiles.get(n)) for n in some]
            await self._database.write(units.remember, rows)
            for name in some:
                room = self._rooms[name]
                room.version, room.touched = room.version + 1, False
                room.written_at = time.monotonic()

    def _drop(self, names: Collection[str]) -> None:
        for name in list(names):
            self._rooms.pop(name, None)
            self._untold.discard(name)
