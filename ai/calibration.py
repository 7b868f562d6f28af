"""What a confidence is worth: temperature, calibration error, thresholds that keep a promise."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from scipy.stats import beta

Floats = NDArray[np.float64]
SURENESS = 0.99
"""How sure a promised error rate is: the upper bound of Clopper and Pearson at this level."""
BINS = 15
"""Of the expected calibration error, as in Guo et al. 2017."""


def temperature(margins: Floats, right: NDArray[np.int64]) -> float:
    """Return the factor under which the margins are the best probabilities of the labels."""
    rows = np.arange(len(right))
    found = minimize_scalar(
        lambda factor: -log_softmax(margins * factor, axis=1)[rows, right].mean(),
        bounds=(0.2, 20),
        method="bounded",
    )
    return float(found.x)


def calibration_error(confidence: Floats, right: NDArray[np.bool_]) -> float:
    """Return the mean gap between confidence and share of right ones, in `BINS` equal bins."""
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = [
        abs(confidence[bins == place].sum() - right[bins == place].sum()) for place in range(BINS)
    ]
    return float(sum(gaps) / max(len(right), 1))


def threshold(confidence: Floats, right: NDArray[np.bool_], risk: float) -> float:
    """Return the lowest confidence from which at most `risk` are wrong; infinite if none is.

    `confidence` and `right` are of texts that were not learned from. Not the share of wrong ones
    is held against `risk` but its upper bound: few texts promise little.
    """
    order = np.argsort(-confidence, kind="stable")
    ranked = confidence[order]
    above = np.arange(1, len(order) + 1)
    wrong = np.cumsum(~right[order])
    bound = np.where(wrong < above, beta.ppf(SURENESS, wrong + 1, np.maximum(above - wrong, 1)), 1)
    last = np.append(ranked[1:] < ranked[:-1], True)
    kept = np.flatnonzero((bound <= risk) & last)
    return float(ranked[kept[-1]]) if len(kept) else math.inf


def refusal(scores: Floats, share: float) -> float:
    """Return the highest score below which at most `share` are; 0 when too few say so.

    `scores` are of texts that were not learned from; the upper bound is held against `share`.
    """
    below = np.arange(len(scores))
    bound = beta.ppf(SURENESS, below + 1, np.maximum(len(scores) - below, 1))
    kept = np.flatnonzero(bound <= share)
    return float(np.sort(scores)[kept[-1]]) if len(kept) else 0.0


def coverage(confidence: Floats, right: NDArray[np.bool_], precision: float) -> float:
    """Return the largest share that could be taken, surest first, at this precision."""
    order = np.argsort(-confidence, kind="stable")
    share = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    kept = np.flatnonzero(share >= precision)
    return float((kept[-1] + 1) / len(order)) if len(kept) else 0.0
