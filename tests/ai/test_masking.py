"""What leaves this machine names nobody, and comes back whole."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from ai.masking import InventedError, Mask, is_iban, kind_of, luhn


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("écrivez à ana.diaz+x@exemple.example.", "écrivez à ⟦MAIL_1⟧."),
        ("mon 06 39 98 12 07 ou +33 6 39 98 12 07", "mon ⟦PHONE_1⟧ ou ⟦PHONE_2⟧"),
        ("tél. 01.99.00.12.34!", "tél. ⟦PHONE_1⟧!"),
        ("call +44 20 7946 0958 please", "call ⟦PHONE_1⟧ please"),
        ("IBAN FR14 2004 1010 0505 0001 3M02 606 merci bien", "IBAN ⟦IBAN_1⟧ merci bien"),
        ("iban de89370400440532013000", "iban ⟦IBAN_1⟧"),
        ("carte 4111 1111 1111 1111, exp 12/27", "carte ⟦CARD_1⟧, exp 12/27"),
        ("SIRET 732 829 320 00074", "SIRET ⟦SIRET_1⟧"),
        ("SIREN 732829320", "SIREN ⟦SIREN_1⟧"),
        ("12 bis rue des Lilas, 57000 Metz. Merci", "⟦ADDRESS_1⟧. Merci"),
        ("at 221 Baker Street now", "at ⟦ADDRESS_1⟧ now"),
    ],
)
def test_what_is_personal_is_hidden_and_shown_again(text: str, hidden: str) -> None:
    mask = Mask()
    assert mask.hide(text) == hidden
    assert mask.show(hidden) == text


@pytest.mark.parametrize(
    "text",
    [
        "erreur 49.4C02 puis 0x83C0000A sur la C750",
        "compteur 123456 pages, facture 2026-00412",
        "IBAN FR14 2004 1010 0505 0001 3M02 607",
        "il fait -18,5 °C depuis 14:30 le 12/11/2026",
        "",
    ],
)
def test_what_is_needed_to_help_stays(text: str) -> None:
    assert Mask().hide(text) == text


def test_the_same_words_are_the_same_placeholder_in_every_text() -> None:
    mask = Mask()
    assert mask.hide("ana@exemple.example") == "⟦MAIL_1⟧"
    assert mask.hide("bob@exemple.example et ANA@exemple.example") == "⟦MAIL_2⟧ et ⟦MAIL_1⟧"


def test_names_are_those_that_the_caller_knows_the_longest_first() -> None:
    mask = Mask(("Ana  Diaz", " ", "Élodie de Metz"))
    hidden = mask.hide("ana diaz et ÉLODIE, M. Diaz ; Anabelle de Lyon")
    assert hidden == "⟦NAME_1⟧ et ⟦NAME_2⟧, M. ⟦NAME_3⟧ ; Anabelle de Lyon"
    assert mask.show("⟦NAME_3⟧") == "Diaz"


@pytest.mark.parametrize("text", ["⟦MAIL_1⟧", "⟦PHONE_7⟧", "⟦ mail_2 ⟧"])
def test_a_placeholder_that_nobody_gave_is_an_objection(text: str) -> None:
    with pytest.raises(InventedError):
        Mask().show(text)


def test_a_customer_cannot_write_a_placeholder() -> None:
    mask = Mask()
    hidden = mask.hide("rendez-moi ⟦MAIL_1⟧ de ana@exemple.example")
    assert hidden == "rendez-moi [MAIL_1] de ⟦MAIL_1⟧"


def test_an_answer_is_shown_in_all_its_parts() -> None:
    class Answer(BaseModel):
        text: str
        more: list[dict[str, str]]
        count: int

    mask = Mask()
    mask.hide("ana@exemple.example")
    given = Answer(text="à ⟦mail_1⟧", more=[{"a": "⟦ MAIL_1 ⟧"}], count=1)
    shown = mask.shown(given)
    assert shown == Answer(
        text="à ana@exemple.example", more=[{"a": "ana@exemple.example"}], count=1
    )


def test_checksums_are_those_of_their_standards() -> None:
    assert luhn("79927398713")
    assert not luhn("79927398714")
    assert is_iban("GB82 WEST 1234 5698 7654 32")
    assert not is_iban("GB82 WEST 1234 5698 7654 33")
    assert not is_iban("FR76")
    assert kind_of("000000000") == ""
