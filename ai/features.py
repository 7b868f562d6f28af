"""What a classifier sees of a text: word and character n-grams beside its embedding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer

from ai.embeddings import Vectors

SEEN_CHARACTERS = 4_000
"""Of a text; a mail of 200 kB would else take a second and say no more."""
MANY = 1_000
KINDS = ("words", "characters")


class Features:
    """Turns texts into rows; several classifiers may share one.

    Parameters
    ----------
    vectorizers
        Of words and of characters, fitted.
    """

    def __init__(self, vectorizers: Mapping[str, TfidfVectorizer]) -> None:
        self._vectorizers = vectorizers
        self._last: tuple[tuple[str, ...], csr_matrix] | None = None

    @classmethod
    def learn(cls, texts: Sequence[str]) -> Features:
        """Return what knows the n-grams of `texts`; of many, those that occur twice at least."""
        fewest = 2 if len(texts) >= MANY else 1
        made = {kind: _vectorizer(kind, min_df=fewest) for kind in KINDS}
        for vectorizer in made.values():
            vectorizer.fit([text[:SEEN_CHARACTERS] for text in texts])
        return cls(made)

    def of(self, texts: Sequence[str], vectors: Vectors) -> csr_matrix:
        """Return one row a text, embedding first; those asked for last are not computed again."""
        if self._last is None or self._last[0] != tuple(texts):
            seen = [text[:SEEN_CHARACTERS] for text in texts]
            parts = [csr_matrix(vectors)]
            parts += [vectorizer.transform(seen) for vectorizer in self._vectorizers.values()]
            self._last = tuple(texts), hstack(parts, dtype=np.float32).tocsr()
        return self._last[1]

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all of it as arrays of numbers."""
        found: dict[str, NDArray[Any]] = {}
        for kind, vectorizer in self._vectorizers.items():
            # No n-gram holds a line feed: words have no space of any kind, characters one only.
            terms = "\n".join(vectorizer.get_feature_names_out())
            found[f"{kind}_terms"] = np.frombuffer(terms.encode(), np.uint8)
            found[f"{kind}_idf"] = vectorizer.idf_.astype(np.float32)
        return found

    @classmethod
    def restore(cls, arrays: Mapping[str, NDArray[Any]]) -> Features:
        """Return what `arrays` gave. Raises `KeyError` or `ValueError` when they are others."""
        made = {}
        for kind in KINDS:
            terms = arrays[f"{kind}_terms"].tobytes().decode().split("\n")
            vectorizer = _vectorizer(kind, vocabulary=terms)
            vectorizer.idf_ = arrays[f"{kind}_idf"]
            made[kind] = vectorizer
        return cls(made)


def _vectorizer(kind: str, **options: Any) -> TfidfVectorizer:
    options |= {"strip_accents": "unicode", "sublinear_tf": True, "dtype": np.float32}
    if kind == "words":
        return TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"(?u)\b\w+\b", **options)
    return TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), **options)
