"""Fitting search: the map of the vectors, and what each search weighs.

The map is learnt from pairs that mean the same: ways in which an article is asked for, and, where
the data is there, questions of PIAF's tune part with the sentences that answer them. The weights
are fitted on the articles' own phrasings, each asked of an index without it, and on the tune half
of `evaluation/data/printer_queries.yaml`; either counts as much as the other.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from ai.adapter import MAPS, learnt
from ai.passages import RELEVANCE, SEARCHES, Hit
from evaluation import piaf
from knowledge.articles import search_rows

if TYPE_CHECKING:
    from evaluation.retrieval import Found, Knowledge

FRENCH = 0.3
"""Share of PIAF's pairs in the map: more did not help articles (cross-validated)."""
CANDIDATES = 6
"""Articles of a question that the weights are fitted on, and the right ones."""


def learn_map(knowledge: Knowledge, fingerprint: str) -> None:
    """Learn the map of an embedding model's vectors, and keep it."""
    parts = []
    for article in knowledge.articles:
        own = knowledge.vectors(search_rows(article))
        parts.append(own - own.mean(axis=0))
    differences = [(1.0 - FRENCH, np.concatenate(parts))]
    pairs = piaf.pairs()
    if pairs:
        asked, answered = (
            knowledge.vectors(list(side), piaf.CACHE) for side in zip(*pairs, strict=True)
        )
        differences.append((FRENCH, (asked - answered) / np.sqrt(2)))
    MAPS.mkdir(exist_ok=True)
    np.savez_compressed(MAPS / f"{fingerprint}.npz", map=learnt(differences).astype(np.float16))


def fit(held_out: Found, tune: Found) -> None:
    """Fit what each search weighs on both, then what their sum means on the tune half, and keep it.

    The own phrasings are harder than what customers write, so that a sum that is worth a half
    there is worth more here.
    """
    parts = [_examples(held_out), _examples(tune)]
    shares = np.concatenate([np.full(len(right), 1 / len(right)) for _, right in parts])
    features, right = (np.concatenate(side) for side in zip(*parts, strict=True))
    model = LogisticRegression(C=1e6, max_iter=10_000)
    model.fit(features, right, shares * len(right) / len(parts))
    weights = model.coef_[0]
    scale, shift = _meaning(tune, weights)
    about = {
        "fitted_on": "the articles' own phrasings held out, and the tune half of "
        "evaluation/data/printer_queries.yaml",
        "examples": len(right),
        "weights": {n: round(float(w * scale), 4) for n, w in zip(SEARCHES, weights, strict=True)},
        "intercept": round(shift, 4),
    }
    RELEVANCE.write_text(json.dumps(about, indent=2) + "\n", "utf-8")


def _examples(found: Found) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the evidence of each question's nearest articles and the right ones, and which is."""
    examples: list[NDArray[np.float64]] = []
    right: list[bool] = []
    for question, hits in found:
        ranked = sorted(hits, key=lambda hit: -sum(hit.evidence.values()))
        near = {hit.name for hit in ranked[:CANDIDATES]} | set(question.expected)
        for hit in (hit for hit in hits if hit.name in near):
            examples.append(_evidence(hit))
            right.append(hit.name in question.expected)
    return np.array(examples), np.array(right)


def _meaning(found: Found, weights: NDArray[np.float64]) -> tuple[float, float]:
    """Return by what the best article's sum becomes the logit that it answers."""
    best: list[float] = []
    right: list[bool] = []
    for question, hits in found:
        sums = [float(_evidence(hit) @ weights) for hit in hits]
        best.append(max(sums))
        right.append(hits[sums.index(best[-1])].name in question.expected)
    model = LogisticRegression(C=1e6, max_iter=10_000).fit(np.array(best)[:, None], right)
    return float(model.coef_[0, 0]), float(model.intercept_[0])


def _evidence(hit: Hit) -> NDArray[np.float64]:
    return np.array([hit.evidence[name] for name in SEARCHES])
