"""What is read of a document, whatever it was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from knowledge.chunks import Block

MAX_BYTES = 50 * 2**20
"""Of a PDF file."""
MAX_TEXT_BYTES = 2 * 2**20
"""Of a page or a text; a book has one."""

Progress = Callable[[int, int], None]
"""Is told how many pages are done, of how many."""


class Unreadable(ValueError):  # noqa: N818 - said to whoever gave the document
    """A document of which nothing can be used; the text says why and what to do."""


@dataclass(frozen=True)
class Paper:
    """A document as blocks. `pages`: 0 where it has none; `remarks`: what should be known of it."""

    title: str
    blocks: list[Block]
    pages: int = 0
    remarks: tuple[str, ...] = ()
