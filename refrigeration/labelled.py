"""A detector learned from a labelled history: residuals against normal, then a classifier.

1. Normal: a second-order ridge polynomial of the drivers for each other column, on normal rows.
   Residuals of a row always come from a model that has not seen its condition, so a classifier
   learns from residuals such as a new condition will show.
2. Logistic regression on damped residuals, alone or with randomised trees.

`refrigeration.training` finds drivers, recipe, threshold and temperature. These two modules need
scikit-learn; models stay in memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from refrigeration.history import (
    Floats,
    History,
    Ints,
    starts,
    trailing,
    unsteady,
)
from refrigeration.residuals import Polynomial

if TYPE_CHECKING:
    from sklearn.ensemble import ExtraTreesClassifier

NORMAL = "normal"
FOLDS = 9
CLIP = 12.0


@dataclass(frozen=True)
class Results:
    """What is said of each row; `probabilities` in the order of `classes`."""

    score: Floats
    is_fault: NDArray[np.bool_]
    cause: tuple[str, ...]
    classes: tuple[str, ...]
    probabilities: Floats


@dataclass(frozen=True)
class Recipe:
    """What cross-validation chooses among."""

    drivers: tuple[int, ...]
    with_drivers: bool = False
    trees: bool = False
    strength: float = 0.3


@dataclass(frozen=True)
class View:
    """A history as windows: means, steadiness, runs."""

    means: Floats
    unsteady: Floats
    first: Ints


class Model:
    """One recipe, fitted: normal model, scales and classifiers."""

    def __init__(self, recipe: Recipe, means: Floats, labels: Ints, groups: Ints) -> None:
        # Loaded here: it takes a second, and every command would wait for it.
        from sklearn.ensemble import ExtraTreesClassifier  # noqa: PLC0415
        from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

        self.recipe = recipe
        self.middle = np.nan_to_num(np.nanmean(means, axis=0))
        normal = labels == 0
        left_out = np.full_like(means, np.nan)
        for fold in folds(groups):
            inside = ~fold & normal
            if inside.sum() >= 10:  # noqa: PLR2004 - fewer fit no plane
                left_out[fold] = Polynomial(recipe.drivers, means[inside]).residuals(means[fold])
        self.polynomial = Polynomial(recipe.drivers, means[normal])
        alone = np.isnan(left_out).all(axis=1)
        left_out[alone] = self.polynomial.residuals(means[alone])
        self.scale = np.maximum(
            np.nan_to_num(np.nanstd(left_out[normal], axis=0), nan=1.0),
            1e-4 * np.nan_to_num(np.nanstd(means, axis=0), nan=1.0) + 1e-9,
        )
        inputs = self._inputs(left_out, means)
        weight = np.sqrt(len(labels) / np.bincount(labels)[labels])
        self.regression = LogisticRegression(C=recipe.strength, max_iter=300).fit(
            inputs, labels, sample_weight=weight
        )
        self.trees: ExtraTreesClassifier | None = None
        if recipe.trees:
            self.trees = ExtraTreesClassifier(
                100, min_samples_leaf=4, max_features=0.4, random_state=1, n_jobs=1
            ).fit(inputs, labels, sample_weight=weight)

    def _inputs(self, residuals: Floats, means: Floats) -> Floats:
        sigmas = np.nan_to_num(residuals / self.scale)
        damped = np.sign(sigmas) * np.log1p(np.abs(np.clip(sigmas, -1e3, 1e3)))
        parts = [damped, np.abs(damped), np.clip(sigmas, -CLIP, CLIP) / 3]
        if self.recipe.with_drivers:
            parts.append(self.polynomial.given(means))
        return np.concatenate(parts, axis=1)

    def logits(self, means: Floats) -> Floats:
        """Return the logarithms of the classes' probabilities, as they come."""
        inputs = self._inputs(self.polynomial.residuals(means), means)
        found = np.log(self.regression.predict_proba(inputs) + 1e-12)
        if self.trees is not None:
            found = 0.5 * (found + np.log(self.trees.predict_proba(inputs) + 1e-3))
        return np.asarray(found)


def folds(groups: Ints, most: int = FOLDS) -> list[NDArray[np.bool_]]:
    """Return masks that part the groups into at most so many, none in two of them."""
    names = np.unique(groups)
    count = min(most, len(names))
    return [np.isin(groups, names[place::count]) for place in range(count)]


class Trained:
    """What `train` returns: says of each row of another history what it thinks."""

    model: Model

    def __init__(
        self, history: History, usual: Floats, rows: int, classes: tuple[str, ...]
    ) -> None:
        self.names, self.usual, self.rows, self.classes = history.names, usual, rows, classes
        self.step_s = history.step_s()
        self.gate = np.inf
        self.threshold = 0.0
        self.temperature = 1.0
        self.trial: dict[str, float] = {}
        """What cross-validation saw: `auroc`, `detected` and `right` at the stated rate."""

    def view(self, history: History) -> View:
        """Return the windows of a history."""
        if self.rows == 1:
            alone = np.arange(len(history))
            return View(history.values, np.zeros(len(history)), alone)
        first = starts(history, self.usual, self.step_s)
        return View(
            trailing(history.values, first, self.rows),
            unsteady(history.values, first, self.rows, self.usual),
            first,
        )

    def settled(self, logits: Floats, view: View) -> Floats:
        """Return logits in which a row that moves holds what the last steady one said."""
        found = logits.copy()
        last = -1
        for place in range(len(found)):
            if view.unsteady[place] <= self.gate:
                last = place
            elif last >= view.first[place]:
                found[place] = found[last]
            else:
                # never steady yet: the less so, the less is said
                found[place] /= 1 + min(view.unsteady[place] / max(self.gate, 1e-9), 20.0) / 4
        return found

    def results(self, history: History) -> Results:
        """Return what is said of each row, from it and the rows before."""
        view = self.view(history)
        return self.said(self.settled(self.model.logits(view.means), view))

    def said(self, logits: Floats) -> Results:
        """Return the results of logits."""
        score = margin(logits)
        shares = softmax(logits / self.temperature)
        faulty = score > self.threshold
        best = 1 + np.argmax(shares[:, 1:], axis=1)
        cause = tuple(self.classes[b] if f else NORMAL for b, f in zip(best, faulty, strict=True))
        return Results(score, faulty, cause, self.classes, shares)


def margin(logits: Floats) -> Floats:
    """Return the log-odds of any fault against normal."""
    return np.asarray(np.logaddexp.reduce(logits[:, 1:], axis=1) - logits[:, 0])


def softmax(logits: Floats) -> Floats:
    """Return probabilities."""
    found = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(found / found.sum(axis=1, keepdims=True))
