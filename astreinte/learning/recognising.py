"""Of what language, make and models a document is, where nobody says."""

from __future__ import annotations

from collections import Counter
from functools import cache

from ai.language import LanguageDetector
from knowledge.catalogue import Catalogue, load_catalogue
from knowledge.extraction.findings import find

LOOKED_AT = 20_000
"""Characters of a document that are looked at."""
MENTIONS, SHARE = 3, 0.8
"""A document is about a make that it names so often, and that has so much of all such names."""


def language_of(text: str) -> str:
    """Return the language of a text."""
    return _languages().detect(text[:LOOKED_AT])[0].value


def make_of(title: str, text: str) -> tuple[str, list[str]]:
    """Return the make that a document is about, and the models that its title names; or nothing."""
    catalogue = _catalogue()
    found = find(title, catalogue)
    brands = {one.value for one in found if one.kind == "brand"}
    models = sorted({one.value for one in found if one.kind == "model"})
    if len(brands) == 1:
        return brands.pop(), models
    counts: Counter[str] = Counter()
    step = 4_000
    for start in range(0, min(len(text), LOOKED_AT), step):
        part = find(text[start : start + step], catalogue)
        counts.update(one.value for one in part if one.kind == "brand")
    if not counts or brands:
        return "", []
    ((brand, count),) = counts.most_common(1)
    if count >= MENTIONS and count >= SHARE * counts.total():
        return brand, models
    return "", []


@cache
def _languages() -> LanguageDetector:
    return LanguageDetector()


@cache
def _catalogue() -> Catalogue:
    return load_catalogue()
