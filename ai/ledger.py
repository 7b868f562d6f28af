"""What models cost this month, and how quick they were: a small file, shared by processes."""

from __future__ import annotations

import fcntl
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ai.choice import Speed

log = logging.getLogger(__name__)

NAME = "models.json"
WEIGHT = 0.3
"""Of a new measure against those before."""
ENOUGH_READ, ENOUGH_WRITTEN = 100, 16
"""Tokens below which a measure says little; a prompt that was cached counts few."""


class Ledger:
    """Costs by month and speeds by model, in a file of a folder; in memory without one.

    Parameters
    ----------
    folder
        Where the file is. One that cannot be written costs what is known at the next start.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._kept: dict[str, Any] = {}

    def spent(self, backend: str) -> float:
        """Return what a backend cost in this month (UTC)."""
        return float(self._read().get("spent", {}).get(_month(), {}).get(backend, 0.0))

    def speeds(self) -> dict[str, Speed]:
        """Return what was measured, by model."""
        found = self._read().get("speeds", {})
        return {name: Speed(each["read"], each["written"]) for name, each in found.items()}

    def pay(self, backend: str, cost: float) -> None:
        """Add to the month; only this one and the last are kept."""
        if cost <= 0:
            return
        with self._changing() as kept:
            months = kept.setdefault("spent", {})
            month = months.setdefault(_month(), {})
            month[backend] = month.get(backend, 0.0) + cost
            for old in sorted(months)[:-2]:
                del months[old]

    def measure(self, model: str, read: tuple[int, float], written: tuple[int, float]) -> None:
        """Take in how long a model took: tokens and seconds, of the prompt and of the answer."""
        if read[0] < ENOUGH_READ or written[0] < ENOUGH_WRITTEN or not (read[1] and written[1]):
            return
        now = {"read": read[0] / read[1], "written": written[0] / written[1]}
        with self._changing() as kept:
            speeds = kept.setdefault("speeds", {})
            before = speeds.get(model, now)
            speeds[model] = {name: (1 - WEIGHT) * before[name] + WEIGHT * now[name] for name in now}

    def _read(self) -> dict[str, Any]:
        if self._folder:
            try:
                found = json.loads((self._folder / NAME).read_text("utf-8"))
            except FileNotFoundError:
                return self._kept
            except (OSError, ValueError):
                log.warning("%s cannot be read; costs are counted from now on", NAME)
                return self._kept
            if isinstance(found, dict):
                self._kept = found
        return self._kept

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Any]]:
        """Hold the file while its content is changed."""
        if self._folder is None:
            yield self._kept
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            lock = (self._folder / f"{NAME}.lock").open("w")
        except OSError:
            yield self._kept
            return
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            kept = self._read()
            yield kept
            temporary = self._folder / f"{NAME}.new"
            temporary.write_text(json.dumps(kept), "utf-8")
            temporary.replace(self._folder / NAME)


def _month() -> str:
    return f"{datetime.now(UTC):%Y-%m}"
