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
        self._owner = np.repeat(np.arange(len(entries)), [len(entry.rows) for entry in entries])
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
        features = self.features(query, vector)
        scores = 1 / (1 + np.exp(-(features @ self._weights + self._intercept)))
        return [
            Hit(
                self._names[place],
                round(float(scores[place]), 4),
                dict(zip(SEARCHES, (round(float(x), 4) for x in features[place]), strict=True)),
            )
            for place in np.argsort(-scores)[:limit]
        ]

    def features(self, query: str, vector: Vectors) -> NDArray[np.float64]:
        """Return what each of `SEARCHES` says of each article, shape (articles, 4)."""
        near, rows = self._faiss.search(vector.reshape(1, -1), min(NEAREST_ROWS, len(self._owner)))
        dense = np.full(len(self._owner), float(near[0, -1]))
        dense[rows[0]] = near[0]
        return np.column_stack(
            [
                self._best(dense),
                self._best(self._characters.scores(query)),
                self._words.scores(query),
                self._documents.scores(query),
            ]
        )

    def names(self) -> list[str]:
        """Return the articles' names, in the order of the rows of `features`."""
        return list(self._names)

    def _best(self, of_rows: NDArray[np.float64]) -> NDArray[np.float64]:
        best = np.full(len(self._names), -1.0)
        np.maximum.at(best, self._owner, of_rows)
        return best


def rows_of(entries: Sequence[Entry]) -> list[str]:
    """Return the rows of all entries, one after the other."""
    return [row for entry in entries for row in entry.rows]
