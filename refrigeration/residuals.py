"""What the drivers explain, taken away; and which columns are drivers when nobody says."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from refrigeration.history import Floats, Ints

LINEAR, CURVED = 1e-4, 3e-3
"""Ridge per row of first- and second-order terms: conditions are few, curvature must be earned."""
MOST_DRIVERS = 5
CLEAR = 3.0
"""A driver differs between conditions by so many times what it differs between faults."""
FRESH = 0.05
"""Share of a column's spread that the drivers before it must have left."""


class Polynomial:
    """Second-order ridge polynomial of some columns for all others, fitted on normal rows."""

    def __init__(self, drivers: tuple[int, ...], normal: Floats) -> None:
        self.drivers = list(drivers)
        self.middle = np.nan_to_num(np.nanmean(normal, axis=0))
        spread = np.nan_to_num(np.nanstd(normal, axis=0), nan=1.0)
        self.spread = np.where(spread > 0, spread, 1.0)
        basis = self._basis(normal)
        filled = np.where(np.isnan(normal), self.middle, normal) - self.middle
        order = np.array([0.0, *(LINEAR for _ in drivers), *self._curved()])
        gram = basis.T @ basis + np.diag(order * len(normal) + 1e-9)
        self.weights = np.linalg.solve(gram, basis.T @ filled)

    def _curved(self) -> list[float]:
        count = len(self.drivers)
        return [CURVED] * (count * (count + 1) // 2)

    def given(self, values: Floats) -> Floats:
        """Return the drivers, standardised; one that is missing is taken as usual."""
        chosen = (values[:, self.drivers] - self.middle[self.drivers]) / self.spread[self.drivers]
        return np.asarray(np.clip(np.nan_to_num(chosen), -4, 4))

    def _basis(self, values: Floats) -> Floats:
        given = self.given(values)
        parts = [np.ones(len(values)), *given.T]
        for first in range(given.shape[1]):
            parts.extend(given[:, first] * given[:, second] for second in range(first + 1))
        return np.stack(parts, axis=1)

    def residuals(self, values: Floats) -> Floats:
        """Return what the drivers do not explain; 0 of the drivers themselves."""
        found = values - self.middle - self._basis(values) @ self.weights
        found[:, self.drivers] = 0.0
        return np.asarray(found)


def find_drivers(means: Floats, labels: Ints, groups: Ints) -> list[tuple[int, ...]]:
    """Return sets of columns that may be the drivers, from none to `MOST_DRIVERS`, each one more.

    Parameters
    ----------
    means
        Windows by row.
    labels
        0 is normal.
    groups
        Operating conditions.
    """
    cells = _cells(means, labels, groups)
    if cells is None:
        return [()]
    normal, shifts, within = cells
    chosen: tuple[int, ...] = ()
    found: list[tuple[int, ...]] = [()]
    spread = normal.var(axis=0) + 1e-12
    while len(chosen) < min(MOST_DRIVERS, len(normal) - 3):
        left, moved = _without(normal, shifts, chosen)
        between = left.var(axis=0)
        ratio = between / ((moved**2).mean(axis=0) + within + 1e-12)
        ratio[between < FRESH * spread] = 0.0
        ratio[list(chosen)] = 0.0
        best = int(np.argmax(ratio))
        if ratio[best] < CLEAR:
            break
        chosen = (*chosen, best)
        found.append(chosen)
    return found


def _cells(means: Floats, labels: Ints, groups: Ints) -> tuple[Floats, Floats, Floats] | None:
    """Return normal means of conditions, shifts by faults within them, and variance within."""
    filled = np.where(np.isnan(means), np.nan_to_num(np.nanmean(means, axis=0)), means)
    normal, shifts, within = [], [], []
    for group in np.unique(groups):
        usual = filled[(groups == group) & (labels == 0)]
        if not len(usual):
            continue
        normal.append(usual.mean(axis=0))
        within.append(usual.var(axis=0))
        for label in np.unique(labels[labels > 0]):
            faulty = filled[(groups == group) & (labels == label)]
            if len(faulty):
                shifts.append(faulty.mean(axis=0) - normal[-1])
    if len(normal) < 4 or not shifts:  # noqa: PLR2004 - no conditions to tell apart
        return None
    return np.array(normal), np.array(shifts), np.array(within).mean(axis=0)


def _without(normal: Floats, shifts: Floats, chosen: tuple[int, ...]) -> tuple[Floats, Floats]:
    """Return both with what is linear in the chosen columns taken away."""
    centred = normal - normal.mean(axis=0)
    if not chosen:
        return centred, shifts
    columns = list(chosen)
    weights: NDArray[np.float64] = np.linalg.lstsq(centred[:, columns], centred, rcond=None)[0]
    return centred - centred[:, columns] @ weights, shifts - shifts[:, columns] @ weights
