"""What a message names, and where."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest

from knowledge.catalogue import load_catalogue, squeeze
from services.extract.printer import AT_MOST, TEXT_CHARACTERS, extract, find
from tests.events import NOW, classified

CATALOGUE = load_catalogue()


def values(text: str, kind: str) -> list[str]:
    return [found.value for found in find(text, CATALOGUE) if found.kind == kind]


MESSAGE = (
    "Bonjour,\n\nNotre hp LaserJet M404 affiche 49.4c02 (« éteignez puis rallumez »). "
    "N° de série : vnb3k12345, commande 45821 et facture F-2231.\nMerci"
)


def test_everything_in_one_message_is_found_in_the_order_of_the_text() -> None:
    assert [(f.kind, f.value) for f in find(MESSAGE, CATALOGUE)] == [
        ("brand", "HP"),
        ("model", "LaserJet M404"),
        ("error_code", "49.4C02"),
        ("serial_number", "VNB3K12345"),
        ("order_number", "45821"),
        ("invoice_number", "F-2231"),
    ]


@pytest.mark.parametrize("before", ["", "İİ ", "🖨️🖨️ ", "e\u0301 ", "ﬁ ß "])
def test_spans_are_exact_whatever_stands_before(before: str) -> None:
    text = before + MESSAGE
    spans = [text[found.start : found.end] for found in find(text, CATALOGUE)]
    assert spans == ["hp", "LaserJet M404", "49.4c02", "vnb3k12345", "45821", "F-2231"]


def test_findings_never_overlap() -> None:
    found = find(MESSAGE * 3, CATALOGUE)
    assert all(one.end <= two.start for one, two in pairwise(found))


@pytest.mark.parametrize(
    ("text", "brand"),
    [
        ("ma Canon clignote", "Canon"),
        ("MA CANON CLIGNOTE", "Canon"),
        ("une Hewlett-Packard", "HP"),
        ("la bizhub du couloir", "Konica Minolta"),
        ("notre lexmarc est en panne", "Lexmark"),
        ("mon epsonn n'imprime plus", "Epson"),
        ("the brotther printer", "Brother"),
        ("un copieur Kyocerra", "Kyocera"),
        ("une xeroks", ""),
        ("Sorry to bother you", ""),
        ("my brothers use it", ""),
        ("dans le canton de Vaud", ""),
        ("elle est shpongle", ""),
        ("la personne de l'accueil", ""),
        ("l'imprimante du bureau", ""),
    ],
)
def test_makes_are_known_even_when_misspelt(text: str, brand: str) -> None:
    assert values(text, "brand") == ([brand] if brand else [])


def test_a_misspelt_make_is_less_certain_and_keeps_its_place() -> None:
    text = "Notre Lexmarc C750"
    found = next(found for found in find(text, CATALOGUE) if found.kind == "brand")
    assert text[found.start : found.end] == "Lexmarc"
    assert found.confidence < 0.8 < next(iter(find("Lexmark", CATALOGUE))).confidence


def test_where_a_make_is_spelt_right_nothing_is_guessed() -> None:
    assert values("my Canon and the brotther", "brand") == ["Canon"]


KNOWN = sorted({known for each in CATALOGUE.table.values() for known in each})


def test_each_known_model_is_found_with_its_make() -> None:
    missed = []
    for known in KNOWN[::7]:
        text = f"Bonjour, notre {known.brand} {known.name} ne marche plus."
        found = [squeeze(value) for value in values(text, "model")]
        if len(found) != 1 or not found[0].endswith(squeeze(known.number)):
            missed.append((text, found))
    assert missed == []


def test_each_known_model_that_is_one_make_s_alone_is_found_without_it() -> None:
    missed = []
    for known in KNOWN[::7]:
        own = len(CATALOGUE.table[squeeze(known.number)]) == 1
        if not own or known.number[0].isdigit() or len(known.number) < 4 or " " in known.number:
            continue
        text = f"la {known.number.lower()} est en panne"
        if values(text, "model") != [known.number]:
            missed.append((text, values(text, "model")))
    assert missed == []


@pytest.mark.parametrize(
    ("text", "model"),
    [
        ("ma lexmark c 750", "C750"),
        ("ma lexmark C-750", "C750"),
        ("ma Lexmark C75O", "C750"),
        ("Brother HL L2350DW", "HL-L2350DW"),
        ("une HP LaserJet Pro M402dn", "LaserJet Pro M402dn"),
        ("Ricoh MP C3004", "MP C3004"),
        ("Epson XP-3150", "XP-3150"),
    ],
)
def test_models_are_found_however_they_are_written(text: str, model: str) -> None:
    assert values(text, "model") == [model]


@pytest.mark.parametrize(
    "text", ["au 3e étage, salle B12", "le 12 mars", "75011 Paris", "A4 et A3", "2x500 feuilles"]
)
def test_rooms_dates_and_formats_are_no_models(text: str) -> None:
    assert values(text, "model") == []


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("Ma HP affiche 49.4C02", ["49.4C02"]),
        ("le message est 79.0500 sur le panneau", ["79.0500"]),
        ("Canon : code 5100", ["5100"]),
        ("Epson, erreur 0x97", ["0x97"]),
        ("Ricoh SC 542", ["SC542"]),
        ("Kyocera C6000 à l'écran", ["C6000"]),
        ("Xerox : l'écran affiche 016-720", ["016-720"]),
        ("Lexmark, erreur 200.03 puis 84.01", ["200.03", "84.01"]),
        ("my Lexmark shows « Prêt Hex »", ["PRÊT HEX"]),
        ("code erreur : E-01", ["E-01"]),
        ("Brother: Print Unable 46", ["PRINT UNABLE 46"]),
        ("erreur 49 sur la HP", ["49"]),
    ],
)
def test_codes_are_found_where_one_is_spoken_of(text: str, codes: list[str]) -> None:
    assert [code.upper() for code in values(text, "error_code")] == [c.upper() for c in codes]


@pytest.mark.parametrize(
    "text",
    [
        "le toner coûte 49.90 €",
        "une erreur de 49.90 € sur ma facture",
        "erreur 49.90 euros",
        "votre message du 12.05.2025 est resté sans réponse",
        "rendez-vous le 12.05.2025",
        "j'ai imprimé 5100 pages",
        "ma Canon a fait 5100 pages",
        "code postal 75011",
        "l'écran de 200 mm",
        "appelez le 06.12.34.56.78",
        "l'adresse affichée est 192.168.1.20",
        "une remise de 20 %",
    ],
)
def test_prices_dates_and_counts_are_no_codes(text: str) -> None:
    assert values(text, "error_code") == []


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        ("numéro de série : CNB9K12345", "serial_number", ["CNB9K12345"]),
        ("S/N 7527-123AB", "serial_number", ["7527-123AB"]),
        ("serial number is u63878h0n123456", "serial_number", ["U63878H0N123456"]),
        ("n° de série inconnu", "serial_number", []),
        ("ma commande n° 45821", "order_number", ["45821"]),
        ("bon de commande BC-10234", "order_number", ["BC-10234"]),
        ("order #778899 and order 778900", "order_number", ["778899", "778900"]),
        ("une commande de 1200 € HT", "order_number", []),
        ("facture FA-2024-118", "invoice_number", ["FA-2024-118"]),
        ("factures : facture 2024-113, facture F-2231", "invoice_number", ["2024-113", "F-2231"]),
        ("une facture de 120 euros", "invoice_number", []),
        ("facture 1200 €", "invoice_number", []),
    ],
)
def test_a_word_before_it_makes_a_number_into_something(
    text: str, kind: str, expected: list[str]
) -> None:
    assert values(text, kind) == expected


@pytest.mark.parametrize(
    "part",
    [
        "a ", "hp ", " ", "\n", "\t", "1", "11.", "-", ">", "a-", "é", "İ", "oooo ", "lexmarc ",
        "c750 ", "sn ", "serial ", "commande n° ", "code ", "erreur : ", "laserjet pro ", " pro",
        "erreur 49.4c02 ", "print unable ", "0x", "facture F-2231 ",
    ],
)  # fmt: skip
def test_a_hundred_kilobytes_of_anything_take_a_moment_of_the_processor(part: str) -> None:
    for text in (part * (100_000 // len(part)), f"sn{part * (100_000 // len(part))}!"):
        began = time.thread_time()
        found = find(text, CATALOGUE)
        assert time.thread_time() - began < 1
        assert len(found) <= AT_MOST + 1


def test_what_stands_after_twenty_thousand_characters_is_not_searched() -> None:
    assert values("x " * (TEXT_CHARACTERS // 2) + "Canon", "brand") == []
    assert values("x " * (TEXT_CHARACTERS // 2 - 5) + "Canon", "brand") == ["Canon"]


def test_what_was_found_is_said_in_a_sentence() -> None:
    (told,) = extract(classified("ma Lexmark C750"), CATALOGUE, NOW)
    assert told.why == "marque Lexmark, modèle C750"
    (told,) = extract(classified("bonjour"), CATALOGUE, NOW)
    assert (told.findings, told.why) == ((), "rien de reconnu")
