"""PDF files: the text of their pages, headings by bookmarks and by the size of letters."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator, Sequence
from typing import Any

from pypdf import PdfReader
from pypdf.errors import PyPdfError
from pypdf.generic import Destination

from gateways.documents.layout import Line, bare, blocks, largest
from gateways.documents.paper import Paper, Progress, Unreadable

# It warns of each small fault of a file; what matters is said once, in our words.
logging.getLogger("pypdf").setLevel(logging.CRITICAL)

MAX_PAGES = 3_000
PAGE_CHARACTERS = 50_000
"""Of a page that is read: the densest have some 10,000."""
_CONTENTS = re.compile(r"(?:\.\s?){5,}\s*(?:\d+|[ivxl]+)?\s*$")
"""A line of a table of contents: dots up to a page's number."""
_NO_TITLE = re.compile(
    r"\.(docx?|indd|pdf|qxd|fm|odt)$|^(microsoft word|untitled|sans titre)", re.IGNORECASE
)
"""What word processors write when nobody gave a title."""


def read_pdf(data: bytes, progress: Progress) -> Paper:
    """Read a PDF file.

    Raises
    ------
    Unreadable
        It is damaged, needs a password, is too long, or its pages are pictures.
    """
    try:
        reader = PdfReader(io.BytesIO(data))
        is_open = not reader.is_encrypted or bool(reader.decrypt(""))
        total = len(reader.pages) if is_open else 0
    except Exception as error:  # whatever a broken file makes of its reader
        msg = f"is damaged: it cannot be opened ({type(error).__name__})"
        raise Unreadable(msg) from error
    if not is_open:
        msg = "needs a password: save a copy without one"
        raise Unreadable(msg)
    if total > MAX_PAGES:
        msg = f"has {total} pages, {MAX_PAGES} are accepted: split it"
        raise Unreadable(msg)
    pages, remarks = _pages(reader, total, progress)
    if not any(pages):
        pictures = "has no text: its pages are pictures; have them recognised (OCR) first"
        raise Unreadable(next(iter(remarks), pictures))
    title = _title(reader) or largest(pages)
    found = list(blocks(pages, _bookmarks(reader)))
    return Paper(title, found, total, tuple(remarks))


def _pages(reader: PdfReader, total: int, progress: Progress) -> tuple[list[list[Line]], list[str]]:
    pages: list[list[Line]] = []
    remarks = []
    for number in range(total):
        try:
            pages.append(_lines(reader.pages[number]))
        except (
            PyPdfError,
            ValueError,
            TypeError,
            KeyError,
            IndexError,
            AttributeError,
            RecursionError,
            AssertionError,
            ArithmeticError,
            MemoryError,
        ) as error:
            pages.append([])
            remarks.append(f"page {number + 1} cannot be read ({type(error).__name__})")
        progress(number + 1, total)
    return pages, remarks


def _lines(page: Any) -> list[Line]:
    found: list[Line] = []
    text, size, taken = "", 0.0, 0

    def visit(part: str, _cm: Any, matrix: Sequence[float], _font: Any, points: float) -> None:
        nonlocal text, size, taken
        taken += len(part)
        if taken > PAGE_CHARACTERS:
            return
        height = abs(points * (matrix[3] or matrix[1] or 1.0)) if points else 0.0
        first, *more = part.split("\n")
        for number, piece in enumerate((first, *more)):
            if number:
                found.append(Line(text, size))
                text, size = "", 0.0
            text += piece
            if piece.strip():
                size = max(size, height)

    page.extract_text(visitor_text=visit)
    found.append(Line(text, size))
    return [
        Line(_plain(line.text), round(line.size, 1))
        for line in found
        if line.text.strip() and not _CONTENTS.search(line.text)
    ]


def _plain(text: str) -> str:
    return " ".join(text.replace("\x00", "").replace("\xad", "").split())


def _bookmarks(reader: PdfReader) -> dict[int, dict[str, int]]:
    """Return the titles of a file's bookmarks by page, each with its level."""
    found: dict[int, dict[str, int]] = {}

    def walk(entries: Sequence[Any], level: int) -> Iterator[tuple[Destination, int]]:
        for entry in entries:
            if isinstance(entry, list):
                yield from walk(entry, min(level + 1, 6))
            else:
                yield entry, level

    try:
        for entry, level in walk(reader.outline, 1):
            number = reader.get_destination_page_number(entry)
            if number is not None:
                found.setdefault(number, {})[bare(str(entry.title))] = level
    except Exception:  # noqa: BLE001 - broken bookmarks: there are the letters' sizes
        return {}
    return found


def _title(reader: PdfReader) -> str:
    try:
        title = _plain(str((reader.metadata and reader.metadata.title) or ""))
    except Exception:  # noqa: BLE001 - a broken dictionary has no title
        return ""
    return "" if _NO_TITLE.search(title) else title
