"""PDF files: the text of their pages, headings by bookmarks and by the size of letters."""

from __future__ import annotations

import io
import logging
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from pypdf import PdfReader
from pypdf.errors import PyPdfError
from pypdf.generic import Destination

from gateways.documents.paper import Paper, Progress, Unreadable
from knowledge.chunks import Block

# It warns of each small fault of a file; what matters is said once, in our words.
logging.getLogger("pypdf").setLevel(logging.CRITICAL)

MAX_PAGES = 3_000
PAGE_CHARACTERS = 50_000
"""Of a page that is read: the densest have some 10,000."""
LARGER = 1.15
"""Letters of a heading, against those of most of the text."""
HEADING_WORDS = 14
EDGE_LINES = 2
"""Lines at the top and the bottom of a page that may be its head or its foot."""
REPEATED = 0.6
"""Share of pages on which a line stands at an edge, from which it is the page's, not the text's."""
REPEATED_PAGES = 4

_NO_TITLE = re.compile(
    r"\.(docx?|indd|pdf|qxd|fm|odt)$|^(microsoft word|untitled|sans titre)", re.IGNORECASE
)
"""What word processors write when nobody gave a title."""
_END = re.compile(r"[.!?:;…]\W*$")
_ITEM = re.compile(r"^\s*(?:[•·▪◦–—*-]|\(?\d{1,3}[.)]|[a-z]\))\s")


class Line(NamedTuple):
    """A line of a page and the size of its largest letters."""

    text: str
    size: float


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
    if not any(line.text.strip() for page in pages for line in page):
        msg = "has no text: its pages are pictures; have them recognised (OCR) first"
        raise Unreadable(msg)
    title = _title(reader)
    blocks = list(_blocks(pages, _bookmarks(reader)))
    return Paper(title, blocks, total, tuple(remarks))


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
    return [Line(_plain(line.text), round(line.size, 1)) for line in found if line.text.strip()]


def _plain(text: str) -> str:
    return " ".join(text.replace("\x00", "").replace("\xad", "").split())


def _without_edges(pages: Sequence[list[Line]], body: float) -> list[list[Line]]:
    """Return the pages without what stands on the top or the bottom of most of them."""
    places = [_edges(page, body) for page in pages]
    seen = Counter(
        name
        for page, edges in zip(pages, places, strict=True)
        for name in {_edge(page[place]) for place in edges}
    )
    least = max(REPEATED_PAGES, REPEATED * len(pages))
    repeated = {name for name, count in seen.items() if count >= least}
    return [
        [
            line
            for place, line in enumerate(page)
            if place not in edges or _edge(line) not in repeated
        ]
        for page, edges in zip(pages, places, strict=True)
    ]


def _edges(page: Sequence[Line], body: float) -> set[int]:
    """Return the places of lines that may be a page's head or foot; a chapter's title is none."""
    ends = {*range(EDGE_LINES), *range(len(page) - EDGE_LINES, len(page))}
    return {place for place in ends if 0 <= place < len(page) and page[place].size < LARGER * body}


def _edge(line: Line) -> str:
    return re.sub(r"\d+", "#", line.text.lower())


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
                found.setdefault(number, {})[_bare(str(entry.title))] = level
    except Exception:  # noqa: BLE001 - broken bookmarks: there are the letters' sizes
        return {}
    return found


def _blocks(
    pages: Sequence[list[Line]], bookmarks: Mapping[int, Mapping[str, int]]
) -> Iterator[Block]:
    body, levels = _sizes(pages)
    paragraph, began = "", 0
    for number, page in enumerate(_without_edges(pages, body)):
        titles = bookmarks.get(number, {})
        for line in page:
            level = titles.get(_bare(line.text), 0)
            if not level and not bookmarks and _looks_like_heading(line, body):
                level = levels.get(line.size, 0)
            if paragraph and (level or _ends(paragraph, line.text)):
                yield Block(paragraph, 0, began)
                paragraph = ""
            if level:
                yield Block(line.text, level, number + 1)
            elif paragraph:
                paragraph = _joined(paragraph, line.text)
            else:
                paragraph, began = line.text, number + 1
    if paragraph:
        yield Block(paragraph, 0, began)


def _sizes(pages: Sequence[list[Line]]) -> tuple[float, dict[float, int]]:
    """Return the size of most letters, and the level of a heading in each larger one."""
    letters: Counter[float] = Counter()
    for page in pages:
        for line in page:
            letters[line.size] += len(line.text)
    body = letters.most_common(1)[0][0] if letters else 0.0
    larger = sorted((size for size in letters if body and size >= LARGER * body), reverse=True)
    return body, {size: min(place, 6) for place, size in enumerate(larger, 1)}


def _looks_like_heading(line: Line, body: float) -> bool:
    words = line.text.split()
    return (
        bool(body)
        and line.size >= LARGER * body
        and len(words) <= HEADING_WORDS
        and any(letter.isalpha() for letter in line.text)
        and not line.text.rstrip().endswith((".", ";", ","))
    )


def _ends(paragraph: str, following: str) -> bool:
    return bool(_END.search(paragraph)) or bool(_ITEM.match(following))


def _joined(paragraph: str, line: str) -> str:
    # « impri- » and « mante » are one word; « C750- » and « 01 », and « e-mail », keep the dash.
    if re.search(r"[a-zà-ÿ]-$", paragraph) and re.match(r"[a-zà-ÿ]", line):
        return paragraph[:-1] + line
    return f"{paragraph} {line}"


def _bare(text: str) -> str:
    return re.sub(r"[\W_]+", " ", text.lower()).strip()


def _title(reader: PdfReader) -> str:
    try:
        title = _plain(str((reader.metadata and reader.metadata.title) or ""))
    except Exception:  # noqa: BLE001 - a broken dictionary has no title
        return ""
    return "" if _NO_TITLE.search(title) else title
