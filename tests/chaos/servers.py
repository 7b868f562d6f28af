"""Kafka and the database, as servers that can be killed, stopped and started again."""

from __future__ import annotations

import asyncio
import os
import select
import shlex
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from tests.chaos.parts import ROOT

RECORDS = (Path(os.environ.get("XDG_RUNTIME_DIR") or "/tmp"), Path("/tmp"))
START_S = 240.0


class Server:
    """One server, started by a script of the repository: `scripts/NAME start|stop`."""

    def __init__(self, name: str, data: Path, port: int) -> None:
        self.name, self.data, self.port = name, data, port
        self.kills = self.stops = 0
        self.address = ""

    async def start(self) -> None:
        """Start it and wait until it answers; its address is what the script prints."""
        options = ["--data", str(self.data), "--port", str(self.port)]
        self.address = await self._script("start", *options)

    async def stop(self) -> None:
        """End it as an operator would; its data stay."""
        await self._script("stop", "--port", str(self.port))

    async def start_unless_it_runs(self) -> None:
        """Start it again if it ended by itself."""
        if not self._runs():
            await self.start()

    async def end_for(self, seconds: float) -> None:
        """Stop it for a while."""
        self.stops += 1
        await self.stop()
        await asyncio.sleep(seconds)
        await self.start()

    async def kill(self, seconds: float = 0.0) -> None:
        """Kill it with SIGKILL, and start it again after a while."""
        handle = os.pidfd_open(self._pid())
        try:
            signal.pidfd_send_signal(handle, signal.SIGKILL)
            await asyncio.to_thread(select.select, [handle], [], [], 10)
        finally:
            os.close(handle)
        self.kills += 1
        await asyncio.sleep(seconds)
        await self.start()

    def _runs(self) -> bool:
        return Path(f"/proc/{self._pid()}").exists()

    def _pid(self) -> int:
        for folder in RECORDS:
            record = folder / f"astreinte-{self.name}-{self.port}.env"
            if record.exists():
                words = dict(word.partition("=")[::2] for word in shlex.split(record.read_text()))
                return int(words["PID"])
        msg = f"no record of {self.name} on port {self.port}"
        raise RuntimeError(msg)

    async def _script(self, *words: str) -> str:
        """Run the script; the server that it starts is no child of ours and outlives it."""
        command = [str(ROOT / "scripts" / self.name), *words]
        done = await asyncio.to_thread(
            subprocess.run,
            command,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=START_S,
        )
        if done.returncode:
            msg = f"{' '.join(command)}: {done.stderr.strip()}"
            raise RuntimeError(msg)
        return done.stdout.strip()


class SmallDisk:
    """A file system of its own for a server's data, so that it can be filled up without harm."""

    def __init__(self, folder: Path, size: str) -> None:
        self._folder, self._size = folder, size
        self._ballast = folder / "ballast"

    def mount(self) -> bool:
        """Mount it; say whether that could be done: as root only, and not in every container."""
        self._folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={self._size}", "tmpfs", str(self._folder)]
        return not subprocess.run(command, check=False, capture_output=True).returncode

    def fill(self) -> None:
        """Leave no byte to anybody."""
        with self._ballast.open("wb") as file, suppress(OSError):
            while True:
                room = shutil.disk_usage(self._folder).free
                os.posix_fallocate(file.fileno(), file.seek(0, os.SEEK_END), max(room, 4096))

    def make_room(self) -> None:
        """Take the ballast away."""
        self._ballast.unlink(missing_ok=True)

    def unmount(self) -> None:
        """Give it back, with all that is on it."""
        subprocess.run(["umount", str(self._folder)], check=True)


async def within(seconds: float, condition: object, what: str) -> None:
    """Wait until a condition holds.

    Raises
    ------
    TimeoutError
        It did not.
    """
    until = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        if time.monotonic() > until:
            raise TimeoutError(what)
        await asyncio.sleep(0.25)
