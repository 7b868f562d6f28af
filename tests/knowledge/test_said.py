"""What people dictate, list and copy, and what only looks like it."""

from __future__ import annotations

import time

import pytest

from knowledge.catalogue import load_catalogue
from knowledge.extraction.dictated import written
from knowledge.extraction.findings import find

CATALOGUE = load_catalogue()


def values(text: str, kind: str) -> list[str]:
    return [found.value for found in find(text, CATALOGUE) if found.kind == kind]


@pytest.mark.parametrize(
    ("text", "serials"),
    [
        ("voici le numéro qui est derrière : vnb3k12345", ["VNB3K12345"]),
        ("le numéro noté au dos : x5rt12345", ["X5RT12345"]),
        ("the number on the sticker: 7xk2m9931", ["7XK2M9931"]),
        ("Serial | VNB3K12345\nSite | Lyon", ["VNB3K12345"]),
        ("S/N ABC1234567 et XYZ7654321", ["ABC1234567", "XYZ7654321"]),
        ("n° de série : 4601234567, 4601234568", ["4601234567", "4601234568"]),
        ("serial: victor november bravo three kilo one two three four five", ["VNB3K12345"]),
        ("série v comme victor n comme noé b comme bus 3 k comme képi 1 2 3 4 5", ["VNB3K12345"]),
        ("Number: INC0012345 incident", []),
        ("REQ0045678 numéro de série à venir", []),
        ("CASE-2023118, serial unknown", []),
        ("l'hôtel mike a 5 étoiles, deux chambres, 1 2 3", []),
    ],
)
def test_serial_numbers_are_found_however_they_are_told(text: str, serials: list[str]) -> None:
    assert values(text, "serial_number") == serials


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("la HP affiche cinquante point deux", ["50.2"]),
        ("the Lexmark shows seventy-nine point oh two", ["79.02"]),
        ("la HP est à soixante-dix-neuf point zéro deux", ["79.02"]),
        ("erreur e zéro cinq sur la Canon", ["E05"]),
        ("erreur e deux fois", []),
        ("Brother: Print Unable ZC", ["Print Unable ZC"]),
        ("Brother impression impossible de scanner", []),
        ("la Konica affiche CE50", ["CE50"]),
        ("lepson affiche W-12", ["W-12"]),
        ("ma lexmark 50.2 ce matin", ["50.2"]),
        ("HP à 50.5 € le toner", []),
        ("on est deux point cinq personnes", []),
    ],
)
def test_codes_are_found_as_they_are_said(text: str, codes: list[str]) -> None:
    assert values(text, "error_code") == codes


def test_the_span_of_what_was_dictated_holds_its_words() -> None:
    text = (
        "🖨️ HP : soixante-dix-neuf point zéro deux, série v n b trois k un deux trois quatre cinq."
    )
    spans = [text[f.start : f.end] for f in find(text, CATALOGUE)]
    assert spans == [
        "HP",
        "soixante-dix-neuf point zéro deux",
        "v n b trois k un deux trois quatre cinq",
    ]


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("compteur : 128 450", ["128450"]),
        ("meter 45,210 mono / 12,300 colour", ["45210", "12300"]),
        ("relevé noir 12345 couleur 678", ["12345", "678"]),
        ("45210 pages au compteur", ["45210"]),
        ("N&B : 45 210, couleur : 12 300", ["45210", "12300"]),
        ("relevé de compte 12345678 noir", []),
    ],
)
def test_counters_are_found_however_they_are_read(text: str, counts: list[str]) -> None:
    assert values(text, "page_count") == counts


@pytest.mark.parametrize(
    "text",
    [
        "le 01/02/2023 10:30",
        "le 01 02 2023 14 30 00",
        "2023 01 15 0900",
        "la période (1936-1938)",
        "IBAN FR76 3000 6000 0112 3456 7890 189",
    ],
)
def test_dates_and_accounts_are_no_telephones(text: str) -> None:
    assert values(text, "phone") == []


def test_a_contract_is_no_model_and_a_series_is_written_once() -> None:
    assert values("contrat Canon C-2023-118, en panne", "model") == []
    assert values("Canon i-SENSYS LBP 623Cdw", "model") == ["i-SENSYS LBP623Cdw"]


@pytest.mark.parametrize("part", ["un ", "quatre vingt dix ", "a ", "v comme ", "un point "])
def test_twenty_thousand_characters_of_number_words_take_a_moment(part: str) -> None:
    began = time.process_time()
    written((part * 20_000)[:20_000])
    assert time.process_time() - began < 1
