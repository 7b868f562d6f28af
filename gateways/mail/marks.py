"""How mail programs write: what stands above a quotation, a forwarded mail, a signature.

The words are in `words.yaml`. Every pattern is tried on one line, or on a few joined, of at most
`MAX_MARK` characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import yaml

MAX_MARK = 400
"""Characters of a mark, which is a date, a name and an address: longer lines are sentences."""
_WORDS = yaml.safe_load((Path(__file__).parent / "words.yaml").read_text("utf-8"))


def _any(words: Iterable[str]) -> str:
    longest_first = sorted(words, key=len, reverse=True)
    escaped = "|".join(re.escape(word) for word in longest_first)
    return "(?:" + escaped.replace(r"\ ", r"\s+").replace("'", "['’]") + ")"


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


def is_named(text: str) -> bool:
    """Say whether a name stands behind a line's last figure: « …, 10:12, Ana a écrit : »."""
    behind = re.split(r"\d", text)[-1]
    # Letters of scripts without capitals count as some; « the technician » has none.
    named = any(sign.isalpha() and not sign.islower() for sign in behind)
    return named or behind.strip(" ,.:").lower() in _VERBS or "you " in behind


# --- « Le 3 mai 2025 à 10:12, Ana <ana@…> a écrit : » -----------------------------------------

_VERB = _pattern(rf"(?:^|[\s>\"')\d]){_any(_WORDS['wrote'])}(?=\W).{{0,120}}[:：]\s*$")
_VERBS = tuple(_WORDS["wrote"])
TAIL = 200
"""Characters of a line's end in which its verb stands: in German, date and name come after it."""


def says_wrote(text: str) -> bool:
    """Say whether a line ends with « … a écrit : », in any of its languages."""
    tail = text[-TAIL:].lower()
    return any(verb in tail for verb in _VERBS) and bool(_VERB.search(tail))


TO_ME = _pattern(r"\b(?:[mtl]['’]|nous |vous |me |j['’])(?:a|avez|ai) [ée]crit|\bwrote (?:me|us)\b")
"""A person's sentence about a letter: « votre technicien m'a écrit : »."""
SENTENCE = re.compile(r"[?!;]\s")
MAILTO = re.compile(r"<?mailto:[^<>\s]{1,200}>?")
DATE = re.compile(
    r"\b(?:19|20)\d\d\b|\b\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}\b|\b\d{1,2}[.:h]\d\d\b|\d{4}[年년]"
)
ADDRESS = re.compile(r"[\w.+=-]{1,100}@[\w.-]{1,100}")
IN_BRACKETS = re.compile(
    r"[<(\[]\s*[^<>\s@]{1,100}@[^<>\s@]{1,100}[>)\]](?:[\W_]{0,9}|\W{1,3}wrote)$"
    r"|^missatge de .{1,200}:$",
    re.IGNORECASE,
)
"""An address in brackets that ends a line."""
QUOTING = _pattern(r"(?:quoting|missatge de) .{1,80}<")
MAY_END = _pattern(r"[:：][_ \u202c]*$|> wrote$")
OPENER = _pattern(
    rf"[\s>*_\"'|-]*(?:{_any(_WORDS['opening'])}[\s,]|\w{{2,12}}[.,]{{0,2}}\s)?.{{0,24}}?\d"
)
"""How a line begins that says when: a word or two, and a figure soon."""
DATED = re.compile(
    r"\d{4}[-/]\d{1,2}[-/]\d{1,2}(?: \d\d?:\d\d(?::\d\d)?)?(?: GMT[+-]\d\d:\d\d)?,? (?P<who>\S.*)"
)
"""Old Gmail: « 2025-05-03 17:21 GMT+02:00 Ana <ana@…>: »."""
ZOHO = _pattern(r"[-–—]{3,10}\s*(?:on|le|am|el|il|em|op|den|в|w)\b.{5,250}[-–—]{3,10}\s*$")
"""« ---- On Tue, 22 Dec 2015 … wrote ---- »."""

