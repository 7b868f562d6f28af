"""Serial numbers: after a word for one, and where the shape is a maker's own."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from knowledge.catalogue import Catalogue
from knowledge.extraction.words import GUESSED, SURE, Reading, any_of, digits
from schemas.findings import Finding

AT_LEAST, AT_MOST, USUAL = 5, 22, 9
"""Characters of a serial number, and how many most have at least."""
GROUPS = 20
"""Parts in which one may be written."""
OPENING = 4
"""Letters of a part that has no digits: « CNB 9K12345 »."""
SPOKEN_OF, DIGITS, MANY = 3, 4, 5
"""Of what stands alone near a word for one, looks like a maker's own, or like none."""
FAIR = 0.6
MIXED = 3
"""Turns from letters to digits and back, which no word has."""

_GAP = r"[ \t]{0,3}"
_NO = r"(?:n°|no\.?|num\.?|numeros?|numbers?|nr\.?|n\.?|\#|ref\.?|reference)"
_SERIAL = r"(?:series?|serrie|seire|seri|serials?|serail|serienn?umm?er)"
_WORD = re.compile(
    rf"(?<!\w)(?:{_NO}{_GAP}(?:de |d')?(?:la )?{_SERIAL}|{_SERIAL}{_GAP}{_NO}|serials?|serail|"
    rf"{_SERIAL}{_GAP}(?=[:=])|[sn][/.][sn]\.?|sn|nds)[°.]?(?!\w)"
    rf"(?:{_GAP}(?:de l'(?:appareil|imprimante)|de la machine|of (?:the|our) \w{{1,12}}))?"
    r"(?:(?: (?:de|du|des|of|for) [^\n:;.,]{1,40}|[^\d\n:.;]{1,40})(?=:))?"
    rf"(?:{_GAP}(?:(?:est|is|le|la|suivant|the|was|etait)(?!\w)|c'est|[:=\#,-])){{0,3}}"
    r"[\s\"'«“(]{0,3}"
)
_AFTER = re.compile(rf"[^\n.]{{0,24}}?\b(?:{_SERIAL}|s/n)\b")
_BEFORE = re.compile(rf"\b(?:{_SERIAL}|s/n|sn)\b[^\n.;?!\d]{{0,60}}$")
_STUCK_ON = re.compile(
    rf"\b(?:numeros?|number|n°){_GAP}[^\n.;?!\d]{{0,30}}"
    rf"(?:{any_of('derriere dos arriere etiquette')}|"
    rf"{any_of('dessous plaque back label sticker underneath nameplate')})\b[^\n.;?!\d]{{0,40}}$"
)
"""« le numéro qui est derrière »: what stands on the label of a device."""
_NEXT = re.compile(r"[ \t]{0,3}(?:,|;|/|&|et|and|ou|or|puis|then)[ \t]{1,3}(?:(?:le|the) )?")
_ALONE = re.compile(r"(?<![\w.-])(?=[a-z0-9]{0,15}[a-z])(?=[a-z]{0,12}\d)[a-z0-9]{6,16}(?![\w-])")
_TURNS = re.compile(r"(?<=[a-z])(?=\d)|(?<=\d)(?=[a-z])")
_OF_DESKS = re.compile(r"(?:inc|req|ritm|chg|prb|s?ctask|case|tkt|ticket|incident)-?\d+")
"""Tickets: « INC0012345 »."""
_MADE_UP = re.compile(
    r"[a-z]{2}\d{9}[a-z]{2}|\d[a-z]\d{11}|1z\w{13,}|fr\d{11}|[0o]x[0-9a-f]+|(?=(?:\d*[a-f]){4})[0-9a-f]{12,}"
)
"""Parcels, taxes, and what machines make up."""
_OTHER = re.compile(
    rf"(?:{any_of('suivi tracking colis parcel iban rib tva vat siret siren contrat client')}|"
    rf"{any_of('dossier ticket incident case ref cle key mot_de_passe password mdp licence')}|"
    rf"{any_of('commande cde order')}|"
    r"facture|invoice|compte)\w{0,9}\W{0,4}\w{0,9}\W{0,3}$"
)


