"""Codes and numbers called by what they are."""

from __future__ import annotations

import pytest

from knowledge.catalogue import load_catalogue
from knowledge.extraction.naming import named

CATALOGUE = load_catalogue()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Brother HL-L2350DW affiche E-05.", "Brother HL-L2350DW affiche error code."),
        ("Où en est CMD-2026-00417 ?", "Où en est order number ?"),
        ("facture FA-2026-0311 réglée", "facture invoice number réglée"),
        ("Appelez le 02 41 20 11 85", "Appelez le telephone number"),
        ("the lid is stuck, please help", "the lid is stuck, please help"),
        ("", ""),
    ],
)
def test_what_a_number_is_stands_in_its_place(text: str, said: str) -> None:
    assert named(text, CATALOGUE) == said
