"""Panel codes that a text names: by the families of the makes, and by the words around them."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection, Iterator
from itertools import chain

from knowledge.catalogue import Catalogue
from knowledge.extraction.words import DOUBTFUL, GUESSED, LIKELY, SURE, Reading, any_of, digits
from schemas.findings import Finding

BEFORE, AFTER = 45, 30
"""Characters between a code and a word that speaks of codes."""
SHORT = 3
"""Of fewer characters, « E3 » or « P7 », a code may be anything."""
DIGITS = 4
"""Of fewer, a number alone is of no family that one could tell."""
SAID, SHOWN, HINTED = 3, 2, 1
"""How near one is to codes after « erreur », after « affiche », and after « bourrage »."""

_SAYING = any_of(
    "codes? erreurs? errors? err defauts? faults? faute alarmes? support_code msg mess"
)
_SHOWING = any_of(
    r"a?ff?ich\w{1,5} message panneau ecran display\w{0,3} show\w{0,3} says? saying "
    r"saing reads? reading panel screen indique\w{0,3} marque marqu[ae] ecrit written dit dis dire "
    r"met apparai\w{1,3} appears? signale\w? renvoie clignote\w{0,3} blink\w{0,3} flash\w{0,3} "
    r"voyant throw\w{0,3} come\w?_up pop\w{0,4} appel_technicien call_service call_for_service "
    r"bloque\w{0,4}_sur stuck_on stuck_at"
)
_HINTING = any_of(
    r"mets sort donne giv\w{1,3} get\w{0,4} got bloque\w{0,4} stuck stop\w{0,4} panne service "
    r"bourrages? jams? make led bip\w? plante\w? crash\w{0,3} hs disparu\w? efface\w? "
    r"cleared gone again encore toujours still"
)
_SPOKEN = re.compile(rf"(?<!\w)(?:({_SAYING})|({_SHOWING})|{_HINTING})(?!\w)")
_PARAGRAPH = re.compile(r"\n\s*\n")
_SENTENCE = re.compile(r"[.!?\n]")
_FILLERS = any_of(
    r"d'erreur erreurs? errors? codes? panne defaut technique technicien service systeme "
    r"machine numero number num est is was etait c'est affichee? affiche qui s'affiche "
    r"suivante? le la the du_type de_type type of dit ecran message"
)
_VALUES = (
    r"[0o]x[0-9a-fo]{2,8}",
    r"(?:[a-z]{1,4}-?|(?:[ecjpwfu]|sc|er|cf|ts) )(?=[0-9o]*\d)[0-9o]{1,6}(?:[.-]\w{1,5}){0,2}",
    r"\d{1,3}(?:[.-][0-9a-fox]{1,4}){1,3}",
    r"(?=[a-f]*\d)[0-9a-f]{2,6}",
    r"[a-z]{1,3}-[a-z]?\d{1,5}",
)
_NAMED = re.compile(
    rf"(?<!\w)(?:codes?|erreurs?|errors?|err|defauts?|faults?|alarmes?)(?!\w)[ \t]{{0,2}}"
    rf"(?:(?:(?:{_FILLERS})(?!\w)|n°|no\.|[:=#,-])[ \t]{{0,2}}){{0,5}}[\s\"'«“(]{{0,3}}"
    rf"({'|'.join(_VALUES)})(?!\w)(?![.,]\d)(?!-\w)"
)
"""A code that is spoken of as one: « code erreur : E 05 », whoever's it is."""
_ERROR = re.compile(
    r"(?<![\w.,/-])(\d{2,4}(?:\.\d{1,4})?|[a-z]-?\d{2,4}) "
    r"(?:(?:service|printer|paper|supply|fuser|scanner|system) )?err(?:or|eur)(?!\w)"
)
"""« 79 service error »."""
_READ = re.compile(
    r"(?<!\w)(?:a?ff?ich(?:e|ait|ent)|display(?:s|ing|ed)?|shows?|showing|indique|panneau|screen)"
    r" (?:(?:le|the|says|dit) )?(?:(?:codes?|message) )?[\"'«“(: ]{0,3}([a-z]{2}\d{2})(?![\w.,-])"
)
"""« affiche CE50 »: as on a panel, in capitals."""
_COMMA = re.compile(r"(?<=\d),(?=\d)")
_LONE = re.compile(r"c\d{4}|j-?\d{4}")
"""What is a code where no make is named and no model is called so: « C7990 ?? »."""
_PUNCTUATED = re.compile(r".*\d[.-]\d\d|[a-z]-\d|\d\d\.\d$")
_SENTENCE_LIKE = re.compile(r"[a-z]{4,}")
_HEXADECIMAL = re.compile(r"[0o]x[0-9a-fo]+")
_ZERO = re.compile(r"(?<=[\d.xbc-])o(?=[\do.]|$)|o(?=\d)")


