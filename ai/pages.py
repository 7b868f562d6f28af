"""Lexical evidence: BM25 over stems and letters in a row, accents and typos forgiven.

French needs it: the embedding model was trained on English (docs/decisions/0018).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack

from ai.terms import GRAM_SPACE, WORD_SPACE, Counts, count_grams, count_words, fold

Scores = NDArray[np.float64]
Weights = NDArray[np.float32]
Table = NDArray[np.float64]
Compare = Callable[[csr_matrix], Scores]

K1, B = 1.2, 0.75
"""BM25's customary constants (Robertson and Zaragoza 2009)."""


@dataclass(frozen=True)
class Pages:
    """Texts as counts: of their grams and of their words."""

    grams: Counts
    words: Counts

    @classmethod
    def of(cls, texts: Sequence[str]) -> Pages:
        """Count folded texts."""
        return cls(count_grams(texts), count_words(texts))

    def apart(self) -> list[Pages]:
        """Return the pages of each text."""
        return [
            Pages(self.grams[place : place + 1], self.words[place : place + 1])
            for place in range(self.grams.shape[0])
        ]

    @classmethod
    def joined(cls, parts: Sequence[Pages]) -> Pages:
        """Return the pages of all parts, in their order."""
        return cls(
            vstack([part.grams for part in parts]).tocsr(),
            vstack([part.words for part in parts]).tocsr(),
        )


class Frequencies:
    """In how many texts each number occurs."""

    def __init__(self, space: int) -> None:
        self.texts = 0
        self.total = 0.0
        self.present = np.zeros(space, np.int64)

    def add(self, counts: Counts, sign: int = 1) -> None:
        """Count texts in; with `sign` -1, out."""
        self.texts += sign * counts.shape[0]
        self.total += sign * float(counts.sum())
        self.present += sign * np.bincount(counts.indices, minlength=len(self.present)).astype(
            np.int32
        )

    def state(self) -> Table:
        """Return what `of` makes it from."""
        return np.concatenate([[self.texts, self.total], self.present])

    @classmethod
    def of(cls, state: Table) -> Frequencies:
        """Return the frequencies whose `state` this is."""
        found = cls(len(state) - 2)
        found.texts, found.total = int(state[0]), float(state[1])
        found.present = state[2:].astype(np.int64)
        return found

    def weight(self, numbers: NDArray[np.int32]) -> Weights:
        """Return the weight of grams: rare ones say more."""
        weights: Weights = np.log((1 + self.texts) / (1 + self.present[numbers])) + 1
        return weights.astype(np.float32)

    def rarity(self, numbers: NDArray[np.int32]) -> Weights:
        """Return BM25's weight of words."""
        present = self.present[numbers]
        weights: Weights = np.log1p((self.texts - present + 0.5) / (present + 0.5))
        return weights.astype(np.float32)


class Lexicon:
    """How often everything occurs in a collection, from which weights follow."""

    def __init__(self) -> None:
        self.grams = Frequencies(GRAM_SPACE)
        self.words = Frequencies(WORD_SPACE)

    def add(self, pages: Pages, sign: int = 1) -> None:
        """Count pages in; with `sign` -1, out."""
        self.grams.add(pages.grams, sign)
        self.words.add(pages.words, sign)

    def save(self, path: Path) -> None:
        """Write to a file."""
        np.savez_compressed(path, grams=self.grams.state(), words=self.words.state())

    @classmethod
    def load(cls, path: Path) -> Lexicon:
        """Read what `save` wrote."""
        found = cls()
        with np.load(path, allow_pickle=False) as file:
            found.grams = Frequencies.of(file["grams"])
            found.words = Frequencies.of(file["words"])
        return found


class Weighed:
    """Pages ready to be compared with questions; `many`: with so many that preparing pays."""

    def __init__(self, pages: Pages, lexicon: Lexicon, *, many: bool = False) -> None:
        self._lexicon = lexicon
        turned = _by_number if many else _by_text
        self._grams = turned(_unit(pages.grams, lexicon.grams))
        self._words = turned(_bm25(pages.words, lexicon.words))

    def scores(self, queries: Sequence[str]) -> Scores:
        """Return how near each text is, shape (queries, texts, 2), each from 0 to 1.

        First by words: BM25 as the share of the best that the question could reach; words that no
        text has count against all. Then by letters: the cosine between grams.
        """
        folded = [fold(query) for query in queries]
        grams, said = count_grams(folded), count_words(folded)
        said.data[:] = 1
        rarity = self._lexicon.words.rarity(said.indices)
        reach = csr_matrix((rarity, said.indices, said.indptr), said.shape).sum(1)
        shares = self._words(said) / np.maximum(np.asarray(reach) * (K1 + 1), 1e-9)
        return np.stack([shares, self._grams(_unit(grams, self._lexicon.grams))], axis=-1)


def _by_number(texts: csr_matrix) -> Compare:
    """Return the product of questions and texts, prepared: a question costs a tenth."""
    turned = texts.T.tocsr()
    return lambda questions: np.asarray((questions @ turned).todense())


def _by_text(texts: csr_matrix) -> Compare:
    """Return the product of questions and texts, as it is: turning would visit every number."""
    return lambda questions: (texts @ questions.toarray().T).T


def _unit(counts: Counts, frequencies: Frequencies) -> csr_matrix:
    """Return rows of length one, weighed by rarity; how often a text repeats counts little."""
    data = (1 + np.log(counts.data)) * frequencies.weight(counts.indices)
    weighed = csr_matrix((data, counts.indices, counts.indptr), counts.shape)
    length = np.sqrt(np.asarray(weighed.multiply(weighed).sum(1)).ravel())
    weighed.data /= np.repeat(np.maximum(length, 1e-9), np.diff(weighed.indptr))
    return weighed


def _bm25(counts: Counts, frequencies: Frequencies) -> csr_matrix:
    usual = frequencies.total / max(frequencies.texts, 1) or 1.0
    lengths = np.asarray(counts.sum(1)).ravel()
    norm = np.repeat(K1 * (1 - B + B * lengths / usual), np.diff(counts.indptr))
    data = counts.data * (K1 + 1) / (counts.data + norm) * frequencies.rarity(counts.indices)
    return csr_matrix((data, counts.indices, counts.indptr), counts.shape)
