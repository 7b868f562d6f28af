"""Three simulated cold rooms beside the invented customers: a door stays open, then is closed.

Their past comes first, in about a quarter of a minute; then a reading a minute, never from the
future. Each run begins anew: what an earlier one left is ended.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlmodel import Session

from refrigeration.profile import Profile
from schemas.errors import Unavailable
from schemas.event import Event
from schemas.vocabulary import Fault, SendStatus
from services.neighbours import Neighbours
from simulation.fleet import Fleet, Plan, drive
from simulation.rooms.faults import Injection
from storage import profiles, rooms, units
from storage.database import Database
from storage.tables import Alert, Episode

log = logging.getLogger(__name__)

NAMES = {109: "Chambre légumes", 110: "Chambre viande", 111: "Chambre surgelés"}
"""By seed: their plants and days are always the same."""
SITE = "Démonstration"
ROOMS = Plan(units=len(NAMES), seed=min(NAMES), speed=1200.0)
PAST_S = 4 * 3600.0
OPENED_S, CLOSED_S = -25 * 60.0, 4 * 60.0
"""When the door of the last room is opened and closed, from now on."""
LOOK_EVERY_S = 0.5
MAX_EPISODES = 20


@dataclass(frozen=True)
class News:
    """An alarm of a demonstrated room that somebody was told of, or is over."""

    episode: Episode
    unit: str

    @property
    def is_over(self) -> bool:
        """It is over."""
        return self.episode.ended_at is not None


@dataclass
class Demonstration:
    """The rooms of a desk; `alarm` is set once the first alarm has left."""

    near: Neighbours
    alarm: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        now = time.time() // 60 * 60
        self.fleet = Fleet(ROOMS, now - PAST_S)
        door = Injection(Fault.DOOR, 0.9, now + OPENED_S, end=now + CLOSED_S)
        self.fleet.units[-1].inject(door)

    async def play(self) -> None:
        """Declare the rooms and have them send, for ever."""
        found = [
            named(unit.profile, seed) for unit, seed in zip(self.fleet.units, NAMES, strict=True)
        ]
        await self.near.database.write(begin, found, datetime.now(UTC))
        await drive(self.fleet, self._publish)

    async def _publish(self, events: Sequence[Event]) -> None:
        await self.near.teller.tell(events, "simulator")

    async def news(self) -> AsyncIterator[News]:
        """Give alarms as they are told and as they end."""
        began = datetime.now(UTC)
        told: dict[str, News] = {}
        while True:
            with suppress(Unavailable):
                for each in await self.near.database.read(_news, self._names(), began):
                    before = told.get(each.episode.episode_id)
                    if before is None or before.is_over != each.is_over:
                        told[each.episode.episode_id] = each
                        self.alarm.set()
                        yield each
            await asyncio.sleep(LOOK_EVERY_S)

    def _names(self) -> list[str]:
        return [unit.unit_id for unit in self.fleet.units]


@asynccontextmanager
async def demonstration(near: Neighbours) -> AsyncIterator[Demonstration]:
    """Have the rooms send while the block runs."""
    shown = Demonstration(near)
    playing = asyncio.create_task(shown.play())
    playing.add_done_callback(_failed)
    try:
        yield shown
    finally:
        playing.cancel()
        await asyncio.wait({playing})


def _failed(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        log.error("the simulated cold rooms stopped", exc_info=error)


def named(profile: Profile, seed: int) -> Profile:
    """Return a room's profile under the name that people see."""
    return profile.model_copy(update={"name": NAMES[seed], "site": SITE})


def begin(session: Session, wanted: Sequence[Profile], now: datetime) -> None:
    """Declare rooms that are not declared, and have all of them remember nothing."""
    for profile in wanted:
        found = profiles.one(session, profile.unit_id)
        if not (found and found.declared):
            units.declare(session, profile.model_dump(mode="json"), now)
    session.flush()
    rooms.begin_anew(session, [profile.unit_id for profile in wanted], now)


async def forget(url: str) -> None:
    """End what a demonstration left in a record: its rooms are silent now, and nobody minds."""
    names = [unit.unit_id for unit in Fleet(ROOMS, time.time()).units]
    database = Database(url)
    try:
        with suppress(Unavailable):
            await database.write(rooms.begin_anew, names, datetime.now(UTC))
    finally:
        database.close()


def _news(session: Session, names: Sequence[str], began: datetime) -> list[News]:
    found = rooms.told_since(session, names, began, MAX_EPISODES)
    sent: Mapping[str, Sequence[Alert]] = rooms.messages(session, [e.episode_id for e, _ in found])
    return [
        News(episode, name)
        for episode, name in found
        if any(a.status == SendStatus.SENT.value for a in sent.get(episode.episode_id, ()))
    ]
