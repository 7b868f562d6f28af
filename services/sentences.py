"""Texts read as the checks of answers read them: sentences, content stems, the language. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import snowballstemmer

from knowledge.checks import load_checks
from schemas.vocabulary import Language

_END = re.compile(r"(?<=[.!?…;])[»\")\]]*\s+|\n+|\s+[:–—]\s+(?=\S{2})")
_MARKER = re.compile(
    r"^[ \t]*(?:[-*•·–>]+|\(?(?:\d{1,2}|[a-h])[.)])[ \t]+|(?<=[ \t])\(?[1-9]\)[ \t]+", re.MULTILINE
)
_WORD = re.compile(r"[^\W\d_]+")
SHORT_STEM = 3
"""Letters that are left of a French verb at least."""
CLEAR = 3
"""So many more small words of a language than of the other tell it."""


@dataclass(frozen=True)
class Piece:
    """A sentence or a step, `whole[start:end]`, without the mark of a list."""

    start: int
    end: int
    text: str


def pieces(text: str) -> tuple[Piece, ...]:
    """Return the sentences of a text."""
    return tuple(_pieces(_MARKER.sub(lambda mark: " " * len(mark[0]), text)))


def _pieces(text: str) -> Iterator[Piece]:
    start = 0
    for end, after in [*((m.start(), m.end()) for m in _END.finditer(text)), (len(text),) * 2]:
        whole = text[start:end]
        bare = whole.strip()
        if any(letter.isalnum() for letter in bare):
            lead = len(whole) - len(whole.lstrip())
            yield Piece(start + lead, start + lead + len(bare), bare)
        start = after


def fold(text: str) -> str:
    """Return small letters without accents."""
    plain = text.casefold().replace("œ", "oe").replace("æ", "ae").replace("’", "'")
    letters = unicodedata.normalize("NFKD", plain)
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def words(text: str) -> list[str]:
    """Return the words, in small letters without accents."""
    return _WORD.findall(fold(text))


def content(text: str, language: Language) -> frozenset[str]:
    """Return the stems of the words that state something."""
    checks = load_checks()
    idle = checks.stop[language] | checks.courtesy[language]
    return frozenset(stem(word, language) for word in words(text) if word not in idle)


@lru_cache(maxsize=20_000)
def stem(word: str, language: Language) -> str:
    """Return a word's stem; words that an answer may put for one another have the same."""
    known = load_checks().same.get(word)
    if known:
        return known
    found = str(_stemmer(language).stemWord(word))
    # « utilisent » is what the stemmer leaves as it is: without accents it may be a noun.
    bare = found.removesuffix("ent")
    return bare if language is Language.FR and len(bare) > SHORT_STEM else found


@cache
def _stemmer(language: Language) -> Any:
    return snowballstemmer.stemmer("french" if language is Language.FR else "english")


def language_seems(text: str) -> Language | None:
    """Return the language that a text is clearly written in, if it is."""
    found, only = words(text), load_checks().only
    count = {each: sum(word in only[each] for word in found) for each in Language}
    lead = count[Language.FR] - count[Language.EN]
    if abs(lead) < CLEAR:
        return None
    return Language.FR if lead > 0 else Language.EN
