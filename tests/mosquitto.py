"""A Mosquitto broker of one's own: started, killed, and started again on the same data."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[1] / "scripts" / "mosquitto"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


class Mosquitto:
    """One broker at one port; `password`: of the user `astreinte`, nobody else is let in then.

    `tls`: it speaks TLS only, with a certificate that `ca` vouches for.
    """

    def __init__(self, folder: Path, password: str = "", *, tls: bool = False) -> None:
        self.port = free_port()
        self.password = password
        self.tls = tls
        self._data = folder / "mosquitto"
        self._data.mkdir()

    @property
    def url(self) -> str:
        return f"{'mqtts' if self.tls else 'mqtt'}://127.0.0.1:{self.port}"

    @property
    def ca(self) -> Path:
        return self._data / "tls.pem"

    def _do(self, *words: str) -> str:
        command = [sys.executable, str(SCRIPT), *words, "--port", str(self.port)]
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
        return done.stdout.strip()

    def start(self) -> None:
        password = ["--password", self.password] if self.password else []
        tls = ["--tls"] if self.tls else []
        self._do("start", "--data", str(self._data), *password, *tls)

    def stop(self) -> None:
        self._do("stop")

    def kill(self) -> None:
        """SIGKILL: nothing is written down any more, nobody is told."""
        folder = Path(os.environ.get("XDG_RUNTIME_DIR") or "/tmp")
        record = (folder / f"astreinte-mosquitto-{self.port}.env").read_text()
        found = dict(line.split("=", 1) for line in record.split())
        os.kill(int(found["PID"].strip("'")), signal.SIGKILL)
