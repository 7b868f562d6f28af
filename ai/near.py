"""From the rows nearest in meaning to their owners."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ai.embeddings import Vectors
from ai.owners import Owners, Places

TOGETHER, ROWS_EACH = 3, 10
"""Of so many rows, one more of an owner's nearest counts, up to three."""


class Near(NamedTuple):
    """Owners in rising order, how near their nearest rows are, and the place of the nearest."""

    owners: NDArray[np.int64]
    scores: NDArray[np.float64]
    places: Places
    floor: float
    """What may be said of owners beyond."""

    @classmethod
    def of(cls, scores: Vectors, places: Places, owners: Owners) -> Near:
        """Make it from the nearest rows, nearest first.

        An owner with many rows is as near as the mean of its nearest two or three: one alone may
        be near by chance.
        """
        there = places >= 0
        scores, places = scores[there], places[there]
        found, first, at = np.unique(
            owners.at(places).astype(np.int64), return_index=True, return_inverse=True
        )
        floor = float(scores.min()) if len(scores) else 0.0
        wanted = np.minimum(TOGETHER, 1 + owners.rows(found) // ROWS_EACH)
        order = np.argsort(at, kind="stable")
        rank = np.arange(len(at)) - np.searchsorted(at[order], at[order])
        counted = order[rank < wanted[at[order]]]
        sums = np.bincount(at[counted], scores[counted] - floor, len(found))
        return cls(found, floor + sums / wanted, places[first], floor)

    def closest(self, limit: int) -> Places:
        """Return the nearest owners."""
        closest: Places = self.owners[np.argsort(-self.scores)[:limit]]
        return closest

    def look_up(self, numbers: Places) -> tuple[NDArray[np.float64], Places]:
        """Return nearness and place for owners."""
        if not len(self.owners):
            return np.full(len(numbers), self.floor), np.full(len(numbers), -1)
        at = np.minimum(np.searchsorted(self.owners, numbers), len(self.owners) - 1)
        known = self.owners[at] == numbers
        scores = np.where(known, self.scores[at], self.floor)
        return scores, np.where(known, self.places[at], -1)
