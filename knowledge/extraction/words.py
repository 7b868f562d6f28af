"""A text made ready for being read: plain letters, place for place, and its words."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

from schemas.findings import Finding

SURE, FIRM, LIKELY, GUESSED, DOUBTFUL = 0.95, 0.9, 0.85, 0.7, 0.5
"""How sure a finding is: of findings that overlap, the surest is kept."""

_WORD = re.compile(r"[a-z0-9]+")
_JOINED = frozenset(("", " ", "-", "_", " -", "- ", "  "))
"""What may stand inside of a name: « HL L2350DW », « M-404 »."""


def _letters() -> dict[int, str]:
    """Return for each letter of Latin scripts the plain lower-case one, where one is enough."""
    found = {}
    for number in (*range(0x41, 0x250), *range(0x1E00, 0x1F00), *range(0xFF01, 0xFF5F)):
        plain = unicodedata.normalize("NFKD", chr(number))[0].lower()
        if plain.isascii() and plain.isprintable():
            found[number] = plain
    found |= dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2212\ufe63"), "-")
    found |= dict.fromkeys(map(ord, "\u2018\u2019\u201b\u2032`\u00b4"), "'")
    found |= dict.fromkeys(map(ord, "\u00a0\u2007\u2009\u202f\u3000\t"), " ")
    return found | dict.fromkeys(map(ord, "\u00d7\u2715"), "x") | {ord("\u00ba"): "°"}


_LETTERS = _letters()


def plain(text: str) -> str:
    """Return a text in plain lower-case letters; each character stays in its place."""
    return text.translate(_LETTERS)


def any_of(words: str) -> str:
    """Return a pattern for any of these words; « _ » stands for a blank inside of one."""
    return "|".join(words.split()).replace("_", " ")


def word_set(words: str) -> frozenset[str]:
    """Return these words as a set."""
    return frozenset(words.split())


class Word(NamedTuple):
    """Letters and digits, and where they stand."""

    text: str
    start: int
    end: int


class Reading:
    """A text while it is read, and what of it can name no printer and no code.

    Attributes
    ----------
    text
        As it was written.
    plain
        In plain lower-case letters, place for place.
    words
        Runs of letters and digits in `plain`.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.plain = plain(text)
        self.words: Sequence[Word] = [
            Word(match.group(), *match.span()) for match in _WORD.finditer(self.plain)
        ]
        self._hidden = bytearray(len(text))

    @cached_property
    def starts(self) -> list[int]:
        """Where the words begin."""
        return [word.start for word in self.words]

    def hide(self, start: int, end: int) -> None:
        """Have nobody look for names there."""
        self._hidden[start:end] = b"\x01" * (end - start)

    def is_hidden(self, start: int, end: int) -> bool:
        """Say whether any of it is hidden."""
        return self._hidden.find(1, start, end) >= 0

    def joined(self, place: int) -> bool:
        """Say whether a word and the one before it may belong to one name."""
        if not 0 < place < len(self.words):
            return False
        return self.plain[self.words[place - 1].end : self.words[place].start] in _JOINED

    def word_at(self, start: int) -> int:
        """Return the place of the first word that begins there or later."""
        return bisect_left(self.starts, start)

    def finding(
        self, kind: str, span: tuple[int, int], confidence: float, by: str, value: str = ""
    ) -> Finding:
        """Return what was found there; its value is what is written, unless another is given."""
        own = value or self.text[slice(*span)].upper()
        return Finding(
            kind=kind, value=own, start=span[0], end=span[1], confidence=confidence, by=by
        )


def digits(text: str) -> int:
    """Return how many digits a text has."""
    return sum(map(str.isdigit, text))
