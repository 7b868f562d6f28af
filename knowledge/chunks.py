"""From a document's blocks to passages that can be found and quoted: sentences, with headings.

A passage has some 150 words: long enough to say what to do, short enough for one question.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

AIM_WORDS = 150
"""From which a passage ends with the next sentence."""
MOST_WORDS = 200
TAIL_WORDS = 40
"""What is left of a section and shorter goes with the passage before it."""
FEWEST_LETTERS = 12
"""A passage with fewer says nothing: a page number, a lonely bullet."""
LONGEST_WORD = 120
"""What is longer is no word: an encoded picture, a key."""
ROW_WORDS = 80
"""Of the parts by which a passage is found: French ones of 80 words have about 170 word pieces, and
an embedding model reads 256."""
HEADING = " › "
HEADING_CHARACTERS = 300

_SENTENCE = re.compile(r"[.!?…;:](?:\s?»|[\"”)\]])*\s+(?=[\"«“(\[•–—-]?\s?[A-ZÀ-ÖØ-Þ0-9])")
_ABBREVIATED = re.compile(
    r"(?:^|[\s(])(?:(?-i:[A-Z])|art|ca|cf|chap|dr|env|etc|ex|fig|max|min|mme|mr|mrs|n|nb|no|nos|nr|p|pp|"
    r"réf|ref|sect|st|tab|tél|tel|vol|vs|e\.g|i\.e|p\. ?ex)\.\s*$",
    re.IGNORECASE,
)


class Block(NamedTuple):
    """A paragraph, or with a `level` from 1 a heading; `page` from 1, 0: there are none."""

    text: str
    level: int = 0
    page: int = 0


class Chunk(NamedTuple):
    """A passage: `heading` are the headings above it, outermost first; `page`: where it begins."""

    heading: str
    text: str
    page: int = 0


def chunks(blocks: Iterable[Block]) -> Iterator[Chunk]:
    """Give the passages of a document."""
    path: dict[int, str] = {}
    section: list[Block] = []
    for block in blocks:
        words = _tidy(block.text)
        if not block.level:
            section.append(Block(words, 0, block.page))
            continue
        yield from _passages(_heading(path), section)
        section = []
        path = {level: title for level, title in path.items() if level < block.level}
        if words:
            path[block.level] = words[:HEADING_CHARACTERS]
    yield from _passages(_heading(path), section)


def sentences(text: str) -> list[str]:
    """Return the sentences of a paragraph; « p. 3 » and « Fig. 2 » end none."""
    found: list[str] = []
    ends = [0, *(match.end() for match in _SENTENCE.finditer(text)), len(text)]
    for part in (text[start:end].strip() for start, end in pairwise(ends)):
        if found and _ABBREVIATED.search(found[-1]):
            found[-1] = f"{found[-1]} {part}"
        elif part:
            found.append(part)
    return found


def rows(title: str, heading: str, text: str) -> tuple[str, ...]:
    """Return the texts by which a passage is found: its parts, each with what stands above it."""
    above = heading if heading.startswith(title) else HEADING.join(filter(None, (title, heading)))
    parts: list[str] = []
    for sentence in (one for line in text.split("\n") for one in _bounded(line, ROW_WORDS)):
        if parts and _length(parts[-1]) + _length(sentence) <= ROW_WORDS:
            parts[-1] = f"{parts[-1]} {sentence}"
        else:
            parts.append(sentence)
    return tuple(f"{above}\n{part}" if above else part for part in parts)


def _heading(path: dict[int, str]) -> str:
    return HEADING.join(path[level] for level in sorted(path))[-HEADING_CHARACTERS:]


def _passages(heading: str, section: Iterable[Block]) -> Iterator[Chunk]:
    made: list[Chunk] = []
    open_ = False
    for block in section:
        for number, sentence in enumerate(_bounded(block.text, MOST_WORDS)):
            last = made[-1] if made else Chunk(heading, "", block.page)
            size = _length(last.text)
            if open_ and size < AIM_WORDS and size + _length(sentence) <= MOST_WORDS:
                made[-1] = last._replace(text=f"{last.text}{' ' if number else chr(10)}{sentence}")
            else:
                made.append(Chunk(heading, sentence, block.page))
                open_ = True
    if len(made) > 1 and _length(made[-1].text) < TAIL_WORDS:
        tail = made.pop()
        made[-1] = made[-1]._replace(text=f"{made[-1].text}\n{tail.text}")
    for chunk in made:
        if sum(map(str.isalpha, chunk.text)) >= FEWEST_LETTERS:
            yield chunk


def _bounded(text: str, most: int) -> Iterator[str]:
    """Give sentences, those that are too long in pieces: a table without a full stop is one."""
    for sentence in sentences(text):
        words = sentence.split()
        for start in range(0, len(words), most):
            yield " ".join(words[start : start + most])


def _tidy(text: str) -> str:
    return " ".join(word for word in text.split() if len(word) <= LONGEST_WORD)


def _length(text: str) -> int:
    return len(text.split())
