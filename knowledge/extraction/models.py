"""Models that a text names.

Nearly every model's name has a word with digits at its heart. From there one goes left over the
letters and the words of its series, and right over the letters behind it; what was gathered is
looked up in the table, then held against the families of the makes that are named.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from rapidfuzz.distance import OSA

from knowledge.catalogue import Catalogue, Known, Make
from knowledge.extraction.parts import Named, Part, parts
from knowledge.extraction.series import BETWEEN, series_words
from knowledge.extraction.spelling import forms, styled
from knowledge.extraction.words import GUESSED, LIKELY, SURE, Reading, word_set
from schemas.findings import Finding

AT_MOST = 400
"""Words with digits looked at: whoever writes more of them keeps us busy on purpose."""
LONG = 4
"""Characters of a number that says something by itself: « HP 305 » is a cartridge."""
DOUBT = 0.1
GUESSABLE, FIGURES = 6, 3
"""Characters, and digits among them, of a name whose letters may be misspelt."""


_LONELY = word_set(
    r"et ip im mp sp ms mx mc mb ts tr sx ml ir al am pro fax b c e g j k l m p t w x a d r"
)
"""Letters before a number that are words or units too, when they stand apart: « et 2850 pages »."""
_LIKE_ONE = re.compile(r"[A-Z]{1,4}\d{3,5}[a-zA-Z]{0,4}")
_DEVICE = re.compile(
    r"\b(?:imprimantes?|printers?|copieurs?|copiers?|photocopieu\w+|multifonctions?|mfp|traceurs?|"
    r"plotters?|scanners?|etiqueteuses?|modeles?|models?|machines?)\b[^.!?\n]{0,40}$"
)
NEAR = 60
_OF_SERIES = re.compile(r"[a-z]{0,3}\d{2,5}[a-z]{0,6}")


class Told(NamedTuple):
    """What a number is the name of: our spelling, how sure, and how it was told."""

    value: str
    confidence: float
    by: str


def models(reading: Reading, catalogue: Catalogue, makes: Collection[Finding]) -> Iterator[Finding]:
    """Find models, of the makes that were found or, where none was, of any make."""
    ends = frozenset(reading.word_at(found.end) - 1 for found in makes)
    named = Named(frozenset(found.value for found in makes), ends)
    places = [place for place, word in enumerate(reading.words) if not word.text.isalpha()]
    last: Finding | None = None
    for place in places[:AT_MOST]:
        found = _model_at(reading, place, catalogue, named) or _called_one(reading, place)
        if last and not (found and _goes_on(reading, last, found)):
            yield last
        last = found
    if last:
        yield last


def _goes_on(reading: Reading, one: Finding, other: Finding) -> bool:
    """Say whether a bare number is a part of the name after it: « LaserJet Pro 400 M401dn »."""
    between = reading.plain[one.end : other.start].split()
    return (
        one.value.split()[-1].isdigit() and set(between) <= BETWEEN and other.start - one.end < NEAR
    )


def _model_at(reading: Reading, place: int, catalogue: Catalogue, named: Named) -> Finding | None:
    """Return the model around a word with digits."""
    for part in parts(reading, place, catalogue, named):
        if told := _judge(part, catalogue, named):
            span = reading.words[part.head].start, reading.words[part.right].end
            name = [*series_words(reading, part.head, part.left, catalogue), told.value]
            return reading.finding("model", span, told.confidence, told.by, " ".join(name))
    return None


def _called_one(reading: Reading, place: int) -> Finding | None:
    """Return what is like a model of a make that we do not know: « une imprimante ZC300 »."""
    word = reading.words[place]
    own = reading.text[word.start : word.end]
    before = reading.plain[max(0, word.start - NEAR) : word.start]
    if reading.is_hidden(*word[1:]) or not (_LIKE_ONE.fullmatch(own) and _DEVICE.search(before)):
        return None
    return reading.finding("model", word[1:], GUESSED, "context", own)


def _judge(part: Part, catalogue: Catalogue, named: Named) -> Told | None:
    """Say what a number is the name of, first of the makes that are named, then of any other."""
    makes = frozenset((part.series_of,)) if part.series_of else named.brands
    lonely = part.apart in _LONELY and not makes
    if lonely and not (part.number in catalogue.table and part.number[-1].isalpha()):
        return None
    # A name that we know comes before one that would only be possible: « HL-L235ODW ».
    for form, meant in sorted(forms(part.number), key=lambda each: each[0] not in catalogue.table):
        bare = form.isdigit() and not part.series_of
        if not form or (bare and not (makes and part.told and len(form) >= LONG)):
            continue
        if not makes and form[0].isdigit() and len(form) <= LONG:
            continue  # « le 165e bataillon »
        found = (
            _known(form, makes, catalogue)
            or _swapped(form, makes, catalogue)
            or _of_a_family(form, part, makes, catalogue)
        )
        if not found and bare:
            found = _of_digits(form, makes, catalogue)
        elif not found and makes and not part.series_of:
            found = _of_another(form, catalogue)
        if found:
            return Told(found.value, found.confidence - DOUBT, "fuzzy") if meant else found
    return _misspelt(part.number, makes, catalogue)


def _known(number: str, makes: Collection[str], catalogue: Catalogue) -> Told | None:
    known = _of(makes, catalogue.table.get(number, ()))
    return Told(known[0].number, SURE, "table") if known else None


def _swapped(number: str, makes: Collection[str], catalogue: Catalogue) -> Told | None:
    """Return the known model with these very letters and digits, of which two changed places."""
    if len(number) < GUESSABLE:
        return None
    for key in catalogue.digits.get(re.sub(r"\D", "", number), ()):
        known = _of(makes, catalogue.table[key])
        if known and sorted(key) == sorted(number) and OSA.distance(key, number) == 1:
            return Told(known[0].number, LIKELY, "fuzzy")
    return None


def _of_a_family(
    number: str, part: Part, makes: Collection[str], catalogue: Catalogue
) -> Told | None:
    for name in sorted(makes) or catalogue.makes:
        make = catalogue.makes[name]
        if _fits(make, number, catalogue, makes, series=bool(part.series_of)):
            sure = SURE if number in catalogue.stems else LIKELY
            return Told(styled(number, make), sure, "pattern")
    return None


def _of_digits(number: str, makes: Collection[str], catalogue: Catalogue) -> Told | None:
    """Return a number whose letters were left out: « la Brother 2350 »."""
    keys = catalogue.digits.get(number, ())
    found = any(_of(makes, catalogue.table[key]) for key in keys)
    return Told(number, GUESSED, "pattern") if found else None


def _of_another(number: str, catalogue: Catalogue) -> Told | None:
    """Return a model of a make that is not named beside others: « la HP et la MFC-L2710DW »."""
    if len(number) <= LONG or number[0].isdigit():
        return None
    if known := catalogue.table.get(number):
        return Told(known[0].number, LIKELY, "table")
    for make in catalogue.makes.values():
        if make.models.fullmatch(number):
            return Told(styled(number, make), GUESSED, "pattern")
    return None


def _of(makes: Collection[str], known: Sequence[Known]) -> Sequence[Known]:
    return [each for each in known if each.brand in makes] if makes else known


def _fits(
    make: Make, number: str, catalogue: Catalogue, makes: Collection[str], *, series: bool
) -> bool:
    """Say whether a number is of a make's families."""
    if make.models.fullmatch(number):
        return True
    if make.name not in makes:
        known = make.name in catalogue.stems.get(number, ())
        return known and number[0].isalpha() and len(number) >= LONG
    return bool(make.named.fullmatch(number) or (series and _OF_SERIES.fullmatch(number)))


def _misspelt(number: str, makes: Collection[str], catalogue: Catalogue) -> Told | None:
    """Return the known model with the same digits whose letters are nearly these."""
    figures = re.sub(r"\D", "", number)
    if len(number) < GUESSABLE or len(figures) < FIGURES:
        return None
    for key in catalogue.digits.get(figures, ()):
        known = _of(makes, catalogue.table[key])
        if known and OSA.distance(number, key, score_cutoff=1) <= 1:
            return Told(known[0].number, GUESSED, "fuzzy")
        if known and makes and key.endswith(number) and not number.isdigit():
            return Told(known[0].number, LIKELY, "fuzzy")
    return None
