"""Orders, invoices, counters and telephones: numbers that a word or their shape makes into one."""

from __future__ import annotations

import re
from collections.abc import Iterator

import phonenumbers

from knowledge.extraction.words import FIRM, GUESSED, Reading, any_of, digits
from schemas.findings import Finding

PAGES_AT_LEAST, COUNTED_AT_LEAST = 4, 3
"""Digits of a number of pages (a document has fewer), and of what a counter shows."""
DIGITS = 3
WAYS = (
    (phonenumbers.is_valid_number, ("FR", "GB", "BE", "CH", "LU", "CA")),
    (phonenumbers.is_possible_number, ("FR", "GB")),  # those that nobody was given yet
)
"""In whose plans a telephone number without its country is looked for, in this order."""
LOOKED_BACK = 25
PHONES_AT_MOST = 20

_GAP = r"[ \t]{0,3}"
_NO = r"(?:n°|no\.?|num\.?|numero|number|\#|ref\.?|reference)"
_IS = r"(?:(?:est|is|le|la|the|was|etait)(?!\w)|[:=\#,])"
_LEAD = rf"{_GAP}(?:{_NO}{_GAP}){{0,2}}(?:{_IS}{_GAP}){{0,2}}"
_NUMBERED = {
    "order_number": re.compile(
        rf"(?<!\w)(?:{any_of('bons?_de_commande commandes? cmde?s? cdes? orders? bc po')})"
        rf"(?![a-z]){_LEAD}"
        r"((?:[a-z]{1,4}[-_/ ]?)?\d[\d-]{2,14}|\d\d/\d{4,6})(?!\w|/\d)"
        r"|(?<![\w-])((?:cmd|cde|bc|po|so|ord)[-_]?(?:20\d\d[-_]?)?\d{3,8})(?![\w-])"
    ),
    "invoice_number": re.compile(
        rf"(?<!\w)(?:factures?|fact\.?|invoices?|avoirs?|bills?|credit notes?)(?![a-z]){_LEAD}"
        r"((?:[a-z]{1,4}[-_/ ]?)?\d[\d/-]{2,14})(?!\w)"
        r"|(?<![\w-])((?:fa(?:ct?)?|fc|inv|av)[-_]?(?:20\d\d[-_]?)?\d{4,9}|f[-_]?20\d{5,7}|f-\d{3,8}"
        r"|(?:fa(?:ct?)?|fc|inv|av|f)-(?:20)?\d\d-\d{2,8})(?![\w-])"
    ),
}
_LETTERED = re.compile(
    r"(?<![\w./-])(?:(c[dm]d?|cde|bc|bl|po|ref|ord|so|cc)|f[acvt]?|inv|av|nc)-\d{5,8}(?![\w./-])"
)
"""Group 1: letters that begin the numbers of what is ordered; the others begin bills."""
_ORDER_LIKE = re.compile(r"(?<![\w./-])2\d-\d{4,6}(?![\w./-])")
_DELIVERY = re.compile(
    rf"(?<!\w)(?:{any_of('command livr expedi ship track deliver order cde colis parcel recu')})"
)
_COUNTED = re.compile(
    r" ?(?:[€£$%]|(?:eur|euros?|ht|ttc|h|x|fois|pages|toners?|cartouches?)\b|[.,]\d)"
)
_YEAR = re.compile(r"(?:19|20)\d\d")
_AMOUNT = r"(?:\d{1,3}(?:[ .,]\d{3}(?!\d)){1,2}|\d{1,8})"
_COUNTER = re.compile(
    r"(?<!\w)(?:compteurs?|counters?|meters?|meter readings?|page counts?|index|"
    r"releves?(?= (?:compteur|noir|nb|n&b|mono|couleur|de fin|du mois|total)))(?!\w)"
    r"(?:[^.;?!\n]|\.(?=\d)){0,90}"
)
_COUNT = re.compile(
    rf"((?:pas|not|lieu de) )?(?<![\w.,/-])({_AMOUNT})(?!\w|[.,/-]\d)"
    r"(?! ?(?:[€£$%]|(?:eur|ht|ttc|h)\b))"
)
"""Group 1: it is said that this is not what the counter shows."""
_PAGES = re.compile(
    rf"(?<![\w.,-])({_AMOUNT}) ?(?:pages|copies|impressions|tirages|prints)(?!\w)"
    r"(?![^.;?!\n]{0,25}(?:/ ?|\b(?:par|per|a|each|every|chaque) )"
    rf"(?:{any_of('mois month an annee year jour day semaine week trimestre quarter')})\b)"
    r"(?! (?:mensuel|annuel|monthly|yearly))"
)
_COLOURED = re.compile(
    r"(?<!\w)(?:noirs?|n&b|n/b|nb|mono|black|b&w|bw)(?: et blanc)? ?(?:[:=] ?)?"
    rf"({_AMOUNT})(?!\w|[.,/-]\d)"
    r"[ ,;/|-]{1,4}(?:et |and )?"
    rf"(?:couleurs?|coul\.?|cl|colou?r) ?(?:[:=] ?)?({_AMOUNT})(?!\w|[.,/-]\d)"
)
"""« noir 12345, couleur 678 »: both counters, without the word."""
_AT_COUNTER = re.compile(
    rf"(?<![\w.,-])({_AMOUNT}) (?:(?:pages|copies|impressions) )?(?:au|sur le|on the) "
    r"(?:compteur|counter|meter)(?!\w)"
)
_VOLUME = re.compile(
    rf"(?:{any_of('documents? pdf fichiers? files? rapports? ramettes? reams? environ about')}|"
    rf"{any_of('around paquets? toutes_les tous_les every rendement yield volumes? forfait')}|"
    r"quotas?|jusqu'a|up to|capacite|contrat|engagement)\W{0,2}(?:de|of|a)?\W{0,2}$"
)
_DATED = re.compile(
    r"[0-3]?\d([./ -])(?:0?[1-9]|1[0-2])\1(?:19|20)\d\d(?!\d)"
    r"|[0-3]\d(?:0[1-9]|1[0-2]) ?20[0-4]\d$"
    r"|\(?[12]\d{3} ?- ?[12]\d{3}$"
)
_ACCOUNT = re.compile(r"(?:\b(?:iban|rib|bic)\b|\b[a-z]{2}\d\d )[\w :.]{0,24}$|\b20\d\d[ ./-]$")
_PHONE = re.compile(r"(?<![\w.,/-])(?=[0+(])\+?\(?\d(?:[ .()/-]{0,2}\d){7,14}(?![\w-])")


