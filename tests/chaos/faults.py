"""What goes wrong: processes are killed all the while, and greater troubles come in turn."""

from __future__ import annotations

import asyncio
import itertools
import random
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress

from tests.chaos.desk import Desk
from tests.chaos.moods import HANGING, ROUGH
from tests.chaos.plan import AWAY, DISK_FULL, Plan
from tests.chaos.servers import within

EFFECTS = ("edge", "ingest", "dispatch", "record")
"""Parts whose work, done twice, would show."""
SECOND = ("ingest", "dispatch", "classify", "record", "rag", "extract", "respond")
"""Stages, in the order in which they get a second instance."""
SECOND_READY_S = 60.0
SENDS_S = 4.0
DOWN_AT_ONCE = 3
"""With more of them down no message comes through, and nothing is tried: kills wait a while."""
RECOVER_S = 20.0


class Faults:
    """Does to a desk what the plan says; `mark` is told what happens."""

    def __init__(self, plan: Plan, desk: Desk, mark: Callable[[str], None]) -> None:
        self._plan, self._desk, self._mark = plan, desk, mark
        self._dice = random.Random(plan.seed)
        self.done: Counter[str] = Counter()

    async def run(self) -> None:
        """Kill as often as planned; meanwhile have each trouble at least once."""
        troubles = [t for t in self._plan.troubles if t != DISK_FULL or self._desk.disk]
        killing = asyncio.create_task(self._kill())
        try:
            for number, trouble in enumerate(itertools.cycle(troubles)):
                if killing.done() and number >= len(troubles):
                    break
                await asyncio.sleep(self._plan.trouble_every_s)
                self.done[trouble] += 1
                await self._troubles()[trouble]()
            await killing
        finally:
            killing.cancel()

    async def _kill(self) -> None:
        """Kill whichever process the dice say, also one that has hardly started.

        Every other time it is one with effects; dispatch in the middle of its sending.
        """
        while self.done["kills"] < self._plan.kills:
            await asyncio.sleep(self._plan.kill_every_s * self._dice.uniform(0.5, 1.5))
            with suppress(TimeoutError):
                await within(RECOVER_S, self._most_are_ready, "")
            delicate = self.done["kills"] % 2
            parts = [p for p in self._desk.parts if not delicate or p.name in EFFECTS]
            part = self._dice.choice(parts)
            if part.name == "dispatch":
                await self._until_it_sends()
            if part.send(signal.SIGKILL):
                self.done["kills"] += 1
                self._mark(f"{part.name} killed")

    def _most_are_ready(self) -> bool:
        return sum(not part.ready for part in self._desk.parts) <= DOWN_AT_ONCE

    async def _until_it_sends(self) -> None:
        """Wait, not for long, for the provider to be called, or Telegram."""
        to_whom = self._dice.choice(("calls.jsonl", "telegram.jsonl"))
        calls = self._desk.work / to_whom
        before, until = calls.stat().st_size, time.monotonic() + SENDS_S
        while calls.stat().st_size == before and time.monotonic() < until:  # noqa: ASYNC110 - a file
            await asyncio.sleep(0.02)

    def _troubles(self) -> dict[str, Callable[[], Awaitable[None]]]:
        return {
            "broker killed": self._broker_killed,
            "database killed": self._database_killed,
            "database stopped": self._database_stopped,
            AWAY: self._detector_away,
            DISK_FULL: self._disk_full,
            "provider hangs": self._provider_hangs,
            "member comes and goes": lambda: self._second(signal.SIGTERM),
            "member comes and is killed": lambda: self._second(signal.SIGKILL),
        }

    async def _broker_killed(self) -> None:
        self._mark("broker killed")
        await self._desk.kafka.kill(self._dice.uniform(0, 3))
        self._mark("broker is back")

    async def _database_killed(self) -> None:
        self._mark("database killed")
        await self._desk.database.kill(self._dice.uniform(0, 3))
        self._mark("database is back")

    async def _database_stopped(self) -> None:
        self._mark(f"database stopped for {self._plan.database_s:g} s")
        await self._desk.database.end_for(self._plan.database_s)
        self._mark("database is back")

    async def _detector_away(self) -> None:
        """Have nobody watch over the cold rooms, for longer than goes without an alarm."""
        (part,) = (part for part in self._desk.parts if part.name == "classify")
        part.held.clear()
        self._mark(f"detector away for {self._plan.away_s:g} s")
        part.send(signal.SIGKILL)
        try:
            await asyncio.sleep(self._plan.away_s)
        finally:
            part.held.set()
        self._mark("detector may start again")

    async def _disk_full(self) -> None:
        if disk := self._desk.disk:
            self._mark(f"database has no room on its disk for {self._plan.full_s:g} s")
            await asyncio.to_thread(disk.fill)
            try:
                await asyncio.sleep(self._plan.full_s)
            finally:
                disk.make_room()
            await self._desk.database.start_unless_it_runs()
            self._mark("database has room again")

    async def _provider_hangs(self) -> None:
        self._mark(f"provider hangs for {self._plan.hang_s:g} s")
        await self._desk.mood(HANGING)
        await asyncio.sleep(self._plan.hang_s)
        await self._desk.mood(ROUGH)
        self._mark("provider answers again")

    async def _second(self, number: signal.Signals) -> None:
        """Have a second instance of a stage for a while: the partitions move, and move back."""
        stage = SECOND[len(self._desk.members) % len(SECOND)]
        member = self._desk.second(stage)
        member.start(keep=False)
        self._mark(f"a second {stage} comes")
        try:
            with suppress(TimeoutError):
                await within(SECOND_READY_S, lambda: member.ready, "")
            await asyncio.sleep(self._dice.uniform(2, 8))
        finally:
            status = await member.stop(number)
        self._mark(f"the second {stage} goes ({number.name}: {status})")
