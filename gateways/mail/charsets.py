"""Bytes to text, whatever charset their sender names. Nothing is lost, and nothing raises."""

from __future__ import annotations

import codecs

WINDOWS_1252 = "astreinte.windows-1252"
NO_CHARSETS = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape"})
"""Python's codecs for other things than mail; one needs seconds for half a megabyte."""
LATIN = frozenset({"us_ascii", "ascii", "iso_8859_1", "latin_1", "latin1", "iso8859_1", "l1"})
"""What programs name when they mean Windows-1252 (WHATWG Encoding does alike)."""
ALIASES = {"cp_850": "cp850", "ansi_x3.110_1983": "cp1252", "x_mac_roman": "mac_roman"} | {
    f"{prefix}{number}": f"cp{number}"
    for number in (*range(1250, 1259), 874, 932, 949, 950)
    for prefix in ("x_cp", "cp_", "win_", "x_windows_", "windows")
}


def as_windows_1252(error: UnicodeError) -> tuple[str, int]:
    """Read the bytes that are no UTF-8 as Windows-1252: a handler for `codecs.register_error`.

    One bad byte does not spoil the rest, and an old export is read whole.
    """
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("cp1252"), error.end


codecs.register_error(WINDOWS_1252, as_windows_1252)


def decoded(data: bytes, charset: str = "utf-8") -> str:
    """Return bytes as text: by their charset, else UTF-8, else Windows-1252.

    What says ASCII or Latin-1 and is sound UTF-8 is UTF-8: its label is wrong.
    """
    name = charset.lower().replace("-", "_").strip()
    name = ALIASES.get(name, name)
    tries = [(name, "strict"), ("utf-8", WINDOWS_1252)]
    if name in NO_CHARSETS:
        tries.pop(0)
    elif name in LATIN:
        tries[0] = ("utf-8", "strict")
    for known, errors in tries:
        try:
            return sound(data.decode(known, errors))
        except (LookupError, ValueError):
            continue
    return data.decode("utf-8", "replace")


def sound(text: str) -> str:
    """Return text without half surrogate pairs: neither a database nor JSON takes them."""
    return text.encode("utf-8", "replace").decode()
