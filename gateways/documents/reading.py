"""What a document is, by its bytes, and its text; whatever its name claims."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

import filetype

from gateways.documents.paper import MAX_BYTES, MAX_TEXT_BYTES, Paper, Progress, Unreadable
from gateways.documents.pdf import read_pdf
from gateways.documents.web import name_of, read_markdown, read_page, read_text

HEAD_BYTES = 8_192

_HTML = re.compile(rb"<(!doctype html|html|head|body)\b", re.IGNORECASE)
_CHARSET = re.compile(rb"<meta[^>]{0,80}charset=[\"']?([\w-]{1,20})", re.IGNORECASE)
_WORD = "save it as PDF, then import that"
OTHERS = {
    "docx": f"is a Word document: {_WORD}",
    "doc": f"is a Word document: {_WORD}",
    "odt": f"is an OpenDocument text: {_WORD}",
    "rtf": f"is a rich text: {_WORD}",
    "epub": f"is an e-book: {_WORD}",
    "pptx": f"is a presentation: {_WORD}",
    "xlsx": "is a spreadsheet: knowledge is read from texts",
}


def read(data: bytes, source: str, progress: Progress = lambda _done, _of: None) -> Paper:
    """Read a document by what its bytes are: PDF, HTML, Markdown or text.

    Parameters
    ----------
    data
        All of it.
    source
        Its path or address: its ending tells Markdown from text, its name may be the title.
    progress
        Is told of the pages.

    Raises
    ------
    Unreadable
        Nothing of it can be used; the text says why.
    """
    suffix = PurePosixPath(source.split("?", maxsplit=1)[0]).suffix.lower()
    if not data.strip():
        msg = "is empty"
        raise Unreadable(msg)
    if b"%PDF-" in data[: 1024 if suffix == ".pdf" else 8]:  # some begin with other bytes
        _bounded(data, MAX_BYTES)
        return read_pdf(data, progress)
    if suffix == ".pdf":
        msg = "is no PDF file, although its name says so"
        raise Unreadable(msg)
    if what := _other(data):
        raise Unreadable(what)
    _bounded(data, MAX_TEXT_BYTES)
    text = _decoded(data)
    name = name_of(source)
    if suffix in {".html", ".htm", ".xhtml"} or _is_html(data[:HEAD_BYTES]):
        return read_page(text, name)
    return read_markdown(text, name) if suffix in {".md", ".markdown"} else read_text(text, name)


def _is_html(head: bytes) -> bool:
    return head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") and bool(_HTML.search(head))


def _bounded(data: bytes, most: int) -> None:
    if len(data) > most:
        msg = f"has {len(data) / 2**20:.1f} MB, {most / 2**20:g} MB are accepted: split it"
        raise Unreadable(msg)


def _other(data: bytes) -> str:
    """Return what is wrong with bytes that are no text; empty: they are one."""
    found = filetype.guess(data[:HEAD_BYTES])
    if found:
        return OTHERS.get(found.extension, f"is no text but a file of type {found.mime}")
    if data[:2] in {b"\xff\xfe", b"\xfe\xff"}:  # UTF-16, which has zeros
        return ""
    return "is no text: it has zero bytes" if b"\0" in data[:HEAD_BYTES] else ""


def _decoded(data: bytes) -> str:
    if data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return data.decode("utf-16", "replace")
    if found := re.search(
        rb"<meta[^>]{0,80}charset=[\"']?([\w-]{1,20})", data[:2048], re.IGNORECASE
    ):
        try:
            return data.decode(found[1].decode())
        except (LookupError, UnicodeDecodeError):
            pass
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")