# --- « -----Message d'origine----- », « De : … Envoyé : … » -----------------------------------

_ORIGINAL = _any(_WORDS["original"])
DASHES = "-_=–—#"
RULED = _pattern(rf"[-_=–—]{{2,40}}\s*\**{_ORIGINAL}\s*:?\**\s*[-_=–—]{{0,40}}$")
BARE = _pattern(rf"_?{_ORIGINAL}\s*[:：]$")
"""The same without dashes, as Apple writes it: « Début du message réexpédié : »."""
FORWARDED = _pattern(r"\s*(?:tr|fwd?|wg|rv|enc|doorst)\s?:")
"""How the subject of a forwarded mail begins."""
REPLIED = _pattern(r"\s*(?:re|aw|sv|r[ée]p)\s?:")
FORWARDING = re.compile(
    r"^[\s>*_=–—-]{0,45}(?:(?:begin )?forwarded (?:message|e-?mail)|(?:début du )?(?:message|"
    r"courriel|mail) (?:transféré|réexpédié)|weitergeleitete nachricht|mensaje reenviado)\b",
    re.IGNORECASE | re.MULTILINE,
)
"""What stands above a forwarded mail, where its program says so."""
ABOVE = _pattern(
    r"[\s#*=-]{0,20}(?:(?:please )?(?:reply|type your reply|write)(?: \w+){0,2} above this line|"
    r"(?:merci de )?(?:répond(?:re|ez)|écri(?:re|vez))(?: \S+){0,3} au[- ]dessus de cette ligne)"
    r".{0,40}$"
)
"""The line above which help desks ask to write."""
RULE = _pattern(r"[\s>]*(?:[-_=–—*•·.~#]{5,}|message du \d.{5,40})\s*$")
"""What stands above a mail's head: a line of dashes, or Orange's « Message du 13/01/26 08:58 »."""
HEAD = _pattern(
    r"[>\s*_|•-]*(?:"
    + "|".join(rf"(?P<{name}>{_any(words)})" for name, words in _WORDS["heads"].items())
    + r")[\s*_]*[:：](?!//)"
)
"""A line of a quoted mail's head; its group says which."""

# --- signatures ------------------------------------------------------------------------------

