"""French put into English word by word."""

from __future__ import annotations

import pytest

from ai.gloss import DICTIONARY, dictionary, english, votes


@pytest.mark.parametrize(
    ("french", "said"),
    [
        ("L'imprimante est en panne.", "the printer is broken down. "),
        ("kel cartouche pr canon ts5050 svp", "which cartridge for canon ts5050 please. "),
        ("Où en est ma commande ?", "what is the status of my order. "),
        ("des FEUILLES coincées", "some sheets stuck. "),
        ("tjs pas de livraison", "still not of delivery. "),
    ],
)
def test_what_customers_write_in_french_becomes_english(french: str, said: str) -> None:
    assert english(french) == said


@pytest.mark.parametrize(
    "text",
    [
        "My car won't start, I need four toners for my son.",
        "The court said no pain, no gain: bail is on the table.",
        "",
        "🖨️",
        "49.4C02",
        "Unser Drucker klemmt.",
        "\nnext line\n\n",
    ],
)
def test_other_texts_are_left_as_they_are(text: str) -> None:
    assert english(text) == text


def test_each_sentence_is_judged_by_itself() -> None:
    said = english("The tray is stuck.\nLe bac est coincé.")
    assert said == "The tray is stuck.\nthe tray is stuck. "


def test_words_of_one_language_only_vote() -> None:
    assert votes("facture") == (1, 0)
    assert votes("invoice") == (0, 1)
    assert votes("toner") == (0, 0)


def test_only_the_beginning_of_a_long_text_is_read() -> None:
    assert len(english("imprimante " * 100_000)) < 10_000


def test_no_french_word_of_the_dictionary_is_there_twice_or_has_an_accent() -> None:
    lines = [
        line.split("=")[0].strip()
        for line in DICTIONARY.read_text("utf-8").splitlines()
        if line and not line.startswith("#")
    ]
    assert len(lines) == len(set(lines)) == len(dictionary().meanings)
    assert all(line.isascii() and line == line.lower() for line in lines)
