"""The words of a series before a model's number: « Color LaserJet Pro MFP »."""

from __future__ import annotations

from collections.abc import Iterator

from knowledge.catalogue import Catalogue
from knowledge.extraction.brands import nearest
from knowledge.extraction.words import Reading, word_set

AT_MOST = 6
"""Words between a series and its number."""
ALMOST = 80
"""Similarity that is enough before a number: « taskalpha 2553ci »."""
BETWEEN = word_set(
    "pro mfp enterprise managed flow color colour plus photo advance adv dx tank inkjet printer "
    "multifunction multifonction premium home all in one office laser press serie series modele "
    "model type"
)
"""What may stand between a series and its number."""
_COLOUR = word_set("color colour")
_LETTERS = word_set("mfp dx ir adv")
"""Written in capitals."""


def series_before(reading: Reading, left: int, catalogue: Catalogue) -> tuple[int, str]:
    """Go left from a number over the words of its series; return where it begins, and whose."""
    words, place, head, brand = reading.words, left, left, ""
    while place > max(left - AT_MOST, 0) and reading.joined(place):
        word = words[place - 1].text
        pair = words[place - 2].text + word if reading.joined(place - 1) else ""
        if word in catalogue.series or pair in catalogue.series:
            taken = 1 if word in catalogue.series else 2
            place -= taken
            head, brand = place, catalogue.series[word if taken == 1 else pair]
            if word in catalogue.spellings:  # a make's name too: « bizhub »
                break
        elif word in BETWEEN:
            place -= 1
            head = place if brand and word in _COLOUR else head
        elif word not in catalogue.spellings and (
            almost := nearest(word, catalogue.long_series, ALMOST)
        ):
            place -= 1
            head, brand = place, catalogue.series[almost]
        else:
            break
    return head, brand


def series_words(reading: Reading, head: int, left: int, catalogue: Catalogue) -> Iterator[str]:
    """Yield the words of a series as its make writes them."""
    for word in reading.words[head:left]:
        own = reading.text[word.start : word.end]
        if word.text == "i" and reading.plain.startswith("i-sensys", word.start):
            continue  # one name, which its second half says
        if word.text in _LETTERS:
            yield own.upper()
        elif word.text in catalogue.series_names:
            yield catalogue.series_names[word.text]
        else:
            almost = nearest(word.text, catalogue.long_series, ALMOST)
            yield catalogue.series_names.get(almost, own.title() if own.islower() else own)
