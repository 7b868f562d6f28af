"""The catalogue of makes, models and codes."""

from __future__ import annotations

from pathlib import Path

import pytest

from knowledge.articles import InvalidArticle
from knowledge.catalogue import SHIPPED, load_catalogue, squeeze

CATALOGUE = load_catalogue()


def test_every_make_has_spellings_and_ways_to_write_models_and_codes() -> None:
    brands = set(CATALOGUE.spellings.values())
    assert brands == set(CATALOGUE.makes)
    assert len(brands) >= 10
    assert {known.brand for each in CATALOGUE.table.values() for known in each} <= brands
    assert set(CATALOGUE.series.values()) <= brands


def test_no_pattern_matches_nothing_at_all() -> None:
    patterns = [
        pattern
        for make in CATALOGUE.makes.values()
        for pattern in (make.models, make.named, make.codes, make.sure, make.serials)
    ]
    assert [pattern for pattern in (*patterns, CATALOGUE.codes) if pattern.fullmatch("")] == []


def test_keys_are_squeezed_and_there_are_thousands_of_models() -> None:
    keys = (*CATALOGUE.spellings, *CATALOGUE.misspelt, *CATALOGUE.series, *CATALOGUE.table)
    assert [key for key in keys if key != squeeze(key)] == []
    assert len(CATALOGUE.table) > 5_000


def test_a_table_of_models_of_an_unknown_make_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "models.yaml"
    path.write_text("Facit: {'': d-Color}", "utf-8")
    with pytest.raises(InvalidArticle, match="Facit"):
        load_catalogue(models=path)


@pytest.mark.parametrize("name", ["HL-L2350DW", "hl l2350dw", "HL_L2350 dw"])
def test_names_are_compared_without_blanks_and_dashes(name: str) -> None:
    assert squeeze(name) == "hll2350dw"


@pytest.mark.parametrize("code", ["49.4C02x", "x49.4C02", "1.49.4C02", "49.4C02.1", "-49.4C02"])
def test_codes_do_not_begin_or_end_inside_a_word_or_a_number(code: str) -> None:
    found = [match.group() for match in CATALOGUE.codes.finditer(code.lower())]
    assert "49.4c02" not in found


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("- name: HP", "- nome: HP"),
        ("codes: ['s ?c", "codes: ['(', 's ?c"),
        ("\nbrands:", "\nbrands: ["),
    ],
)
def test_a_broken_catalogue_is_refused_by_name(tmp_path: Path, old: str, new: str) -> None:
    path = tmp_path / "catalogue.yaml"
    path.write_text(SHIPPED.read_text("utf-8").replace(old, new, 1), "utf-8")
    with pytest.raises(InvalidArticle, match=str(path)):
        load_catalogue(path)
