"""A plant of many cold rooms, and what their bridges publish: from the simulated rooms.

A few rooms are simulated; each stands for many units, that differ by name only. To whoever works
with their readings they are different units all the same, each with a memory of its own.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from sqlmodel import Session

from benchmarks.brokers import Broker, Letter
from refrigeration.profile import Profile
from schemas.event import Event
from schemas.readings import InboundReading
from services import wire
from simulation.fleet import Fleet
from simulation.fleet import Plan as Played
from storage import units
from storage.engine import engine_of

ROOMS = 25
AT_ONCE = 2_000


class Plant:
    """So many units, whose `count` readings have come every `step_s` until now."""

    def __init__(self, run: str, count: int, each: int, step_s: float) -> None:
        self._run = run
        self.each, self.step_s = each, step_s
        rooms = min(ROOMS, count)
        start = time.time() - (each + 1) * step_s
        self._fleet = Fleet(Played(units=rooms, step_s=step_s, cycles=each), start)
        self._copies = count // rooms
        self.units = rooms * self._copies

    def profiles(self) -> list[Profile]:
        """Return what the units' owners declare."""
        return [
            room.profile.model_copy(update={"unit_id": self._name(room.unit_id, copy)})
            for copy in range(self._copies)
            for room in self._fleet.units
        ]

    def readings(self) -> Iterator[InboundReading]:
        """Yield all readings as they come, unit by unit, round by round; once."""
        for shown in self._fleet.rounds():
            for copy in range(self._copies):
                for one in shown:
                    body = {
                        "unit_id": self._name(one.unit_id, copy),
                        "measured_at": one.measured_at,
                        "measures": one.measures,
                        "source": "benchmark",
                    }
                    yield InboundReading.model_validate(body)

    def _name(self, room: str, copy: int) -> str:
        return f"{self._run}-{room}-{copy:04d}"


def declare(url: str, profiles: Sequence[Profile]) -> None:
    """Have a record know units."""
    now = datetime.now(UTC)
    engine = engine_of(url)
    with Session(engine) as session, session.begin():
        for profile in profiles:
            units.declare(session, profile.model_dump(mode="json"), now)
    engine.dispose()


def letter(event: Event, source: str = "benchmark") -> Letter:
    """Return the record of an event."""
    headers: Mapping[str, Any] = wire.headers_of(event, source, 0.0)
    return event.key.encode(), wire.body_of(event), [(k, v.encode()) for k, v in headers.items()]


async def lay(broker: Broker, letters: Sequence[Letter]) -> None:
    """Write readings to `frigo.inbound`, as a gateway does."""
    every = iter(letters)
    async with broker.producer() as producer:
        while some := list(islice(every, AT_ONCE)):
            sent = [
                await producer.send(InboundReading.topic, body, key=key, headers=headers)
                for key, body, headers in some
            ]
            await asyncio.gather(*sent)
