"""Learning a small classifier from labelled texts, and what its confidence is worth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.special import softmax
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from sklearn.svm import LinearSVC

from ai import scope
from ai.calibration import Floats, temperature
from ai.classifier import Classifier, Head, HeldOut
from ai.embeddings import Vectors
from ai.features import Features

FOLDS = 5
KEPT = 20_000
"""Held-out texts that a model remembers; more would say no more of its confidence."""


def learn(
    texts: Sequence[str],
    vectors: Vectors,
    labels: Sequence[str],
    *,
    features: Features | None = None,
    groups: Sequence[int] = (),
    strangers: tuple[Sequence[str], Vectors] | None = None,
) -> Classifier:
    """Return a classifier of `labels`: at least two, each of at least two texts.

    Parameters
    ----------
    texts, vectors
        What is learned from, and its embeddings.
    features
        Those of another classifier, to share them.
    groups
        Texts of the same number, such as variations of one, are held out together. Without any,
        neighbours in the order given are: they were often written by the same hand.
    strangers
        Texts out of scope, with their embeddings.
    """
    features = features or Features.learn(texts)
    rows = features.of(texts, vectors)
    names, places = np.unique(np.array(labels), return_inverse=True)
    margins = _held_out(rows, places, groups)
    head = _fit(rows, places)
    weights = head.coef_.astype(np.float32).T
    if len(names) == 2:  # noqa: PLR2004 - one column for two labels, there
        weights = np.hstack([-weights, weights])
    intercepts = head.intercept_ if len(names) > 2 else np.array([-1, 1]) * head.intercept_  # noqa: PLR2004
    strange_texts, strange_vectors = strangers or ((), np.zeros((0, vectors.shape[1]), np.float32))
    strange = np.zeros((0, len(names)))
    if strange_texts:
        strange = features.of(strange_texts, strange_vectors) @ weights + intercepts
    factor = temperature(margins, places)
    step = max(1, -(-len(texts) // KEPT))
    return Classifier(
        features,
        Head(
            labels=tuple(str(name) for name in names),
            weights=np.ascontiguousarray(weights),
            intercepts=intercepts,
            temperature=factor,
            held_out=HeldOut(softmax(margins * factor, axis=1)[::step], places[::step]),
            scope=scope.learn(margins, places, vectors, (strange, strange_vectors)),
        ),
    )


def _fit(rows: csr_matrix, places: NDArray[np.int64]) -> LinearSVC:
    # `balanced` where few texts stand for a label; where all have as many, it changes nothing.
    return LinearSVC(class_weight="balanced", tol=1e-2, random_state=0).fit(rows, places)


def _held_out(rows: csr_matrix, places: NDArray[np.int64], groups: Sequence[int]) -> Floats:
    """Return margins of texts by heads that did not learn from them."""
    folds = int(min(FOLDS, np.bincount(places).min()))
    split = StratifiedGroupKFold(folds) if len(groups) else StratifiedKFold(folds)
    margins = np.zeros((len(places), places.max() + 1))
    for learned, held in split.split(rows, places, groups if len(groups) else None):
        found = _fit(rows[learned], places[learned]).decision_function(rows[held])
        margins[held] = found if found.ndim > 1 else np.c_[-found, found]
    return margins
