"""Texts with labels, from a table that somebody made: `text,label` in CSV."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

COLUMNS = ("text", "label")
LARGEST_MB = 200
FEWEST = 5
"""Examples of a label: fewer cannot be learned from and checked by turns."""
LONGEST = 1_000_000
"""Characters of a field; more is a quotation mark that was never closed."""
SAID = 5
"""Broken rows that are named; the others are counted."""

Labelled = list[tuple[str, str]]
"""(text, label) pairs."""


class BrokenTable(ValueError):  # noqa: N818 - said to whoever made it
    """The file is no table of labelled texts; the sentence says where and why."""


def read(path: Path) -> Labelled:
    """Return the rows of a CSV file: UTF-8, a line of column names, then one text a row.

    Commas, semicolons or tabs; other columns are passed over.

    Raises
    ------
    BrokenTable
        With the lines that are broken.
    """
    _check_size(path)
    rows: Labelled = []
    broken: list[str] = []
    for line, text, label in _rows(path):
        if text and label:
            rows.append((text, label))
        else:
            broken.append(f"line {line}: no {'label' if text else 'text'}")
    if broken:
        more = f"; and {len(broken) - SAID} more" if len(broken) > SAID else ""
        msg = f"{path}: {'; '.join(broken[:SAID])}{more}"
        raise BrokenTable(msg)
    if not rows:
        msg = f"{path}: there are no rows below the column names"
        raise BrokenTable(msg)
    return rows


def check_classes(path: Path, labels: Sequence[str]) -> None:
    """Raise `BrokenTable` when there is nothing to tell apart, or too little to learn from."""
    counts = Counter(labels)
    few = [f"{label} ({count})" for label, count in counts.items() if count < FEWEST]
    if len(counts) == 1:
        msg = f"{path}: every row has the label {labels[0]!r}; two are needed at least"
        raise BrokenTable(msg)
    if few:
        msg = f"{path}: fewer than {FEWEST} examples of {', '.join(few)}; add some, or join labels"
        raise BrokenTable(msg)


def _check_size(path: Path) -> None:
    try:
        size = path.stat().st_size
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror}"
        raise BrokenTable(msg) from None
    if size > LARGEST_MB * 1_000_000:
        msg = f"{path}: {size / 1e6:.0f} MB; {LARGEST_MB} MB at most: take a sample of its rows"
        raise BrokenTable(msg)


def _rows(path: Path) -> Iterator[tuple[int, str, str]]:
    """Yield line number, text and label of each row that is not blank."""
    csv.field_size_limit(LONGEST)
    reader = csv.reader(_lines(path), strict=True)
    started = 1
    try:
        header = next(reader, [])
        if len(header) == 1 and (found := [mark for mark in ";\t" if mark in header[0]]):
            header = header[0].split(found[0])
            reader = csv.reader(_lines(path), delimiter=found[0], strict=True)
            next(reader)
        places = _places(path, header)
        started = reader.line_num + 1
        for row in reader:
            if any(row):
                cells = [row[place].strip() if place < len(row) else "" for place in places]
                yield started, cells[0], cells[1]
            started = reader.line_num + 1
    except csv.Error as error:
        msg = f"{path}: line {started}: {error}"
        raise BrokenTable(msg) from None


def _places(path: Path, header: Sequence[str]) -> list[int]:
    names = [name.strip().lower() for name in header]
    for column in COLUMNS:
        if column not in names:
            msg = f"{path}: line 1: no column {column!r} among {', '.join(names) or 'none'}"
            raise BrokenTable(msg)
    return [names.index(column) for column in COLUMNS]


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                try:
                    text = line.decode("utf-8-sig" if number == 1 else "utf-8")
                except UnicodeDecodeError as error:
                    msg = (
                        f"{path}: line {number}: not UTF-8 (byte {line[error.start]:#04x}); "
                        "save it as UTF-8"
                    )
                    raise BrokenTable(msg) from None
                yield text
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror}"
        raise BrokenTable(msg) from None
