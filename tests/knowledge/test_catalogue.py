"""The catalogue of makes, models and codes."""

from __future__ import annotations

from pathlib import Path

import pytest

from knowledge.articles import InvalidArticle
from knowledge.catalogue import SHIPPED, load_catalogue, squeeze
from schemas.vocabulary import FindingKind

CATALOGUE = load_catalogue()


def test_every_pattern_compiles_and_belongs_to_a_make() -> None:
    brands = set(CATALOGUE.spellings.values())
    assert len(brands) >= 10
    assert len(CATALOGUE.models) >= len(brands)
    assert {pattern.brand for pattern in (*CATALOGUE.models, *CATALOGUE.codes)} <= brands


def test_no_pattern_matches_nothing_at_all() -> None:
    patterns = [pattern.expression for pattern in (*CATALOGUE.models, *CATALOGUE.codes)]
    patterns += [expression for _, expression, _ in CATALOGUE.numbered]
    assert [expression.pattern for expression in patterns if expression.search("")] == []


def test_numbers_after_a_word_have_one_group_and_a_kind_that_we_know() -> None:
    kinds = {kind.value for kind in FindingKind}
    for kind, expression, confidence in CATALOGUE.numbered:
        assert kind in kinds
        assert expression.groups == 1
        assert 0 < confidence <= 1


def test_spellings_are_lower_case_and_each_known_model_is_its_own() -> None:
    assert all(spelling == spelling.lower() for spelling in CATALOGUE.spellings)
    assert len(CATALOGUE.known) >= 30


@pytest.mark.parametrize("name", ["HL-L2350DW", "hl l2350dw", "HL_L2350 dw"])
def test_names_are_compared_without_blanks_and_dashes(name: str) -> None:
    assert squeeze(name) == "hll2350dw"


@pytest.mark.parametrize("code", ["49.4C02x", "x49.4C02", "1.49.4C02", "49.4C02.1", "-49.4C02"])
def test_codes_do_not_begin_or_end_inside_a_word_or_a_number(code: str) -> None:
    mine = [pattern for pattern in CATALOGUE.codes if pattern.brand == "HP"]
    found = [match.group() for pattern in mine for match in pattern.expression.finditer(code)]
    assert "49.4C02" not in found


@pytest.mark.parametrize(
    ("old", "new"),
    [("- name: HP", "- nome: HP"), ("codes: []", "codes: ['(']"), ("brands:", "brands: [")],
)
def test_a_broken_catalogue_is_refused_by_name(tmp_path: Path, old: str, new: str) -> None:
    path = tmp_path / "catalogue.yaml"
    path.write_text(SHIPPED.read_text("utf-8").replace(old, new, 1), "utf-8")
    with pytest.raises(InvalidArticle, match=str(path)):
        load_catalogue(path)
