"""Classifiers in a folder."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ai import stored, training
from ai.classifier import Classifier
from ai.embeddings import Embedder
from tests.ai.test_classifier import LABELS, TEXTS


@pytest.fixture(scope="module")
def made(embedder: Embedder) -> Classifier:
    return training.learn(TEXTS, embedder.compute(TEXTS), LABELS)


@pytest.fixture
def folder(made: Classifier, embedder: Embedder, tmp_path: Path) -> Path:
    stored.save(tmp_path, {"label": made}, embedder, {"rows": len(TEXTS)})
    return tmp_path


def test_what_was_saved_says_the_same(made: Classifier, embedder: Embedder, folder: Path) -> None:
    again = stored.load(folder, embedder)["label"]
    texts = [*TEXTS, "", "🖨️", "Une autre ligne\r\net\u2028un séparateur"]
    vectors = embedder.compute(texts)
    assert again.labels == made.labels
    assert np.allclose(
        again.probabilities(texts, vectors), made.probabilities(texts, vectors), atol=1e-5
    )
    assert np.allclose(again.scope(texts, vectors), made.scope(texts, vectors), atol=1e-5)
    assert again.thresholds(0.5) == pytest.approx(made.thresholds(0.5), abs=1e-5)


def test_heads_that_are_kept_together_share_their_features(
    made: Classifier, embedder: Embedder, tmp_path: Path
) -> None:
    stored.save(tmp_path, {"one": made, "other": made}, embedder, {})
    found = stored.load(tmp_path, embedder)
    assert found["one"].features is found["other"].features


def test_a_model_says_how_it_was_made(folder: Path, embedder: Embedder) -> None:
    found = stored.describe(folder)
    assert found["about"] == {"rows": len(TEXTS)}
    assert found["embedding"] == {"model": embedder.name, "fingerprint": embedder.fingerprint}
    assert found["heads"]["label"]["labels"] == sorted(set(LABELS))


def test_nothing_is_pickled(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == ["model.json", "weights.npz"]
    with np.load(folder / "weights.npz", allow_pickle=False) as arrays:
        assert all(arrays[name].dtype.kind in "fiu" for name in arrays)


def test_another_embedding_model_is_refused_by_name(folder: Path, embedder: Embedder) -> None:
    path = folder / "model.json"
    description = json.loads(path.read_text("utf-8"))
    description["embedding"] = {"model": "e5-small", "fingerprint": "0" * 16}
    path.write_text(json.dumps(description), "utf-8")
    with pytest.raises(stored.UnusableModel, match="made with the embedding model 'e5-small'"):
        stored.load(folder, embedder)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("model.json", "{", "no model of Astreinte's"),
        ("model.json", "[1]", "no model of Astreinte's"),
        ("model.json", '{"format": 1}', "no model of Astreinte's"),
        (
            "model.json",
            '{"format": 99, "embedding": {"fingerprint": ""}, "heads": {}}',
            "format 99",
        ),
        ("weights.npz", "PK", "damaged"),
        ("weights.npz", "", "damaged"),
    ],
)
def test_damaged_files_are_said(
    folder: Path, embedder: Embedder, name: str, content: str, said: str
) -> None:
    (folder / name).write_text(content, "utf-8")
    with pytest.raises(stored.UnusableModel, match=said):
        stored.load(folder, embedder)


def test_a_folder_without_a_model_is_said(tmp_path: Path, embedder: Embedder) -> None:
    with pytest.raises(stored.UnusableModel, match="cannot be read: No such file"):
        stored.load(tmp_path, embedder)


def test_weights_that_are_gone_are_said(folder: Path, embedder: Embedder) -> None:
    (folder / "weights.npz").unlink()
    with pytest.raises(stored.UnusableModel, match="damaged"):
        stored.load(folder, embedder)
