"""Lines of printed pages into paragraphs and headings. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from knowledge.chunks import Block

LARGER = 1.15
"""Letters of a heading, against those of most of the text."""
HEADING_WORDS = 14
EDGE_LINES = 2
"""Lines at the top and the bottom of a page that may be its head or its foot."""
REPEATED = 0.6
"""Share of pages on which a line stands at an edge, from which it is the page's, not the text's."""
REPEATED_PAGES = 4

_END = re.compile(r"[.!?:;…]\W*$")
_ITEM = re.compile(r"^\s*(?:[•·▪◦–—*-]|\(?\d{1,3}[.)]|[a-z]\))\s")


class Line(NamedTuple):
    """A line of a page and the size of its largest letters."""

    text: str
    size: float


def blocks(
    pages: Sequence[list[Line]], bookmarks: Mapping[int, Mapping[str, int]]
) -> Iterator[Block]:
    """Give the paragraphs and headings of pages.

    Parameters
    ----------
    pages
        Their lines.
    bookmarks
        Titles and their levels, by page from 0; without any, larger letters are headings.
    """
    body, levels = _sizes(pages)
    paragraph, began = "", 0
    for number, page in enumerate(_without_edges(pages, body)):
        titles = bookmarks.get(number, {})
        for line in page:
            level = titles.get(bare(line.text), 0)
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


def bare(text: str) -> str:
    """Return a title as titles are compared: its words, without its number."""
    words = re.sub(r"[\W_]+", " ", text.lower()).strip()
    return re.sub(r"^(?:\d+ )+(?=\D)", "", words)


def largest(pages: Sequence[list[Line]]) -> str:
    """Return the largest line of the first page, if it is larger than the text; or nothing."""
    body, _ = _sizes(pages)
    lines = [line for line in pages[0] if _looks_like_heading(line, body)] if pages else []
    return max(lines, key=lambda line: line.size).text if lines else ""


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
