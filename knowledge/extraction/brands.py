"""Makes that a text names."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import lru_cache

from rapidfuzz import fuzz, process

from knowledge.catalogue import Catalogue, squeeze
from knowledge.extraction.words import GUESSED, LIKELY, SURE, Reading, digits
from schemas.findings import Finding

ALMOST = 85
"""Similarity (0 to 100) from which a misspelt word counts as a name: « lexmarc », « epsonn »."""
LONG = 5
"""Letters of a word that may be guessed: of shorter ones, chance."""

_OTHERS = frozenset(
    ("bother", "bothers", "brothers", "canton", "canyon", "canons", "another", "smother")
)
"""Words of their own that look like a misspelt make: « sorry to bother you »."""
_RELATIVES = frozenset(("my", "your", "his", "her", "our", "their", "a", "little", "big", "older"))
"""Before « brother », in lower case: a person."""


def brands(reading: Reading, catalogue: Catalogue) -> Iterator[Finding]:
    """Find makes, in all spellings; misspelt ones where none is spelt right."""
    exact = False
    for place, word in enumerate(reading.words):
        names = [(word.start, word.text)]
        if reading.joined(place):
            before = reading.words[place - 1]
            names.insert(0, (before.start, before.text + word.text))
        for start, name in names:
            known = name in catalogue.spellings
            brand = catalogue.spellings.get(name) or catalogue.misspelt.get(name)
            if brand and not _is_relative(reading, place, name):
                exact |= known
                sure, by = (SURE, "table") if known else (GUESSED, "fuzzy")
                yield reading.finding("brand", (start, word.end), sure, by, brand)
                break
    if not exact:
        yield from _guessed(reading, catalogue)


def _guessed(reading: Reading, catalogue: Catalogue) -> Iterator[Finding]:
    names = tuple(name for name in catalogue.spellings if len(name) >= LONG)
    for word in reading.words:
        known = word.text in _OTHERS or word.text in catalogue.spellings
        almost = "" if known else nearest(word.text, names)
        if almost:
            span = word.start, word.end
            yield reading.finding("brand", span, GUESSED, "fuzzy", catalogue.spellings[almost])


@lru_cache(8192)
def nearest(word: str, names: tuple[str, ...], almost_from: int = ALMOST) -> str:
    """Return the name that a word is nearly, or nothing."""
    if len(word) < LONG or not word.isalpha():
        return ""
    almost = process.extractOne(word, names, scorer=fuzz.ratio, score_cutoff=almost_from)
    return almost[0] if almost else ""


def _is_relative(reading: Reading, place: int, name: str) -> bool:
    """Say whether « brother » is one: « my brother told me », not « my brother HL-2030 »."""
    words = reading.words
    if name != "brother" or not place or reading.text[words[place].start].isupper():
        return False
    after = words[place + 1].text if place + 1 < len(words) else ""
    return (
        words[place - 1].text in _RELATIVES
        and after not in {"printer", "hl", "dcp", "mfc"}
        and not digits(after)
    )


def implied_brand(kept: Collection[Finding], catalogue: Catalogue) -> Iterator[Finding]:
    """Return the make of the first model whose name leaves no doubt about it."""
    if any(found.kind == "brand" for found in kept):
        return
    for found in kept:
        brand = brand_of(found.value, catalogue) if found.kind == "model" else ""
        if brand:
            span = found.start, found.end
            yield Finding(
                kind="brand", value=brand, start=span[0], end=span[1], confidence=LIKELY,
                by=found.by,
            )  # fmt: skip
            return


def brand_of(model: str, catalogue: Catalogue) -> str:
    """Return the make of a model, where its name alone tells."""
    series, _, number = model.rpartition(" ")
    known = (*catalogue.table.get(squeeze(model), ()), *catalogue.table.get(squeeze(number), ()))
    owners = {each.brand for each in known} or set(catalogue.stems.get(squeeze(number), ()))
    of_series = catalogue.series.get(squeeze(series.partition(" ")[0]), "")
    return of_series or (owners.pop() if len(owners) == 1 else "")