TRACKERS = frozenset({"\u1427"})
"""What extensions of mail programs leave at the end of a text."""
_DEVICE = rf"\b{_any(_WORDS['devices'])}\b"
_ON_A_DEVICE = rf".{{0,50}}{_DEVICE}.{{0,60}}"
_DEVICES = (
    rf"sent (?:from|via|with|by|using) (?:my \S[^?]{{0,70}}|{_ON_A_DEVICE})",
    rf"from my {_DEVICE}.{{0,30}}",
    r"sent from [^?<]{1,40}<https?://[^<> ]{1,100}>",
    r"(?:get|télécharge[rz]|obten(?:ez|ir)|obtener|obter|ottieni|scarica) .{0,6}outlook .{0,80}",
    r"outlook (?:voor|pour|for|für|per|para) (?:ios|android)\b.{0,40}",
    r"holen sie sich outlook .{0,60}",
    rf"(?:message )?(?:envoyée?|expédiée?|écrit|rédigée?) {_ON_A_DEVICE}",
    r"(?:envoyée?|écrit) (?:de|depuis|à partir de|avec) mon [^,?;:]{2,40}",
    r"envoyé à partir d['’].{2,60}",
    r"provenance : (?:courrier|mail) pour .{1,40}",
    r"(?:von|mit) meine[mr] .{1,60} (?:gesendet|geschickt|geschrieben)",
    rf"gesendet (?:von|mit|aus|über) {_ON_A_DEVICE}",
    r"diese (?:nachricht|e-?mail) wurde von .{1,80} (?:gesendet|versendet)",
    rf"enviad[oa] (?:desde|do|da|a partir|con|com|via|por) {_ON_A_DEVICE}",
    rf"enviat des d{_ON_A_DEVICE}",
    rf"inviato (?:da|dal|dall['’]|con|tramite) ?{_ON_A_DEVICE}",
    rf"(?:verzonden|verstuurd|gestuurd) (?:vanaf|vanuit|met|van|via) {_ON_A_DEVICE}",
    rf"(?:skickat från|sendt (?:fra|med)) {_ON_A_DEVICE}",
    r"lähetetty (?:\w+ )?(?:iphone|ipad|android|samsung|puhelim|outlook).{0,40}",
    r"(?:wysłan[eoay]|odesláno) z.{0,30}(?:iphon|ipad|android|telefon|mobil).{0,40}",
    rf"отправлено (?:с|из) (?:{_ON_A_DEVICE}|.{{0,50}}(?:телефон|почт).{{0,50}})",
    rf"trimis de pe {_ON_A_DEVICE}",
    r".{1,20}['’]?(?:umdan|ımdan|imden) gönderildi",
    r"[从從发發]自?我的 ?.{1,20}(?:发送|發送|傳送|传送)?|.{1,20}から送信",
)
DEVICE = _pattern(rf"[\s<(*_«\"]*(?:{'|'.join(_DEVICES)})[\s>)*_».!]*$")
"""What telephones and programs sign with."""
_PRINT = (
    r"(?:ce|le présent|cet) (?:message|mail|courriel|e-?mail)\b.{0,80}(?:confiden|destiné)",
    r"(?:ce|le présent|cet) (?:message|mail|courriel|e-?mail)\b.{0,80}(?:pièces? jointes?|virus)",
    r"(?:avis|clause|note|mention) (?:de |d['’])?confidentialité",
    r"(?:l['’])?absence de virus|garanti sans virus|sans virus\b.{0,60}avast",
    r"(?:pensez|songez) (?:à l['’]environnement|avant).{0,60}imprimer",
    r"(?:avant d['’]imprimer|n['’]imprimez) ce(?:t|tte)? (?:mail|e-?mail|message|courriel)",
    r"(?:this|the) (?:e-?mail|message|communication)\b.{0,120}(?:confidential|privileged|virus)",
    r"(?:this|the) (?:e-?mail|message|communication)\b.{0,120}intended (?:only|solely|for)",
    r"(?:confidentiality|privacy) notice|(?:legal )?disclaimer ?[:.-]",
    r"please (?:consider|think of) the environment|virus-free\b",
    r"diese? (?:e-?mail|nachricht)\b.{0,80}(?:vertraulich|virus)",
    r"este (?:mensaje|correo|e-?mail|mensagem)\b.{0,80}(?:confidenci|virus)",
    r"(?:questo messaggio|questa e-?mail)\b.{0,120}(?:confidenzial|riservat|virus)",
    r"dit (?:bericht|e-?mail)\b.{0,80}vertrouwelijk",
)
DISCLAIMER = _pattern(rf"[\s*_\"“«(<|!-]*(?:{'|'.join(_PRINT)})")
"""How the small print of companies and virus scanners begins; it ends a mail."""

# --- answers within a quotation --------------------------------------------------------------

INLINE = re.compile(
    r"(?:répon|réagi|comment|remarqu|complét|annot|answer|repl|respon|antwort|risp|respuest|see"
    r"|voir|cf\b)[^\n]{0,60}\b(?:ci-?(?:dessous|après)|plus bas|dans (?:le|votre|ton) (?:texte"
    r"|message|mail|corps|fil)|en (?:rouge|bleu|vert|gras|couleur|italique|rojo)|in-?line|below"
    r"|in (?:red|blue|green|bold|rot|rosso)|unten|debajo|sotto)\b"
    r"|^\s*(?:ci-dessous|below|inline)[\s.:!]*$",
    re.IGNORECASE | re.MULTILINE,
)
"""Said above a quotation by who answers within it."""
