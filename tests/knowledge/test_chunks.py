"""Passages: whole sentences, under their headings, neither too long nor too short."""

from __future__ import annotations

import pytest

from knowledge.chunks import AIM_WORDS, MOST_WORDS, ROW_WORDS, Block, Chunk, chunks, rows, sentences

STEP = "Ouvrez le capot arrière puis tirez doucement la feuille vers vous."
"""Eleven words."""


def cut(*blocks: Block) -> list[Chunk]:
    return list(chunks(blocks))


def test_a_passage_knows_the_headings_above_it() -> None:
    found = cut(
        Block("Guide", 1),
        Block("Ce guide est pour tous."),
        Block("Bourrage", 2),
        Block("À l'arrière", 3),
        Block(STEP),
        Block("Toner", 2),
        Block("Secouez la cartouche."),
    )
    assert [(one.heading, one.text) for one in found] == [
        ("Guide", "Ce guide est pour tous."),
        ("Guide › Bourrage › À l'arrière", STEP),
        ("Guide › Toner", "Secouez la cartouche."),
    ]


def test_a_long_section_is_cut_between_sentences() -> None:
    found = cut(Block("Bourrage", 1), Block(" ".join([STEP] * 60)))
    sizes = [len(one.text.split()) for one in found]
    assert sum(sizes) == 660
    assert all(AIM_WORDS <= size <= MOST_WORDS for size in sizes[:-1])
    assert all(one.text.endswith("vers vous.") for one in found)
    assert {one.heading for one in found} == {"Bourrage"}


def test_a_short_end_goes_with_the_passage_before_it() -> None:
    found = cut(Block(" ".join([STEP] * 15)))
    assert [len(one.text.split()) for one in found] == [165]


def test_a_sentence_without_an_end_is_cut_all_the_same() -> None:
    found = cut(Block(" ".join(["mot"] * 1_000)))
    assert [len(one.text.split()) for one in found] == [200] * 5


def test_paragraphs_stay_lines() -> None:
    (found,) = cut(Block("Débranchez le lecteur."), Block("Attendez dix secondes."))
    assert found.text == "Débranchez le lecteur.\nAttendez dix secondes."


def test_a_passage_begins_on_the_page_of_its_first_words() -> None:
    found = cut(Block(" ".join([STEP] * 20), 0, 3), Block(" ".join([STEP] * 20), 0, 4))
    assert [one.page for one in found] == [3, 3, 4][: len(found)]


@pytest.mark.parametrize("text", ["", "   ", "12", "- 4 -", "•", "a" * 5_000, "AAAA" * 1_000])
def test_what_says_nothing_is_no_passage(text: str) -> None:
    assert cut(Block("Titre", 1), Block(text)) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Voir p. 3 et Fig. 2 du guide. Éteignez tout.", 2),
        ("Appuyez sur « OK ». Attendez 30 s. Puis (si besoin) rallumez !", 3),
        ("See Chap. 4, e.g. No. 12. Turn it off.", 2),
        ("Code 49.4C02. Redémarrez.", 2),
        ("une seule", 1),
        ("", 0),
    ],
)
def test_sentences_end_where_they_end(text: str, found: int) -> None:
    assert len(sentences(text)) == found


def test_nothing_is_lost_between_sentences() -> None:
    text = "Appuyez sur « OK. » Puis (si besoin.) Attendez : 3 s… “Fin.” Rallumez !"
    assert " ".join(sentences(text)) == text
    assert len(sentences(text)) == 6


def test_a_passage_is_found_by_parts_that_an_embedding_model_reads_whole() -> None:
    parts = rows("Guide", "Guide › Bourrage", " ".join([STEP] * 15))
    assert len(parts) == 3
    assert all(part.startswith("Guide › Bourrage\n") for part in parts)
    assert all(len(part.split("\n", 1)[1].split()) <= ROW_WORDS for part in parts)


def test_the_title_stands_above_a_passage_whose_headings_do_not_tell_it() -> None:
    assert rows("Guide", "Bourrage", STEP) == (f"Guide › Bourrage\n{STEP}",)
    assert rows("Guide", "", STEP) == (f"Guide\n{STEP}",)
