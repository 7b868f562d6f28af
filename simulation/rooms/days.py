"""What a day brings: weather, doors, deliveries. Each day is drawn from seed and date alone."""

from __future__ import annotations

import math
from bisect import bisect_right

import numpy as np

from simulation.rooms.design import Design

DAY_S = 86_400.0
SEASON_K = 7.0
"""Half of the difference between a July and a January mean; outdoors only (temperate France)."""
WARMEST_DAY = 205
OPENS_H, CLOSES_H = 6.0, 20.0


class Day:
    """One day of one unit; times are seconds since its midnight (UTC)."""

    def __init__(self, design: Design, number: int) -> None:
        rng = np.random.default_rng([design.seed, 2, number])
        self.number = number
        count = int(rng.poisson(design.doors_a_day * (0.35 if number % 7 == 3 else 1.0)))  # noqa: PLR2004 - 1970 began on a Thursday: Sunday
        hours = rng.triangular(OPENS_H, rng.uniform(8, 18), CLOSES_H, count)
        lengths = np.clip(rng.lognormal(3.2, 0.8, count), 5, 420)
        self.opened: list[float] = sorted(float(hour) * 3600 for hour in hours)
        self.closed = [
            start + float(length) for start, length in zip(self.opened, lengths, strict=True)
        ]
        self.delivery_s = float(rng.uniform(7, 15)) * 3600
        self.delivery_k = float(rng.uniform(0.3, 1.5)) if rng.uniform() < 0.35 else 0.0  # noqa: PLR2004
        self.anomaly = float(rng.normal(0, 2.2 if design.outdoors else 0.7))
        season = 2 * math.pi * (number % 365.25 - WARMEST_DAY) / 365.25
        self.mean = design.site_mean + self.anomaly
        if design.outdoors:
            self.mean += SEASON_K * math.cos(season)

    def door_share(self, start: float, length: float) -> float:
        """Return the share of a stretch during which the door stands open."""
        place = bisect_right(self.opened, start + length)
        first = max(0, place - 6)
        open_s = 0.0
        for index in range(first, place):
            open_s += max(
                0.0, min(self.closed[index], start + length) - max(self.opened[index], start)
            )
        return min(1.0, open_s / length)


class Days:
    """The days of one unit, the one of now and the next kept."""

    def __init__(self, design: Design) -> None:
        self._design = design
        self._kept: dict[int, Day] = {}

    def of(self, number: int) -> Day:
        """Return a day by its number since 1970."""
        found = self._kept.get(number)
        if found is None:
            if len(self._kept) > 3:  # noqa: PLR2004 - yesterday, today, tomorrow
                self._kept.clear()
            found = self._kept[number] = Day(self._design, number)
        return found

    def ambient(self, number: int, second: float) -> float:
        """Return the air onto the condenser, °C: warmest at three in the afternoon."""
        share = second / DAY_S
        mean = (1 - share) * self.of(number).mean + share * self.of(number + 1).mean
        swing = self._design.day_swing * math.cos(2 * math.pi * (second - 15 * 3600) / DAY_S)
        return mean + swing
