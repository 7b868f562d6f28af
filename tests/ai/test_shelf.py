"""Vectors kept on disk."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from ai.embeddings import Embedder, Vectors
from ai.shelf import vectors_of

TEXTS = ["panne", "toner vide", "panne"]


class Counting:
    """The embedder, with a note of what it was asked to compute."""

    def __init__(self, real: Embedder) -> None:
        self.real = real
        self.fingerprint = real.fingerprint
        self.computed: list[str] = []

    def compute(self, texts: Sequence[str]) -> Vectors:
        self.computed += texts
        return self.real.compute(texts)


@pytest.fixture
def counting(embedder: Embedder) -> Counting:
    return Counting(embedder)


def shelf(folder: Path) -> Path:
    (path,) = folder.glob("*.npz")
    return path


def test_what_is_kept_is_not_computed_again(counting: Counting, tmp_path: Path) -> None:
    first = vectors_of(TEXTS, counting, tmp_path)  # type: ignore[arg-type]
    again = vectors_of(TEXTS, counting, tmp_path)  # type: ignore[arg-type]
    assert counting.computed == ["panne", "toner vide"]
    assert np.array_equal(first, again)
    assert first.shape == (3, 384)
    assert np.array_equal(first[0], first[2])


def test_only_what_is_new_is_computed(counting: Counting, tmp_path: Path) -> None:
    vectors_of(TEXTS, counting, tmp_path)  # type: ignore[arg-type]
    vectors_of(["tambour", *TEXTS], counting, tmp_path)  # type: ignore[arg-type]
    assert counting.computed == ["panne", "toner vide", "tambour"]


def test_the_file_is_named_by_the_model(counting: Counting, tmp_path: Path) -> None:
    vectors_of(TEXTS, counting, tmp_path)  # type: ignore[arg-type]
    assert counting.fingerprint in shelf(tmp_path).name
    counting.fingerprint = "f" * 16
    vectors_of(TEXTS, counting, tmp_path)  # type: ignore[arg-type]
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("damage", ["empty", "torn", "garbage", "flipped", "other", "an array"])
def test_a_damaged_file_is_computed_again(embedder: Embedder, tmp_path: Path, damage: str) -> None:
    good = vectors_of(TEXTS, embedder, tmp_path)
    path = shelf(tmp_path)
    data = path.read_bytes()
    if damage == "empty":
        path.write_bytes(b"")
    elif damage == "torn":
        path.write_bytes(data[: len(data) // 2])
    elif damage == "garbage":
        path.write_bytes(b"not an archive" * 99)
    elif damage == "flipped":
        path.write_bytes(data[:300] + bytes(99) + data[399:])
    elif damage == "other":
        np.savez(path, something=np.zeros(3))
    else:
        with path.open("wb") as file:
            np.save(file, np.zeros(3))
    assert np.allclose(vectors_of(TEXTS, embedder, tmp_path), good, atol=1e-6)
    assert np.array_equal(
        vectors_of(TEXTS, embedder, tmp_path), vectors_of(TEXTS, embedder, tmp_path)
    )


def test_without_a_folder_nothing_is_kept(embedder: Embedder, tmp_path: Path) -> None:
    assert vectors_of(TEXTS, embedder, None).shape == (3, 384)
    assert list(tmp_path.iterdir()) == []


async def test_several_may_write_at_once(embedder: Embedder, tmp_path: Path) -> None:
    await asyncio.gather(*(
        asyncio.to_thread(vectors_of, [f"texte {n}"], embedder, tmp_path) for n in range(4)
    ))  # fmt: skip
    assert vectors_of(["texte 1"], embedder, tmp_path).shape == (1, 384)


def test_a_folder_that_cannot_be_written_is_said_and_does_not_matter(
    counting: Counting, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("no folder")
    found = vectors_of(TEXTS, counting, tmp_path / "file" / "cache")  # type: ignore[arg-type]
    assert found.shape == (3, 384)
    assert "vectors are not kept" in caplog.text
