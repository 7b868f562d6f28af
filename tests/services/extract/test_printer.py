"""What a message names, and where."""

from __future__ import annotations

import random
import time
from itertools import pairwise

import pytest

from knowledge.catalogue import load_catalogue, squeeze
from knowledge.extraction.findings import AT_MOST, TEXT_CHARACTERS, find
from schemas.findings import Turn
from services.extract.printer import extract
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


def test_a_span_holds_the_words_by_which_a_mark_was_said() -> None:
    text = "🖨️ elle affiche C tiret 2557 puis 49 point 4C02 !"
    found = [one for one in find(text, CATALOGUE) if one.kind == "error_code"]
    assert [text[one.start : one.end] for one in found] == ["C tiret 2557", "49 point 4C02"]


PIECES = (
    "ma Lexmark C75O ", "HL L2350 DW,", "SC 54O\n", "n° de série VNB3 K123 45 ", "49.4C02 ", "À", "İ",
    "2 x TN-2420 ", "06 12 34 56 78 ", "erreur E 05. ", "> ", "compteur 48 210 ", "urgent ", "🖨️", "«",
    "facture FA-2026-0977 ", "bizub c258", "\u200b", "e\u0301", "12.05.2025 ", "-", "O", "0x97 ", "\n\n",
)  # fmt: skip


def test_spans_hold_what_was_found_whatever_is_put_together() -> None:
    chance = random.Random(7)
    for _ in range(400):
        text = "".join(chance.choices(PIECES, k=chance.randint(1, 12)))
        found = find(text, CATALOGUE)
        assert all(0 <= one.start < one.end <= len(text) for one in found), text
        assert all(text[one.start : one.end].strip() == text[one.start : one.end] for one in found)
        assert all(one.by and one.value for one in found), text
        numbered = [one for one in found if one.kind in {"order_number", "invoice_number"}]
        assert all(text[one.start : one.end].upper() == one.value for one in numbered), text


def test_each_finding_says_how_it_was_told() -> None:
    def by(text: str, kind: str) -> list[str]:
        return [one.by for one in find(text, CATALOGUE) if one.kind == kind]

    assert by("ma Lexmark C750", "model") == ["table"]
    assert by("ma Lexmark C75O", "model") == ["fuzzy"]
    assert by("ma Lexmark C999", "model") == ["pattern"]
    assert by("ma Lexmarc", "brand") == ["fuzzy"]
    assert by("l'imprimante QZ9000", "model") == ["context"]


def test_a_code_that_no_make_has_is_kept_and_says_so() -> None:
    (code,) = find("code erreur ZZ-99", CATALOGUE)
    assert (code.kind, code.value, code.by) == ("error_code", "ZZ-99", "unknown family")
    assert code.confidence <= 0.5


def test_findings_never_overlap() -> None:
    found = find(MESSAGE * 3, CATALOGUE)
    assert len(found) > 12
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


