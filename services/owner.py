"""Who claimed a row: named so that others on the same machine can tell whether it still lives."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from uuid import uuid4

Where = tuple[str, str]


def new_owner() -> str:
    """Return a name for this process: host, namespace of pids, pid, and something unique."""
    return f"{_host()}:{_pids()}:{os.getpid()}:{uuid4().hex[:8]}"


def is_gone(owner: str, me: str) -> bool:
    """Say whether an owner has surely ended; False where that cannot be seen from here."""
    parts, mine = owner.rsplit(":", 3), me.rsplit(":", 3)
    if len(parts) != 4 or parts[:2] != mine[:2] or not parts[2].isdigit():  # noqa: PLR2004
        return False
    if parts[2] == mine[2]:
        return parts[3] != mine[3]  # my pid, before it was mine
    try:
        os.kill(int(parts[2]), 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        return False
    return False


def _host() -> str:
    return socket.gethostname().replace(":", "-")[:24]


def _pids() -> str:
    """Return the namespace in which our pids count: containers each have their own."""
    try:
        return Path("/proc/self/ns/pid").readlink().name.strip("pid:[]")
    except OSError:  # not Linux
        return ""
