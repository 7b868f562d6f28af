"""One trial: servers, desk, load and faults from start to judgement; nothing is left running."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import random
import secrets
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy.exc import DBAPIError

from tests.chaos import evidence
from tests.chaos.judge import Case
from tests.chaos.load import Load
from tests.chaos.moods import CALM, HANGING, ROUGH, Mood
from tests.chaos.parts import PARTS, ROOT, Part, free_port
from tests.chaos.poison import Poisoner
from tests.chaos.servers import Server, within

READY_S = 240.0
QUIET_S = 8.0
"""What would leave a second time, or die late, would have done so by then."""
SENDS_S = 4.0
EFFECTS = ("edge", "ingest", "dispatch", "record")
RUN = secrets.token_hex(3)


@dataclass(frozen=True)
class Plan:
    """What is done, for how long. Kills go on, one every `kill_every_s`, until there were `kills`;
    meanwhile the `troubles` come one after the other, with `trouble_every_s` between them.
    """

    kills: int
    kill_every_s: float
    troubles: tuple[str, ...]
    trouble_every_s: float
    hang_s: float
    database_s: float
    rate: float = 36.0
    customers: int = 240
    calm_s: float = 60.0
    last_calm_s: float = 60.0
    settle_s: float = 420.0
    provider_timeout_s: float = 4.0
    poison_every_s: float = 4.0
    seed: int = 1
    rough: bool = True


@dataclass
class Result:
    """What a trial leaves: the case to be judged, and what was done."""

    case: Case
    parts: list[Part]
    members: list[Part]
    kafka: Server
    database: Server
    marks: list[tuple[float, str]]
    done: Counter[str]
    exits: dict[str, int | None]
    phases: dict[str, tuple[float, float]]
    load: tuple[float, float]
    settled: str = ""
    seconds: float = 0.0


@dataclass
class Trial:
    """The harness. `folder` holds logs, ledgers and the servers' data."""

    plan: Plan
    folder: Path
    say: Callable[[str], None]
    marks: list[tuple[float, str]] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)
    phases: dict[str, tuple[float, float]] = field(default_factory=dict)
    parts: list[Part] = field(default_factory=list)
    members: list[Part] = field(default_factory=list)

    def __post_init__(self) -> None:
        taken: set[int] = set()
        self._ports = {
            name: free_port(taken) for name in ("kafka", "mysql", "provider", *PARTS, "more")
        }
        self._dice = random.Random(self.plan.seed)
        self._secret = secrets.token_hex(16)
        self.work = self.folder / "work"
        self.kafka = Server("kafka", self.folder / "kafka", self._ports["kafka"])
        self.database = Server("mysql", self.folder / "mysql", self._ports["mysql"])
        self._edge = f"http://127.0.0.1:{self._ports['edge']}"
        self._provider = f"http://127.0.0.1:{self._ports['provider']}"

    def mark(self, what: str) -> None:
        """Note what happens, and when."""
        self.marks.append((time.time(), what))
        self.say(what)

    # --- from start to end -------------------------------------------------------------------

    async def run(self) -> Result:
        """Do all of it; stop all of it, whatever happens."""
        began = time.time()
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._servers())
            await stack.enter_async_context(self._desk())
            load = Load(self._edge, RUN, self.plan.rate, self.plan.customers, self.plan.seed)
            poisoner = Poisoner(RUN, self.plan.seed)
            ended = asyncio.Event()
            posting = asyncio.create_task(load.run(ended))
            stack.push_async_callback(_cancelled, posting)
            poisoning = asyncio.create_task(self._poison(poisoner))
            stack.push_async_callback(_cancelled, poisoning)
            await self._phases()
            ended.set()
            poisoning.cancel()
            settled = await self._settle(load, posting)
            if posting.done():
                posting.result()  # a bug of the load would raise here
            exits = await self._stop_parts()
            self._keep(load)
            case = Case(
                load.told,
                dict(load.senders()),
                await evidence.read_topics(self.kafka.address),
                evidence.read_tables(self.database.address),
                evidence.read_ledger(self.work),
                poisoner.put,
                load.refused,
            )
            return Result(
                case,
                self.parts,
                self.members,
                self.kafka,
                self.database,
                self.marks,
                self.done,
                exits,
                self.phases,
                (load.began_at, load.ended_at),
                settled,
                time.time() - began,
            )

    @asynccontextmanager
    async def _servers(self) -> AsyncIterator[None]:
        self.work.mkdir(parents=True)
        if (ROOT / "data" / "cache").exists():
            shutil.copytree(ROOT / "data" / "cache", self.work / "data" / "cache")
        servers = (self.kafka, self.database)
        try:
            starts = (server.start() for server in servers)
            for end in await asyncio.gather(*starts, return_exceptions=True):
                if isinstance(end, BaseException):
                    raise end
            self.mark("servers run")
            yield
        finally:
            for server in servers:
                with suppress(RuntimeError):
                    await server.stop()

    @asynccontextmanager
    async def _desk(self) -> AsyncIterator[None]:
        for words in (("database", "migrate"), ("topics", "create")):
            await self._command(*words)
        provider = self._provider_part()
        self.parts = [self._part(name, self._ports[name]) for name in PARTS]
        try:
            provider.start()
            for part in self.parts:
                part.start()
            await within(READY_S, lambda: all(part.ready for part in self.parts), "not ready")
            self.mark("the desk is ready")
            await self._mood(CALM)
            yield
        finally:
            await asyncio.gather(
                *(part.stop(signal.SIGKILL) for part in (*self.parts, *self.members, provider)),
                return_exceptions=True,
            )

    def _environment(self) -> dict[str, str]:
        # Compiled modules may be written: hundreds of starts would compile them hundreds of times.
        ours = {
            name: value
            for name, value in os.environ.items()
            if "ASTREINTE_" not in name and name != "PYTHONDONTWRITEBYTECODE"
        }
        return ours | {
            "ASTREINTE_KAFKA_SERVERS": self.kafka.address,
            "ASTREINTE_DATABASE_URL": self.database.address,
            "ASTREINTE_DISPATCH_OUTBOUND": "webhook",
            "ASTREINTE_WEBHOOK_URL": f"{self._provider}/send",
            "ASTREINTE_WEBHOOK_SECRET": self._secret,
            "ASTREINTE_WEBHOOK_TIMEOUT_S": str(self.plan.provider_timeout_s),
            "ASTREINTE_OLLAMA_URL": "",
        }

    def _part(self, name: str, port: int) -> Part:
        program = str(Path(sys.executable).with_name("astreinte"))
        serves = "HTTP" if name in {"edge", "console"} else "WATCH"
        env = self._environment() | {f"ASTREINTE_{serves}_PORT": str(port)}
        stage = name.partition("#")[0]
        command = [program, "run", stage]
        return Part(name, command, env, self.work, f"http://127.0.0.1:{port}")

    def _provider_part(self) -> Part:
        words = ["-m", "tests.chaos.provider", str(self.work), "--edge", self._edge]
        words += ["--port", str(self._ports["provider"]), "--secret", self._secret]
        env = self._environment() | {"PYTHONPATH": str(ROOT)}
        command = [sys.executable, *words, "--seed", str(self.plan.seed)]
        return Part("provider", command, env, self.work, self._provider)

    async def _command(self, *words: str) -> None:
        program = str(Path(sys.executable).with_name("astreinte"))
        process = await asyncio.create_subprocess_exec(
            program,
            *words,
            cwd=self.work,
            env=self._environment(),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        if process.returncode:
            msg = f"astreinte {' '.join(words)}: {said.decode().strip()}"
            raise RuntimeError(msg)

    # --- phases ------------------------------------------------------------------------------

    async def _phases(self) -> None:
        await self._phase("calm", asyncio.sleep(self.plan.calm_s))
        if self.plan.kills or self.plan.troubles:
            await self._mood(ROUGH if self.plan.rough else CALM)
            await self._phase("faults", self._faults())
        if self.plan.last_calm_s:
            await self._mood(CALM)
            await self._phase("calm again", asyncio.sleep(self.plan.last_calm_s))

    async def _phase(self, name: str, work: Awaitable[None]) -> None:
        began = time.time()
        self.mark(f"phase: {name}")
        await work
        self.phases[name] = (began, time.time())

    async def _faults(self) -> None:
        killing = asyncio.create_task(self._kill())
        try:
            troubles = itertools.cycle(self.plan.troubles) if self.plan.kills else iter(())
            todo = set(self.plan.troubles)
            for trouble in itertools.chain(self.plan.troubles, troubles):
                if killing.done() and not todo:
                    break
                await asyncio.sleep(self.plan.trouble_every_s)
                await self._trouble(trouble)
                todo.discard(trouble)
            await killing
        finally:
            await _cancelled(killing)

    async def _kill(self) -> None:
        """Kill whichever process the dice say, also one that has hardly started.

        Every other time it is one with effects, where work done twice would show.
        """
        while self.done["kills"] < self.plan.kills:
            await asyncio.sleep(self.plan.kill_every_s * self._dice.uniform(0.5, 1.5))
            delicate = self.done["kills"] % 2
            part = self._dice.choice([p for p in self.parts if not delicate or p.name in EFFECTS])
            if part.name == "dispatch":
                await self._until_it_sends()
            if part.send(signal.SIGKILL):
                self.done["kills"] += 1
                self.mark(f"{part.name} killed")

    async def _until_it_sends(self) -> None:
        """Wait, not for long, until dispatch is in the middle of its work."""
        calls = self.work / "calls.jsonl"
        before, until = calls.stat().st_size, time.time() + SENDS_S
        while calls.stat().st_size == before and time.time() < until:  # noqa: ASYNC110 - a file
            await asyncio.sleep(0.02)

    async def _trouble(self, name: str) -> None:
        self.done[name] += 1
        await {
            "broker killed": self._broker_killed,
            "database killed": self._database_killed,
            "database stopped": self._database_stopped,
            "provider hangs": self._provider_hangs,
            "member comes and goes": self._member_goes,
            "member comes and is killed": self._member_killed,
        }[name]()

    async def _broker_killed(self) -> None:
        self.mark("broker killed")
        await self.kafka.kill(self._dice.uniform(0, 3))
        self.mark("broker is back")

    async def _database_killed(self) -> None:
        self.mark("database killed")
        await self.database.kill(self._dice.uniform(0, 3))
        self.mark("database is back")

    async def _database_stopped(self) -> None:
        self.mark(f"database stopped for {self.plan.database_s:g} s")
        await self.database.end_for(self.plan.database_s)
        self.mark("database is back")

    async def _provider_hangs(self) -> None:
        self.mark(f"provider hangs for {self.plan.hang_s:g} s")
        await self._mood(HANGING)
        await asyncio.sleep(self.plan.hang_s)
        await self._mood(ROUGH if self.plan.rough else CALM)
        self.mark("provider answers again")

    async def _member_goes(self) -> None:
        await self._member(signal.SIGTERM)

    async def _member_killed(self) -> None:
        await self._member(signal.SIGKILL)

    async def _member(self, number: signal.Signals) -> None:
        """Have a second instance of a stage for a while: the partitions move, and move back."""
        stages = [name for name in PARTS if name not in {"edge", "console"}]
        stage = stages[self.done["members"] % len(stages)]
        self.done["members"] += 1
        member = self._part(f"{stage}#{self.done['members'] + 1}", self._ports["more"])
        self.members.append(member)
        try:
            member.start(keep=False)
            self.mark(f"a second {stage} comes")
            with suppress(TimeoutError):
                await within(60, lambda: member.ready, "")
            await asyncio.sleep(self._dice.uniform(2, 8))
        finally:
            status = await member.stop(number)
            self.mark(f"the second {stage} goes ({number.name}: {status})")

    async def _poison(self, poisoner: Poisoner) -> None:
        while self.plan.poison_every_s:
            await asyncio.sleep(self.plan.poison_every_s)
            await poisoner.one(self.kafka.address)

    async def _mood(self, faults: dict[str, float]) -> None:
        async with httpx.AsyncClient(trust_env=False, timeout=10) as http:
            for _ in range(40):
                with suppress(httpx.ConnectError):
                    await http.put(f"{self._provider}/mood", json=asdict(Mood(faults)))
                    return
                await asyncio.sleep(0.25)
        msg = "the provider does not listen"
        raise RuntimeError(msg)

    # --- the end -----------------------------------------------------------------------------

    async def _settle(self, load: Load, posting: asyncio.Task[None]) -> str:
        """Wait until all is done, for so long and no longer; say what it came to."""
        began = time.time()
        self.mark("no more messages; all may settle")
        quiet_since, before = time.time(), None
        while time.time() - began < self.plan.settle_s:
            await asyncio.sleep(1)
            state = (posting.done(), load.unposted, await self._provider_open())
            with suppress(DBAPIError):
                state += await asyncio.to_thread(evidence.unfinished, self.database.address)
            if state != before:
                before, quiet_since = state, time.time()
            all_done = state[0] and not any(state[1:5]) and len(state) == 6
            if all_done and time.time() - quiet_since > QUIET_S:
                self.phases["settling"] = (began, time.time())
                self.mark("all is settled")
                return ""
        names = ("load posted", "unposted", "provider", "messages", "replies", "events")
        left = ", ".join(f"{n}: {v}" for n, v in zip(names, before or (), strict=False))
        self.phases["settling"] = (began, time.time())
        self.mark(f"not settled: {left}")
        return left

    async def _provider_open(self) -> int:
        async with httpx.AsyncClient(trust_env=False, timeout=10) as http:
            return int((await http.get(f"{self._provider}/open")).json()["open"])

    async def _stop_parts(self) -> dict[str, int | None]:
        statuses = await asyncio.gather(*(part.stop() for part in self.parts))
        return {part.name: status for part, status in zip(self.parts, statuses, strict=True)}

    def _keep(self, load: Load) -> None:
        """Write down what was told and done, for whoever looks for a cause."""
        _write(self.folder / "told.jsonl", [asdict(told) for told in load.told])
        _write(self.folder / "marks.jsonl", [{"at": at, "what": what} for at, what in self.marks])


def _write(path: Path, lines: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))


async def _cancelled(task: asyncio.Task[Any]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
