"""Numbers, codes, links and telephone numbers of a text, made comparable. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from services.sentences import fold

_LINK = re.compile(
    r"(?:https?|hxxps?|ftp)\s*[:\[]\S+|www\.\S+|"
    r"\b[\w-]+(?:\s*(?:\[\.\]|\(dot\)|\(point\)|\s(?:dot|point)\s)\s*)[a-z]{2,}\b|"
    r"\b[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:com|fr|net|org|io|eu|info|biz|co|uk|de|be|ch|example|test|"
    r"xyz|top|site|online|shop|app|dev|link|click|ru|cn|ai|me|ly|gl)\b(?:/\S*)?",
    re.IGNORECASE,
)
_MAIL = re.compile(r"\S+\s*(?:@|\[at\]|\(at\)|\barobase\b)\s*\S+", re.IGNORECASE)
_PHONE = re.compile(r"(?<![\w.])\+?\d(?:[ .\-/()]{0,2}\d){7,14}(?![\w])")
_TOKEN = re.compile(r"[^\W_]+(?:[.,:/\-][^\W_]+)*")
_SPACED = re.compile(r"(?<=\d)[ \u00a0\u202f](?=\d{3}\b)")
_LIST = re.compile(r"(?m)^\s*\(?\d{1,2}[.)]\s+|(?<=\s)\(?[1-9]\)\s+")
_DASH = re.compile("[‐‑‒–—−]")

_COUNTED = (
    "zero un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize",
    (
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
        "fifteen sixteen seventeen eighteen nineteen"
    ),
)
_WORDS = {word: str(n) for names in _COUNTED for n, word in enumerate(names.split())} | {
    "vingt": "20", "trente": "30", "quarante": "40", "cinquante": "50", "soixante": "60",
    "cent": "100", "mille": "1000", "dizaine": "10", "douzaine": "12", "quinzaine": "15",
    "vingtaine": "20", "trentaine": "30", "quarantaine": "40", "twenty": "20", "thirty": "30",
    "forty": "40", "fifty": "50", "sixty": "60", "hundred": "100", "thousand": "1000",
    "dozen": "12", "twice": "2",
}  # fmt: skip
_ARTICLES = frozenset({"un", "one"})
"""They count nothing most of the time."""
_UNITS = {
    name: group[0]
    for group in (
        ("s", "sec", "seconde", "secondes", "second", "seconds"),
        ("min", "mn", "minute", "minutes"),
        ("h", "heure", "heures", "hour", "hours"),
        ("j", "jour", "jours", "day", "days"),
        ("semaine", "semaines", "week", "weeks"),
        ("mois", "month", "months"),
        ("an", "ans", "annee", "annees", "year", "years"),
        ("page", "pages", "feuille", "feuilles", "sheet", "sheets"),
        ("fois", "time", "times"),
        ("c", "°c"),
        ("bar", "bars"),
        ("v", "volt", "volts"),
        ("mm",), ("cm",), ("m", "metre", "metres", "meter", "meters"),
        ("k",), ("pa",), ("%", "pourcent", "percent"),
        ("€", "eur", "euro", "euros"), ("$", "dollar", "dollars", "usd"),
        ("mo", "mb"), ("go", "gb"),
    )
    for name in group
}  # fmt: skip
_MEASURE = re.compile(r"(\d+(?:[.,]\d+)?)\s*(?:de |d'|of )?(°\s*c|%|€|\$|[a-z]+)")


@dataclass(frozen=True)
class Figures:
    """What of a text must be the same wherever it is repeated."""

    numbers: frozenset[str]
    measures: frozenset[tuple[str, str]]
    links: frozenset[str]
    phones: frozenset[str]

    def __or__(self, other: Figures) -> Figures:
        """Return those of both."""
        return Figures(
            self.numbers | other.numbers,
            self.measures | other.measures,
            self.links | other.links,
            self.phones | other.phones,
        )

    def strange(self, known: Figures) -> str:
        """Return a word for what is not among the known ones, or an empty one."""
        if self.links - known.links:
            return "link"
        if self.phones - known.phones:
            return "phone"
        if self.numbers - known.numbers:
            return "number"
        counted = {number for number, _ in known.measures}
        wrong = {m for m in self.measures - known.measures if m[0] in counted}
        return "unit" if wrong else ""


def figures_of(text: str) -> Figures:
    """Read them. List numbers at the beginning of a line count for nothing."""
    plain = _DASH.sub("-", _SPACED.sub("", _LIST.sub(" ", text)))
    links = {*_MAIL.findall(plain), *_LINK.findall(plain)}
    phones = {re.sub(r"\D", "", found) for found in _PHONE.findall(plain)}
    folded = _spelled_out(fold(plain))
    tokens = {token.upper().strip(".,:/-") for token in _TOKEN.findall(folded)}
    measures = {
        (number.replace(",", "."), _UNITS[unit])
        for number, raw in _MEASURE.findall(folded)
        if (unit := raw.replace(" ", "")) in _UNITS
    }
    return Figures(
        numbers=frozenset(_number(t) for t in tokens if any(c.isdigit() for c in t)),
        measures=frozenset(measures),
        links=frozenset(fold(link).strip(".,;:!?)(\"'«» ") for link in links),
        phones=frozenset(phones),
    )


def _number(token: str) -> str:
    """Return one spelling: 9,2 and 9.2; 10S, 10MIN and 10."""
    glued = re.fullmatch(r"(\d+(?:[.,]\d+)?)([A-Z%€$°]+)", token)
    if glued and glued[2].lower() in _UNITS:
        token = glued[1]
    return token.replace(",", ".")


def _spelled_out(folded: str) -> str:
    """Put digits for numbers in words."""

    def digits(found: re.Match[str]) -> str:
        word = found[0]
        return word if word in _ARTICLES else _WORDS.get(word, word)

    return re.sub(r"[a-z]+", digits, folded)
