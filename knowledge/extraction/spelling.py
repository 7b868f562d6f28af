"""How a model's number is written: as its make does, and as it may have been meant."""

from __future__ import annotations

import re
from collections.abc import Iterator

from knowledge.catalogue import Make
from knowledge.extraction.words import any_of

_ZERO = re.compile(r"(?<=\d)o+|o+(?=\d)")
_ONE = re.compile(r"(?<=\d)[il]+(?=\d)")
_PARTS = re.compile(r"([a-z]*)(\d.*)")
_DASHED = re.compile(rf"({any_of('hl dcp mfc wf et al am sl mx bp')})([a-z]{{0,2}})")
_BLANK = re.compile(r"(im|mp|sp|pro)(c?w?)")


def forms(number: str) -> Iterator[tuple[str, bool]]:
    """Yield a number as it is written, then as it may have been meant: « C75O »."""
    yield number, False
    meant = _ONE.sub(lambda match: "1" * len(match.group()), number)
    meant = _ZERO.sub(lambda match: "0" * len(match.group()), meant)
    if meant != number:
        yield meant, True


def styled(number: str, make: Make) -> str:
    """Write a number as its make does: HL-L2350DW, IM C3000, M404dn."""
    match = _PARTS.fullmatch(number)
    letters, rest = match.groups() if match else ("", number)
    if make.style == "plain":
        return letters.upper() + rest
    pattern, between = (_DASHED, "-") if make.style == "dash" else (_BLANK, " ")
    head = pattern.fullmatch(letters)
    if head:
        return f"{head[1]}{between}{head[2]}{rest}".upper()
    lone = make.style == "blank" or len(letters) < 2  # noqa: PLR2004 - « L3150 », « P 501 »
    return (letters + rest if lone else f"{letters}-{rest}").upper()
