"""What looks like a model or a code and is none: money, dates, hours, addresses, formats, units."""

from __future__ import annotations

import re

from knowledge.extraction.words import Reading, any_of

_MONTHS = any_of(
    "janvier janv fevrier fevr fev mars avril avr mai juin juillet juil aout septembre sept "
    "octobre oct novembre nov decembre dec january february march april may june july august "
    "september october november december jan feb mar apr jun jul aug sep"
)
_UNITS = any_of(
    r"pages? feuilles? copies copy impressions? tirages? exemplaires? ramettes? sheets? prints "
    r"mm cm kg gsm grs? grammes? g/m2 go mo ko gb mb kb dpi ppp ppm ipm watts? volts? kwh "
    r"jours? days? semaines? weeks? mois months? ans? annees? years? heures? hours? hrs? "
    r"minutes? mins? secondes? seconds? secs? fois times personnes people persons users? "
    r"utilisateurs? employes? bits? km metres? postes? pcs? cartouches? toners? sites? points? "
    r"eleves"
)
_SYSTEMS = any_of(
    r"windows win ios ipados android macos mac_?os osx os_x ubuntu debian linux office word "
    r"excel outlook exchange version ver\.? v firmware release pilote driver build usb wpa tls "
    r"smb snmp ipv pcl postscript ps python java adobe reader acrobat sap sage chrome firefox "
    r"edge server serveur iphone ipad galaxy surface thinkpad latitude sonoma ventura"
)
_PLACES = any_of(
    r"bac tray cassette drawer tiroir salle bureau room office etage floor level niveau porte "
    r"door batiment bat\.? building bloc box local quai lot casier site agence magasin"
)
_FILES = any_of(
    r"contrat contract dossier ticket incident client customer compte account siret siren tva "
    r"vat rib iban cle licen[cs]e poste ext\.? extension suivi tracking colis parcel agreement "
    r"case code_postal code_client code_promo code_pin code_wi-?fi code_porte code_d'acces "
    r"code_barres? code_article code_ape code_naf"
)
_DAYS = any_of(
    r"lundi mardi mercredi jeudi vendredi samedi dimanche monday tuesday wednesday thursday "
    r"friday saturday sunday lun mar mer jeu ven sam dim mon tue wed thu fri sat sun"
)
_SINCE = any_of("le du au des avant_le depuis_le on since until by dated")
_NO = r"(?:n°|no\.?|numero|number|\#|:)"
_TRAPS = (
    r"\S{1,80}@\S{1,80}",
    r"(?:https?://|www\.|\\\\)\S{1,300}",
    r"(?:\d{1,3}\.){3}(?:\d{1,3}|x)(?:[:/]\d{1,5})?",
    r"(?:\d{1,3}\.){2}x(?:\.x)?",
    r"(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}",
    r"\d{1,2}[./-](?:0?[1-9]|1[0-2])[./-](?:(?:19|20)\d\d|[23]\d)(?![\w.])",
    r"(?:19|20)\d\d[-/](?:0[1-9]|1[0-2])[-/][0-3]\d",
    rf"(?:{_SINCE}) (?:(?:{_DAYS})\.? )?[0-3]?\d[./-](?:0?[1-9]|1[0-2])(?![\w.-]|/\d)",
    rf"[0-3]?\d(?:er|st|nd|rd|th)? (?:of )?(?:{_MONTHS})\b(?: (?:19|20)\d\d)?",
    rf"(?:{_MONTHS}) (?:[0-3]?\d(?:st|nd|rd|th)?,? ?)?(?:19|20)\d\d",
    r"(?:en|in|de|since|depuis|fin|debut|annee|year|noel|exercice) (?:19|20)\d\d(?![\w.-])",
    r"[0-2]?\d ?(?:h|:) ?[0-5]\d(?::\d\d)?(?!\w)",
    r"[0-2]?\d ?(?:h|am|pm|a\.m|p\.m)(?!\w)",
    r"(?:€|eur|£|\$|usd|chf|gbp) ?\d[\d .,]{0,14}",
    r"\d[\d .,]{0,14}(?:k?€|(?:eur|euros?|ht|ttc|chf|usd|cts?|centimes|pour cent)\b|[£$%°])",
    rf"\d[\d .,]{{0,10}}(?:- ?)?(?:{_UNITS})(?![\w-])",
    r"\d{2,3} ?g(?![\w'])",
    rf"(?:{_SYSTEMS})[ -]?v?\d[\w.]{{0,12}}(?: \d\dh\d)?",
    r"(?<!\.)(?:sr)?a[0-6]\+?(?![\w-])",
    r"b5(?!\w)",
    rf"(?:{_PLACES}) (?:{_NO} ?)?[a-z]?[ -]?\d{{1,2}}[a-z]?(?![\w.-])",
    r"(?:salle|bureau|room|porte|local|box) (?:[a-z]-?)?\d{3,4}(?![\w.-])",
    rf"(?:{_FILES}) ?(?:(?:est|is) )?(?:{_NO} ?)?(?:[a-z]{{1,5}}[-_/]?)?\d[\w./-]{{0,30}}",
    r"(?:contrat|contract|agreement)(?: \w{1,15}){0,2} [a-z]{1,3}[-/](?:19|20)\d\d[-/]\d{1,6}",
    r"\d{1,2}(?:er|e|eme|ieme|st|nd|rd|th)(?!\w)",
    r"[a-z]{2}\d\d(?: ?[a-z0-9]{4}){3,7}(?: ?[a-z0-9]{1,3})?(?!\w)",  # an account's number
)
_TRAP = re.compile(rf"(?<!\w)(?:{'|'.join(_TRAPS)})")
_QUOTED = re.compile(r"^[ \t]{0,4}[>|][^\n]*", re.MULTILINE)
_THREAD = re.compile(
    r"^[^\n]{0,200}(?:\ba ecrit ?:|\bwrote:|-{2,} ?(?:message d'origine|original message) ?-{0,9})",
    re.MULTILINE,
)
_FORWARDED = re.compile(
    r"(?:tr|fwd?|wg|rv) ?:"
    r"|(?:[^\n]{0,300}\n)??[ \t>*_-]{0,20}(?:(?:begin )?forwarded (?:message|e-?mail)|"
    r"(?:debut du )?(?:message|courriel|mail) (?:transfere|reexpedie)|weitergeleitete nachricht)"
)
"""How a subject begins, or a text, of which what is quoted was sent to be read."""


def hide_traps(reading: Reading) -> None:
    """Hide what only looks like a name or a code."""
    for match in _TRAP.finditer(reading.plain):
        reading.hide(*match.span())


def hide_quotes(reading: Reading) -> None:
    """Hide what others wrote before, unless there is nothing else."""
    if _FORWARDED.match(reading.plain):
        return
    spans = [match.span() for match in _QUOTED.finditer(reading.plain)]
    if thread := _THREAD.search(reading.plain):
        spans.append((thread.start(), len(reading.plain)))
    quoted = bytearray(len(reading.plain))
    for start, end in spans:
        quoted[start:end] = b"\x01" * (end - start)
    if any(not quoted[word.start] for word in reading.words):
        for start, end in spans:
            reading.hide(start, end)
