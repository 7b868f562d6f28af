"""Search over articles: FAISS over embeddings, joined with two lexical searches.

Each article is many rows: its title, symptoms, cause and every way customers put it, in both
languages. A row's nearness is its article's. The four scores are joined by a logistic model into
one probability that the article answers the question, so that "near enough" is a number that
means something; `evaluation/retrieval.py` fits it on one half of its questions and reports on
the other.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

from ai.embeddings import Vectors
from ai.lexical import CharacterIndex, WordIndex

RELEVANCE = Path(__file__).parent / "relevance.json"
SEARCHES = ("dense", "characters", "words", "document")
NEAREST_ROWS = 400
"""Rows that FAISS returns: enough for the dozen best articles at some thirty rows each."""


@dataclass(frozen=True)
class Entry:
    """An article, as search sees it: `rows` are short texts, `document` is all of it."""

    name: str
    rows: tuple[str, ...]
    document: str


@dataclass(frozen=True)
class Hit:
    """An article and the probability that it answers; `evidence`: what each search said."""

    name: str
    score: float
    evidence: dict[str, float]


class ArticleIndex:
    """All articles in memory; `vectors` are those of `rows_of(entries)`, in that order."""

    def __init__(self, entries: Sequence[Entry], vectors: Vectors) -> None:
        self._names = [entry.name for entry in entries]
        lengths = [len(entry.rows) for entry in entries]
        self._owner = np.repeat(np.arange(len(entries)), lengths)
        self._starts = np.cumsum([0, *lengths[:-1]])
        self._faiss = faiss.IndexFlatIP(vectors.shape[1])
        self._faiss.add(np.ascontiguousarray(vectors))
        rows = rows_of(entries)
        self._characters = CharacterIndex(rows)
        documents = [entry.document for entry in entries]
        self._words = WordIndex(documents)
        self._documents = CharacterIndex(documents)
        model = json.loads(RELEVANCE.read_text("utf-8"))
        self._weights = np.array([model["weights"][name] for name in SEARCHES])
        self._intercept = float(model["intercept"])

    def search(self, query: str, vector: Vectors, limit: int = 5) -> list[Hit]:
        """Return the `limit` best articles for a question and its vector, best first."""
        return self.search_many([query], vector.reshape(1, -1), limit)[0]

    def search_many(
        self, queries: Sequence[str], vectors: Vectors, limit: int = 5
    ) -> list[list[Hit]]:
        """Return the best articles of each question; together they cost half as much."""
        return [self._hits(features, limit) for features in self.features(queries, vectors)]

    def features(self, queries: Sequence[str], vectors: Vectors) -> NDArray[np.float64]:
        """Return what each search says of each article, shape (queries, articles, 4)."""
        near, rows = self._faiss.search(vectors, min(NEAREST_ROWS, len(self._owner)))
        dense = np.repeat(near[:, -1:].astype(np.float64), len(self._owner), axis=1)
        np.put_along_axis(dense, rows, near, axis=1)
        return np.stack(
            [
                self._best(dense),
                self._best(self._characters.scores(queries)),
                self._words.scores(queries),
                self._documents.scores(queries),
            ],
            axis=-1,
        )

    def _hits(self, features: NDArray[np.float64], limit: int) -> list[Hit]:
        scores = 1 / (1 + np.exp(-(features @ self._weights + self._intercept)))
        return [
            Hit(
                self._names[place],
                round(float(scores[place]), 4),
                dict(zip(SEARCHES, (round(float(x), 4) for x in features[place]), strict=True)),
            )
            for place in np.argsort(-scores)[:limit]
        ]

    def names(self) -> list[str]:
        """Return the articles' names, in the order of the rows of `features`."""
        return list(self._names)

    def _best(self, of_rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the best of each article's rows, which lie together."""
        best: NDArray[np.float64] = np.maximum.reduceat(of_rows, self._starts, axis=1)
        return best


def rows_of(entries: Sequence[Entry]) -> list[str]:
    """Return the rows of all entries, one after the other."""
    return [row for entry in entries for row in entry.rows]
