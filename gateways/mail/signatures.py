"""What stands beneath a text without being one: signatures, devices, small print. Pure."""

from __future__ import annotations

import re

from gateways.mail import marks

MAX_LINES = 15
"""Of a signature beneath `--`; what is longer is a text."""
MAX_PRINT = 25
"""Lines of a paragraph of small print."""
MAX_LINE = 160
_SPEAKS = re.compile("[^\\W_]|[?!:;)(\u2600-\U0010ffff]")
"""A letter or figure, a smiley, a question mark, a thumb."""


def is_quoted(line: str) -> bool:
    """Say whether a line is quoted with `>`."""
    return line.lstrip().startswith(">")


def unsigned(lines: list[str], start: int, end: int) -> list[int]:
    """Return the numbers of these lines without the signature that ends them."""
    before = None
    while before != end:
        before = end
        end = _without_devices(lines, start, end)
        end = _without_print(lines, start, end)
        end = _without_signature(lines, start, end)
    return list(range(start, end))


def _without_devices(lines: list[str], start: int, end: int) -> int:
    """Leave out blank lines, rules, and what telephones sign with."""
    while end > start and (_is_idle(lines[end - 1]) or _fits(lines[end - 1], marks.DEVICE)):
        end -= 1
    return end


def _is_idle(line: str) -> bool:
    """Say whether a line says nothing."""
    return not _SPEAKS.search(line) or line.strip() in marks.TRACKERS


def _fits(line: str, pattern: re.Pattern[str]) -> bool:
    return len(line) <= MAX_LINE and bool(pattern.match(line))


def _without_print(lines: list[str], start: int, end: int) -> int:
    """Leave out the last paragraph from where small print begins in it."""
    found = end
    for number in range(end - 1, max(start, end - MAX_PRINT) - 1, -1):
        if not lines[number].strip() or is_quoted(lines[number]):
            break
        said = " ".join(line[: marks.MAX_MARK] for line in lines[number : min(number + 3, end)])
        if marks.DISCLAIMER.match(said[: marks.MAX_MARK]):
            found = number
    return found


def _without_signature(lines: list[str], start: int, end: int) -> int:
    """Leave out what stands beneath `--`, if it is as short as a signature."""
    for number in range(end - 1, max(start, end - MAX_LINES - 1) - 1, -1):
        if is_quoted(lines[number]):
            break
        if lines[number].strip() == "--":
            beneath = [line.strip() for line in lines[number + 1 : end]]
            short = all(len(line) <= MAX_LINE for line in beneath)
            asks = any(line.endswith("?") for line in beneath)
            return end if asks or not short else number
    return end
