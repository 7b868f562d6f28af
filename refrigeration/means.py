"""Means of a window that fade, and how rough each probe is: small, JSON both ways."""

from __future__ import annotations

import math
from collections.abc import Mapping
from sys import intern
from typing import Any

KEPT = 7.0
"""Minutes, the time of the means: a quarter of an hour holds seven eighths of the weight."""
STALE_S = 7200.0
PROBES_KEPT = 20.0
"""Minutes over which roughness is averaged."""
PROBE_NOISE = {
    "temperature_c": 0.3,
    "suction_c": 1.0,
    "discharge_c": 1.5,
    "liquid_c": 0.6,
    "product_c": 0.15,
    "air_off_c": 0.6,
    "low_pressure_bar": 0.1,
    "high_pressure_bar": 0.4,
}
"""Usual second differences of minutes; what a unit's own are, its normal tells."""
STILL = 1e-6


class Means:
    """Means of features that fade: of the minutes of one state of the unit."""

    __slots__ = ("at", "count", "values")

    def __init__(
        self, at: float = 0.0, count: int = 0, values: dict[str, float] | None = None
    ) -> None:
        self.at, self.count = at, count
        self.values = {intern(name): value for name, value in (values or {}).items()}

    def add(self, at: float, found: Mapping[str, float]) -> None:
        """Take a minute in; after a long break begin anew."""
        if at - self.at > STALE_S:
            self.count, self.values = 0, {}
        self.at = at
        self.count += 1
        share = max(1 / self.count, 1 / KEPT)
        values = self.values
        for name in [name for name in values if name not in found]:
            del values[name]
        for name, value in found.items():
            was = values.get(name, value)
            values[name] = was + share * (value - was)

    def body(self) -> list[Any]:
        """Return it as JSON: what `Means(*body)` takes."""
        return [self.at, self.count, {n: float(f"{v:.6g}") for n, v in self.values.items()}]


def rough(probes: dict[str, list[float]], means: Mapping[str, float]) -> None:
    """Follow each probe: its last two values, how rough it is, for how long it has not moved.

    Roughness is the mean of second differences, so that a ramp is smooth.
    """
    share = 1 / PROBES_KEPT
    for name, noise in PROBE_NOISE.items():
        value = means.get(name)
        if value is None:
            continue
        seen = probes.get(name)
        if seen is None:
            probes[name] = [value, value, noise, 0.0]
            continue
        last, before, bent, still = seen
        bend = min(abs(value - 2 * last + before), 20 * noise)
        still = still + 1 if abs(value - last) < STILL else 0.0
        probes[name] = [value, last, bent + share * (bend - bent), still]


def roughness(probes: Mapping[str, list[float]]) -> dict[str, float]:
    """Return `rough` (the roughest, log of usual noise) and `frozen` (log of minutes)."""
    if not probes:
        return {}
    return {
        "rough": max(math.log(seen[2] / PROBE_NOISE[n] + 0.1) for n, seen in probes.items()),
        "frozen": max(math.log1p(seen[3]) for seen in probes.values()),
    }
