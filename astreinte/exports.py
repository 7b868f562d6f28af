"""What loggers export, as a table: whatever encoding, separator, lines above the header, units."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from refrigeration.measures import SCALES, plain
from refrigeration.profile import OWN_UNITS

MAX_BYTES = 268_435_456
MAX_COLUMNS = 2_000
ABOVE = 60
"""Lines above the header, at most: serial numbers, places, remarks."""
LOOKED_AT = 262_144
"""Characters in which the separator shows."""
MARKS = (";", "\t", ",", "|")
IN_BRACKETS = re.compile(r"^(.*?)\s*[\(\[]\s*([^\)\]]*?)\s*[\)\]]\s*$")
SPELLINGS = {
    "c": "°C",
    "degc": "°C",
    "deg c": "°C",
    "celsius": "°C",
    "f": "°F",
    "degf": "°F",
    "bara": "bar",
    "bar a": "bar",
    "bar abs": "bar",
    "bar g": "barg",
    "barr": "barg",
    "psia": "psi",
    "m3/h": "m³/h",
    "rh": "%",
    "%rh": "%",
    "% hr": "%",
    "%hr": "%",
    "volt": "V",
    "volts": "V",
    "amp": "A",
    "ampere": "A",
}
"""What loggers write for a unit, in small letters, and what it is called here."""


class UnfitFileError(ValueError):
    """The file cannot be read as a table of readings; the message says why."""


@dataclass(frozen=True)
class Table:
    """A table: names and units of its columns, its cells as text, and what was odd about it."""

    names: tuple[str, ...]
    bare: tuple[str, ...]
    """The names without the units that they say."""
    units: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    above: int = 0
    """Lines above the header, left out."""
    uneven: int = 0
    """Rows with more or fewer cells than the header: filled up, or cut."""


def table(path: Path) -> Table:
    """Read a file of text as a table.

    Raises
    ------
    UnfitFileError
        It is no text, too large, empty, or no line is a header with rows below it.
    OSError
        It cannot be read.
    """
    if path.stat().st_size > MAX_BYTES:
        msg = f"{path}: larger than {MAX_BYTES // 1_048_576} MiB"
        raise UnfitFileError(msg)
    text = _text(path)
    mark = _mark(text)
    try:
        lines = [row for row in csv.reader(io.StringIO(text), delimiter=mark) if _any(row)]
    except csv.Error as error:
        msg = f"{path}: no table: {error}"
        raise UnfitFileError(msg) from error
    place = _header(lines)
    if place is None or len(lines) < place + 2:
        msg = f"{path}: no header with rows of readings below it"
        raise UnfitFileError(msg)
    header = [" ".join(name.split()) for name in lines[place]]
    while header and not header[-1]:
        header.pop()
    if len(header) > MAX_COLUMNS:
        msg = f"{path}: more than {MAX_COLUMNS} columns"
        raise UnfitFileError(msg)
    body = lines[place + 1 :]
    below = _units_row(body[0], len(header))
    body = body[1:] if below else body
    named = [unit_in(name) for name in header]
    uneven = sum(len(row) != len(header) and _any(row[len(header) :]) for row in body)
    uneven += sum(len(row) < len(header) for row in body)
    filled = [""] * len(header)
    return Table(
        names=tuple(header),
        bare=tuple(name for name, _ in named),
        units=tuple(below[n] if below and below[n] else unit for n, (_, unit) in enumerate(named)),
        rows=tuple(tuple((row + filled)[: len(header)]) for row in body),
        above=place,
        uneven=uneven,
    )


def _any(row: list[str]) -> bool:
    return any(cell.strip() for cell in row)


def _text(path: Path) -> str:
    raw = path.read_bytes()
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return raw.decode("utf-16", errors="replace")
    if b"\x00" in raw[:4096]:
        msg = f"{path}: no text; export it as CSV"
        raise UnfitFileError(msg)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")


def _mark(text: str) -> str:
    """Return the separator: the one by which most of the first lines have as many cells."""
    lines = [line for line in text[:LOOKED_AT].splitlines()[: 2 * ABOVE] if line.strip()]
    best, most = ",", (0, 0)
    for mark in MARKS:
        counts = Counter(line.count(mark) for line in lines if mark in line)
        if counts:
            cells, alike = counts.most_common(1)[0]
            if (alike, cells) > most:
                best, most = mark, (alike, cells)
    return best


def _header(lines: list[list[str]]) -> int | None:
    """Return the line of names: the widest of the first that is not numbers, rows follow."""
    usual = Counter(len(row) for row in lines[: 4 * ABOVE]).most_common(1)
    width = usual[0][0] if usual else 0
    for place, row in enumerate(lines[:ABOVE]):
        named = [cell for cell in row if cell.strip()]
        words = [cell for cell in named if not _numeric(cell)]
        if len(named) >= max(2, width - 1) and len(words) > len(named) / 2:
            return place
    return None


def _numeric(cell: str) -> bool:
    return bool(re.fullmatch(r"[\s\d.,:/+\-TZ]+", cell))


def _units_row(row: list[str], width: int) -> tuple[str, ...]:
    """Return the units of a row that holds nothing else; nothing of a row of readings."""
    cells = [cell.strip().strip("()[]") for cell in row[:width]]
    known = [unit_of(cell) for cell in cells]
    if not any(known) or any(
        cell and not unit and _numeric(cell) for cell, unit in zip(cells, known, strict=True)
    ):
        return ()
    return tuple(known + [""] * (width - len(known)))


def unit_of(text: str) -> str:
    """Return a unit as it is called here, or nothing."""
    text = text.strip()
    if text in SCALES or text in OWN_UNITS:
        return "°" + text if text in {"C", "F"} else text
    small = text.lower().lstrip("°").strip()
    return SPELLINGS.get(small) or next(
        (unit for unit in (*SCALES, *OWN_UNITS) if unit.lower() == text.lower()), ""
    )


def unit_in(name: str) -> tuple[str, str]:
    """Return a column's name without the unit that it says, and the unit: `HP (bar)`, `T °C`."""
    bracketed = IN_BRACKETS.match(name)
    if bracketed and (unit := unit_of(bracketed[2])):
        return bracketed[1].strip(), unit
    head, _, last = name.rpartition(" ")
    if head and last and (last in SCALES or last in OWN_UNITS or last.startswith("°")):
        return head.strip(), unit_of(last)
    return name, ""


def words_of(name: str) -> list[str]:
    """Return the words of a column's name, plain."""
    return [word for word in re.split(r"[^a-z0-9]+", plain(name).replace("_", " ")) if word]
