"""Where a running desk says how it is reached, for the commands beside it."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

FILE = Path("data/running.json")


@dataclass(frozen=True)
class Running:
    """A desk that runs in this folder."""

    url: str
    kafka: str
    database: str
    pid: int
    embedded: bool


def announce(running: Running) -> None:
    """Write it down; readable by the owner only, as the database's URL may hold a password."""
    FILE.parent.mkdir(parents=True, exist_ok=True)
    temporary = FILE.with_suffix(".tmp")
    temporary.touch(mode=0o600)
    temporary.write_text(json.dumps(asdict(running)), "utf-8")
    temporary.replace(FILE)


def withdraw() -> None:
    """Take it back, if it is ours."""
    found = find()
    if found is None or found.pid == os.getpid():
        FILE.unlink(missing_ok=True)


def find() -> Running | None:
    """Return the desk that runs in this folder, or nothing."""
    try:
        running = Running(**json.loads(FILE.read_text("utf-8")))
        os.kill(running.pid, 0)
    except (OSError, ValueError, TypeError):
        return None
    return running
