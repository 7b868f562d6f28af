"""What models cost this month, and how quick they were: a small file, shared by processes."""

from __future__ import annotations

import fcntl
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel

from ai.choice import Speed

log = logging.getLogger(__name__)

NAME = "models.json"
DAY_S = 86_400
"""Older measures are forgotten: a machine that was busy once is not slow for ever."""
WEIGHT = 0.3
"""Of a new measure against those before."""
ENOUGH_READ, ENOUGH_WRITTEN = 100, 16
"""Tokens below which a measure says little; a prompt that was cached counts few."""


class Measure(BaseModel):
    """How quick a model was, in tokens a second, and when that was measured."""

    read: float
    written: float
    at: float


class Kept(BaseModel):
    """What the file holds: costs by month and backend, measures by model."""

    spent: dict[str, dict[str, float]] = {}
    speeds: dict[str, Measure] = {}


class Ledger:
    """Costs by month and speeds by model, in a file of a folder; in memory without one.

    Parameters
    ----------
    folder
        Where the file is. One that cannot be written costs what is known at the next start.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._kept = Kept()

    def spent(self, backend: str) -> float:
        """Return what a backend cost in this month (UTC)."""
        return self._read().spent.get(_month(), {}).get(backend, 0.0)

    def speeds(self) -> dict[str, Speed]:
        """Return what was measured within a day, by model."""
        since = time.time() - DAY_S
        found = self._read().speeds.items()
        return {name: Speed(each.read, each.written) for name, each in found if each.at > since}

    def pay(self, backend: str, cost: float) -> None:
        """Add to the month; only this one and the last are kept."""
        if cost <= 0:
            return
        with self._changing() as kept:
            month = kept.spent.setdefault(_month(), {})
            month[backend] = month.get(backend, 0.0) + cost
            for old in sorted(kept.spent)[:-2]:
                del kept.spent[old]

    def measure(self, model: str, read: tuple[int, float], written: tuple[int, float]) -> None:
        """Take in how long a model took: tokens and seconds, of the prompt and of the answer."""
        if read[0] < ENOUGH_READ or written[0] < ENOUGH_WRITTEN or not (read[1] and written[1]):
            return
        new = Measure(read=read[0] / read[1], written=written[0] / written[1], at=time.time())
        with self._changing() as kept:
            old = kept.speeds.get(model, new)
            kept.speeds[model] = Measure(
                read=(1 - WEIGHT) * old.read + WEIGHT * new.read,
                written=(1 - WEIGHT) * old.written + WEIGHT * new.written,
                at=new.at,
            )

    def _read(self) -> Kept:
        if self._folder:
            try:
                self._kept = Kept.model_validate_json((self._folder / NAME).read_bytes())
            except ValueError:
                log.warning("%s cannot be read: costs and speeds are counted from now on", NAME)
            except OSError:
                pass  # not there yet, or not for us: what this process knows counts
        return self._kept

    @contextmanager
    def _changing(self) -> Iterator[Kept]:
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
            temporary.write_text(kept.model_dump_json(), "utf-8")
            temporary.replace(self._folder / NAME)


def _month() -> str:
    return f"{datetime.now(UTC):%Y-%m}"
