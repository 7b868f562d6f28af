"""What people name, paths, folders and addresses, and the bytes there."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from pathlib import Path

from gateways.documents.fetching import fetch
from gateways.documents.paper import MAX_BYTES, Unreadable

ARTICLES = {".yaml", ".yml"}
READ = {*ARTICLES, ".pdf", ".html", ".htm", ".xhtml", ".md", ".markdown", ".txt"}
"""Of a folder; a file that is named is read whatever its ending."""


def is_address(source: str) -> bool:
    """Say whether a source is of the web."""
    return source.lower().startswith(("http://", "https://"))


def named(sources: Iterable[str]) -> Iterator[str]:
    """Give the files and addresses that are meant; of folders, what can be read in them."""
    for source in sources:
        path = Path(source)
        if is_address(source) or not path.is_dir():
            yield source
            continue
        for file in sorted(path.rglob("*")):
            is_hidden = any(part.startswith(".") for part in file.relative_to(path).parts)
            if file.suffix.lower() in READ and file.is_file() and not is_hidden:
                yield str(file)


async def bytes_of(source: str, *, private: bool) -> tuple[str, bytes]:
    """Return where a source is for good, and what is there.

    Raises
    ------
    Unreadable
        Nothing can be read there; the text says why.
    """
    if is_address(source):
        found = await fetch(source, private=private)
        return found.url, found.data
    return await asyncio.to_thread(_of_file, Path(source))


def _of_file(path: Path) -> tuple[str, bytes]:
    try:
        if path.stat().st_size > MAX_BYTES:
            msg = f"has more than {MAX_BYTES / 2**20:g} MB: split it"
            raise Unreadable(msg)
        return str(path.resolve()), path.read_bytes()
    except OSError as error:
        msg = f"cannot be read ({error.strerror})"
        raise Unreadable(msg) from None
