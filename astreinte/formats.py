"""From a file to its records: JSON, JSON Lines, tables, mails, folders and mailboxes."""

from __future__ import annotations

import codecs
import csv
import json
import re
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO

from astreinte.columns import ALIASES, Unusable, speaks
from astreinte.texts import UnreadableFile, check_size, open_text

MAX_ROW_CHARACTERS = 4 * 2**20
"""Of one row of a table: room for what is refused for its length, an end for a lost quote."""
MAX_DIGITS = 255
"""Of an integer in JSON; Python refuses to read 4300."""
MAX_LINES_AGAIN = 1_000_000
"""Of one table: what a lost quote swallowed is read again, but a hostile file must end, too."""

POSTMARK = re.compile(rb"From .*\d\d:\d\d")
"""The line before each mail of an mbox: a sentence that starts with "From" tells no time."""
QUOTED = re.compile(rb">+From ")

Records = Iterator[tuple[str, object]]
"""The name of its list, if the file has several, and the record: bytes are a mail."""


def reader_of(path: Path) -> Callable[[Path], Records]:
    """Return what reads this file, by its name or by how it begins. Raises `UnreadableFile`."""
    if path.is_dir():
        return _folder
    check_size(path)
    if reader := READERS.get(path.suffix.lower()):
        return reader
    with path.open("rb") as stream:
        head = stream.read(4096).removeprefix(codecs.BOM_UTF8)
    for pattern, reader in BY_CONTENT:
        if pattern.match(head):
            return reader
    msg = f"unknown format; known are a folder of .eml, {', '.join(READERS)}"
    raise UnreadableFile(msg)


def _parse(text: str) -> Any:
    # NaN is what pandas writes for "nothing"; Python refuses to read integers of 4300 digits.
    return json.loads(
        text,
        parse_constant=lambda _: None,
        parse_int=lambda digits: int(digits) if len(digits) < MAX_DIGITS else digits,
    )


def lists_in(path: Path) -> list[tuple[str, list[object]]]:
    """Return the lists of a JSON file by their names; the file's own has none.

    Raises
    ------
    UnreadableFile
        It is no JSON, or has no list.
    """
    with open_text(path) as stream:
        text = stream.read()
    try:
        data = _parse(text)
    except RecursionError:
        msg = "the JSON is nested too deeply"
        raise UnreadableFile(msg) from None
    except json.JSONDecodeError as error:
        if error.msg == "Extra data" and error.lineno == 2:  # noqa: PLR2004 - JSON Lines, misnamed
            return [("", [record for _, record in _json_lines(path)])]
        msg = f"broken JSON at line {error.lineno}, column {error.colno}: {error.msg}"
        raise UnreadableFile(msg) from None
    lists = [("", data)] if isinstance(data, list) else list(_lists(data))
    if not lists and isinstance(data, dict) and speaks(data):
        lists = [("", [data])]
    if not lists:
        msg = "the JSON has no list of messages"
        raise UnreadableFile(msg)
    return lists


def _json(path: Path) -> Records:
    lists = lists_in(path)
    for name, records in lists:
        yield from ((name if len(lists) > 1 else "", record) for record in records)


def _lists(data: object, above: str = "") -> Iterator[tuple[str, list[object]]]:
    for name, value in data.items() if isinstance(data, dict) else ():
        if isinstance(value, list) and any(isinstance(one, dict | str) for one in value):
            yield f"{above}{name}", value
        elif isinstance(value, dict) and not above:
            yield from _lists(value, f"{name}/")


def _json_lines(path: Path) -> Records:
    with open_text(path) as stream:
        for line in filter(str.strip, stream):
            try:
                yield "", _parse(line)
            except json.JSONDecodeError as error:
                yield "", Unusable(f"broken JSON at column {error.colno}: {error.msg}")
            except RecursionError:
                yield "", Unusable("the JSON is nested too deeply")


class _Lines(Iterator[str]):
    """Lines that can be given back: a quote never closed must not swallow the rows after it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._waiting: deque[str] = deque()
        self._budget = MAX_LINES_AGAIN
        self.taken: list[str] = []

    def __next__(self) -> str:
        line = self._waiting.popleft() if self._waiting else next(self._stream)
        self.taken.append(line)
        return line

    def give_back(self) -> int:
        """Give back all that was taken save the first line; return how many are lost instead."""
        if self._budget <= 0:
            return len(self.taken) - 1
        self._budget -= len(self.taken)
        self._waiting.extendleft(reversed(self.taken[1:]))
        return 0


def _table(path: Path) -> Records:
    csv.field_size_limit(MAX_ROW_CHARACTERS)
    with open_text(path) as stream:
        head = stream.read(65_536).lstrip().split("\n")[0]
        stream.seek(0)
        lines = _Lines(stream)
        # Of the header alone: csv.Sniffer takes the commas of customers' sentences for columns.
        rows = csv.reader(lines, delimiter=max(";,\t", key=head.count), strict=True)
        names = _header(rows)
        while True:
            lines.taken.clear()
            try:
                row = next(rows)
            except StopIteration:
                return
            except csv.Error as error:
                lost = lines.give_back()
                also = f"; the {lost} lines after it are lost with it" if lost else ""
                yield "", Unusable(f"a broken row: {error}{also}")
            else:
                yield from (("", _row(names, row)) for _ in row[:1])


def _header(rows: Iterator[list[str]]) -> list[str]:
    try:
        names = next((row for row in rows if row), [])
    except csv.Error as error:
        msg = f"the header row is broken: {error}"
        raise UnreadableFile(msg) from None
    if not speaks(names):
        msg = f"no column of text in the header row; known are {ALIASES['text']}"
        raise UnreadableFile(msg)
    return names


def _row(names: list[str], row: list[str]) -> object:
    if len(row) != len(names):
        return Unusable(f"a row of {len(row)} fields under a header of {len(names)}")
    return {name: value for name, value in reversed([*zip(names, row, strict=True)]) if value}


def mails_in(folder: Path) -> list[Path]:
    """Return the mails of a folder and those below it: `*.eml`, and what lies in Maildirs."""
    return sorted(
        one
        for one in folder.rglob("*")
        if (one.suffix.lower() == ".eml" or one.parent.name in {"cur", "new"}) and one.is_file()
    )


def _eml(path: Path) -> Records:
    yield "", path.read_bytes()


def _folder(path: Path) -> Records:
    mails = mails_in(path)
    if not mails:
        msg = "the folder has no mails (.eml)"
        raise UnreadableFile(msg)
    for one in mails:
        try:
            check_size(one)
            yield from _eml(one)
        except (OSError, UnreadableFile) as error:
            yield "", Unusable(f"a mail that cannot be read ({type(error).__name__})")


def _mbox(path: Path) -> Records:
    with path.open("rb") as stream:
        if not stream.readline().startswith(b"From "):
            msg = "no mbox: it does not start with 'From '"
            raise UnreadableFile(msg)
        mail: list[bytes] = []
        blank = False
        for line in stream:
            if blank and POSTMARK.match(line):
                yield "", b"".join(mail)
                mail = []
            else:
                mail.append(line[1:] if QUOTED.match(line) else line)
            blank = not line.strip()
        yield "", b"".join(mail)


READERS: dict[str, Callable[[Path], Records]] = {
    ".json": _json,
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".csv": _table,
    ".tsv": _table,
    ".eml": _eml,
    ".mbox": _mbox,
}
BY_CONTENT = (
    (re.compile(rb"From "), _mbox),
    (re.compile(rb"\s*[\[{]"), _json),
    (re.compile(rb"(?i)(return-path|received|from|date|message-id|mime-version):"), _eml),
)
