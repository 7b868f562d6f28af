"""A MariaDB of a test's own: to be stopped, made read-only, or left without room."""

from __future__ import annotations

import os
import pwd
import shlex
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pymysql
from sqlalchemy import make_url

ROOT = Path(__file__).parent.parent


class Server:
    """A server whose data stay in a folder, whatever becomes of its process."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self.port = 0
        self.url = ""
        self.start()

    def start(self) -> None:
        """Start it, on the same data and the same port as before."""
        port = ["--port", str(self.port)] if self.port else []
        started = subprocess.run(
            [ROOT / "scripts" / "mysql", "start", "--data", self._data, *port],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
            timeout=120,
        )
        self.url = started.stdout.strip()
        self.port = make_url(self.url).port or 0

    def stop(self) -> None:
        """Stop it in good order."""
        command = [ROOT / "scripts" / "mysql", "stop", "--port", str(self.port)]
        subprocess.run(command, check=True, timeout=120)

    def kill(self) -> None:
        """End it without a warning, if it did not end itself, and wait until it is gone."""
        folder = Path(os.environ.get("XDG_RUNTIME_DIR", "/tmp"))
        record = shlex.split((folder / f"astreinte-mysql-{self.port}.env").read_text())
        pid = int(dict(line.split("=", 1) for line in record)["PID"])
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        until = time.monotonic() + 10
        while Path(f"/proc/{pid}").exists() and time.monotonic() < until:
            time.sleep(0.02)

    def admin(self, *statements: str) -> None:
        """Run statements as the administrator."""
        socket, user = str(self._data / "socket"), pwd.getpwuid(os.geteuid()).pw_name
        with pymysql.connect(unix_socket=socket, user=user) as connection:
            for statement in statements:
                connection.cursor().execute(statement)
            connection.commit()
