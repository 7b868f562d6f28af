"""French or English."""

from __future__ import annotations

import time

import pytest

from ai.language import LanguageDetector
from schemas.vocabulary import Language

DETECTOR = LanguageDetector()
FR, EN = Language.FR, Language.EN


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Panne toner", FR),
        ("bourrage papier svp", FR),
        ("ça marche plus", FR),
        ("paper jam", EN),
        ("printer is offline", EN),
        ("Out of toner, please help", EN),
        ("Bonjour, notre imprimante n'imprime plus depuis ce matin.", FR),
        ("Good morning, we cannot print anything since this morning.", EN),
        ("L'écran affiche « Out of memory » quand je lance une impression", FR),
        ("The display shows « Prêt Hex » and nothing comes out of the printer", EN),
        ("slt l'imprimante bourre a chaque feuille on peut plus rien sortir", FR),
    ],
)
def test_customers_are_understood_in_their_language(text: str, language: Language) -> None:
    found, confidence = DETECTOR.detect(text)
    assert found is language
    assert 0.5 < confidence <= 1


@pytest.mark.parametrize("text", ["", " ", "HP", "49.4C02", "🖨️", "???", "C750"])
def test_where_nothing_speaks_for_one_it_is_french_and_unsure(text: str) -> None:
    assert DETECTOR.detect(text) == (FR, 0.5)


@pytest.mark.parametrize(
    "text", ["的" * 100, "1 " * 100, "\n" * 100, "Der Drucker druckt nicht " * 9]
)
def test_other_languages_get_one_of_the_two(text: str) -> None:
    found, confidence = DETECTOR.detect(text)
    assert found in Language
    assert 0 <= confidence <= 1


def test_a_hundred_kilobytes_take_a_moment() -> None:
    began = time.perf_counter()
    assert DETECTOR.detect("mon imprimante est en panne " * 4_000)[0] is FR
    assert time.perf_counter() - began < 1
