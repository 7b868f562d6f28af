"""The gateway of the cold rooms: posts what sensors say, in order, and gives nothing up.

Rooms are posted in groups, as a bridge does that has several under it; a post that was not answered
is repeated, and what is measured meanwhile waits its turn, with the time of its measurement.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from gateways.diagnostics import Diagnostic, read_diagnostic
from tests.chaos.posts import Posts
from tests.chaos.rooms import INTERVAL_S, Room

GROUP = 8
ANSWER_S = 20.0
WAIT_S = 1.0
REPEATED = 0.1
"""Share of acknowledged posts that are handed in again, on purpose, at once or later."""
REPEATED_AFTER_S = 20.0
AT_ONCE = 12
"""What a gateway that was cut off posts in one go."""


@dataclass
class Reading:
    """A reading that was measured, and when the edge took it."""

    unit_id: str
    event_id: str
    at: float
    accepted_at: float = 0.0


@dataclass
class Group:
    """Rooms under one bridge; what waits, oldest first."""

    rooms: Sequence[Room]
    waiting: deque[tuple[list[dict[str, Any]], list[Reading]]] = field(default_factory=deque)


class Readings:
    """Measures each room every ten seconds until all alarms must have ended, and `ended` is set."""

    def __init__(self, edge: str, key: str, rooms: Sequence[Room], seed: int) -> None:
        self._posts = Posts(int(edge.rpartition(":")[2]), len(rooms), ANSWER_S)
        self._path = f"/webhook/diagnostic-frigo?cle={key}"
        self._dice = random.Random(f"readings {seed}")
        self._groups = [Group(rooms[n : n + GROUP]) for n in range(0, len(rooms), GROUP)]
        self._again: set[asyncio.Task[Any]] = set()
        self._last_s = max((room.over_s for room in rooms), default=0.0)
        self.readings: list[Reading] = []
        self.refused: list[tuple[str, int]] = []
        self.began_at = 0.0

    async def run(self, ended: asyncio.Event) -> None:
        """Measure and post; then wait until everything was acknowledged, or be cancelled."""
        self.began_at = time.time()
        tasks = [asyncio.create_task(self._post(group)) for group in self._groups]
        try:
            while not ended.is_set() or time.time() < self.began_at + self._last_s:
                for group in self._groups:
                    self._measure(group)
                await asyncio.sleep(INTERVAL_S)
            while any(group.waiting for group in self._groups) or self._again:  # noqa: ASYNC110
                await asyncio.sleep(WAIT_S)
        finally:
            for task in (*tasks, *self._again):
                task.cancel()
            self._posts.close()

    def _measure(self, group: Group) -> None:
        bodies, readings = [], []
        for room in group.rooms:
            now = time.time()
            body = {
                "diagnostic_id": f"{room.unit_id}-{len(self.readings)}",
                "unit_id": room.unit_id,
                "timestamp": datetime.fromtimestamp(now, UTC).isoformat(),
                "capteurs": room.capteurs(now - self.began_at, self._dice),
            }
            read = read_diagnostic(body)
            assert isinstance(read, Diagnostic)
            bodies.append(body)
            readings.append(Reading(room.unit_id, str(read.reading.event_id), now))
        group.waiting.append((bodies, readings))
        self.readings += readings

    async def _post(self, group: Group) -> None:
        while True:
            if not group.waiting:
                await asyncio.sleep(WAIT_S / 4)
                continue
            taken = list(group.waiting)[:AT_ONCE]
            body = json.dumps([body for bodies, _ in taken for body in bodies]).encode()
            status = await self._once(body)
            if status == 200:
                for _, readings in taken:
                    group.waiting.popleft()
                    for reading in readings:
                        reading.accepted_at = time.time()
                if self._dice.random() < REPEATED:
                    self._repeat(body)
            else:
                if 400 <= status < 500 or status == 207:
                    self.refused.append((f"readings of {group.rooms[0].unit_id} …", status))
                await asyncio.sleep(WAIT_S)

    async def _once(self, body: bytes) -> int:
        try:
            return await self._posts.post(self._path, body)
        except OSError:  # nobody listens
            return 0

    def _repeat(self, body: bytes) -> None:
        async def later() -> None:
            await asyncio.sleep(self._dice.uniform(0, REPEATED_AFTER_S))
            await self._once(body)

        task = asyncio.create_task(later())
        self._again.add(task)
        task.add_done_callback(self._again.discard)
