"""What is remembered of units, in this process and in the record, and what is told of them.

Readings of a unit come to one process, in order; its memory is read from the record with the first
of them. What decides is written with its batch, with the alarms that it led to; only then are they
published, and struck out. A process that dies between two of these steps leaves them in the record,
and whoever takes the unit over publishes them again, under the same ids.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from refrigeration import detector
from refrigeration.detector import Sample, Transition
from refrigeration.inference import Diagnoses
from refrigeration.memory import Memory
from refrigeration.profile import Profile
from schemas.errors import Unavailable
from schemas.event import Event
from schemas.frigo import Measures, ReadingReceived, UnitStateChanged
from services.profiles import Profiles
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

Tell = Callable[[Transition, Profile, Measures | None, datetime], UnitStateChanged]
SampleOf = Callable[[ReadingReceived, float], Sample]


@dataclass(slots=True)
class Room:
    """A unit in hand: its memory, the version that it was read or written at, what is untold."""

    memory: Memory
    version: int
    untold: list[dict[str, Any]] = field(default_factory=list)
    values: Measures | None = None
    written_at: float = field(default_factory=time.monotonic)
    touched: bool = False


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
            room.values, room.touched = event.values, True
            self._note(event.unit_id, room, found, profile, now)
        return failed

    def _note(
        self,
        name: str,
        room: Room,
        found: Sequence[Transition],
        profile: Profile,
        now: datetime,
    ) -> None:
        for each in found:
            told = self._tell(each, profile, room.values, now)
            room.untold = [*room.untold, told.model_dump(mode="json")]
            room.memory.changed = room.touched = True
            self._untold.add(name)

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
                    self._note(name, room, found, profile, moment)
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
        """Publish what was decided and is written, then strike it out.

        Raises
        ------
        Unavailable
            Kafka does not confirm, or the record does not answer: it is told again.
        """
        async with self._turns:
            told = {n: list(self._rooms[n].untold) for n in self._untold if n in self._rooms}
            self._untold &= told.keys()
        events: list[Event] = [
            UnitStateChanged.model_validate(body) for bodies in told.values() for body in bodies
        ]
        await self._teller.tell(events, "classify")
        async with self._turns:
            for name, bodies in told.items():
                if room := self._rooms.get(name):
                    room.untold = [body for body in room.untold if body not in bodies]
                    if not room.untold:
                        self._untold.discard(name)
            await self._written([name for name in told if name in self._rooms])

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
            rows = [self._row(name) for name in some]
            await self._database.write(units.remember, rows)
            for name in some:
                room = self._rooms[name]
                room.version, room.touched = room.version + 1, False
                room.written_at = time.monotonic()

    def _row(self, name: str) -> dict[str, Any]:
        room, profile = self._rooms[name], self._profiles.get(name)
        due = detector.due(room.memory, profile) if profile else None
        if room.untold:  # whoever takes over has something to tell, whether a reading comes or not
            due = time.time()
        newest = room.memory.newest
        return {
            "unit": name,
            "seen": room.version,
            "new_state": room.memory.body(),
            "new_untold": room.untold,
            "new_due_at": datetime.fromtimestamp(due, UTC) if due else None,
            "new_read_at": datetime.fromtimestamp(newest, UTC) if newest else None,
        }

    def _drop(self, names: Collection[str]) -> None:
        for name in list(names):
            self._rooms.pop(name, None)
            self._untold.discard(name)
