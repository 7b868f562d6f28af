"""Lexical search: accents and typos forgiven."""

from __future__ import annotations

import numpy as np
import pytest

from ai.lexical import CharacterIndex, WordIndex

TEXTS = ["bourrage papier bac deux", "écran éteint après orage", "toner périmé cartouche vide"]


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("bourrage papier", 0),
        ("BOURRAGE PAPIER", 0),
        ("bourage papié", 0),
        ("ecran eteint", 1),
        ("l'écrant éteint", 1),
        ("cartouches vides", 2),
        ("toner perime", 2),
    ],
)
def test_characters_find_what_is_misspelt(query: str, place: int) -> None:
    assert int(np.argmax(CharacterIndex(TEXTS).scores([query])[0])) == place


@pytest.mark.parametrize(("query", "place"), [("ECRAN éteint", 1), ("le toner", 2), ("bac", 0)])
def test_words_are_found_without_accents_and_case(query: str, place: int) -> None:
    scores = WordIndex(TEXTS).scores([query])[0]
    assert int(np.argmax(scores)) == place
    assert np.count_nonzero(scores) == 1


@pytest.mark.parametrize("index", [CharacterIndex(TEXTS), WordIndex(TEXTS)])
@pytest.mark.parametrize("query", [*TEXTS, "", "le la les", "zzz", "🖨️", "papier " * 5_000])
def test_scores_are_from_zero_to_one(index: CharacterIndex | WordIndex, query: str) -> None:
    scores = index.scores([query])[0]
    assert scores.shape == (3,)
    assert (scores >= 0).all()
    assert (scores <= 1.000001).all()


@pytest.mark.parametrize("index", [CharacterIndex(TEXTS), WordIndex(TEXTS)])
def test_strange_words_score_nothing(index: CharacterIndex | WordIndex) -> None:
    assert not index.scores(["zzz qqq"])[0].any()


def test_words_that_no_text_has_count_against_all() -> None:
    index = WordIndex(TEXTS)
    assert index.scores(["toner"])[0][2] > index.scores(["toner zzz qqq"])[0][2] > 0


def test_rare_words_count_more_than_common_ones() -> None:
    index = WordIndex(["panne papier", "panne toner", "panne écran"])
    scores = index.scores(["panne toner"])[0]
    assert scores[1] > 2 * scores[0]
