"""From the lines of a SQL dump to its statements, without reading what they say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from astreinte.importing.rows import Remark

MAX_STATEMENT = 4 * 2**20
"""Characters of one statement: mysqldump begins a new one after 1 MiB. Parsed, it takes 500 MB."""
HEAD = 200
TOO_LONG = f"a statement of more than {MAX_STATEMENT} characters: dump it in shorter ones"
CUT_OFF = "the file ends within this statement: it is cut off"
NO_END = "the dump does not say that it is complete: it may be cut off"

_OPENS = re.compile(r"--(?=\s|$)|#|/\*|['\"`]")
_ENDS = {
    "'": re.compile(r"(?:[^'\\]++|\\.)*+'", re.DOTALL),
    '"': re.compile(r'(?:[^"\\]++|\\.)*+"', re.DOTALL),
    "`": re.compile(r"[^`]*+`"),
    "/*": re.compile(r".*?\*/", re.DOTALL),
}
_DELIMITER = re.compile(r"\s*DELIMITER\s+(\S+)", re.IGNORECASE)
_BEGUN, _DONE = re.compile(r"-- (MySQL|MariaDB) dump "), re.compile(r"-- Dump completed")


@dataclass(frozen=True)
class Broken:
    """A statement that is not taken, how it begins, and why."""

    head: str
    reason: str


def statements_of(lines: Iterable[str]) -> Iterator[tuple[int, str | Broken | Remark]]:
    """Give the statements, each with the number of its first line; several may share a line."""
    begun: list[str] = []
    number = first = size = 0
    opened, mark, with_end = "", ";", True
    for number, line in enumerate(lines, 1):
        if not (begun or opened):
            with_end = bool(_DONE.match(line)) or (with_end and not _BEGUN.match(line))
            if found := _DELIMITER.match(line):
                mark = found[1]
                continue
        was_open = opened
        opened, end = _scan(line, opened)
        code = line[:end].strip()
        if mark != ";" or not (begun or code or was_open or opened):
            continue  # a routine's body, a remark, nothing
        first = first or number
        size += len(line)
        begun.append(line if size <= MAX_STATEMENT else line[:HEAD])
        if code.endswith(";") and not opened:
            whole = "".join(begun)
            yield first, Broken(whole[:HEAD], TOO_LONG) if size > MAX_STATEMENT else whole
            begun, first, size = [], 0, 0
    if size:
        yield first, Broken("".join(begun)[:HEAD], CUT_OFF)
    elif not with_end:
        yield number, Remark(NO_END)


def _scan(line: str, opened: str) -> tuple[str, int]:
    """Return which quote or comment is open at the end of a line, and where its remark begins."""
    place = 0
    while True:
        if opened:
            end = _ENDS[opened].match(line, place)
            if not end:
                return opened, len(line)
            place, opened = end.end(), ""
        start = _OPENS.search(line, place)
        if not start:
            return "", len(line)
        if start[0] in {"--", "#"}:
            return "", start.start()
        opened, place = start[0], start.end()
