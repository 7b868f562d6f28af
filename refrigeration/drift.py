"""Since when a unit's residuals have been drifting: what a quarter of an hour takes for noise.

Daily means of a few deviations from the unit's own normal are kept for four weeks. A day parts them
in two where both parts differ by more than chance allows: the bound is ADWIN's (Bifet and Gavaldà
2007), with the variance within the parts, for days are few. It raises no alarm: of units with five
learned days a season moves residuals about as often as a fault does. It dates what the diagnosis
finds. JSON both ways, 1 kB.
"""

from __future__ import annotations

import math
from array import array
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

FOLLOWED: Final = ("subcooling_k", "superheat_k", "approach_k", "td_k", "discharge_superheat_k")
"""Deviations that are followed: those that weather and load move least."""
DAY: Final = 86_400.0
KEPT: Final = 28
"""Days."""
LEAST_DAYS: Final = 2
"""On either side of a cut."""
DELTA: Final = 0.002
"""The chance of a cut where nothing changed."""
LEAST: Final = 1.0
"""Sigma by which the later part must differ, and be away from normal."""
MOST: Final = 10.0
"""Sigma; what lies beyond counts as so much."""


class Drifted(NamedTuple):
    """A drift: of which feature, since when (unix seconds), from what to what, in sigma."""

    feature: str
    since: float
    before: float
    now: float

    def said(self) -> str:
        """Return one sentence part: `subcooling_k drift since 2026-03-15 (-0.1 to -3.2 sigma)`."""
        day = datetime.fromtimestamp(self.since, UTC).date()
        return f"{self.feature} drift since {day} ({self.before:+.1f} to {self.now:+.1f} sigma)"


class Drift:
    """The daily means of one unit; NaN of a day without a steady window."""

    __slots__ = ("counts", "day", "means", "sums")

    def __init__(self) -> None:
        self.day = 0  # since 1970, the one that runs
        self.sums = array("d", [0.0] * len(FOLLOWED))
        self.counts = array("H", [0] * len(FOLLOWED))
        self.means = array("f")  # day by day, `FOLLOWED` in each

    def take(self, sigmas: Mapping[str, float], at: float) -> None:
        """Take the deviations of a window in; those of the past are left out."""
        day = int(at // DAY)
        if day > self.day:
            self._turn(day)
        for place, name in enumerate(FOLLOWED):
            sigma = sigmas.get(name)
            if sigma is not None:
                self.sums[place] += max(-MOST, min(MOST, sigma))
                self.counts[place] += 1

    def _turn(self, day: int) -> None:
        nothing = [math.nan] * len(FOLLOWED)
        if self.day:
            ended = zip(self.sums, self.counts, strict=True)
            self.means.extend(total / count if count else math.nan for total, count in ended)
            for _ in range(min(day - self.day - 1, KEPT)):
                self.means.extend(nothing)
        del self.means[: -KEPT * len(FOLLOWED)]
        self.day = day
        for place in range(len(FOLLOWED)):
            self.sums[place], self.counts[place] = 0.0, 0

    def found(self) -> Drifted | None:
        """Return the clearest drift, if there is one."""
        width = len(FOLLOWED)
        drifts = []
        for place, name in enumerate(FOLLOWED):
            cut = parted(self.means[place::width])
            if cut is not None:
                days, before, now = cut
                since = (self.day - len(self.means) // width + days) * DAY
                drifts.append(Drifted(name, since, before, now))
        return max(drifts, key=lambda d: abs(d.now - d.before), default=None)

    def body(self) -> dict[str, Any]:
        """Return all as JSON."""
        if not self.day:
            return {}
        return {
            "day": self.day,
            "sums": self.sums.tolist(),
            "counts": self.counts.tolist(),
            "means": b64encode(self.means.tobytes()).decode(),
        }

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Drift:
        """Return what `body` was made of."""
        drift = cls()
        if body:
            drift.day = body["day"]
            drift.sums, drift.counts = array("d", body["sums"]), array("H", body["counts"])
            drift.means = array("f", b64decode(body["means"]))
        return drift


def parted(means: Sequence[float]) -> tuple[int, float, float] | None:
    """Return where a course of means parts in two, and the mean of either; None: nowhere."""
    seen = [(day, mean) for day, mean in enumerate(means) if not math.isnan(mean)]
    values = [mean for _, mean in seen]
    count = len(values)
    if count < 2 * LEAST_DAYS:
        return None
    sure = math.log(2 * math.log(count) / DELTA)
    best, most = None, 0.0
    for cut in range(LEAST_DAYS, count - LEAST_DAYS + 1):
        before, now = sum(values[:cut]) / cut, sum(values[cut:]) / (count - cut)
        within = sum((v - (before if i < cut else now)) ** 2 for i, v in enumerate(values)) / count
        share = 1 / cut + 1 / (count - cut)
        chance = math.sqrt(2 * share * within * sure) + 2 / 3 * share * sure
        clear = abs(now - before) - max(chance, LEAST)
        if clear > most and abs(now) >= LEAST:
            best, most = (seen[cut][0], before, now), clear
    return best
