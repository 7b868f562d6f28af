"""What is read of a PDF file, and what is said of one that cannot be read."""

from __future__ import annotations

import io
import time
import zlib

import pytest
from pypdf import PdfReader, PdfWriter
from pypdf.generic import EncodedStreamObject, NameObject

from gateways.documents.paper import Unreadable
from gateways.documents.pdf import MAX_PAGES, read_pdf
from gateways.documents.reading import read
from knowledge.chunks import Block, chunks
from tests.printed import pdf

HEAD, FOOT = "Kyocera TASKalfa 2554ci", "Page {} sur 6"
TEXT = ["Éteignez l'appareil. Ouvrez le capot arrière, tirez le", "filtre vers vous."]


def quiet(_done: int, _of: int) -> None:
    """Hear nothing."""


def blocks(data: bytes) -> list[Block]:
    return read_pdf(data, quiet).blocks


def test_lines_become_paragraphs_and_larger_letters_headings() -> None:
    data = pdf([[("Entretien", 20), ("Filtre à ozone", 15), *TEXT, "Fermez tout."]])
    assert blocks(data) == [
        Block("Entretien", 1, 1),
        Block("Filtre à ozone", 2, 1),
        Block(" ".join(TEXT), 0, 1),
        Block("Fermez tout.", 0, 1),
    ]


def test_bookmarks_tell_headings_whatever_their_size() -> None:
    data = pdf(
        [["Filtre à ozone", *TEXT], ["Bac de récupération", "Videz-le tous les mois."]],
        bookmarks={"Filtre à ozone": 0, "Bac de récupération": 1},
    )
    (first, second) = chunks(blocks(data))
    assert (first.heading, first.page) == ("Filtre à ozone", 1)
    assert second == ("Bac de récupération", "Videz-le tous les mois.", 2)


def test_a_word_that_is_parted_at_the_end_of_a_line_is_one_word() -> None:
    data = pdf([["Avant tout, éteignez l'impri-", "mante du bureau."]])
    assert blocks(data) == [Block("Avant tout, éteignez l'imprimante du bureau.", 0, 1)]


def test_what_stands_on_top_and_bottom_of_every_page_is_left_out() -> None:
    pages = [
        [
            HEAD,
            f"Chapitre {'abcdef'[n]}",
            f"Étape {['un', 'deux', 'trois', 'quatre', 'cinq', 'six'][n]}.",
            FOOT.format(n + 1),
        ]
        for n in range(6)
    ]
    text = " ".join(block.text for block in blocks(pdf(pages)))
    assert HEAD not in text
    assert "sur 6" not in text
    assert "Étape quatre." in text


def test_the_title_is_the_files_unless_a_word_processor_made_it_up() -> None:
    assert read_pdf(pdf([TEXT], title="Guide d'entretien"), quiet).title == "Guide d'entretien"
    assert not read_pdf(pdf([TEXT], title="Microsoft Word - x.docx"), quiet).title
    assert read_pdf(pdf([[("Guide", 20), *TEXT]]), quiet).title == "Guide"


def test_a_table_of_contents_is_no_text() -> None:
    lines = ["1 Entretien . . . . . . . . . . 3", "2 Toner ........ iv", "Attendez... 3 secondes."]
    assert blocks(pdf([lines])) == [Block("Attendez... 3 secondes.", 0, 1)]


def test_progress_is_told_page_by_page() -> None:
    heard: list[tuple[int, int]] = []
    read_pdf(pdf([TEXT] * 3), lambda done, of: heard.append((done, of)))
    assert heard == [(1, 3), (2, 3), (3, 3)]


def test_a_page_that_cannot_be_read_is_named_and_the_others_are_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = pdf([TEXT, TEXT, TEXT])
    broken = data.replace(b"Tm", b"Tm\n<<", 1)  # the first page's drawing ends in the middle
    found = read_pdf(broken, quiet)
    assert found.remarks
    assert found.remarks[0].startswith("page 1 cannot be read (")
    assert [block.page for block in found.blocks] == [2, 3]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (pdf([TEXT], password="secret"), "needs a password: save a copy without one"),
        (pdf([[]]), "has no text: its pages are pictures; have them recognised (OCR) first"),
        (pdf([TEXT])[:400], "is damaged: it cannot be opened"),
        (b"%PDF-1.7\n" + bytes(200), "is damaged: it cannot be opened"),
        (b"", "is empty"),
        (b"  \n ", "is empty"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "is no PDF file, although its name says so"),
        (b"<html>nothing</html>", "is no PDF file, although its name says so"),
    ],
    ids=["password", "pictures", "cut", "zeros", "empty", "blank", "picture", "page"],
)
def test_a_file_that_cannot_be_read_is_said_in_a_sentence(data: bytes, why: str) -> None:
    with pytest.raises(Unreadable) as told:
        read(data, "/srv/guide.pdf")
    assert str(told.value).startswith(why)


def test_a_page_that_unpacks_to_a_hundred_megabytes_is_not_unpacked() -> None:
    writer = PdfWriter()
    stream = EncodedStreamObject()
    stream._data = zlib.compress(b" " * 100_000_000, 1)
    stream[NameObject("/Filter")] = NameObject("/FlateDecode")
    page = writer.add_blank_page(595, 842)
    page[NameObject("/Contents")] = writer._add_object(stream)
    out = io.BytesIO()
    writer.write(out)
    began = time.process_time()
    with pytest.raises(Unreadable, match="has no text"):
        read(out.getvalue(), "/srv/bomb.pdf")
    assert time.process_time() - began < 2


def test_a_file_of_too_many_pages_is_refused_before_they_are_read() -> None:
    writer = PdfWriter()
    for _ in range(MAX_PAGES + 1):
        writer.add_blank_page(10, 10)
    out = io.BytesIO()
    writer.write(out)
    with pytest.raises(Unreadable, match=f"has {MAX_PAGES + 1} pages"):
        read_pdf(out.getvalue(), quiet)


def test_five_hundred_pages_are_read() -> None:
    names = [
        f"{first}{second}"
        for first in "abcdefghijklmnopqrst"
        for second in "abcdefghijklmnopqrstuvwxy"
    ]
    data = pdf([[(f"Bac {name}", 16), f"Tirez le bac {name} vers vous."] for name in names])
    found = read_pdf(data, quiet)
    assert found.pages == 500
    assert [chunk.page for chunk in chunks(found.blocks)] == list(range(1, 501))


def test_a_file_without_an_owner_password_but_with_rights_is_read() -> None:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf([TEXT]))))
    writer.encrypt("", "owner", algorithm="AES-256")
    out = io.BytesIO()
    writer.write(out)
    assert blocks(out.getvalue()) == [Block(" ".join(TEXT), 0, 1)]
