"""French put into English word by word, for models that have read English only.

Not a translation that anybody should see: what classifiers learn from and judge. Phrases in
either language then say the same, and the embedding model understands them; on the training
phrases, held out by turns, that is worth more than anything else tried
(docs/decisions/0016-classifiers-that-keep-promises.md).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import knowledge

DICTIONARY = Path(knowledge.__file__).parent / "gloss.txt"
READ_CHARACTERS = 4_000
"""Of a text; a mail of 200 kB says what it wants at its beginning."""
ALSO_ENGLISH = frozenset("a ai am an as at c d do g i if j l m me n no on or plus s t us y".split())  # noqa: SIM905
"""Words and letters of both languages: they speak for neither."""
_SENTENCES = re.compile(r"[^.!?…\n]+[.!?…\n]*|[.!?…\n]+")
_ENDINGS = ("s", "x", "e", "es")


@dataclass(frozen=True)
class Dictionary:
    """What French means in English, and which words speak for either language."""

    meanings: dict[str, str]
    together: re.Pattern[str]
    english: frozenset[str]

    def meaning(self, word: str) -> str | None:
        """Return the English of a French word without accents, or nothing if it is not known."""
        found = self.meanings.get(word)
        for ending in _ENDINGS:
            if found is None and word.endswith(ending):
                found = self.meanings.get(word.removesuffix(ending))
        return found

    def votes(self, folded: str) -> tuple[int, int]:
        """Return how many words are French only, and how many English only."""
        french = english = 0
        for word in folded.split():
            if word in ALSO_ENGLISH:
                continue
            known = self.meaning(word) is not None
            french += known and word not in self.english
            english += word in self.english and not known
        return french, english


@cache
def dictionary() -> Dictionary:
    """Return the dictionary that ships."""
    lines = DICTIONARY.read_text("utf-8").splitlines()
    pairs = [line.partition("=")[::2] for line in lines if line and not line.startswith("#")]
    meanings = {french.strip(): english.strip() for french, english in pairs}
    phrases = sorted((key for key in meanings if " " in key), key=len, reverse=True)
    words = {word for english in meanings.values() for word in english.split()}
    together = re.compile(rf"\b(?:{'|'.join(phrases)})\b")
    return Dictionary(meanings, together, frozenset(words))


def fold(text: str) -> str:
    """Return the text in small letters and digits without accents, one space between words."""
    plain = unicodedata.normalize("NFKD", text.lower()).replace("œ", "oe")
    return re.sub(r"[\W_]+", " ", "".join(c for c in plain if not unicodedata.combining(c))).strip()


def votes(text: str) -> tuple[int, int]:
    """Return how many words are French only, and how many English only."""
    return dictionary().votes(fold(text[:READ_CHARACTERS]))


def english(text: str) -> str:
    """Return the text with each French sentence put into English; others are left as they are."""
    return "".join(_sentence(found[0]) for found in _SENTENCES.finditer(text[:READ_CHARACTERS]))


def _sentence(text: str) -> str:
    known = dictionary()
    folded = fold(text)
    french, english = known.votes(folded)
    if french <= english:
        return text
    words: list[str] = []
    start = 0
    for found in known.together.finditer(folded):
        words += [_word(word) for word in folded[start : found.start()].split()]
        words.append(known.meanings[found[0]])
        start = found.end()
    words += [_word(word) for word in folded[start:].split()]
    return f"{' '.join(word for word in words if word)}. "


def _word(word: str) -> str:
    found = dictionary().meaning(word)
    return word if found is None else found
