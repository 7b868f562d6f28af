"""What is tried: Kafka, the database, the provider and every part of the desk, each a process."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict
from pathlib import Path

import httpx
import yaml

from tests.chaos.moods import Mood
from tests.chaos.parts import PARTS, ROOT, Part, free_port
from tests.chaos.rooms import Room, roster
from tests.chaos.servers import Server, SmallDisk, within
from tests.chaos.telegram import ROUGH as ROUGH_TELEGRAM
from tests.vendors.telegram import TOKEN

READY_S = 240.0
DISK = "4g"
PROVIDER_TIMEOUT_S = 4.0
PRESSED = 0.4
"""Share of alarms that somebody takes on."""


LIMITS = tuple(
    f"ASTREINTE_POLICY_{name}"
    for name in (
        *("SENDER_REPLIES", "SAME_SUBJECT", "CONVERSATION_REPLIES"),
        *("DESK_REPLIES", "FAILED_PERCENT"),
    )
)


class Desk:
    """Servers and processes in `folder`; whatever happens, leaving `running` stops them all.

    `small_disk`: the database gets a file system of its own, that can be filled up; where that
    cannot be done, `disk` is nothing.
    """

    def __init__(self, folder: Path, rooms: Sequence[Room], *, small_disk: bool, seed: int) -> None:
        taken: set[int] = set()
        self._ports = {
            name: free_port(taken)
            for name in ("kafka", "mysql", "provider", "telegram", *PARTS, "more")
        }
        self.work = folder / "work"
        self.kafka = Server("kafka", folder / "kafka", self._ports["kafka"])
        self.database = Server("mysql", folder / "mysql", self._ports["mysql"])
        self.disk = SmallDisk(folder / "mysql", DISK) if small_disk else None
        self.edge = f"http://127.0.0.1:{self._ports['edge']}"
        self.parts: list[Part] = []
        self.members: list[Part] = []
        self._provider = f"http://127.0.0.1:{self._ports['provider']}"
        self._telegram = f"http://127.0.0.1:{self._ports['telegram']}"
        self._secret = secrets.token_hex(16)
        self.readings_key = secrets.token_hex(8)
        self._rooms = rooms
        self._seed = seed

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Have everything run and be ready."""
        self.work.mkdir(parents=True)
        if (ROOT / "data" / "cache").exists():
            shutil.copytree(ROOT / "data" / "cache", self.work / "data" / "cache")
        try:
            if self.disk and not self.disk.mount():
                self.disk = None
            starts = (self.kafka.start(), self.database.start())
            for end in await asyncio.gather(*starts, return_exceptions=True):
                if isinstance(end, BaseException):
                    raise end
            for words in (("database", "migrate"), ("topics", "create"), self._profiles()):
                await self._command(*words)
            await self._start()
            yield
        finally:
            await self._end()

    async def _start(self) -> None:
        self.vendors = (self._provider_part(), self._telegram_part())
        self.parts = [self._part(name, name) for name in PARTS]
        for part in (*self.vendors, *self.parts):
            part.start()
        await within(
            READY_S,
            lambda: all(part.ready for part in (*self.vendors, *self.parts)),
            f"not every process was ready within {READY_S:g} s",
        )

    async def _end(self) -> None:
        left = [*self.parts, *self.members, *(self.vendors if self.parts else ())]
        await asyncio.gather(*(part.stop(signal.SIGKILL) for part in left), return_exceptions=True)
        for server in (self.kafka, self.database):
            with suppress(RuntimeError):
                await server.stop()
        if self.disk:
            self.disk.unmount()

    def _profiles(self) -> tuple[str, ...]:
        """Write what the cold rooms are and who is on call; return the command that declares them."""
        (self.work / "roster.yaml").write_text(yaml.safe_dump(roster(), allow_unicode=True))
        files = [self.work / f"{room.unit_id}.yaml" for room in self._rooms]
        for room, file in zip(self._rooms, files, strict=True):
            file.write_text(room.profile().write())
        return ("units", "add", *map(str, files))

    def second(self, stage: str) -> Part:
        """Make a second instance of a stage; it is not started."""
        self.members.append(self._part(f"{stage}#{len(self.members) + 2}", "more"))
        return self.members[-1]

    def _part(self, name: str, port: str) -> Part:
        number = self._ports[port]
        serves = "HTTP" if name in {"edge", "console"} else "WATCH"
        env = self._environment() | {f"ASTREINTE_{serves}_PORT": str(number)}
        command = [_astreinte(), "run", name.partition("#")[0]]
        return Part(name, command, env, self.work, f"http://127.0.0.1:{number}")

    def _provider_part(self) -> Part:
        words = ["-m", "tests.chaos.provider", str(self.work), "--edge", self.edge]
        words += ["--port", str(self._ports["provider"]), "--secret", self._secret]
        env = self._environment() | {"PYTHONPATH": str(ROOT)}
        command = [sys.executable, *words, "--seed", str(self._seed)]
        return Part("provider", command, env, self.work, self._provider)

    def _telegram_part(self) -> Part:
        words = ["-m", "tests.chaos.telegram", str(self.work), "--token", TOKEN]
        words += ["--port", str(self._ports["telegram"]), "--seed", str(self._seed)]
        env = self._environment() | {"PYTHONPATH": str(ROOT)}
        return Part("telegram", [sys.executable, *words], env, self.work, self._telegram)

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
            "ASTREINTE_WEBHOOK_TIMEOUT_S": str(PROVIDER_TIMEOUT_S),
            "ASTREINTE_OLLAMA_URL": "",
            # A load is what the limits are there to stop; and trials run at night too.
            "ASTREINTE_POLICY_QUIET": "none",
            **dict.fromkeys(LIMITS, "0"),
            "ASTREINTE_READINGS_KEY": self.readings_key,
            "ASTREINTE_ROSTER_FILE": str(self.work / "roster.yaml"),
            "ASTREINTE_ALARM_GROUP_WAIT_S": "0",
            "ASTREINTE_TELEGRAM_URL": self._telegram,
            "ASTREINTE_TELEGRAM_TOKEN": TOKEN,
            "ASTREINTE_TELEGRAM_TIMEOUT_S": str(PROVIDER_TIMEOUT_S),
        }

    async def _command(self, *words: str) -> None:
        process = await asyncio.create_subprocess_exec(
            _astreinte(),
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

    async def mood(self, faults: dict[str, float]) -> None:
        """Have provider and Telegram behave so from now on; people press buttons all the while."""
        rough = {"shares": ROUGH_TELEGRAM if faults else {}, "press": PRESSED}
        async with _asking() as http:
            for address, body in ((self._provider, asdict(Mood(faults))), (self._telegram, rough)):
                answer = await http.put(f"{address}/mood", json=body)
                answer.raise_for_status()

    async def vendors_open(self) -> int:
        """Return how much both have still to do: reports, what is taken late, buttons."""
        async with _asking() as http:
            asked = [await http.get(f"{url}/open") for url in (self._provider, self._telegram)]
            return sum(int(answer.json()["open"]) for answer in asked)

    async def stop_parts(self) -> dict[str, int | None]:
        """Stop the parts as an operator would; return their exit statuses."""
        statuses = await asyncio.gather(*(part.stop() for part in self.parts))
        return {part.name: status for part, status in zip(self.parts, statuses, strict=True)}


def _asking() -> httpx.AsyncClient:
    return httpx.AsyncClient(trust_env=False, verify=False, timeout=10)


def _astreinte() -> str:
    return str(Path(sys.executable).with_name("astreinte"))
