"""PDF files made for tests: pages of lines in given sizes, bookmarks, a password."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

from pypdf import PdfWriter
from pypdf.generic import DictionaryObject, NameObject, StreamObject

Line = tuple[str, float]
BODY = 11.0


def pdf(
    pages: Sequence[Sequence[Line | str]],
    bookmarks: Mapping[str, int] | None = None,
    password: str = "",
    title: str = "",
) -> bytes:
    """Return a file; a line that names no size has that of the text."""
    writer = PdfWriter()
    font = DictionaryObject(
        {
            NameObject("/Type"): NameObject("/Font"),
            NameObject("/Subtype"): NameObject("/Type1"),
            NameObject("/BaseFont"): NameObject("/Helvetica"),
            NameObject("/Encoding"): NameObject("/WinAnsiEncoding"),
        }
    )
    for lines in pages:
        page = writer.add_blank_page(595, 842)
        fonts = DictionaryObject({NameObject("/F1"): font})
        page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
        stream = StreamObject()
        stream.set_data(_drawn(lines))
        page[NameObject("/Contents")] = writer._add_object(stream)
    for name, number in (bookmarks or {}).items():
        writer.add_outline_item(title=name, page_number=number)
    if title:
        writer.add_metadata({"/Title": title})
    if password:
        writer.encrypt(password)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def _drawn(lines: Sequence[Line | str]) -> bytes:
    parts, height = [b"BT"], 800.0
    for line in lines:
        text, size = (line, BODY) if isinstance(line, str) else line
        words = text.encode("cp1252").replace(b"\\", b"\\\\")
        words = words.replace(b"(", b"\\(").replace(b")", b"\\)")
        parts.append(b"/F1 %g Tf 1 0 0 1 60 %g Tm (%s) Tj" % (size, height, words))
        height -= size * 1.4
    return b"\n".join([*parts, b"ET"])
