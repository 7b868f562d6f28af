"""What the sensors of a unit said: last values, and means of minutes for two hours.

Arrays, not objects: ten thousand units stay in memory, and the body of one is a few kB of base64.
"""

from __future__ import annotations

import sys
from array import array
from base64 import b64decode, b64encode
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from refrigeration.measures import SENSORS

STEP_S: Final = 60.0
SIZE: Final = 120
"""Minutes that are kept."""
COLUMNS: Final = 32
"""Sensors that are kept."""
RINGS: Final = 18
"""Sensors whose minutes are kept, of those that are no contacts: 20 kB hold no more."""
NAN: Final = float("nan")
CONTACTS: Final = frozenset(name for name, sensor in SENSORS.items() if sensor.contact)
_TABLES: Final = ("value", "at", "moved", "bad", "sums", "counts", "misses")
_NOTHING: Final = array("f")


class Track:
    """A column for each sensor that was ever heard: its last value, when, and its minutes."""

    __slots__ = ("minute", "names", "rings", *_TABLES)

    def __init__(self) -> None:
        self.names: Mapping[str, int] = {}
        self.value = array("d")
        self.at = array("d")
        self.moved = array("d")  # when the value last changed
        self.bad = array("d")  # share of the recent past in which it was implausible
        self.sums = array("d")  # of the minute that runs
        self.counts = array("d")
        self.misses = array("d")  # of the minute that runs: implausible ones
        self.minute = 0
        self.rings: list[array[float]] = []

    def column(self, name: str, at: float) -> int:
        """Return the column of a sensor, a new one if it is new; -1 when there is no room."""
        found = self.names.get(name)
        if found is not None:
            return found
        if len(self.names) >= COLUMNS:
            return -1
        place = len(self.rings)
        self.names = _layout((*self.names, name))
        for table in _TABLES:
            getattr(self, table).append(0.0)
        self.moved[place] = at
        kept = name not in CONTACTS and sum(map(bool, self.rings)) < RINGS
        self.rings.append(array("f", [NAN]) * SIZE if kept else _NOTHING)
        return place

    def turn(self, minute: int) -> dict[str, float]:
        """Close the minute that runs, go on in `minute`; return the means of the closed one."""
        skipped = min(minute - self.minute - 1, SIZE - 1) if self.minute else 0
        place = self.minute % SIZE
        means = {}
        sums, counts, rings = self.sums, self.counts, self.rings
        for name, i in self.names.items():
            mean = NAN
            if count := counts[i]:
                means[name] = mean = sums[i] / count
            if ring := rings[i]:
                ring[place] = mean
        for ahead in range(place + 1, place + skipped + 1):
            for ring in filter(None, rings):
                ring[ahead % SIZE] = NAN
        for table in (sums, counts, self.misses):
            table[:] = array("d", bytes(8 * len(table)))
        self.minute = minute
        return means

    def rewind(self, at: float) -> None:
        """Begin again at `at`: the clock was wrong, and so are the minutes."""
        self.minute = int(at // STEP_S)
        for i, ring in enumerate(self.rings):
            self.sums[i] = self.counts[i] = self.misses[i] = 0.0
            for place in range(len(ring)):
                ring[place] = NAN
        for times in (self.at, self.moved):
            for i, when in enumerate(times):
                times[i] = min(when, at)

    def take(self, values: Mapping[str, float], at: float) -> None:
        """Keep plausible values of `at`."""
        names, last, when, moved = self.names, self.value, self.at, self.moved
        sums, counts = self.sums, self.counts
        for name, value in values.items():
            i = names.get(name, -1)
            if i < 0:
                i = self.column(name, at)
                if i < 0:
                    continue
            if last[i] != value:
                last[i] = value
                moved[i] = at
            when[i] = at
            sums[i] += value
            counts[i] += 1

    def miss(self, names: tuple[str, ...], at: float) -> None:
        """Count implausible values."""
        for name in names:
            i = self.column(name, at)
            if i >= 0:
                self.misses[i] += 1

    def known(self, since: float) -> dict[str, float]:
        """Return the last values that are not older than `since`."""
        at, value = self.at, self.value
        return {name: value[i] for name, i in self.names.items() if at[i] >= since}

    def minutes(self, name: str, count: int) -> list[float]:
        """Return the means of the last `count` whole minutes, oldest first; NaN where none."""
        i = self.names.get(name)
        if i is None or not self.rings[i]:
            return [NAN] * count
        ring, end = self.rings[i], self.minute
        return [ring[place % SIZE] for place in range(end - count, end)]

    def forget(self, name: str) -> None:
        """Drop a sensor's column: it was taken away."""
        gone = self.names[name]
        self.names = _layout(tuple(other for other in self.names if other != name))
        for table in _TABLES:
            getattr(self, table).pop(gone)
        self.rings.pop(gone)

    def body(self) -> dict[str, Any]:
        """Return all as JSON."""
        rings = b"".join(ring.tobytes() for ring in self.rings)
        return {
            "names": list(self.names),
            "ringed": [bool(ring) for ring in self.rings],
            "minute": self.minute,
            "rings": b64encode(rings).decode(),
            **{table: getattr(self, table).tolist() for table in _TABLES},
        }

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Track:
        """Return what `body` was made of."""
        track = cls()
        track.names = _layout(tuple(body.get("names", ())))
        track.minute = body.get("minute", 0)
        for table in _TABLES:
            setattr(track, table, array("d", body.get(table, ())))
        rings = array("f", b64decode(body.get("rings", "")))
        ends = iter(range(SIZE, len(rings) + 1, SIZE))
        track.rings = [
            rings[(end := next(ends)) - SIZE : end] if ringed else _NOTHING
            for ringed in body.get("ringed", ())
        ]
        return track


@lru_cache(maxsize=2048)
def _layout(names: tuple[str, ...]) -> Mapping[str, int]:
    """Return the columns of these sensors: one for all units that have them, so never changed."""
    return {sys.intern(name): place for place, name in enumerate(names)}
