"""The processes under test, and the supervisor that starts again whatever died."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import socket
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

ROOT = Path(__file__).parents[2]
PARTS = (
    "ingest",
    "classify",
    "extract",
    "rag",
    "respond",
    "dispatch",
    "record",
    "edge",
    "console",
    "bridge",
)
RESTART_S = 0.5
RESTART_AFTER_FAILURE_S = 2.0
SAMPLE_S = 2.0
STOP_S = 30.0


def free_port(taken: set[int]) -> int:
    """Return a port that stays free while its owner is down: no client gets it by itself."""
    for port in range(20_000 + os.getpid() % 8_000, 32_000):
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if port not in taken:
                probe.bind(("127.0.0.1", port))
                taken.add(port)
                return port
    msg = "no free port"
    raise RuntimeError(msg)


def die_with_parent() -> None:
    """Be killed when the process that started us ends, however it ends."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


@dataclass
class Life:
    """One incarnation of a process. `memory`: (age in seconds, MiB); `cpu_s`: processor time."""

    number: int
    pid: int
    began_at: float
    ended_at: float = 0.0
    status: int | None = None
    ready_after_s: float | None = None
    cpu_s: float = 0.0
    memory: list[tuple[float, float]] = field(default_factory=list)


class Part:
    """A process of the desk. Once started it is kept running until it is told to end."""

    def __init__(
        self, name: str, command: Sequence[str], env: Mapping[str, str], work: Path, health: str
    ) -> None:
        self.name = name
        self.lives: list[Life] = []
        self.kills = 0
        self.log = work / f"{name}.log"
        self._command, self._env, self._work, self._health = command, env, work, health
        self.held = asyncio.Event()
        """Cleared: once it has ended, it is not started again until this is set."""
        self.held.set()
        self._wanted = False
        self._pidfd = -1
        self._keeper: asyncio.Task[None] | None = None

    def start(self, *, keep: bool = True) -> None:
        """Start it; `keep`: and again whenever it dies."""
        self._wanted = True
        self._keeper = asyncio.create_task(self._keep_running(keep))

    async def _keep_running(self, keep: bool) -> None:
        while self._wanted:
            with self.log.open("ab") as log:
                process = await asyncio.create_subprocess_exec(
                    *self._command,
                    cwd=self._work,
                    env=self._env,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    preexec_fn=die_with_parent,
                )
            life = Life(len(self.lives), process.pid, time.time())
            self.lives.append(life)
            self._pidfd = os.pidfd_open(process.pid)
            watching = asyncio.create_task(self._watch(life))
            try:
                life.status = await process.wait()
            finally:
                life.ended_at = time.time()
                watching.cancel()
                os.close(self._pidfd)
                self._pidfd = -1
            if not keep:
                return
            killed = life.status == -signal.SIGKILL
            await asyncio.sleep(RESTART_S if killed else RESTART_AFTER_FAILURE_S)
            await self.held.wait()

    async def _watch(self, life: Life) -> None:
        process = psutil.Process(life.pid)
        async with httpx.AsyncClient(trust_env=False, verify=False, timeout=2) as http:
            while True:
                await asyncio.sleep(SAMPLE_S if life.ready_after_s is not None else 0.5)
                age = time.time() - life.began_at
                with suppress(psutil.Error):
                    life.memory.append((age, process.memory_info().rss / 2**20))
                    life.cpu_s = sum(process.cpu_times()[:2])
                if life.ready_after_s is None:
                    with suppress(httpx.HTTPError):
                        if (await http.get(f"{self._health}/health/ready")).status_code == 200:
                            life.ready_after_s = age

    def send(self, number: signal.Signals) -> bool:
        """Send a signal to the process that runs now; say whether there was one."""
        if self._pidfd < 0:
            return False
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._pidfd, number)
        self.kills += number is signal.SIGKILL
        return True

    @property
    def ready(self) -> bool:
        """The process that runs now has said that it is ready."""
        return bool(self.lives) and self._pidfd >= 0 and self.lives[-1].ready_after_s is not None

    @property
    def failures(self) -> list[int]:
        """Exit statuses of lives that ended neither by a kill nor when asked."""
        ours = {-signal.SIGKILL, 0, None}
        return [life.status for life in self.lives if life.status not in ours and life.status]

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> int | None:
        """Let it end for good; return its exit status."""
        self._wanted = False
        self.held.set()
        running = self.send(number)
        if self._keeper is None:
            return None
        try:
            await asyncio.wait_for(asyncio.shield(self._keeper), STOP_S)
        except TimeoutError:
            self.send(signal.SIGKILL)
            await self._keeper
        return self.lives[-1].status if running else None


def by_part(lives: Sequence[Part]) -> dict[str, list[Part]]:
    """Group parts and their further instances by what they do."""
    groups: dict[str, list[Part]] = defaultdict(list)
    for part in lives:
        groups[part.name.partition("#")[0]].append(part)
    return groups
