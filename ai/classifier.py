"""A small classifier: embeddings beside word and character n-grams under a linear head.

The join beats each alone, and margins are of no use as confidence until a temperature, found on
texts that were not learned from, makes probabilities of them
(docs/decisions/0016-classifiers-that-keep-promises.md; figures in docs/quality.md).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from ai import calibration
from ai.calibration import Floats
from ai.embeddings import Vectors
from ai.features import Features
from ai.scope import Scope


@dataclass(frozen=True)
class HeldOut:
    """Texts judged by heads that had not learned from them: what a confidence is worth.

    Attributes
    ----------
    probabilities
        One row a text, one column a label.
    places
        The column that is right.
    scope
        How likely each is within scope.
    """

    probabilities: Floats
    places: NDArray[np.int64]
    scope: Floats


@dataclass(frozen=True)
class Head:
    """What was learned: labels, the weights of features (rows) for labels (columns)."""

    labels: tuple[str, ...]
    weights: NDArray[np.float32]
    intercepts: NDArray[np.float64]
    temperature: float
    held_out: HeldOut
    scope: Scope


class Classifier:
    """Labels texts with probabilities.

    French texts are given in English, by `ai.gloss.english`, as they were to learn from.
    """

    def __init__(self, features: Features, head: Head) -> None:
        self.features = features
        self.head = head
        self.labels = list(head.labels)

    def margins(self, texts: Sequence[str], vectors: Vectors) -> Floats:
        """Return one row a text, one column a label: the larger, the likelier."""
        rows = self.features.of(texts, vectors)
        found: Floats = rows @ self.head.weights + self.head.intercepts
        return found

    def probabilities(self, texts: Sequence[str], vectors: Vectors) -> Floats:
        """Return one row a text, one column a label of `labels`."""
        found: Floats = softmax(self.margins(texts, vectors) * self.head.temperature, axis=1)
        return found

    def likeliest(self, texts: Sequence[str], vectors: Vectors) -> list[tuple[str, float]]:
        """Return for each text the likeliest label, and how likely it is."""
        found = self.probabilities(texts, vectors)
        return [(self.labels[row.argmax()], float(row.max())) for row in found]

    def scope(self, texts: Sequence[str], vectors: Vectors) -> Floats:
        """Return for each text how likely it is about anything that was learned."""
        return self.head.scope.of(self.margins(texts, vectors), vectors)

    def threshold(self, risk: float) -> float:
        """Return from which confidence on at most `risk` of the texts in scope are wrong."""
        probabilities, places = self._known()
        return calibration.threshold(probabilities.max(1), probabilities.argmax(1) == places, risk)

    def thresholds(self, risk: float, group_of: Callable[[str], str] = str) -> dict[str, float]:
        """Return the same for each group of labels.

        The confidence of a group is the sum of its labels'. Infinite where too few texts were
        held out to promise it.
        """
        names = [group_of(label) for label in self.labels]
        groups = sorted(set(names))
        member = np.array([[name == group for group in groups] for name in names], float)
        probabilities, places = self._known()
        sums = probabilities @ member
        said = sums.argmax(1)
        right = member[places, said] > 0
        return {
            group: calibration.threshold(sums[said == place, place], right[said == place], risk)
            for place, group in enumerate(groups)
        }

    def _known(self) -> tuple[Floats, NDArray[np.int64]]:
        """Return probabilities and right columns of held-out texts that are not refused."""
        held = self.head.held_out
        known = held.scope >= self.head.scope.threshold
        return held.probabilities[known], held.places[known]
