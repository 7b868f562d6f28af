"""A history of any sensors: rows in order, what they break into, means that end at their row.

All of it looks back only: cut a history anywhere, and what was said of the rows before stays.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
STEPS_APART = 6.0
"""Usual steps without a row after which a window begins anew."""
JUMP = 15.0
JUMPING = 0.4
GOES_ON, CHANGES, ALIKE = 0.5, 0.05, 0.5
"""Shares of rows that go on a run, and that change their label within one; squared steps beside
those between any two rows: beyond these a history is in no order."""
"""Rows between which so many usual differences lie in such a share of columns are of two runs."""


@dataclass(frozen=True)
class History:
    """Rows of one or more runs: `at` in seconds, `values` (NaN: missing) by `names`."""

    at: Floats
    names: tuple[str, ...]
    values: Floats
    labels: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    """Operating condition of a row, if it was told."""
    units: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.at)

    def rows(self, chosen: Ints | NDArray[np.bool_]) -> History:
        """Return some of the rows."""
        places = np.arange(len(self))[chosen]
        return History(
            self.at[places],
            self.names,
            self.values[places],
            *(
                tuple(told[i] for i in places) if told else ()
                for told in (self.labels, self.groups, self.units)
            ),
        )

    def step_s(self) -> float:
        """Return the usual seconds from row to row."""
        gaps = np.diff(self.at)
        gaps = gaps[gaps > 0]
        return float(np.median(gaps)) if len(gaps) else 60.0


def usual_difference(values: Floats) -> Floats:
    """Return of each column how far neighbouring rows are apart when nothing happens."""
    if len(values) < 3:  # noqa: PLR2004 - nothing to learn from
        return np.ones(values.shape[1])
    gaps = np.abs(np.diff(values, axis=0))
    with np.errstate(all="ignore"):
        usual = np.nanmean(np.minimum(gaps, np.nanquantile(gaps, 0.9, axis=0)), axis=0)
    spread = np.nanstd(values, axis=0)
    return np.asarray(np.maximum(np.nan_to_num(usual), np.nan_to_num(spread) * 1e-3) + 1e-9)


def starts(history: History, usual: Floats, step_s: float) -> Ints:
    """Return for each row the first row of its run: no gap, no other unit or condition between."""
    count = len(history)
    new = np.zeros(count, bool)
    new[:1] = True
    gaps = np.diff(history.at)
    new[1:] |= (gaps <= 0) | (gaps > STEPS_APART * step_s)
    for told in (history.units, history.groups):
        if told:
            new[1:] |= np.array(told[1:]) != np.array(told[:-1])
    with np.errstate(invalid="ignore"):
        far = np.abs(np.diff(history.values, axis=0)) > JUMP * usual
    if history.values.shape[1] > 4:  # noqa: PLR2004 - with few columns a fault itself may jump so
        new[1:] |= far.mean(axis=1) > JUMPING
    return np.maximum.accumulate(np.where(new, np.arange(count), 0))


def trailing(values: Floats, first: Ints, rows: int | Ints, before: int | Ints = 0) -> Floats:
    """Return the means over the last `rows` rows of the run, each row's own included.

    `before`: of the rows that end so many rows earlier. NaN where there is no row.
    """
    there = ~np.isnan(values)
    total = np.vstack([np.zeros(values.shape[1]), np.cumsum(np.where(there, values, 0.0), axis=0)])
    count = np.vstack([np.zeros(values.shape[1]), np.cumsum(there, axis=0)])
    end = np.maximum(np.arange(len(values)) + 1 - before, first)
    begin = np.maximum(first, end - rows)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((total[end] - total[begin]) / (count[end] - count[begin]))


def unsteady(values: Floats, first: Ints, rows: int, usual: Floats) -> Floats:
    """Return how much the second half of a window differs from its first, in usual differences.

    A run that has just begun is halved as it is; its first row counts as unsteady.
    """
    seen = np.arange(len(values)) - first + 1
    half = np.maximum(np.minimum(max(rows // 2, 1), seen // 2), 1)
    scale = usual * np.sqrt(1 / half + 2 / max(rows, 2))[:, None]
    gap = (trailing(values, first, half) - trailing(values, first, half, half)) / scale
    there = ~np.isnan(gap)
    squares = np.where(there, np.minimum(gap**2, 1e4), 0.0).sum(axis=1)
    found = np.sqrt(squares / np.maximum(there.sum(axis=1), 1))
    return np.where(seen > 1, found, np.inf)


def together(history: History, first: Ints, rows: int) -> int:
    """Return over how many rows a window may go: 1 where neighbouring rows do not tell the same.

    Rows of a file that was shuffled, or thinned, are no course: their neighbours are of another
    label or condition, or differ as much as any two rows do.
    """
    go_on = first[1:] < np.arange(1, len(history))
    if go_on.mean() < GOES_ON:
        return 1
    if history.labels:
        labels = np.array(history.labels)
        if (labels[1:] != labels[:-1])[go_on].mean() > CHANGES:
            return 1
    with np.errstate(all="ignore"):
        steps = np.nanmean(np.diff(history.values, axis=0)[go_on] ** 2, axis=0)
        ratio = steps / (2 * np.nanvar(history.values, axis=0))
    ratio = ratio[np.isfinite(ratio)]
    return 1 if len(ratio) and np.median(ratio) > ALIKE else rows