def codes(reading: Reading, catalogue: Catalogue, named: Collection[str]) -> Iterator[Finding]:
    """Find codes; `named` are the makes that the text names."""
    text = _COMMA.sub(".", reading.plain)
    spoken = _Spoken(text)
    for match in catalogue.codes.finditer(text):
        worded = _SENTENCE_LIKE.match(match.group()) and " " in match.group()
        if (digits(match.group()) or worded) and not reading.is_hidden(*match.span()):
            confidence = _of_a_family(match, catalogue, named, spoken)
            decimal = "," in reading.plain[slice(*match.span())]  # « 50,2 » is a number as well
            if confidence and not (decimal and not spoken.near(*match.span())):
                yield _finding(reading, match.span(), confidence, "pattern")
    for match in chain(_NAMED.finditer(text), _ERROR.finditer(text)):
        if not reading.is_hidden(*match.span(1)):
            few = match[1].isdigit() and len(match[1]) < DIGITS and not named
            owners = set() if few else _owners(match[1], catalogue)
            sure = LIKELY if owners & set(named) or not named else GUESSED
            found = (sure, "pattern") if owners else (DOUBTFUL, "unknown family")
            yield _finding(reading, match.span(1), *found)
    for match in _READ.finditer(text):
        own = reading.text[slice(*match.span(1))]
        if (
            own.isupper()
            and match[1] not in catalogue.table
            and not reading.is_hidden(*match.span(1))
        ):
            yield _finding(reading, match.span(1), DOUBTFUL, "unknown family")


def _owners(value: str, catalogue: Catalogue) -> set[str]:
    return {
        make.name
        for make in catalogue.makes.values()
        if make.codes.fullmatch(value) or make.sure.fullmatch(value)
    }


def _of_a_family(
    match: re.Match[str], catalogue: Catalogue, named: Collection[str], spoken: _Spoken
) -> float:
    """Say how sure it is that this is a code; 0: it is none."""
    value = match.group()
    owners = _owners(value, catalogue)
    ours, near = bool(owners & set(named)), spoken.near(*match.span())
    if any(catalogue.makes[owner].sure.fullmatch(value) for owner in owners):
        return SURE if ours or near else LIKELY
    if ours and any(catalogue.makes[owner].own.fullmatch(value) for owner in owners & set(named)):
        return LIKELY
    telling = not value.isdigit()
    short = sum(map(str.isalnum, value)) < SHORT
    if ours and telling and (near or _PUNCTUATED.match(value) or not (short or digits(value[0]))):
        return SURE if near else LIKELY
    if near < SAID and (not near or short or named or (near == HINTED and digits(value[0]))):
        lone = not named and value not in catalogue.table and _LONE.fullmatch(value)
        return GUESSED if lone else LIKELY if ours and near == SHOWN else 0.0
    if telling:
        return GUESSED if named else LIKELY
    return LIKELY if ours else 0.0


class _Spoken:
    """Where a text speaks of codes."""

    def __init__(self, text: str) -> None:
        found = [
            (*m.span(), SAID if m[1] else SHOWN if m[2] else HINTED) for m in _SPOKEN.finditer(text)
        ]
        self._text = text
        self._words = found
        self._starts = [start for start, _, _ in found]

    def near(self, start: int, end: int) -> int:
        """Return the strongest of the words about it, `SAID` or less; 0: there is none."""
        best, text, place = 0, self._text, bisect_left(self._starts, start)
        for _, before, weight in reversed(self._words[max(place - BEFORE, 0) : place]):
            if before < start - BEFORE:
                break
            if not _PARAGRAPH.search(text, before, start):
                best = max(best, weight)
        for after, _, weight in self._words[place : place + AFTER]:
            if after > end + AFTER:
                break
            if after >= end and not _SENTENCE.search(text, end, after):
                best = max(best, weight)
        return best


def _finding(reading: Reading, span: tuple[int, int], confidence: float, by: str) -> Finding:
    own, value = reading.text[slice(*span)], reading.plain[slice(*span)].replace(",", ".")
    if _SENTENCE_LIKE.search(value):
        own = " ".join(own.split())  # « Print Unable 46 », as it is written
    elif _HEXADECIMAL.fullmatch(value):
        own = "0x" + value[2:].replace("o", "0").upper()
    else:
        own = _ZERO.sub("0", value.replace(" ", "")).upper()
    return reading.finding("error_code", span, confidence, by, own)
