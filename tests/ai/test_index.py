"""Search over articles, by meaning and by words."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ai.embeddings import Embedder
from ai.index import RELEVANCE, SEARCHES, ArticleIndex, Entry, Hit, rows_of

ENTRIES = (
    Entry("jam", ("bourrage papier", "paper jam"), "bourrage papier retirez la feuille paper jam"),
    Entry(
        "offline",
        ("imprimante hors ligne", "printer is offline", "introuvable"),
        "imprimante hors ligne réseau câble printer is offline",
    ),
    Entry("toner", ("toner vide", "toner is empty"), "toner vide cartouche toner is empty"),
)


@pytest.fixture(scope="module")
def index(embedder: Embedder) -> ArticleIndex:
    return ArticleIndex(ENTRIES, embedder.compute(rows_of(ENTRIES)))


def search(index: ArticleIndex, embedder: Embedder, query: str, limit: int = 5) -> list[Hit]:
    return index.search(query, embedder.compute([query])[0], limit)


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("bourrage papier", "jam"),
        ("bourage papié", "jam"),
        ("my printer went offline", "offline"),
        ("le toner est vide", "toner"),
        ("INTROUVABLE", "offline"),
    ],
)
def test_the_right_article_comes_first(
    index: ArticleIndex, embedder: Embedder, query: str, name: str
) -> None:
    assert search(index, embedder, query)[0].name == name


def test_hits_come_best_first_with_probabilities_and_evidence(
    index: ArticleIndex, embedder: Embedder
) -> None:
    hits = search(index, embedder, "bourrage papier")
    scores = [hit.score for hit in hits]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
    assert tuple(hits[0].evidence) == SEARCHES
    assert hits[0].evidence["dense"] == pytest.approx(1, abs=0.01)
    assert hits[0].evidence["characters"] == pytest.approx(1, abs=0.01)


def test_the_score_is_the_logistic_of_the_evidence(index: ArticleIndex, embedder: Embedder) -> None:
    model = json.loads(RELEVANCE.read_text("utf-8"))
    for hit in search(index, embedder, "toner vide depuis hier"):
        weighted = sum(model["weights"][name] * hit.evidence[name] for name in SEARCHES)
        expected = 1 / (1 + np.exp(-(weighted + model["intercept"])))
        assert hit.score == pytest.approx(expected, abs=0.005)


def test_no_more_hits_are_given_than_asked_for_or_there_are(
    index: ArticleIndex, embedder: Embedder
) -> None:
    assert len(search(index, embedder, "panne", 2)) == 2
    assert len(search(index, embedder, "panne", 99)) == 3


def test_strange_words_and_no_words_are_near_nothing(
    index: ArticleIndex, embedder: Embedder
) -> None:
    for query in ("", "zzz qqq", "🖨️", "的"):
        assert search(index, embedder, query)[0].score < 0.35


def test_an_article_is_as_near_as_its_nearest_row(index: ArticleIndex, embedder: Embedder) -> None:
    features = index.features(["introuvable"], embedder.compute(["introuvable"]))[0]
    assert index.names() == ["jam", "offline", "toner"]
    assert features.shape == (3, len(SEARCHES))
    assert features[1, 0] == pytest.approx(1, abs=0.01)


def test_all_weights_are_positive_so_that_more_evidence_never_counts_against() -> None:
    weights = json.loads(RELEVANCE.read_text("utf-8"))["weights"]
    assert weights.keys() == set(SEARCHES)
    assert min(weights.values()) > 0
