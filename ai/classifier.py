"""A small classifier: embeddings beside word and character n-grams under a linear head.

The join beats each alone: 94.2 % on Banking77 and 96.0 % on CLINC150, against 93.0 and 95.5 %
for embeddings and 91.3 and 92.5 % for n-grams (docs/decisions/0004-small-classifiers.md).
Margins become probabilities by one temperature, found by cross-validation: raw ones are unusable
as confidence (expected calibration error of 0.6 to 0.9 before, 0.01 to 0.05 after).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.sparse import csr_matrix, hstack
from scipy.special import log_softmax, softmax
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import FeatureUnion
from sklearn.svm import LinearSVC

from ai.embeddings import Vectors

EMBEDDING_WEIGHT = 1.5
"""Of the embedding beside unit n-gram vectors; set beforehand, not swept."""
FOLDS = 3

Matrix = NDArray[np.float64]


class Features:
    """Word and character n-grams beside embeddings; several classifiers may share one."""

    def __init__(self, texts: Sequence[str]) -> None:
        words = TfidfVectorizer(
            ngram_range=(1, 2),
            strip_accents="unicode",
            sublinear_tf=True,
            token_pattern=r"(?u)\b\w+\b",
        )
        characters = TfidfVectorizer(
            analyzer="char_wb", ngram_range=(2, 4), strip_accents="unicode", sublinear_tf=True
        )
        self._ngrams = FeatureUnion([("words", words), ("characters", characters)])
        self._ngrams.fit(texts)
        self._last: tuple[tuple[str, ...], csr_matrix] | None = None

    def of(self, texts: Sequence[str], vectors: Vectors) -> csr_matrix:
        """Return one row a text; the texts asked for last are not computed again."""
        if self._last is None or self._last[0] != tuple(texts):
            parts = [csr_matrix(vectors * EMBEDDING_WEIGHT), self._ngrams.transform(texts)]
            self._last = tuple(texts), hstack(parts).tocsr()
        return self._last[1]


class Classifier:
    """Labels texts with probabilities. Trained in memory, in seconds for some thousand phrases."""

    def __init__(
        self,
        texts: Sequence[str],
        vectors: Vectors,
        labels: Sequence[str],
        features: Features | None = None,
    ) -> None:
        self._features = features or Features(texts)
        rows = self._features.of(texts, vectors)
        self._head = LinearSVC(class_weight="balanced", tol=1e-2, random_state=0)
        margins = cross_val_predict(
            self._head, rows, list(labels), cv=FOLDS, method="decision_function"
        )
        self._head.fit(rows, list(labels))
        self.labels: list[str] = [str(label) for label in self._head.classes_]
        places = np.array([self.labels.index(label) for label in labels])
        self._temperature = _temperature(margins, places)

    def probabilities(self, texts: Sequence[str], vectors: Vectors) -> Matrix:
        """Return one row a text, one column a label of `labels`."""
        margins = self._head.decision_function(self._features.of(texts, vectors))
        result: Matrix = softmax(margins * self._temperature, axis=1)
        return result


def _temperature(margins: Matrix, right: NDArray[np.int64]) -> float:
    """Return the factor under which the margins are the best probabilities."""
    rows = np.arange(len(right))
    found = minimize_scalar(
        lambda t: -log_softmax(margins * t, axis=1)[rows, right].mean(),
        bounds=(0.2, 20),
        method="bounded",
    )
    return float(found.x)
