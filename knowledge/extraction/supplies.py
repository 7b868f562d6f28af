"""What is wanted: references of supplies, how many of them, and how soon."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from knowledge.extraction.words import FIRM, GUESSED, Reading, any_of, digits
from schemas.findings import Finding

_REFERENCES = (
    r"(?:tn|dr|lc|bt|wt|tze?|dk|bu|iup?|tnp)-?[a-z]?\d{2,5}[a-z]{0,3}",  # Brother, Konica Minolta
    r"(?:tn|dr|lc|tk) \d{3,4}[a-z]{0,3}",
    r"(?:tk|mk|dk|fk|dv)-?\d{3,5}[a-z]?",  # Kyocera
    r"c[befz]\d{3}(?:[ax][cdfm]?|am)|w\d{4}(?:a|x|y|ac|xc|mc)|q\d{4}[ax]|cn\d{3}a[ae]",  # HP
    r"[a-z]\d[a-z]\d{2}a[ae]|\d[a-z]{2}\d{2}a[ae]|c\d{4}ae",
    r"1(?:0[13-9]|1[35])r\d{5}|00[68]r\d{5}",  # Xerox
    r"(?:pgi|cli|pfi|gi|bci|pg|cl|crg)[ -]\d{1,3}[a-z]{0,4}|c-?exv ?\d{1,3}|ep-\d{2}",  # Canon
    r"c13[a-z0-9]{6,9}|t\d{2}[a-z]\d|t0\d{3}|s0\d{5}",  # Epson
    r"(?:mlt|clt)-?[a-z]\d{3,4}[a-z]?|ml-?d\d{4}[ab]|scx-?d\d{4}a|clp-[kcmy]\d{3}[ab]",  # Samsung
    r"\d{2}[a-z]\d[0-9a-z]{3}|[ctexb]\d{3,4}[haux]\d{1,2}[kcmyeg]{0,2}",  # Lexmark
    r"c\d{4}[kcmy][hxs]",
    r"\d{2,3}xx?l(?: (?:noire?|couleur|black|colou?r|bk|[cmy]))?",
)
_REFERENCE = re.compile(rf"(?<![\w-])(?:{'|'.join(_REFERENCES)})(?!\w)")
_AFTER_A_WORD = re.compile(
    r"(?<!\w)(?:toners?|cartouches?|cartridges?|tambours?|drums?|encres?|inks?)(?: \w{2,10})? {0,2}"
    r"(?:n°|no\.?|ref\.?|reference|numero)? {0,2}(?:(?:hp|canon|epson|brother) (?=\d{2,3}\b))?"
    r"(\d{2,3}[a-z]{1,2}|t\d{4}|0\d{2}h?|\d{2,3}(?= (?:noir|black|couleur|cyan|magenta))|"
    r"[a-z]?\d{6}|(?<=hp )\d{2,3}|(?<=canon )\d{3}|(?<=epson )\d{2,3})"
    r"(?![\w.,])"
)
_COUNTS = {
    **dict(zip(("deux", "trois", "quatre", "cinq", "six"), range(2, 7), strict=True)),
    **dict(zip(("sept", "huit", "neuf", "dix"), range(7, 11), strict=True)),
    **dict(zip(("two", "three", "four", "five"), range(2, 6), strict=True)),
    **dict(zip(("seven", "eight", "nine", "ten"), range(7, 11), strict=True)),
    "douze": 12,
    "twelve": 12,
    "une douzaine de": 12,
    "a dozen": 12,
    "une dizaine de": 10,
    "a couple of": 2,
    "quinze": 15,
    "vingt": 20,
}
_COUNT = rf"\d{{1,4}}|{'|'.join(sorted(_COUNTS, key=len, reverse=True))}"
_SUPPLIES = any_of(
    r"toners? cartouches? cartridges? tambours? drums? ramettes? reams? bouteilles? bottles? "
    r"jeux? sets? kits? agrafes staples encres? inks? rouleaux rolls? bacs?_recuperateurs? "
    r"waste_boxes courroies? belts? fusers? cartons? boites? boxes packs? paquets? recharges?"
)
_DEVICES = any_of(
    r"imprimantes? copieurs? photocopieurs? photocopieuses? multifonctions? printers? copiers? "
    r"mfps? machines? scanners? traceurs? postes_d'impression appareils? units? unites?"
)
_LIKE = any_of(
    r"x nouve\w{2,4} petit\w{0,2} gross?e?s? black noire?s? colou?r couleur new original "
    r"compatibles? more autres? other cyan magenta jaunes? yellow boites?_de boxes_of "
    r"paquets?_de jeux?_de sets?_of"
)
_QUANTITY = re.compile(
    rf"(?<![\w.,/-])({_COUNT})(?: ?x(?!\w))? (?:(?:{_LIKE}) ){{0,2}}"
    rf"(?:(?:{_SUPPLIES})|({_DEVICES}))(?!\w)"
)
_TIMES = re.compile(r"(?<![\w.,/-])(?<!hp )(\d{1,4}) ?x(?= ?[a-wyz])")
_BEFORE = re.compile(rf"(?<![\w.,/-])({_COUNT})(?: x)? $")
LOOKED_BACK = 20
_WANTED = re.compile(
    rf"(?<!\w)(?:{any_of('devis quote prix price command order achet achat buy locat leas')}"
    rf"|{any_of('proposition besoin need offre livrer send envoy')})"
)
_URGENT = re.compile(
    rf"(?<!\w)(?:(?:(?:tres|very|extremely) )?urgent(?:e|es|s|ly)?|"
    rf"{any_of('urgence asap au_plus_vite au_plus_tot des_que_possible sans_attendre')}|"
    rf"{any_of('le_plus_vite_possible le_plus_rapidement_possible immediatement immediately')}|"
    rf"{any_of('right_away right_now as_soon_as_possible depechez-vous depechez dpchez')}|"
    rf"{any_of('tout_de_suite avant_ce_soir vite_svp')}|"
    r"production (?:a l'arret|arretee|stopped)|a l'arret complet)(?!\w)"
)


def supplies(reading: Reading) -> Iterator[Finding]:
    """Find references of toner, ink and parts: TN-2420, CF410X, 106R03623."""
    for match in _REFERENCE.finditer(reading.plain):
        if digits(match.group()):
            yield reading.finding("supply_reference", match.span(), FIRM, "pattern")
    for match in _AFTER_A_WORD.finditer(reading.plain):
        yield reading.finding("supply_reference", match.span(1), GUESSED, "pattern")


def quantities(reading: Reading, things: Collection[Finding]) -> Iterator[Finding]:
    """Find how many are wanted; `things` are the references, makes and models that were found."""
    wanted = bool(_WANTED.search(reading.plain))
    spans = [m.span(1) for m in _QUANTITY.finditer(reading.plain) if wanted or not m[2]]
    spans += [match.span(1) for match in _TIMES.finditer(reading.plain)]
    for thing in things:
        if wanted or thing.kind == "supply_reference":
            first = max(0, thing.start - LOOKED_BACK)
            if before := _BEFORE.search(reading.plain[first : thing.start]):
                spans.append((first + before.start(1), first + before.end(1)))
    for span in dict.fromkeys(spans):
        said = reading.plain[slice(*span)]
        yield reading.finding("quantity", span, FIRM, "pattern", str(_COUNTS.get(said, said)))


def urgencies(reading: Reading) -> Iterator[Finding]:
    """Find the words by which somebody says that it cannot wait."""
    for match in _URGENT.finditer(reading.plain):
        yield reading.finding("urgency", match.span(), FIRM, "pattern", match.group())
