"""The desk's classifiers: kept between starts, and a company's own."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from ai import stored, training
from ai.embeddings import Embedder
from knowledge import phrases
from services import classifiers
from tests.ai.test_classifier import LABELS, TEXTS

INTENTS = {"jam": "fault", "bill": "payment", "thanks": "thanks"}
OURS = [INTENTS[label] for label in LABELS]
URGENCY = {"jam": "high", "bill": "medium", "thanks": "low"}


@pytest.fixture(autouse=True)
def few_phrases(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phrases, "intents", lambda: list(zip(TEXTS, OURS, strict=True)))
    priorities = [(text, URGENCY[label]) for text, label in zip(TEXTS, LABELS, strict=True)]
    monkeypatch.setattr(phrases, "priorities", lambda: priorities)


def train(embedder: Embedder, folder: Path, labels: list[str], head: str = "label") -> Path:
    made = training.learn(TEXTS, embedder.compute(TEXTS), labels)
    stored.save(folder, {head: made}, embedder, {})
    return folder


def test_what_was_learned_once_is_read_at_the_next_start(
    embedder: Embedder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = classifiers.of(embedder, tmp_path)
    monkeypatch.setattr(training, "learn", None)
    again = classifiers.of(embedder, tmp_path)
    assert again.intents.labels == first.intents.labels == sorted(set(OURS))
    assert again.intents.features is again.priorities.features


def test_other_phrases_are_learned_anew(
    embedder: Embedder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    classifiers.of(embedder, tmp_path)
    more = [*zip(TEXTS, OURS, strict=True), *((f"devis {n}", "quote") for n in range(5))]
    monkeypatch.setattr(phrases, "intents", lambda: more)
    assert "quote" in classifiers.of(embedder, tmp_path).intents.labels


def test_a_damaged_cache_is_learned_anew(embedder: Embedder, tmp_path: Path) -> None:
    classifiers.of(embedder, tmp_path)
    for path in tmp_path.glob("classify-*/weights.npz"):
        path.write_bytes(b"PK")
    assert classifiers.of(embedder, tmp_path).intents.labels


def test_a_cache_that_cannot_be_written_costs_time_only(
    embedder: Embedder, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "cache").write_text("a file, no folder", "utf-8")
    with caplog.at_level(logging.WARNING):
        assert classifiers.of(embedder, tmp_path / "cache").priorities.labels
    assert "classifiers are not kept" in caplog.text


def test_a_company_s_own_categories_stand_beside_ours(embedder: Embedder, tmp_path: Path) -> None:
    found = classifiers.of(embedder, tmp_path, train(embedder, tmp_path / "own", LABELS))
    assert found.own
    assert found.own.labels == sorted(URGENCY)
    assert found.intents.labels == sorted(set(OURS))


def test_a_model_of_our_intents_takes_the_place_of_ours(embedder: Embedder, tmp_path: Path) -> None:
    labels = ["quote" if label == "fault" else label for label in OURS]
    found = classifiers.of(embedder, tmp_path, train(embedder, tmp_path / "own", labels))
    assert found.own is None
    assert found.intents.labels == ["payment", "quote", "thanks"]


def test_a_folder_that_is_no_trained_model_is_refused(embedder: Embedder, tmp_path: Path) -> None:
    folder = train(embedder, tmp_path / "other", LABELS, head="intents")
    with pytest.raises(stored.UnusableModel, match="not made by astreinte train classify"):
        classifiers.of(embedder, tmp_path, folder)