MODELS = """
ma lexmark c 750 | C750
ma lexmark C-750 | C750
ma Lexmark C75O | C750
lexmarck c 750 en panne | C750
LexmarkMS415dn | MS415dn
Notre Lexmark. C'est la C750. | C750
la MS421/MS521 lexmark | MS421 MS521
Brother HL L2350DW | HL-L2350DW
HLL2350 DW bourrage | HL-L2350DW
la brother hl l 2350dw | HL-L2350DW
ma Brother HL-L235ODW | HL-L2350DW
brother 2350 | 2350
brotherhl2030 | HL-2030
MFC J 5335 DW | MFC-J5335DW
dcp-l 2530 dw | DCP-L2530DW
Brother DCP-L2530DW et HP M404dn | DCP-L2530DW M404dn
la Brother HL-1210W de la réserve | HL-1210W
une HP LaserJet Pro M402dn | LaserJet_Pro_M402dn
mon imprimante hp m 428 fdw | M428fdw
HP OfficeJet Pro 8720 | OfficeJet_Pro_8720
HP 8720 ne scanne plus | 8720
notre 4250 hp | 4250
HP LJ 4250 | LaserJet_4250
HP LaserJet Pro 400 M401dn | M401dn
hpm404dn | M404dn
laser jet m404 | Laser_Jet_M404
PageWide Pro MFP 477dw | PageWide_Pro_MFP_477dw
Smart Tank 7305 | Smart_Tank_7305
Ricoh MP C3004 | MP_C3004
ricoh IMC3000 | IM_C3000
im c 3000 | IM_C3000
Ricoh MP C3004ex / MP C2004ex | MP_C3004ex MP_C2004ex
bizhub c258 | bizhub_C258
konica c258 | C258
bizub c258 | bizhub_C258
taskalpha 2553ci | TASKalfa_2553ci
ecosis m5526cdw | ECOSYS_M5526cdw
FS C5150DN | FS-C5150DN
xerox wc 6515 | WorkCentre_6515
Xerox Phaser3020 | 3020
versalinc c405 | VersaLink_C405
canon lbp-6030 | LBP6030
CANON MF 445 DW | MF445dw
imageRUNNER C3226i | imageRUNNER_C3226i
Epson XP-3150 | XP-3150
mon epson ET 2850 et 2850 pages | ET-2850
epson wf 2860 dwf | WF-2860DWF
epson workforce pro wf c5790 dwf | WorkForce_Pro_WF-C5790DWF
samsung clx 3305 fw | CLX-3305FW
SL-M2070FW | SL-M2070FW
une imprimante à badges (on nous parle de la ZC300) | ZC300
toner CF410X pour la M477fdw | M477fdw
la HP et la MFC-L2710DW | MFC-L2710DW
hp M404nd en panne | M404dn
Brother HL 1210 W | HL-1210W
LA HP ET 2850 PAGES PAR MOIS |
"""


def cases(table: str) -> list[tuple[str, list[str]]]:
    rows = [line.split("|") for line in table.strip().splitlines()]
    return [(text.strip(), [v.replace("_", " ") for v in found.split()]) for text, found in rows]


@pytest.mark.parametrize(("text", "found"), cases(MODELS))
def test_models_are_found_however_they_are_written(text: str, found: list[str]) -> None:
    assert values(text, "model") == found


NO_MODELS = """
au 3e étage, salle B12
le 12 mars
75011 Paris
A4 et A3
2x500 feuilles
et 2850 pages imprimées
Windows 11 24H2 et iOS 17
HP EliteBook 840 G8
Samsung Galaxy A52
cartouche HP 301
toner TN-2420
106R03623
le 165e bataillon
en 2015 et 2016
200 m-400 m-800 m
rue Victor Hugo 59000 Lille
> la Lexmark C750 / Elle ne marche pas
Bonjour / -----Message d'origine----- / la Lexmark C750
"""


