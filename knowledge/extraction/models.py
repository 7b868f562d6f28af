"""Models that a text names.

Nearly every model's name has a word with digits at its heart. From there one goes left over the
letters and the words of its series, and right over the letters behind it; what was gathered is
looked up in the table, then held against the families of the makes that are named.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from itertools import product
from typing import NamedTuple

from rapidfuzz.distance import OSA

from knowledge.catalogue import Catalogue, Known, Make
from knowledge.extraction.brands import nearest
from knowledge.extraction.words import GUESSED, LIKELY, SURE, Reading, any_of
from schemas.findings import Finding

AT_MOST = 400
"""Words with digits looked at: whoever writes more of them keeps us busy on purpose."""
SERIES_WORDS = 6
LONG = 4
"""Characters of a number that says something by itself: « HP 305 » is a cartridge."""
GUESSABLE, FIGURES = 6, 3
"""Characters, and digits among them, of a name whose letters may be misspelt."""


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_BETWEEN = _set(
    "pro mfp enterprise managed flow color colour plus photo advance adv dx tank inkjet "
    "printer multifunction multifonction premium home all in one office laser serie series "
    "modele model type"
)
"""Between a series and its number."""
_COLOUR = _set("color colour")
_BEHIND = _set(
    "dn dw dne dwe dnw dwf dtn dtwf dte nw nf fn fw fdn fdw sdn sdw cdn cdw cdwt cidn cidw "
    "idn idw ci cx cdx fdwe dwt hdn dhe ade adwe adw spf sf sfnw dnwx exsp mfp"
)
"""Letters behind a number that are often written apart."""
_LONELY = _set(
    r"et ip im mp sp ms mx mc mb ts tr sx ml ir al am pro fax b c e g j k l m p t w x a d r"
)
"""Letters before a number that are words or units too, when they stand apart: « et 2850 pages »."""
_ARTICLES = _set(
    "la le les l une un ma mon mes notre nos votre cette ce sur pour modele model the our my "
    "an this imprimante printer copieur copier type multifonction machine reference and et"
)
_ZERO = re.compile(r"(?<=\d)o+|o+(?=\d)")
_ONE = re.compile(r"(?<=\d)[il]+(?=\d)")
_PARTS = re.compile(r"([a-z]*)(\d.*)")
_DASHED = re.compile(rf"({any_of('hl dcp mfc wf et al am sl mx bp')})([a-z]{{0,2}})")
_BLANK = re.compile(r"(im|mp|sp|pro)(c?w?)")
_OF_SERIES = re.compile(r"[a-z]{0,3}\d{2,5}[a-z]{0,6}")


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


def models(reading: Reading, catalogue: Catalogue, makes: Collection[Finding]) -> Iterator[Finding]:
    """Find models, of the makes that were found or, where none was, of any make."""
    ends = frozenset(reading.word_at(found.end) - 1 for found in makes)
    named = Named(frozenset(found.value for found in makes), ends)
    places = [place for place, word in enumerate(reading.words) if not word.text.isalpha()]
    for place in places[:AT_MOST]:
        for part in _parts(reading, place, catalogue, named):
            found = _judge(part, catalogue, named)
            if found:
                value, confidence, by = found
                span = reading.words[part.head].start, reading.words[part.right].end
                name = " ".join([*_series_words(reading, part, catalogue), value])
                yield reading.finding("model", span, confidence, by, name)
                break


def _parts(reading: Reading, place: int, catalogue: Catalogue, named: Named) -> Iterator[Part]:
    """Yield what may be the number of a model around a word with digits, the longest first."""
    words = reading.words
    first, last = place, place
    while (
        first > place - 2 and reading.joined(first) and words[first - 1].text in catalogue.prefixes
    ):
        first -= 1
    if reading.joined(place + 1) and words[place + 1].text in _BEHIND:
        last += 1
    for left, right in product(range(first, place + 1), range(last, place - 1, -1)):
        span = words[left].start, words[right].end
        if reading.is_hidden(*span):
            continue
        head, series_of = _series(reading, left, catalogue)
        blank = left < place and reading.plain[words[place].start - 1] == " "
        small = reading.plain[slice(*span)] == reading.text[slice(*span)]
        yield Part(
            head, left, right, "".join(word.text for word in words[left : right + 1]), series_of,
            words[left].text if blank and small else "", _told(reading, left, named),
        )  # fmt: skip


def _series(reading: Reading, left: int, catalogue: Catalogue) -> tuple[int, str]:
    """Go left from a number over the words of its series; return where it begins, and whose."""
    words, place, head, brand = reading.words, left, left, ""
    while place > max(left - SERIES_WORDS, 0) and reading.joined(place):
        word = words[place - 1].text
        pair = words[place - 2].text + word if reading.joined(place - 1) else ""
        if word in catalogue.series or pair in catalogue.series:
            taken = 1 if word in catalogue.series else 2
            place -= taken
            head, brand = place, catalogue.series[word if taken == 1 else pair]
            if word in catalogue.spellings:  # a make's name too: « bizhub »
                break
        elif word in _BETWEEN:
            place -= 1
            head = place if brand and word in _COLOUR else head
        elif word not in catalogue.spellings and (almost := nearest(word, catalogue.long_series)):
            place -= 1
            head, brand = place, catalogue.series[almost]
        else:
            break
    return head, brand


def _series_words(reading: Reading, part: Part, catalogue: Catalogue) -> Iterator[str]:
    for word in reading.words[part.head : part.left]:
        own = reading.text[word.start : word.end]
        yield catalogue.series_names.get(word.text, own.title() if own.islower() else own)


def _told(reading: Reading, left: int, named: Named) -> bool:
    """Say whether the word before a bare number makes it a name: « la 8720 », « HP 8720 »."""
    if not reading.joined(left):
        return False
    return left - 1 in named.ends or reading.words[left - 1].text in _ARTICLES


def _judge(part: Part, catalogue: Catalogue, named: Named) -> tuple[str, float, str] | None:
    """Say what a number is the name of: our spelling, how sure, and how it was told."""
    makes = frozenset((part.series_of,)) if part.series_of else named.brands
    lonely = part.apart in _LONELY and not makes
    for form, meant in _forms(part.number):
        bare = form.isdigit() and not part.series_of
        if lonely or (bare and not (part.told and len(form) >= LONG)):
            continue
        if known := _of(makes, catalogue.table.get(form, ())):
            return known[0].number, LIKELY if meant else SURE, "fuzzy" if meant else "table"
        for name in sorted(makes) or catalogue.makes:
            make = catalogue.makes[name]
            if _fits(make, form, catalogue, makes, series=bool(part.series_of)):
                sure = SURE if form in catalogue.stems else LIKELY
                return (
                    _styled(form, make),
                    GUESSED if meant else sure,
                    "fuzzy" if meant else "pattern",
                )
    return None if lonely else _misspelt(part.number, makes, catalogue)


def _of(makes: Collection[str], known: Sequence[Known]) -> Sequence[Known]:
    return [each for each in known if each.brand in makes] if makes else known


def _forms(number: str) -> Iterator[tuple[str, bool]]:
    """Yield a number as it is written, then as it may have been meant: « C75O »."""
    yield number, False
    meant = _ONE.sub(lambda match: "1" * len(match.group()), number)
    meant = _ZERO.sub(lambda match: "0" * len(match.group()), meant)
    if meant != number:
        yield meant, True


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


def _misspelt(
    number: str, makes: Collection[str], catalogue: Catalogue
) -> tuple[str, float, str] | None:
    """Return the known model with the same digits whose letters are nearly these."""
    figures = re.sub(r"\D", "", number)
    if len(number) < GUESSABLE or len(figures) < FIGURES:
        return None
    for key in catalogue.digits.get(figures, ()):
        known = _of(makes, catalogue.table[key])
        if known and OSA.distance(number, key, score_cutoff=1) <= 1:
            return known[0].number, GUESSED, "fuzzy"
        if known and makes and key.endswith(number) and not number.isdigit():
            return known[0].number, LIKELY, "fuzzy"
    return None


def _styled(number: str, make: Make) -> str:
    """Write a number as its make does: HL-L2350DW, IM C3000, M404dn."""
    match = _PARTS.fullmatch(number)
    letters, rest = match.groups() if match else ("", number)
    if make.style == "plain":
        return letters.upper() + rest
    pattern, between = (_DASHED, "-") if make.style == "dash" else (_BLANK, " ")
    head = pattern.fullmatch(letters)
    if head:
        return f"{head[1]}{between}{head[2]}{rest}".upper()
    lone = make.style == "blank" or len(letters) < 2  # noqa: PLR2004 - « L3150 », « P 501 »
    return (letters + rest if lone else f"{letters}-{rest}").upper()
