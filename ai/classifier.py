"""A small classifier: embeddings beside word and character n-grams under a linear head.

The join beats each alone: 94.2 % on Banking77, 96.0 % on CLINC150 against 93.0 and 95.5 % for
embeddings and 91.3 and 92.5 % for n-grams (measured; docs/benchmarks.md).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion

from ai.embeddings import Vectors

EMBEDDING_WEIGHT = 1.5
"""Of the embedding beside unit n-gram vectors; set beforehand, not swept."""


class Classifier:
    """Labels texts with probabilities. Trained in memory, in about a second for 1,000 phrases."""

    def __init__(self, texts: Sequence[str], vectors: Vectors, labels: Sequence[str]) -> None:
        self._ngrams = FeatureUnion([
            ("words", TfidfVectorizer(ngram_range=(1, 2), strip_accents="unicode", sublinear_tf=True)),
            (
                "characters",
                TfidfVectorizer(
                    analyzer="char_wb", ngram_range=(2, 5), strip_accents="unicode", sublinear_tf=True
                ),
            ),
        ])
        self._ngrams.fit(texts)
        self._head = LogisticRegression(C=10.0, max_iter=300, tol=1e-3)
        self._head.fit(self._features(texts, vectors), list(labels))
        self.labels: list[str] = [str(label) for label in self._head.classes_]

    def probabilities(self, texts: Sequence[str], vectors: Vectors) -> NDArray[np.float64]:
        """Return one row a text, one column a label of `labels`."""
        result: NDArray[np.float64] = self._head.predict_proba(self._features(texts, vectors))
        return result

    def _features(self, texts: Sequence[str], vectors: Vectors) -> csr_matrix:
        return hstack([csr_matrix(vectors * EMBEDDING_WEIGHT), self._ngrams.transform(texts)]).tocsr()
