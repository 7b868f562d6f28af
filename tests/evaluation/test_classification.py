"""The tables of classification: what is learned from is never reported on."""

from __future__ import annotations

from pathlib import Path

import pytest

from ai.embeddings import Embedder
from evaluation import classification
from evaluation.classification import Part, Parts, learn, row, scope_row
from tests.ai.test_classifier import LABELS, TEXTS


def part(embedder: Embedder, texts: list[str], labels: list[str]) -> Part:
    return Part(texts, labels, embedder.compute(texts))


@pytest.fixture(scope="module")
def parts(embedder: Embedder) -> Parts:
    test = part(embedder, ["bourrage de papier", "invoice wrong", "merci bien"] * 32, ["jam"] * 96)
    strange = part(embedder, ["the weather", "gardening", "football", "a cat"], ["oos"] * 4)
    train = part(embedder, TEXTS, LABELS)
    validation = part(embedder, TEXTS * 20, LABELS * 20)
    return Parts("Tiny", train, test, {"train": strange, "test": strange}, validation)


def test_a_line_holds_sizes_accuracy_and_what_a_promise_became(parts: Parts) -> None:
    cells = [cell.strip() for cell in row(parts, learn(parts)).split("|")[1:-1]]
    assert cells[:4] == ["Tiny", "15 / 96", "3", "0.3333"]
    assert cells[5:7] == ["0.000", "–"]  # fifteen texts promise nothing


def test_the_threshold_of_the_validation_part_is_tried_on_the_test_part(parts: Parts) -> None:
    cells = [cell.strip() for cell in scope_row(parts, learn(parts)).split("|")[1:-1]]
    assert cells[:3] == ["Tiny", "300", "96 + 4"]
    assert float(cells[3]) > float(cells[4])


def test_without_the_data_nothing_is_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(classification, "DATA", tmp_path / "none")
    classification.main()
    assert capsys.readouterr().out == ""
