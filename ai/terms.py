"""Texts as counts of words and of letters in a row, accents and inflection forgiven.

Both become hashed numbers, so that a text that is added later needs no vocabulary rebuilt, and
many texts are counted in one pass over their bytes.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import TypeAlias
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from tantivy import Filter, TextAnalyzerBuilder, Tokenizer

GRAM_SPACE = 1 << 18
WORD_SPACE = 1 << 20
"""Numbers that grams and words may have. 73 articles have 20,000 different grams."""
GRAMS = (3, 4, 5)
"""Letters in a row, within a word and its edges."""
LONGEST = 20_000
"""Characters of a text that are looked at; a customer's question has some hundred."""
_SPREAD = np.uint64(0x9E3779B97F4A7C15)  # Knuth's multiplicative hash: 2^64 over the golden ratio

_STEMS = (
    TextAnalyzerBuilder(Tokenizer.raw())
    .filter(Filter.stemmer("english"))
    .filter(Filter.stemmer("french"))
    .build()
)
STOP_WORDS = frozenset(
    """
    le la les un une des du de et est ne pas que qui je j il elle on nous vous mon ma mes a au aux
    en dans sur pour par avec ce ca cela se sa son ses c d l m n s t y
    the an of and is are to in for my i it you we with this that not do does
    """.split()  # noqa: SIM905 - one word a line would be seventy lines
)

Counts: TypeAlias = csr_matrix
Tokens = list[str]


def fold(text: str) -> str:
    """Return the text in small letters and digits without accents, one space between words."""
    plain = unicodedata.normalize("NFKD", text[:LONGEST].lower())
    plain = re.sub("[\u0300-\u036f]+", "", plain).replace("œ", "oe").replace("æ", "ae")
    return re.sub(r"[\W_]+", " ", plain).strip()


def words(folded: str) -> Tokens:
    """Return the words of a folded text that say something, without their endings."""
    return [_stem(word) for word in folded.split() if word not in STOP_WORDS]


def count_words(folded: Sequence[str]) -> Counts:
    """Return how often each text has each word, shape (texts, WORD_SPACE)."""
    found = [numbers_of(words(text)) for text in folded]
    lengths = [len(numbers) for numbers in found]
    numbers = np.fromiter((n for row in found for n in row), np.int64, sum(lengths))
    return _counted(np.repeat(np.arange(len(folded)), lengths), numbers, len(folded), WORD_SPACE)


def count_grams(folded: Sequence[str]) -> Counts:
    """Return how often each text has each gram, shape (texts, GRAM_SPACE)."""
    texts = [f" {text} \n".encode() for text in folded]
    owner = np.repeat(np.arange(len(texts)), [len(text) for text in texts])
    letters = np.frombuffer(b"".join(texts), np.uint8)
    parts = [_grams(letters, size) for size in GRAMS]
    rows = np.concatenate([owner[places] for places, _ in parts])
    return _counted(rows, np.concatenate([n for _, n in parts]), len(texts), GRAM_SPACE)


def numbers_of(found: Sequence[str]) -> list[int]:
    """Return the numbers of words."""
    return [_word_number(word) for word in found]


@lru_cache(65_536)
def _stem(word: str) -> str:
    """Return a word without its ending, English or French: nobody says which it is."""
    return "".join(_STEMS.analyze(word))


@lru_cache(65_536)
def _word_number(word: str) -> int:
    return crc32(word.encode()) % WORD_SPACE


def _grams(letters: NDArray[np.uint8], size: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where grams of one size begin, and their numbers."""
    if len(letters) < size:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    windows = np.lib.stride_tricks.sliding_window_view(letters, size)
    inside = windows[:, 1:-1]
    whole = ((inside != ord(" ")) & (inside != ord("\n"))).all(1)
    whole &= (windows[:, 0] != ord("\n")) & (windows[:, -1] != ord("\n"))
    places = np.flatnonzero(whole)
    code = np.full(len(places), size, np.uint64)
    for column in range(size):
        code = (code << np.uint64(8)) | windows[places, column].astype(np.uint64)
    return places, ((code * _SPREAD) >> np.uint64(46)).astype(np.int64)


def _counted(rows: NDArray[np.int64], numbers: NDArray[np.int64], texts: int, space: int) -> Counts:
    both, counts = np.unique(rows * space + numbers, return_counts=True)
    starts = np.searchsorted(both, np.arange(texts + 1) * space)
    return csr_matrix((counts.astype(np.float32), both % space, starts), (texts, space))