def numbered(reading: Reading) -> Iterator[Finding]:
    """Find order and invoice numbers."""
    for kind, pattern in _NUMBERED.items():
        for match in pattern.finditer(reading.plain):
            span = match.span(match.lastindex or 0)
            value = reading.plain[slice(*span)]
            alone = match.lastindex == 1 and _YEAR.fullmatch(value)
            if digits(value) >= DIGITS and not alone and not _COUNTED.match(reading.plain, span[1]):
                yield reading.finding(kind, span, FIRM, "pattern")
    for match in _LETTERED.finditer(reading.plain):
        kind = "order_number" if match[1] else "invoice_number"
        yield reading.finding(kind, match.span(), GUESSED, "pattern")
    if _DELIVERY.search(reading.plain):
        for match in _ORDER_LIKE.finditer(reading.plain):
            yield reading.finding("order_number", match.span(), GUESSED, "pattern")


def page_counts(reading: Reading) -> Iterator[Finding]:
    """Find what a counter shows; the value is digits only."""
    for counter in _COUNTER.finditer(reading.plain):
        for match in _COUNT.finditer(reading.plain, *counter.span()):
            value = re.sub(r"\D", "", match[2])
            if len(value) >= COUNTED_AT_LEAST and not match[1]:
                yield reading.finding("page_count", match.span(2), FIRM, "pattern", value)
    for match in _COLOURED.finditer(reading.plain):
        for group in (1, 2):
            value = re.sub(r"\D", "", match[group])
            yield reading.finding("page_count", match.span(group), FIRM, "pattern", value)
    for match in _AT_COUNTER.finditer(reading.plain):
        value = re.sub(r"\D", "", match[1])
        if len(value) >= COUNTED_AT_LEAST:
            yield reading.finding("page_count", match.span(1), FIRM, "pattern", value)
    for match in _PAGES.finditer(reading.plain):
        value = re.sub(r"\D", "", match[1])
        before = reading.plain[max(0, match.start() - LOOKED_BACK) : match.start()]
        if len(value) >= PAGES_AT_LEAST and not _VOLUME.search(before):
            yield reading.finding("page_count", match.span(1), GUESSED, "pattern", value)


def phones(reading: Reading) -> Iterator[Finding]:
    """Find telephone numbers; the value is E.164."""
    for _, match in zip(range(PHONES_AT_MOST), _PHONE.finditer(reading.plain), strict=False):
        number = "" if _is_date(reading, match) else e164(match.group())
        if number:
            yield reading.finding("phone", match.span(), FIRM, "pattern", number)


def _is_date(reading: Reading, match: re.Match[str]) -> bool:
    """Say whether it begins with a day or is a part of an account's number."""
    before = reading.plain[max(0, match.start() - LOOKED_BACK) : match.start()]
    return bool(_DATED.match(match.group()) or _ACCOUNT.search(before))


def e164(said: str) -> str:
    """Return a telephone number as the world writes it, or nothing."""
    for fits, regions in WAYS:
        for region in regions:
            try:
                number = phonenumbers.parse(said, region)
            except phonenumbers.NumberParseException:
                continue
            if fits(number):
                return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return ""