def serials(reading: Reading, catalogue: Catalogue, named: Collection[str]) -> Iterator[Finding]:
    """Find serial numbers; `named` are the makes that the text names."""
    for match in _WORD.finditer(reading.plain):
        span, length = _in_groups(reading, match.end()), 0
        while span:
            value = "".join(reading.text[slice(*span)].split()).upper()
            if _OF_DESKS.fullmatch(value.lower()) or (length and len(value) != length):
                break
            yield reading.finding("serial_number", span, SURE, "pattern", value)
            after = _NEXT.match(reading.plain, span[1])  # « S/N … et … », as long as the first
            span, length = _in_groups(reading, after.end()) if after else None, len(value)
    for match in _ALONE.finditer(reading.plain):
        sure = _alone(reading, match, catalogue, named)
        if sure:
            yield reading.finding("serial_number", match.span(), sure, "pattern")


def _alone(
    reading: Reading, match: re.Match[str], catalogue: Catalogue, named: Collection[str]
) -> float:
    """Say how sure it is that something without a word before it is one; 0: it is none."""
    start, end = match.span()
    before = reading.plain[max(0, start - 80) : start]
    value, figures = match.group(), digits(match.group())
    if (
        reading.is_hidden(start, end)
        or _OTHER.search(before)
        or _MADE_UP.fullmatch(value)
        or _OF_DESKS.fullmatch(value)
        or value in catalogue.table
        or value in catalogue.stems
    ):
        return 0.0
    if figures >= SPOKEN_OF and (_BEFORE.search(before) or _STUCK_ON.search(before)):
        return SURE if len(value) >= USUAL else GUESSED
    if figures >= DIGITS and len(value) >= USUAL and _AFTER.match(reading.plain, end):
        return SURE
    makes = [m for m in catalogue.makes.values() if not named or m.name in named]
    shaped = any(make.serials.fullmatch(value) for make in makes)
    if shaped and figures >= DIGITS and (len(value) >= USUAL or named):
        return GUESSED
    mixed = len(_TURNS.findall(value)) >= MIXED
    written = mixed or reading.text[start:end].isupper() or reading.text.islower()
    return FAIR if written and figures >= MANY and len(value) >= USUAL else 0.0


def _in_groups(reading: Reading, place: int) -> tuple[int, int] | None:
    """Return where the serial number is that begins there; it may be written in groups."""
    words, first = reading.words, reading.word_at(place)
    if first == len(words) or words[first].start != place:
        return None
    total = figures = 0
    last = first
    for number in range(first, min(first + GROUPS, len(words))):
        word = words[number]
        between = reading.plain[words[number - 1].end : word.start] if number > first else ""
        if between not in {"", " ", "-", "/"}:
            break
        spelt = len(word.text) == 1 == len(words[number - 1].text)  # « c n b 9 k 1 »
        more = spelt or (last > first and digits(word.text) >= MANY)
        if between == " " and total >= USUAL and not more:
            break
        if not (spelt or _is_group(reading, number, first)) or total + len(word.text) > AT_MOST:
            break
        last, total = number, total + len(word.text)
        figures += digits(word.text)
    if total < AT_LEAST or figures < 2:  # noqa: PLR2004 - « série Pro », « SN 1 »
        return None
    return words[first].start, words[last].end


def _is_group(reading: Reading, number: int, first: int) -> bool:
    """Say whether a word may be a part of a serial number."""
    word = reading.words[number]
    if digits(word.text):
        return True
    if len(word.text) > OPENING:
        return False
    if reading.text[word.start : word.end].isupper():
        return True
    after = reading.words[number + 1].text if number + 1 < len(reading.words) else ""
    spelt = len(word.text) == len(after) == 1
    return number == first and (spelt or digits(after) > 0)
