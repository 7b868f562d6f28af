"""Processes of their own, and what they use: so that neither time nor memory is that of others."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil

ROOT = Path(__file__).parent.parent
START_S, STOP_S = 180.0, 120.0


class Watched:
    """A process that was started here. It says what there is to say in lines of JSON."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._status = Path(f"/proc/{process.pid}/status")
        self._seen = psutil.Process(process.pid)

    async def line(self, seconds: float = START_S) -> dict[str, Any]:
        """Return the next thing that it says."""
        out = self._process.stdout
        line = await asyncio.wait_for(out.readline(), seconds) if out else b""
        if not line:
            msg = f"{self._process.pid} ended ({await self._process.wait()})"
            raise RuntimeError(msg)
        return dict(json.loads(line))

    async def stop(self) -> dict[str, Any]:
        """Close its standard input; return what it says last."""
        if self._process.stdin:
            self._process.stdin.close()
        last = await self.line(STOP_S)
        await asyncio.wait_for(self._process.wait(), STOP_S)
        return last

    def cpu_s(self) -> float:
        """Return the processor time that it has used."""
        return cpu_s(self._seen)

    def memory_mib(self) -> float:
        """Return its resident memory."""
        return self._mib("VmRSS")

    def peak_mib(self) -> float:
        """Return the most that it has had, since its start or since `forget_peak`."""
        return self._mib("VmHWM")

    def forget_peak(self) -> None:
        """Have the peak begin anew."""
        Path(f"/proc/{self._process.pid}/clear_refs").write_text("5", "ascii")

    def _mib(self, name: str) -> float:
        lines = self._status.read_text("ascii").splitlines()
        (kib,) = (line.split()[1] for line in lines if line.startswith(name))
        return int(kib) / 1024


def cpu_s(process: psutil.Process) -> float:
    """Return the processor time that a process has used, in seconds."""
    times = process.cpu_times()
    return float(times.user + times.system)


@asynccontextmanager
async def started(*words: str, env: Mapping[str, str] | None = None) -> AsyncIterator[Watched]:
    """Have `python -m WORDS` run in an empty folder, without what was set for Astreinte here."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ASTREINTE_")}
    with TemporaryDirectory(prefix="astreinte-bench-") as folder:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            *words,
            cwd=folder,
            env=clean | {"PYTHONPATH": str(ROOT)} | dict(env or {}),
            stdin=PIPE,
            stdout=PIPE,
        )
        try:
            yield Watched(process)
        finally:
            if process.returncode is None:
                process.terminate()
                await asyncio.wait_for(process.wait(), STOP_S)
