"""Codes and serial numbers as people say them: « cinquante point deux », « victor november »."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator, Sequence

from knowledge.extraction.words import any_of, digits, plain

Change = tuple[int, int, str]
"""From where to where a text is said in words, and what is meant."""

SPELT, NAMED, LONG, FIGURES = 6, 2, 7, 3
"""Of something spelt out, at least: parts, parts that are words, characters, digits."""


def _words(said: str) -> list[str]:
    return said.split()


_FRENCH = _words(
    "zero un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize"
)
_ENGLISH = _words(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen"
)
_TENS = {
    20: "vingt twenty", 30: "trente thirty", 40: "quarante forty", 50: "cinquante fifty",
    60: "soixante sixty", 70: "septante soixante-dix seventy", 80: "quatre-vingt huitante eighty",
    90: "nonante quatre-vingt-dix ninety",
}  # fmt: skip


def _numbers() -> dict[str, str]:
    """Return the numbers up to 99 in French and English, and as which figures they are meant."""
    said = {word: str(number) for words in (_FRENCH, _ENGLISH) for number, word in enumerate(words)}
    for number in (7, 8, 9):
        said[f"dix-{_FRENCH[number]}"] = str(10 + number)
    for ten, words in _TENS.items():
        for word in words.split():
            said[word] = str(ten)
            for unit in range(1, 10):
                said[f"{word}-{_ENGLISH[unit]}"] = said[f"{word}-{_FRENCH[unit]}"] = str(ten + unit)
            said[f"{word}-et-un"] = str(ten + 1)
        for teen in range(10, 17):
            if ten in {60, 80}:
                said[f"{words.split()[0]}-{_FRENCH[teen]}"] = str(ten + teen)
    return said | {"oh": "0", "quatre-vingts": "80", "soixante-et-onze": "71"}


_NUMBERS = _numbers()
_NUMBER = "|".join(word.replace("-", "[ -]") for word in sorted(_NUMBERS, key=len, reverse=True))
_ROW = rf"(?>(?:{_NUMBER})(?!\w)(?: (?:{_NUMBER})(?!\w)){{0,3}})"  # never tried again: linear
_DECIMAL = re.compile(
    rf"(?<!\w)({_ROW}|\d{{1,3}}) (?:point|dot) ({_ROW}|\d{{1,3}})(?!\w)"
    rf"(?! (?:{any_of('pour_cent percent millions? milliards? euros? dollars?')}))"
)
_LETTERED = re.compile(
    r"(?<!\w)(?:codes?|erreurs?|errors?|defauts?|faults?|affiche|shows|displays)(?!\w)"
    r"(?:[ :]{1,2}(?:codes?|erreurs?|errors?|le|the|est|is|c'est)(?!\w))?[ :]{1,2}"
    rf"([bcefhjpstuw]) ({_ROW})(?!\w)"
)
"""« erreur e zéro cinq »; « a » and « y » are words."""
_ALPHABET = any_of(
    "alfa alpha bravo charlie delta echo foxtrot golf hotel india juliett? kilo lima mike "
    "november oscar papa quebec romeo sierra tango uniform victor whisk[ey]y? x-?ray yankee zulu"
)
_PART = (
    rf"[a-z] (?:comme|as in|for|like) [a-z]{{2,15}}|{_ALPHABET}|{_NUMBER}|[a-z](?![\w'])|\d{{1,9}}"
)
_ATOM = rf"(?>(?:{_PART})(?!\w))"
_SPELT = re.compile(rf"(?<![\w'])(?>{_ATOM}(?:[ ,-]{{1,3}}{_ATOM}){{{SPELT - 1},30}})")
_ONE = re.compile(rf"(?<!\w)(?:{_PART})(?!\w)")


_MARKS = re.compile(
    r"(?<=[a-z0-9]) (?:(tiret|dash|hyphen)|(point|dot)) (?=[a-z]{0,3}\d|[a-f]{1,2}\b)"
)
"""As people say them on the telephone: « C tiret 2557 », « 50 point 2 »."""


def written(text: str) -> tuple[str, Sequence[int]]:
    """Return a text with what was said in words in figures, and where its characters stood.

    The places have one more, the end. Of a text without such words they are its own.
    """
    parts, places, end = [], array("l"), 0
    for start, after, meant in sorted(_changes(plain(text))):
        if start < end:
            continue
        parts += [text[end:start], meant]
        places.extend((*range(end, start), *[start] * (len(meant) - 1), after - 1))
        end = after
    if not end:
        return text, range(len(text) + 1)
    places.extend(range(end, len(text) + 1))
    return "".join([*parts, text[end:]]), places


def _changes(said: str) -> Iterator[Change]:
    for match in _MARKS.finditer(said):
        yield *match.span(), "-" if match[1] else "."
    yield from _dictated(said)


def _dictated(said: str) -> Iterator[Change]:
    for match in _DECIMAL.finditer(said):
        yield *match.span(), f"{_figures(match[1])}.{_figures(match[2])}"
    for match in _LETTERED.finditer(said):
        figures = _figures(match[2])
        if len(figures) > 1:
            yield match.start(1), match.end(), match[1] + figures
    for match in _SPELT.finditer(said):
        parts = _ONE.findall(match.group())
        meant = "".join(_sign(part) for part in parts)
        named = sum(len(part) > 1 and not part.isdigit() for part in parts)
        count = digits(meant)
        if named >= NAMED and len(meant) >= LONG and FIGURES <= count < len(meant):
            yield *match.span(), meant


def _figures(said: str) -> str:
    if said.isdigit():
        return said
    return "".join(_NUMBERS[_key(part)] for part in re.findall(_NUMBER, said))


def _sign(part: str) -> str:
    """Return the letter or the figures that a part stands for."""
    return part if part.isdigit() else _NUMBERS.get(_key(part), part[0])


def _key(number: str) -> str:
    return number.replace(" ", "-")
