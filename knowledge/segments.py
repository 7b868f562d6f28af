"""Text messages: how many segments a text takes, and how French stays in the cheaper alphabet.

GSM 03.38: 160 characters in one message, 153 in each of several; a text with any other character
is sent as UCS-2: 70, and 67 in each of several (3GPP TS 23.038 and 23.040).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = frozenset("\f^{}\\[~]|€")
"""Two places each: an escape goes before them."""

LONGEST = 1_600
"""Characters that a provider takes (Twilio's error 21617 beyond)."""
ADVISED = 320
"""Characters that Twilio advises at most: two messages, shown in order on every telephone."""

_GSM = ("GSM-7", 160, 153)
_UCS = ("UCS-2", 70, 67)
_WORDS = (
    (re.compile(r"\bn° ?", re.IGNORECASE), "no "),
    (re.compile(r" ?°(?=[CF]\b)"), " "),
    (re.compile("°"), " deg"),
    (re.compile("« ?"), '"'),
    (re.compile(" ?»"), '"'),
)
_PLAIN = str.maketrans(
    {
        **dict.fromkeys("’‘‛′", "'"),
        **dict.fromkeys("“”„″", '"'),
        **dict.fromkeys("–—−‐‑•·", "-"),
        **dict.fromkeys("\t\u00a0\u2002\u2003\u2007\u2009\u202f\u3000", " "),
        **dict.fromkeys("\u00ad\u200b\u200c\u2060\ufeff\ufe0e", ""),
        "…": "...",
        "œ": "oe",
        "Œ": "OE",
        "×": "x",
        "²": "2",
        "³": "3",
        "½": "1/2",
        "→": "->",
        "≥": ">=",
        "≤": "<=",
        "™": "(TM)",
        "®": "(R)",
        "©": "(C)",
        "\u2028": "\n",
        "\u2029": "\n",
    }
)


@dataclass(frozen=True)
class Segments:
    """What a text takes: `places` of its alphabet (`encoding`), in `count` messages."""

    encoding: str
    places: int
    count: int


def segments(text: str) -> Segments:
    """Count what a text takes."""
    encoding, alone, each = _GSM if in_gsm7(text) else _UCS
    sizes = [_size(char, encoding) for char in text]
    places = sum(sizes)
    if places <= alone:
        return Segments(encoding, places, 1 if places else 0)
    count, left = 1, each
    for size in sizes:  # an escape and its character, or a surrogate pair, are never parted
        if size > left:
            count, left = count + 1, each
        left -= size
    return Segments(encoding, places, count)


def in_gsm7(text: str) -> bool:
    """Say whether every character is in the cheaper alphabet."""
    return BASIC.union(EXTENDED).issuperset(text)


def in_plain_letters(text: str) -> str:
    """Return the same words in GSM-7 where that can be; else the text as it was.

    One `ç`, `ê`, `œ`, `À`, `’`, `«` or `…` would more than double the segments of a French text. A
    text that holds an emoji or another script anyway keeps its accents: nothing would be won.
    """
    whole = unicodedata.normalize("NFC", text)
    if in_gsm7(whole):
        return whole
    whole = whole.translate(_PLAIN)
    for pattern, plain in _WORDS:
        whole = pattern.sub(plain, whole)
    made = "".join(map(_letter, whole))
    return made if in_gsm7(made) else text


def _letter(char: str) -> str:
    if char in BASIC or char in EXTENDED:
        return char
    # Of a letter with an accent that the alphabet has not: the letter.
    bare = "".join(c for c in unicodedata.normalize("NFKD", char) if not unicodedata.combining(c))
    return bare if bare.isascii() and bare.isalpha() else char


def _size(char: str, encoding: str) -> int:
    if encoding == _GSM[0]:
        return 2 if char in EXTENDED else 1
    return 2 if char > "\uffff" else 1
