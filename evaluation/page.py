"""The page that holds what was measured."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

DOC = Path("docs/quality.md")
BEGIN, END = "<!-- measured: {} -->", "<!-- end: {} -->"


def write(part: str, lines: Iterable[str]) -> None:
    """Put the lines between their marks in docs/quality.md."""
    begin, end = BEGIN.format(part), END.format(part)
    text = DOC.read_text("utf-8")
    head, rest = text.split(begin, 1)
    tail = rest.split(end, 1)[1]
    DOC.write_text("\n".join([head + begin, *lines, end + tail]), "utf-8")
