"""Simulated cold rooms as windows with labels: what the shipped detector learns from.

Seeds below 1,000 teach, seeds from 100,000 evaluate; a unit is never in both.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from refrigeration.normal import Normal, learn
from refrigeration.plausible import plausible
from refrigeration.profile import Profile
from refrigeration.window import Window
from schemas.vocabulary import Fault
from simulation.rooms import CAUSES, NORMAL, History, history
from simulation.rooms.probes import PROBES

DAY = 86_400.0
LEARNED_DAYS = 5.0
EVERY = 15
"""Minutes between two windows."""
ONSET_S = 6 * 3600.0
EPISODE_DAYS = 2.0


@dataclass(frozen=True)
class Sample:
    """One window: its summary, its label, how far the fault had come."""

    at: float
    label: str
    severity: float
    summary: dict[str, float]


@dataclass(frozen=True)
class Harm:
    """What is done to the sensors beside the fault: one is lost, or noisier by so many dB."""

    lost: str = ""
    noisy: str = ""
    decibels: float = 3.0


def readings(found: History, harm: Harm | None = None) -> Iterator[tuple[float, dict[str, float]]]:
    """Return the plausible readings of a history, one by one."""
    columns = dict(found.columns)
    if harm and harm.lost:
        columns.pop(harm.lost, None)
    if harm and harm.noisy in columns:
        column = columns[harm.noisy]
        usual = PROBES[harm.noisy].noise
        more = np.sqrt(10 ** (harm.decibels / 10) - 1) * usual
        drawn = np.random.default_rng(7).standard_normal(len(column)) * more
        columns[harm.noisy] = column + drawn * (column if PROBES[harm.noisy].relative else 1.0)
    names = tuple(columns)
    table = np.column_stack([columns[name] for name in names]).tolist()
    for at, row in zip(found.times.tolist(), table, strict=True):
        values = {n: v for n, v in zip(names, row, strict=True) if v == v}  # noqa: PLR0124 - NaN
        yield at, plausible(found.profile, None, values, at)[0]


def samples(found: History, harm: Harm | None = None, every: int = EVERY) -> list[Sample]:
    """Return the windows of a history."""
    window, told = Window(), []
    truth = dict(
        zip(found.times.tolist(), zip(found.label, found.severity, strict=True), strict=True)
    )
    for at, values in readings(found, harm):
        if window.add(found.profile, at, values) and window.minute % every == 0:
            label, severity = truth[at]
            told.append(Sample(at, str(label), float(severity), window.summary()))
    return told


def learned(seed: int, days: float = LEARNED_DAYS) -> tuple[Profile, Normal, History]:
    """Return a unit's profile and its normal of so many days; 0: nothing is learned."""
    past = history(seed, max(days, 0.05))
    seen = [sample.summary for sample in samples(past)[24:]] if days else []
    return past.profile, Normal.of(learn(past.profile, seen)), past


def episode(seed: int, fault: Fault | str, severity: float, ramp_s: float | None = None) -> History:
    """Return two days of a unit in which a fault begins after six hours."""
    return history(seed, EPISODE_DAYS, fault, severity=severity, onset_s=ONSET_S, ramp_s=ramp_s)


__all__ = ["CAUSES", "NORMAL", "Harm", "Sample", "episode", "learned", "samples"]
