"""From a labelled history to a detector: drivers, recipe, threshold and temperature by conditions.

Everything that is chosen or calibrated is so on rows of conditions that were left out: nothing of
one condition is used to calibrate another. Without conditions, units stand for them, else ninths of
each label in their order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from refrigeration.history import Floats, History, Ints, starts, together, usual_difference
from refrigeration.labelled import FOLDS, NORMAL, Model, Recipe, Trained, View, folds, margin
from refrigeration.residuals import find_drivers

MOST_ROWS, TRIAL_ROWS = 6000, 1600
"""Rows a classifier is trained on, evenly taken: neighbours in a window tell the same."""
WINDOW_S = 900.0
CALM = 0.7
"""Share of the normal rows that count as steady."""
TRIAL_FOLDS = 5
SPARED = 0.002
"""Share of what is detected that may lie between the limit and the faults."""
BETTER = 0.003
"""What a less simple recipe must gain to be taken."""


class Rows(NamedTuple):
    """The windows to learn from: their view, labels, groups, and which are steady and kept."""

    view: View
    labels: Ints
    groups: Ints
    kept: Ints

    def fewer(self, most: int) -> Rows:
        """Return the same with fewer rows kept."""
        return self._replace(kept=self.kept[:: max(1, -(-len(self.kept) // most))])

    def alone(self) -> Rows:
        """Return the rows kept and no others."""
        kept = self.kept
        view = View(self.view.means[kept], self.view.unsteady[kept], self.view.first[kept])
        return Rows(view, self.labels[kept], self.groups[kept], np.arange(len(kept)))


def train(
    history: History,
    false_alarms: float,
    drivers: Sequence[str] = (),
    window_s: float = WINDOW_S,
) -> Trained:
    """Return what a labelled history teaches.

    Parameters
    ----------
    history
        With labels: `normal` or a cause. Conditions, if told, are kept apart.
    false_alarms
        Share of normal rows that may alarm, in conditions that were left out.
    drivers
        Columns that say what the plant is asked to do; found if not told.

    Raises
    ------
    ValueError
        There is no normal row, or no fault, or a driver is no column.
    """
    classes = (NORMAL, *sorted(set(history.labels) - {NORMAL}))
    if NORMAL not in history.labels or len(classes) == 1:
        msg = f"labels must hold `{NORMAL}` and at least one cause"
        raise ValueError(msg)
    labels = np.array([classes.index(label) for label in history.labels])
    normal = labels == 0
    usual = usual_difference(history.values[normal])
    step_s = history.step_s()
    rows = max(1, round(window_s / step_s))
    first = starts(history, usual, step_s)
    found = Trained(history, usual, together(history, first, rows), classes)
    view = found.view(history)
    calm = view.unsteady[normal & np.isfinite(view.unsteady)]
    found.gate = float(np.quantile(calm, CALM)) if len(calm) else np.inf
    groups = grouped(history)
    windows = Rows(view, labels, groups, _steady(view.unsteady <= found.gate, labels))
    told = tuple(history.names.index(name) for name in drivers)
    few = windows.fewer(TRIAL_ROWS)
    sets = (
        [told] if told else find_drivers(view.means[few.kept], labels[few.kept], groups[few.kept])
    )
    recipe = _choose(found, few.alone(), sets, false_alarms)
    most = windows.fewer(MOST_ROWS)
    logits = found.settled(left_out(found, most, recipe), view)
    found.trial = judged(logits, labels, false_alarms)
    score = margin(logits)
    found.threshold = _threshold(score[normal], false_alarms, score[~normal])
    found.temperature = _temperature(logits, labels)
    kept = most.kept
    found.model = Model(recipe, view.means[kept], labels[kept], groups[kept])
    return found


def grouped(history: History) -> Ints:
    """Return the group of each row: its condition, else its unit, else stretches of its label."""
    told = history.groups or history.units
    if told and len(set(told)) > 1:
        return np.asarray(np.unique(np.array(told), return_inverse=True)[1], np.int64)
    found = np.zeros(len(history), np.int64)
    labels = np.array(history.labels)
    for label in np.unique(labels):
        places = np.flatnonzero(labels == label)
        found[places] = np.arange(len(places)) * FOLDS // len(places)
    return found


def _steady(steady: NDArray[np.bool_], labels: Ints) -> Ints:
    """Return places of steady rows; a class that hardly ever is steady keeps all of its rows."""
    for label in np.unique(labels):
        if (steady & (labels == label)).sum() < 20:  # noqa: PLR2004 - too few to learn from
            steady = steady | (labels == label)
    return np.flatnonzero(steady)


def left_out(found: Trained, rows: Rows, recipe: Recipe, parts: int = FOLDS) -> Floats:
    """Return the logits of all rows, each from a model that has not seen its condition."""
    logits = np.zeros((len(rows.labels), len(found.classes)))
    for fold in folds(rows.groups, parts):
        kept = rows.kept[~fold[rows.kept]]
        seen = np.unique(rows.labels[kept])
        if not len(seen) or seen[0] != 0 or len(seen) < 2:  # noqa: PLR2004 - none to tell apart
            continue
        labels = np.searchsorted(seen, rows.labels[kept])
        model = Model(recipe, rows.view.means[kept], labels, rows.groups[kept])
        logits[fold] = -12.0
        logits[np.ix_(fold, seen)] = model.logits(rows.view.means[fold])
    return logits


def judged(logits: Floats, labels: Ints, false_alarms: float) -> dict[str, float]:
    """Return AUROC, the share of faulty rows detected, and detected with the right cause."""
    score = margin(logits)
    normal = labels == 0
    ranks = np.argsort(np.argsort(score, kind="stable"))
    count, faulty = normal.sum(), (~normal).sum()
    auroc = (ranks[~normal].sum() - faulty * (faulty - 1) / 2) / max(count * faulty, 1)
    seen = (score > _threshold(score[normal], false_alarms)) & ~normal
    right = seen & (1 + np.argmax(logits[:, 1:], axis=1) == labels)
    return {
        "auroc": float(auroc),
        "detected": float(seen.sum() / faulty),
        "right": float(right.sum() / faulty),
    }


def _choose(found: Trained, rows: Rows, sets: list[tuple[int, ...]], false_alarms: float) -> Recipe:
    """Return the recipe that does best on conditions left out; of equals the simplest."""

    def worth(recipe: Recipe) -> float:
        logits = left_out(found, rows, recipe, TRIAL_FOLDS)
        seen = judged(logits, rows.labels, false_alarms)
        return sum(seen.values()) / len(seen)

    best = Recipe(sets[0])
    most = worth(best)
    tried = [Recipe(chosen) for chosen in sets[1:]]
    for stage in (
        lambda _: tried,
        lambda r: [replace(r, with_drivers=True)] if r.drivers else [],
        lambda r: [replace(r, strength=0.03), replace(r, strength=3.0)],
        lambda r: [replace(r, trees=True)],
    ):
        for recipe in stage(best):
            value = worth(recipe)
            if value > most + BETTER:
                best, most = recipe, value
    return best


def _threshold(scores: Floats, false_alarms: float, faulty: Floats | None = None) -> float:
    """Return the score above which at most that share of the normal rows lies.

    Where faults score far higher, half-way to them: a new condition's normal rows lie somewhat
    above those that were seen, and nothing is lost.
    """
    ordered = np.sort(scores)
    place = min(len(ordered) - 1, int(np.ceil(len(ordered) * (1 - false_alarms))))
    limit = float(ordered[place])
    if faulty is None or not (faulty > limit).any():
        return limit
    return (limit + float(np.quantile(faulty[faulty > limit], SPARED))) / 2


def _temperature(logits: Floats, labels: Ints) -> float:
    """Return by what logits are divided so that probabilities are what they say."""

    def loss(log_temperature: float) -> float:
        scaled = logits / np.exp(log_temperature)
        chosen = scaled[np.arange(len(labels)), labels]
        return float(np.mean(np.logaddexp.reduce(scaled, axis=1) - chosen))

    return float(np.exp(minimize_scalar(loss, bounds=(-2, 4), method="bounded").x))
