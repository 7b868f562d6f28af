"""Whether a text is about anything that was learned at all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from ai import calibration
from ai.calibration import Floats
from ai.embeddings import Vectors

REFUSED = 0.05
"""Share of texts in scope that may be refused."""


@dataclass(frozen=True)
class Scope:
    """Joins the largest margin with the likeness to the nearest label's mean embedding.

    Either misses what the other sees: a stranger made of known words has a margin, one on a
    known subject a likeness.

    Attributes
    ----------
    means
        Unit mean embedding of each label.
    weights
        Of margin and likeness, and the intercept.
    threshold
        Below it a text is out of scope; at most `REFUSED` of those within are too.
    """

    means: NDArray[np.float32]
    weights: NDArray[np.float64]
    threshold: float

    def of(self, margins: Floats, vectors: Vectors) -> Floats:
        """Return how likely each text is within scope, had both the same chance."""
        return _join(self.weights, margins.max(1), (vectors @ self.means.T).max(1))


def learn(
    margins: Floats,
    places: NDArray[np.int64],
    vectors: Vectors,
    strangers: tuple[Floats, Vectors],
) -> tuple[Scope, Floats]:
    """Return what tells known from strange, and how likely each of these texts is within scope.

    Each text stands for a stranger too: as it looks to all labels but its own. `strangers`,
    margins and vectors of texts known to be out of scope, may be none.
    """
    rows = np.arange(len(places))
    sums = np.zeros((margins.shape[1], vectors.shape[1]))
    np.add.at(sums, places, vectors)
    means = _unit(sums).astype(np.float32)
    alike = vectors @ means.T
    others = sums[places] - vectors  # a text's own part in its label's mean tells nothing
    alike[rows, places] = (vectors * _unit(others)).sum(1)
    known = np.c_[margins.max(1), alike.max(1)]
    without, unlike = margins.copy(), alike.copy()
    without[rows, places] = unlike[rows, places] = -np.inf
    strange = [np.c_[without.max(1), unlike.max(1)]]
    if len(strangers[0]):
        strange = [np.c_[strangers[0].max(1), (strangers[1] @ means.T).max(1)]]
    examples = np.concatenate([known, *strange])
    head = LogisticRegression(class_weight="balanced").fit(
        examples, np.arange(len(examples)) < len(known)
    )
    weights = np.append(head.coef_[0], head.intercept_)
    scores = _join(weights, known[:, 0], known[:, 1])
    return Scope(means, weights, calibration.refusal(scores, REFUSED)), scores


def _join(weights: NDArray[np.float64], margin: Floats, likeness: Floats) -> Floats:
    found: Floats = expit(weights[0] * margin + weights[1] * likeness + weights[2])
    return found


def _unit(vectors: Floats) -> Floats:
    unit: Floats = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    return unit
