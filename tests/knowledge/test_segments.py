"""Segments of text messages, and French that stays in the cheaper alphabet."""

from __future__ import annotations

import pytest

from knowledge.segments import Segments, in_gsm7, in_plain_letters, segments


@pytest.mark.parametrize(
    ("text", "encoding", "places", "count"),
    [
        ("", "GSM-7", 0, 0),
        ("é" * 160, "GSM-7", 160, 1),
        ("a" * 161, "GSM-7", 161, 2),
        ("a" * 306, "GSM-7", 306, 2),
        ("a" * 307, "GSM-7", 307, 3),
        ("€" * 80, "GSM-7", 160, 1),
        ("€" * 81, "GSM-7", 162, 2),
        ("a" * 152 + "€" + "a" * 152, "GSM-7", 306, 3),
        ("ç" * 70, "UCS-2", 70, 1),
        ("ç" * 71, "UCS-2", 71, 2),
        ("ç" * 134, "UCS-2", 134, 2),
        ("ç" * 135, "UCS-2", 135, 3),
        ("🖨" * 35, "UCS-2", 70, 1),
        ("🖨" * 36, "UCS-2", 72, 2),
        ("a" * 66 + "🖨" + "a" * 66, "UCS-2", 134, 3),
    ],
)
def test_segments_are_counted_as_the_standard_says(
    text: str, encoding: str, places: int, count: int
):
    assert segments(text) == Segments(encoding, places, count)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("éèàùÉÇ§€", "éèàùÉÇ§€"),
        ("L’encre… « ça » reçue", 'L\'encre... "ca" recue'),
        ("«\u00a0Bourrage\u00a0»\u202f: à côté", '"Bourrage" : à coté'),
        ("cœur, Œuvre, À bientôt, Noël, île, août", "coeur, OEuvre, A bientot, Noel, ile, aout"),
        ("commande n° 12 à 40 °C – 5° de plus", "commande no 12 à 40 C - 5 deg de plus"),
        ("e\u0301te\u0301", "été"),
        ("Škoda Łódź", "Škoda Łódź"),
        ("ça va 👍 ?", "ça va 👍 ?"),
        ("شكرا, déjà reçu", "شكرا, déjà reçu"),
    ],
)
def test_french_is_kept_in_the_cheaper_alphabet_where_nothing_is_lost(text: str, plain: str):
    assert in_plain_letters(text) == plain


def test_decision_8_the_letters_outside_gsm7_are_those_that_the_table_replaces():
    assert all(in_gsm7(letter) for letter in "éèàùÉÇ€")
    outside = "çêëîïôûœÀ’–«»…"
    assert not any(in_gsm7(letter) for letter in outside)
    assert in_gsm7(in_plain_letters(outside))


def test_a_long_text_is_counted_in_no_time():
    assert segments("ç" * 1_000_000).count == 14_926
