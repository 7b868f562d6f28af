"""Histories: so many days of one unit, with the label beside the readings, never in them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from refrigeration.profile import Kind, Profile
from schemas.vocabulary import Fault
from simulation.rooms.design import design
from simulation.rooms.faults import SLOW, Injection
from simulation.rooms.probes import Probes, sensors_of
from simulation.rooms.profiles import profile
from simulation.rooms.room import Room

NORMAL = "normal"
YEAR_S = 365.25 * 86_400
FIRST = 1_767_225_600.0
"""1 January 2026, UTC: histories begin on a day of that year, drawn by the seed."""
USUAL_RAMP_S = 2 * 86_400.0


@dataclass(frozen=True)
class History:
    """Readings of one unit by row; `label` and `severity` are the truth about each row."""

    profile: Profile
    times: NDArray[np.float64]
    columns: dict[str, NDArray[np.float64]]
    """By canonical name and unit, pressures absolute; NaN where the sensor said nothing."""
    label: NDArray[np.str_]
    severity: NDArray[np.float64]


def history(
    seed: int,
    days: float,
    fault: Fault | str | None = None,
    *,
    severity: float = 0.6,
    onset_s: float | None = None,
    ramp_s: float | None = None,
    end_s: float | None = None,
    step_s: float = 60.0,
    kind: Kind | str | None = None,
    start: float | None = None,
    gaps: bool = True,
    every_sensor: bool = False,
) -> History:
    """Return the history of a unit.

    `onset_s`, `end_s` count from the first row; the onset is half-way by default. `ramp_s`: how
    long the fault grows; by default what usually grows does so over two days (at most half of the
    time that is left), the rest comes at once. The same seed without `fault` has the same weather,
    doors and noise.
    """
    of = design(seed, Kind(kind) if kind else None)
    first = start if start is not None else _first(seed)
    count = int(days * 86_400 / step_s)
    room = Room(of, first)
    if fault:
        after = days * 43_200 if onset_s is None else onset_s
        grows = min(USUAL_RAMP_S, (days * 86_400 - after) / 2) if Fault(fault) in SLOW else 0.0
        ramp = grows if ramp_s is None else ramp_s
        end = first + end_s if end_s is not None else float("inf")
        room.inject(Injection(Fault(fault), severity, first + after, ramp, end))
    truths = np.array([room.step(step_s) for _ in range(count)], dtype=np.float64)
    at = first + step_s * np.arange(1, count + 1, dtype=np.float64)
    return _shown(room, at, truths, step_s, gaps=gaps, every=every_sensor)


def _shown(
    room: Room,
    at: NDArray[np.float64],
    truths: NDArray[np.float64],
    step_s: float,
    *,
    gaps: bool,
    every: bool,
) -> History:
    """Return what the probes show of the truth, with the label of each row."""
    sensors = sensors_of(room.design, every=every)
    probes = Probes(room.design, sensors)
    shown = probes.show(at, truths, step_s, room.injections)
    kept = ~probes.gaps(len(at)) if gaps else np.ones(len(at), dtype=bool)
    levels = np.zeros(len(at))
    label = np.full(len(at), NORMAL, dtype="<U24")
    for injection in room.injections:
        level = np.array([injection.now(moment) for moment in at.tolist()])
        label[level > 0] = str(injection.fault)
        levels = np.maximum(levels, level)
    return History(
        profile(room.design, sensors, step_s),
        at[kept],
        {name: column[kept] for name, column in shown.items()},
        label[kept],
        levels[kept],
    )


def _first(seed: int) -> float:
    day = int(np.random.default_rng([seed, 7]).integers(0, 365))
    return FIRST + day * 86_400
