"""Words and letters: accents, endings and typos forgiven, rare words worth more."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ai.pages import Lexicon, Pages, Weighed
from ai.terms import LONGEST, count_grams, fold, words

TEXTS = ["bourrage papier bac deux", "écran éteint après orage", "toner périmé cartouche vide"]
WORDS, LETTERS = 0, 1


def weighed(texts: list[str], *, many: bool = True) -> Weighed:
    lexicon, pages = Lexicon(), Pages.of([fold(text) for text in texts])
    lexicon.add(pages)
    return Weighed(pages, lexicon, many=many)


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
def test_letters_find_what_is_misspelt(query: str, place: int) -> None:
    assert int(np.argmax(weighed(TEXTS).scores([query])[0, :, LETTERS])) == place


@pytest.mark.parametrize(
    ("query", "place"),
    [("ECRAN éteint", 1), ("le toner", 2), ("bac", 0), ("les cartouches", 2), ("des orages", 1)],
)
def test_words_are_found_without_accents_case_and_endings(query: str, place: int) -> None:
    scores = weighed(TEXTS).scores([query])[0, :, WORDS]
    assert int(np.argmax(scores)) == place
    assert np.count_nonzero(scores) == 1


@pytest.mark.parametrize("many", [True, False])
@pytest.mark.parametrize("query", [*TEXTS, "", "le la les", "zzz", "🖨️", "\x00", "papier " * 5_000])
def test_scores_are_from_zero_to_one_however_many_are_compared(query: str, many: bool) -> None:
    scores = weighed(TEXTS, many=many).scores([query])
    assert scores.shape == (1, 3, 2)
    assert (scores >= 0).all()
    assert (scores <= 1.000001).all()
    assert scores == pytest.approx(weighed(TEXTS).scores([query]))


def test_words_that_no_text_has_count_against_all() -> None:
    found = weighed(TEXTS)
    alone, beside = (found.scores([q])[0, 2, WORDS] for q in ("toner", "toner zzz qqq"))
    assert alone > beside > 0


def test_rare_words_count_more_than_common_ones() -> None:
    scores = weighed(["panne papier", "panne toner", "panne écran"]).scores(["panne toner"])[0]
    assert scores[1, WORDS] > 2 * scores[0, WORDS]


def test_a_collection_that_texts_left_weighs_as_one_that_never_had_them(tmp_path: Path) -> None:
    kept, all_of_them = Lexicon(), Lexicon()
    kept.add(Pages.of(["panne papier"]))
    all_of_them.add(Pages.of(["panne papier", "panne toner toner"]))
    all_of_them.add(Pages.of(["panne toner toner"]), -1)
    all_of_them.save(tmp_path / "lexicon.npz")
    for other in (all_of_them, Lexicon.load(tmp_path / "lexicon.npz")):
        assert other.words.texts == 1
        assert other.words.total == kept.words.total
        assert (other.grams.present == kept.grams.present).all()


def test_texts_are_folded_to_plain_letters_and_cut_where_nobody_reads_on() -> None:
    assert fold("L'Œil  rouge — « ÉTEINT » n°5_x") == "l oeil rouge eteint n 5 x"
    assert len(fold("é" * 10 * LONGEST)) <= LONGEST
    assert words("les imprimantes de la c750") == words("l imprimante c750")


def test_letters_are_counted_within_words_and_their_edges() -> None:
    counts = count_grams(["ab c", "", "ab ab"]).toarray()
    assert counts[0].sum() == len([" ab", "ab ", " ab ", " c "])
    assert counts[1].sum() == 0
    assert counts[2].max() == 2
