"""A Dovecot of one's own: mails are put into its folders as files, as a mail server does."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from itertools import count
from pathlib import Path

from gateways.mailbox import Account
from tests.mosquitto import free_port

SCRIPT = Path(__file__).parents[1] / "scripts" / "dovecot"
NUMBERS = count(1)


class Dovecot:
    """One server at one port, with one mailbox.

    Its data lie where another user than root may go, and paths of sockets are short enough.
    """

    def __init__(self, *, tls: bool = False) -> None:
        self.port = free_port()
        self.tls = tls
        self.data = Path(tempfile.mkdtemp(prefix="dovecot-"))

    def _do(self, *words: str) -> None:
        command = [sys.executable, str(SCRIPT), *words, "--port", str(self.port)]
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)

    def start(self) -> None:
        self._do("start", "--data", str(self.data), *["--tls"] * self.tls)

    def stop(self) -> None:
        self._do("stop")

    def remove(self) -> None:
        """Stop, and leave nothing."""
        self.stop()
        shutil.rmtree(self.data, ignore_errors=True)

    @property
    def account(self) -> Account:
        ca = self.data / "certificate.pem" if self.tls else None
        tls = "starttls" if self.tls else "none"
        where = ("127.0.0.1", self.port, "support", "astreinte", "", tls, ca)
        return Account(*where, timeout_s=5.0)

    @property
    def inbox(self) -> Path:
        return self.data / "mail" / "support"

    def deliver(self, raw: bytes) -> None:
        """Put a mail into the mailbox."""
        name = f"{next(NUMBERS):08}.{os.getpid()}.here"
        file = self.inbox / "tmp" / name
        file.write_bytes(raw)
        if os.geteuid() == 0:
            shutil.chown(file, "mail", "mail")
        file.rename(self.inbox / "new" / name)

    def begin_anew(self) -> None:
        """Have all numbers mean other mails, as after a move to another server."""
        for file in self.inbox.glob("dovecot*"):
            if file.is_file():
                file.unlink()