@pytest.mark.parametrize("text", NO_MODELS.strip().splitlines())
def test_rooms_dates_formats_supplies_and_quotes_are_no_models(text: str) -> None:
    assert values(text.replace(" / ", "\n"), "model") == []


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
        ("code erreur E 05", ["E05"]),
        ("Ma HP : erreur 49.4CO2", ["49.4C02"]),
        ("59.F0", ["59.F0"]),
        ("79.00FE", ["79.00FE"]),
        ("hp error 13.20.00", ["13.20.00"]),
        ("hp marque 50.2", ["50.2"]),
        ("HP shows 0x61011bed", ["0x61011BED"]),
        ('hp affiche "oxc4eb827f"', ["0xC4EB827F"]),
        ("202.06 Paper jam on the lexmark", ["202.06"]),
        ("la Lexmark dit 900.xx", ["900.XX"]),
        ("le copieur ricoh est en SC 54O", ["SC540"]),
        ("SC542-01", ["SC542-01"]),
        ("ma kyo affiche C7990", ["C7990"]),
        ("la kyocera dit « Appeler service C6000:0410123 »", ["C6000"]),
        ("TASKalfa2553ci J0511", ["J0511"]),
        ("bizhub c258 affiche c-2557", ["C-2557"]),
        ("Canon affiche 5B00 et B200", ["5B00", "B200"]),
        ("Canon : U150", ["U150"]),
        ("E000007-0000 sur la canon", ["E000007-0000"]),
        ("EPSON ECOTANK ET-4850 000031 LE SCANNER CLAQUE", ["000031"]),
        ("Is 171 on an OKI C650 the fuser?", ["171"]),
        ("xerox 016 720", ["016720"]),
        ("samsung C1-1411", ["C1-1411"]),
        ("erreur 50,2 sur la hp", ["50.2"]),
        ("79 Service Error on our HP", ["79"]),
        ("canon affiche E 02", ["E02"]),
        ("erreur SC542/SC543", ["SC542", "SC543"]),
        ("016-720/016-799", ["016-720", "016-799"]),
        ("jam in 13.A3", ["13.A3"]),
        ("lexmark 24x.xx", ["24X.XX"]),
        ("la bizhub affiche C tiret 2557", ["C-2557"]),
        ("elle dit 50 point 2 la hp", ["50.2"]),
        ("C7990 ??", ["C7990"]),
        ("brother dit unable to print 46", ["unable to print 46"]),
        ("Ma Kyocera. Elle affiche F248 puis J0511.", ["F248", "J0511"]),
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
        "l'écran affiche A4 et du papier 80 g",
        "le message du 12-05",
        "Windows 11 affiche un message",
        "port 9100, http://192.168.0.10/49.4C02",
        "une volte-face",
        "le copieur de la salle C1204",
        "rendez-vous au point 2",
        "la lexmark à 199,90",
        "une imprimante en salle E12",
        "le toner CF410X affiche vide",
        "je vous ai envoyé un message le 3 décembre à 14h30",
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
        ("sn: VNB3 K123 45", "serial_number", ["VNB3K12345"]),
        ("sn e73456a1n123456 elle bourre", "serial_number", ["E73456A1N123456"]),
        ("numéro de série inscrit dessous : 5027-98673XY", "serial_number", ["5027-98673XY"]),
        ("VNB3K12345 (c'est le numéro de série)", "serial_number", ["VNB3K12345"]),
        ("ma Ricoh P C600 (3FX0044170)", "serial_number", ["3FX0044170"]),
        ("S/N° CNB9K12345 et N/S : CNB9K12346", "serial_number", ["CNB9K12345", "CNB9K12346"]),
        ("n° de série de la Ricoh IM C2500 : 3089R600123", "serial_number", ["3089R600123"]),
        ("le serial c'est c n b r p 4 4 1 7 k voila", "serial_number", ["CNBRP4417K"]),
        ("n serie lvk5x04417 merci", "serial_number", ["LVK5X04417"]),
        ("la série qui est derrière est CNBRP4417K", "serial_number", ["CNBRP4417K"]),
        ("M5526cdw, serial R4P0Z18823", "serial_number", ["R4P0Z18823"]),
        ("Canon MF643Cdw (QBX20448)", "serial_number", ["QBX20448"]),
        ("colis 6A12345678901", "serial_number", []),
        ("TVA FR12345678901", "serial_number", []),
        ("la série C de chez HP", "serial_number", []),
        ("CMD-2026-01844 est en retard", "order_number", ["CMD-2026-01844"]),
        ("la cde 26-11873", "order_number", ["26-11873"]),
        ("le code postal 75011", "order_number", []),
        ("INV-20261042 as a PDF", "invoice_number", ["INV-20261042"]),
        ("FV-20771 est à 20 % de TVA", "invoice_number", ["FV-20771"]),
        ("6 x TN-2420 et un DR-2400", "supply_reference", ["TN-2420", "DR-2400"]),
        ("cartouches 953XL et HP 301", "supply_reference", ["953XL"]),
        ("106R03623 ou CF410X", "supply_reference", ["106R03623", "CF410X"]),
        ("6 x TN-2420", "quantity", ["6"]),
        ("trois cartouches noires", "quantity", ["3"]),
        ("devis pour 2 imprimantes", "quantity", ["2"]),
        ("2 imprimantes en panne", "quantity", []),
        ("compteur 48 210 pages", "page_count", ["48210"]),
        ("compteur : 45231. Cordialement", "page_count", ["45231"]),
        ("compteurs : noir 12 450, couleur 3.200", "page_count", ["12450", "3200"]),
        ("compteur à 12 450 pages pas 21 450", "page_count", ["12450"]),
        ("5,000 mono and 800 colour pages a month", "page_count", []),
        ("2 000 pages/mois", "page_count", []),
        ("un document de 3000 pages", "page_count", []),
        ("rappelez le 06 12 34 56 78", "phone", ["+33612345678"]),
        ("call +44 7700 900417", "phone", ["+447700900417"]),
        ("le 0x97", "phone", []),
        ("c'est très urgent !", "urgency", ["tres urgent"]),
        ("please reply asap", "urgency", ["asap"]),
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
        "erreur 49.4c02 ", "print unable ", "0x", "facture F-2231 ", "hl ", "12.", "a@", "06 12 ",
        "code erreur code ", "compteur ", "série : ", "le 12/05 ", "1 000 ", "http://", "n° de série A1 ", "C-", ": ",
    ],
)  # fmt: skip
def test_two_hundred_kilobytes_of_anything_take_a_moment_of_the_processor(part: str) -> None:
    for text in (part * (200_000 // len(part)), f"sn{part * (200_000 // len(part))}!"):
        began = time.thread_time()
        found = find(text, CATALOGUE)
        assert time.thread_time() - began < 1
        assert len(found) <= AT_MOST + 1


def test_what_stands_after_twenty_thousand_characters_is_not_searched() -> None:
    assert values("x " * (TEXT_CHARACTERS // 2) + "Canon", "brand") == []
    assert values("x " * (TEXT_CHARACTERS // 2 - 5) + "Canon", "brand") == ["Canon"]


def told(text: str, subject: str = "", *earlier: tuple[str, str]) -> list[tuple[str, str, str]]:
    event = classified(text, subject=subject)
    turns = tuple(Turn(who=who, text=said, at=NOW) for who, said in earlier)
    (found,) = extract(event.model_copy(update={"earlier": turns}), CATALOGUE, NOW)
    for one in found.findings:
        inside = event.message.text[one.start : one.end]
        assert inside or (one.start, one.end) == (0, 0)
    return [(one.kind, one.value, one.by) for one in found.findings]


def test_a_subject_is_read_with_the_text() -> None:
    assert told("elle affiche C-2557", "Bizhub C258") == [
        ("brand", "Konica Minolta", "subject"),
        ("model", "bizhub C258", "subject"),
        ("error_code", "C-2557", "pattern"),
    ]
    assert told("la C750 bourre", "C750")[0] == ("brand", "Lexmark", "table")


def test_what_the_customer_named_earlier_is_still_meant() -> None:
    before = ("customer", "ma Lexmark C750 affiche 900.01"), ("desk", "Votre HP M404 ?")
    assert told("toujours pareil", "", *before) == [
        ("brand", "Lexmark", "earlier"),
        ("error_code", "900.01", "earlier"),
        ("model", "C750", "earlier"),
    ]
    assert told("et la Brother ?", "", *before)[0] == ("brand", "Brother", "table")
    assert "C750" not in str(told("et la Brother ?", "", *before))
    assert told("toujours pareil", "", before[1]) == []


def test_what_was_found_is_said_in_a_sentence() -> None:
    (told,) = extract(classified("ma Lexmark C750"), CATALOGUE, NOW)
    assert told.why == "marque Lexmark, modèle C750"
    (told,) = extract(classified("bonjour"), CATALOGUE, NOW)
    assert (told.findings, told.why) == ((), "rien de reconnu")
