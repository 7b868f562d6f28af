"""What of a text may be the number of a model: words with digits, and the letters around them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, product
from typing import NamedTuple

from knowledge.catalogue import Catalogue
from knowledge.extraction.series import BETWEEN, series_before
from knowledge.extraction.words import Reading, word_set

_BEHIND = word_set(
    "w dn dw dne dwe dnw dwf dtn dtwf dte nw nf fn fw fdn fdw sdn sdw cdn cdw cdwt cidn cidw "
    "idn idw ci cx cdx fdwe dwt hdn dhe ade adwe adw spf sf sfnw dnwx exsp mfp"
)
"""Letters behind a number that are often written apart."""
_ARTICLES = word_set(
    "la le les l une un ma mon mes notre nos votre cette ce sur pour modele model the our my "
    "an this imprimante printer copieur copier type multifonction machine reference and et"
)


class Named(NamedTuple):
    """The makes that a text names, and the places of the words that end them."""

    brands: frozenset[str]
    ends: frozenset[int]


class Part(NamedTuple):
    """Words from `left` to `right` whose letters may be a model's number.

    `head`: where its series begins, `series_of`: whose that is; `apart`: its letters stand apart;
    `told`: the word before says that a bare number is a name.
    """

    head: int
    left: int
    right: int
    number: str
    series_of: str
    apart: str
    told: bool


def parts(reading: Reading, place: int, catalogue: Catalogue, named: Named) -> Iterator[Part]:
    """Yield what may be the number of a model around a word with digits, the longest first."""
    words = reading.words
    first, last = place, place
    while (
        first > place - 2 and reading.joined(first) and words[first - 1].text in catalogue.prefixes
    ):
        first -= 1
    if reading.joined(place + 1) and words[place + 1].text in _BEHIND:
        last += 1
    shouted = reading.text.isupper()
    lefts = sorted(range(first, place + 1), key=lambda left: words[left].text in BETWEEN)
    for left, right in product(lefts, range(last, place - 1, -1)):
        span = words[left].start, words[right].end
        if reading.is_hidden(*span) or (left < place and _measured(reading, left)):
            continue
        head, series_of = series_before(reading, left, catalogue)
        blank = left < place and " " in reading.plain[words[place - 1].end : words[place].start]
        small = shouted or reading.plain[slice(*span)] == reading.text[slice(*span)]
        apart = words[left].text if blank and small and left == place - 1 else ""
        yield Part(
            head, left, right, "".join(word.text for word in words[left : right + 1]), series_of,
            apart, _told(reading, left, named),
        )  # fmt: skip
    if not reading.is_hidden(*words[place][1:]):
        yield from _glued(words[place].text, place, catalogue)


def _glued(word: str, place: int, catalogue: Catalogue) -> Iterator[Part]:
    """Yield what is left of a word without the make or the series before it: « hpm404dn »."""
    for name, brand in chain(catalogue.spellings.items(), catalogue.series.items()):
        if word.startswith(name) and (name == "hp" or len(name) > 2):  # noqa: PLR2004 - « lj »
            yield Part(place, place, place, word.removeprefix(name), brand, "", told=True)


def _measured(reading: Reading, left: int) -> bool:
    """Say whether letters are the unit of a number before them: « 200 m-400 m »."""
    return reading.joined(left) and reading.words[left - 1].text.isdigit()


def _told(reading: Reading, left: int, named: Named) -> bool:
    """Say whether the words before a bare number make it a name: « la 8720 », « HP Pro 8720 »."""
    while reading.joined(left) and reading.words[left - 1].text in BETWEEN:
        left -= 1
    before = left - 1
    return reading.joined(left) and (
        before in named.ends or reading.words[before].text in _ARTICLES
    )
