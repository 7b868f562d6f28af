"""Detection without labels: the first part of a history is taken as normal, and what departs shows.

Each sensor has a level that may wander as it was seen to wander in the normal part (a pump's body
that warms up is no fault); the mean of a short window less that level is its deviation. Deviations
together make a Mahalanobis distance with a shrunk covariance. While an alarm stands the levels
stand still, and their uncertainty grows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from refrigeration.history import Floats, Ints, trailing

WINDOW_ROWS = 12
LIMIT = 1.0
"""Alarm above so many times the usual largest distance of the
normal part (SKAB's valve1 chose it)."""
USUAL = 0.99
LEAST_ROWS = 40


@dataclass(frozen=True)
class Wander:
    """What the normal part taught: scales, levels, how they wander, what distance is usual."""

    scale: Floats
    level: Floats
    drift: Floats
    covariance: Floats
    usual: float
    rows: int


def fit(values: Floats, first: Ints, rows: int = WINDOW_ROWS) -> Wander:
    """Learn from rows that were normal.

    Raises
    ------
    ValueError
        Fewer than `LEAST_ROWS` rows, or no column that ever moves.
    """
    if len(values) < LEAST_ROWS:
        msg = f"{len(values)} normal rows are too few to learn from; {LEAST_ROWS} are needed"
        raise ValueError(msg)
    level, scale = np.nanmean(values, axis=0), np.nanstd(values, axis=0)
    if not np.nansum(scale):
        msg = "no column ever moves in the normal part"
        raise ValueError(msg)
    floor = np.maximum(1e-3 * np.abs(np.nan_to_num(level)), 1e-6)
    scale = np.maximum(np.nan_to_num(scale, nan=1.0), floor)
    whole = (values - level) / scale
    rows = min(rows, len(values) // 8)
    means = trailing(whole, first, rows)
    drift = _drift(means, rows)
    width = values.shape[1]
    begun = Wander(scale, np.nan_to_num(level), drift, np.eye(width), 1.0, rows)
    gaps = _follow(begun, means, np.zeros(width), learning=True)[1][rows:]
    gaps = gaps[~np.isnan(gaps).any(axis=1)]
    covariance = _shrunk(gaps) if len(gaps) > width else np.eye(width)
    known = Wander(scale, begun.level, drift, covariance, 1.0, rows)
    distances = _follow(known, means, np.zeros(width), learning=True)[0][rows:]
    return Wander(scale, known.level, drift, covariance, float(np.quantile(distances, USUAL)), rows)


def distances(known: Wander, values: Floats, first: Ints) -> tuple[Floats, NDArray[np.bool_]]:
    """Return of each row its distance from normal (1: the usual most) and whether it alarms."""
    means = trailing((values - known.level) / known.scale, first, known.rows)
    found = _follow(known, means, np.zeros(means.shape[1]), learning=False)[0] / known.usual
    return found, found > LIMIT


def _drift(means: Floats, rows: int) -> Floats:
    """Return the variance per row with which each level wanders: growth of its variogram."""
    lags = np.unique(np.linspace(rows, len(means) // 2, 8).astype(int))
    grown = []
    for lag in lags:
        gap = means[rows + lag :] - means[rows:-lag]
        grown.append(np.nanmean(gap**2, axis=0) if len(gap) else np.zeros(means.shape[1]))
    curve = np.nan_to_num(np.array(grown))
    apart = lags - lags.mean()
    slope = (apart[:, None] * (curve - curve.mean(0))).sum(0) / max((apart**2).sum(), 1e-9)
    return np.asarray(np.maximum(slope, 0.0), np.float64)


def _shrunk(gaps: Floats) -> Floats:
    """Return the covariance of deviations, drawn towards its diagonal by a fifth."""
    width = gaps.shape[1]
    found: Floats = np.asarray(np.cov(gaps, rowvar=False), np.float64).reshape(width, width)
    return np.asarray(
        0.8 * found + 0.2 * np.diag(np.diag(found)) + 1e-6 * np.eye(width), np.float64
    )


def _follow(
    known: Wander, means: Floats, level: Floats, *, learning: bool
) -> tuple[Floats, Floats]:
    """Return distances and deviations row by row; levels follow while nothing is wrong."""
    width = means.shape[1]
    found, gaps = np.zeros(len(means)), np.full_like(means, np.nan)
    # a level that wanders by `drift` a row is best followed with this share of each new row
    noise = np.maximum(np.diag(known.covariance), 1e-9)
    ratio = known.drift / noise
    share = np.clip((np.sqrt(ratio**2 + 4 * ratio) - ratio) / 2, 0.0, 0.2)
    inverse = np.linalg.inv(known.covariance)
    frozen = 0
    for place, mean in enumerate(means):
        gap = np.nan_to_num(mean - level)
        gaps[place] = mean - level
        if frozen:
            wider = np.linalg.inv(known.covariance + np.diag(known.drift * frozen))
            squared = gap @ wider @ gap
        else:
            squared = gap @ inverse @ gap
        found[place] = np.sqrt(max(squared, 0.0) / width)
        if not learning and found[place] > known.usual * LIMIT:
            frozen += 1
            continue
        frozen = max(frozen - 1, 0)
        if place >= known.rows:
            behind = np.nan_to_num(means[place - known.rows] - level)
            level = level + share * behind
    return found, gaps
