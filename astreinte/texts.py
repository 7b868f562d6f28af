"""Files that people bring along: not too large, and texts whatever they are encoded in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TextIO

from gateways.mail import WINDOWS_1252

MAX_FILE_BYTES = 512 * 2**20


class UnreadableFile(ValueError):  # noqa: N818 - it names what is the matter
    """The file cannot be read at all."""


def check_size(path: Path) -> None:
    """Make sure that it is a file that can be read. Raises `UnreadableFile`."""
    size = path.stat().st_size
    if not path.is_file() or not 0 < size <= MAX_FILE_BYTES:
        msg = f"a file of 1 to {MAX_FILE_BYTES} bytes is needed, this one has {size}"
        raise UnreadableFile(msg)


def open_text(path: Path) -> TextIO:
    """Open a text in UTF-8 (of bytes that are not, as Windows-1252), UTF-16 or UTF-32."""
    with path.open("rb") as stream:
        encoding = json.detect_encoding(stream.read(4))  # by its BOM or its zeros
    errors = "strict"
    if encoding.startswith("utf-8"):
        encoding, errors = "utf-8-sig", WINDOWS_1252
    with path.open(encoding=encoding, errors=errors) as stream:
        while stream.read(2**20):  # a bad byte at the end is told at the start
            pass
    return path.open(encoding=encoding, errors=errors, newline="")
