"""One trial: load and faults from start to settlement, and the evidence that is left."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy.exc import DBAPIError

from tests.chaos import evidence
from tests.chaos.absence import away, deaf, ends_of
from tests.chaos.desk import Desk
from tests.chaos.faults import Faults
from tests.chaos.judge import Case
from tests.chaos.load import Load
from tests.chaos.moods import CALM, ROUGH
from tests.chaos.plan import DISK_FULL, Plan
from tests.chaos.poison import Poisoner
from tests.chaos.readings import Readings
from tests.chaos.rooms import rooms

QUIET_S = 8.0
"""What would leave a second time, or die late, would have done so by then."""
RUN = secrets.token_hex(3)


@dataclass
class Result:
    """What a trial leaves: the case to be judged, and what was done."""

    case: Case
    desk: Desk
    done: Counter[str]
    marks: list[tuple[float, str]]
    phases: dict[str, tuple[float, float]]
    load: tuple[float, float]
    exits: dict[str, int | None]
    seconds: float


@dataclass
class Trial:
    """`folder` holds logs, ledgers and the servers' data; `say` is told what happens."""

    plan: Plan
    folder: Path
    say: Callable[[str], None]
    marks: list[tuple[float, str]] = field(default_factory=list)
    phases: dict[str, tuple[float, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        plan = self.plan
        self._rooms = rooms(RUN, plan.excursions, plan.rooms, plan.rooms_s, plan.seed)
        self.desk = Desk(
            self.folder, self._rooms, small_disk=DISK_FULL in plan.troubles, seed=plan.seed
        )
        self._faults = Faults(self.plan, self.desk, self._mark)
        self._load = Load(self.desk.edge, RUN, self.plan.rate, self.plan.customers, self.plan.seed)
        self._readings = Readings(self.desk.edge, self.desk.readings_key, self._rooms, plan.seed)
        self._poisoner = Poisoner(RUN, plan.seed)

    def _mark(self, what: str) -> None:
        self.marks.append((time.time(), what))
        self.say(what)

    async def run(self) -> Result:
        """Do all of it; stop all of it, whatever happens."""
        began = time.time()
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.desk.running())
            self._mark("the desk is ready")
            ended = asyncio.Event()
            posting = asyncio.create_task(self._load.run(ended))
            stack.push_async_callback(_cancelled, posting)
            measuring = asyncio.create_task(self._readings.run(ended))
            stack.push_async_callback(_cancelled, measuring)
            poisoning = asyncio.create_task(self._poison())
            stack.push_async_callback(_cancelled, poisoning)
            await self._work()
            await _cancelled(poisoning)
            ended.set()
            await self._phase("posting what waits", self._until_posted(posting, measuring))
            await self._phase("settling", self._settle())
            exits = await self.desk.stop_parts()
            case = await self._evidence()
        return Result(
            case,
            self.desk,
            self._faults.done,
            self.marks,
            self.phases,
            (self._load.began_at, self._load.ended_at),
            exits,
            time.time() - began,
        )

    async def _work(self) -> None:
        await self.desk.mood(CALM)
        await self._phase("calm", asyncio.sleep(self.plan.calm_s))
        if self.plan.kills or self.plan.troubles:
            await self.desk.mood(ROUGH)
            await self._phase("faults", self._faults.run())
        if self.plan.last_calm_s:
            await self.desk.mood(CALM)
            await self._phase("calm again", asyncio.sleep(self.plan.last_calm_s))

    async def _phase(self, name: str, work: Awaitable[None]) -> None:
        began = time.time()
        self._mark(f"phase: {name}")
        await work
        self.phases[name] = (began, time.time())

    async def _poison(self) -> None:
        while True:
            await asyncio.sleep(self.plan.poison_every_s)
            await self._poisoner.one(self.desk.kafka.address)

    async def _until_posted(self, *tasks: asyncio.Task[None]) -> None:
        """Let the gateways hand in what the edge did not take yet; not for ever."""
        try:
            await asyncio.wait_for(asyncio.gather(*tasks), self.plan.settle_s)
        except TimeoutError:
            self._mark(f"{self._load.unposted} messages were never handed in, or not all readings")

    async def _settle(self) -> None:
        """Wait until all is done and stays so; not for ever: the judge sees what is left."""
        until = time.time() + self.plan.settle_s
        quiet_since, before = time.time(), {"nothing": -1}
        while time.time() < until:
            await asyncio.sleep(1)
            left = {"vendors": await self.desk.vendors_open()}
            with suppress(DBAPIError):
                address = self.desk.database.address
                left |= await asyncio.to_thread(evidence.unfinished, address)
            if left != before:
                quiet_since, before = time.time(), left
            waits = [name for name, number in left.items() if number and name != "recorded"]
            if "recorded" in left and not waits and time.time() - quiet_since > QUIET_S:
                self._mark("all is settled")
                return
        self._mark(f"not settled: {before}")

    async def _evidence(self) -> Case:
        """Read the ledgers, and write down what is not in a file yet."""
        tables = await asyncio.to_thread(evidence.read_tables, self.desk.database.address)
        kept = await asyncio.to_thread(evidence.read_kept, self.desk.database.address)
        _write(self.folder / "told.jsonl", [asdict(told) for told in self._load.told])
        _write(self.folder / "marks.jsonl", [{"at": at, "what": what} for at, what in self.marks])
        _write(self.folder / "outgoing.jsonl", tables.outgoing.values())
        _write(self.folder / "readings.jsonl", [asdict(each) for each in self._readings.readings])
        _write(self.folder / "rooms.jsonl", [asdict(room) for room in self._rooms])
        _write(self.folder / "alarms.jsonl", [*kept.episodes, *kept.alerts])
        return Case(
            self._load.told,
            dict(self._load.senders()),
            await evidence.read_topics(self.desk.kafka.address),
            tables,
            evidence.read_ledger(self.desk.work),
            self._poisoner.put,
            [*self._load.refused, *self._readings.refused],
            self._alarms(kept),
        )

    def _alarms(self, kept: evidence.Kept) -> evidence.Alarms:
        return evidence.Alarms(
            self._rooms,
            self._readings.began_at,
            self._readings.readings,
            evidence.lines(self.desk.work / "telegram.jsonl"),
            kept.episodes,
            kept.alerts,
            kept.read_at,
            ends_of(self.desk, "dispatch"),
            away(self.desk, self.marks, self._readings.began_at),
            deaf(self.desk, self.marks, self._readings.began_at),
        )


def _write(path: Path, lines: Any) -> None:
    path.write_text(
        "".join(json.dumps(line, ensure_ascii=False, default=str) + "\n" for line in lines)
    )


async def _cancelled(task: asyncio.Task[Any]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
