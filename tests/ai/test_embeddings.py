"""The embedding model that ships, beside what the original gives."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ai.embeddings import REMEMBERED, SHIPPED, Embedder, ModelMissing

REFERENCE = Path(__file__).parent / "reference_embeddings.npz"


def test_vectors_are_those_of_the_original(embedder: Embedder) -> None:
    with np.load(REFERENCE) as file:
        texts, original = file["texts"].tolist(), file["vectors"]
    nearness = (embedder.encode(texts) * original).sum(1)
    assert len(texts) >= 50
    assert dict(zip(texts, nearness, strict=True)) == {
        text: pytest.approx(1, abs=0.02) for text in texts
    }


async def test_vectors_have_unit_length_and_one_shape(embedder: Embedder) -> None:
    vectors = await embedder.embed(["panne", "", "🖨️", "mot " * 2_000, "ligne\nautre ligne"])
    assert vectors.shape == (5, embedder.dimension) == (5, 384)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(5), abs=1e-5)


def test_a_text_alone_has_the_vector_that_it_has_in_a_batch(embedder: Embedder) -> None:
    texts = [f"panne numéro {n} " * (n + 1) for n in range(9)]
    together = embedder.compute(texts)
    alone = np.stack([embedder.compute([text])[0] for text in texts[::4]])
    assert (together[::4] * alone).sum(1) == pytest.approx(np.ones(3), abs=0.01)


def test_the_order_of_the_texts_is_kept_though_like_lengths_go_together(
    embedder: Embedder,
) -> None:
    texts = ["court", "un texte bien plus long que les autres " * 9, "moyen, sans plus"]
    forward, backward = embedder.compute(texts), embedder.compute(texts[::-1])
    assert (forward * backward[::-1]).sum(1) == pytest.approx(np.ones(3), abs=0.01)


async def test_no_texts_give_no_vectors(embedder: Embedder) -> None:
    assert (await embedder.embed([])).shape == (0, 384)
    assert embedder.compute([]).shape == (0, 384)


async def test_the_same_text_is_computed_once(embedder: Embedder) -> None:
    one = await embedder.embed(["toner", "toner", "tambour"])
    again = await embedder.embed(["tambour", "toner"])
    assert np.array_equal(one[0], one[1])
    assert np.array_equal(one[[2, 0]], again)


async def test_more_texts_than_are_remembered_are_all_answered(embedder: Embedder) -> None:
    texts = ["a", *(f"{n}" for n in range(60)), "a"]
    embedder._known.update((f"old {n}", np.zeros(384, np.float32)) for n in range(REMEMBERED))
    vectors = await embedder.embed(texts)
    assert len(vectors) == 62
    assert np.array_equal(vectors[0], vectors[-1])
    assert len(embedder._known) <= REMEMBERED


async def test_many_may_ask_at_the_same_time(embedder: Embedder) -> None:
    texts = [f"question {n % 5}" for n in range(20)]
    found = await asyncio.gather(*(embedder.embed([text]) for text in texts))
    assert all(np.allclose(found[n], found[n % 5], atol=0.01) for n in range(20))


def test_near_in_meaning_is_near_in_space(embedder: Embedder) -> None:
    jam, stuck, invoice = embedder.compute(
        ["the paper is jammed", "a sheet is stuck in the printer", "where is my invoice?"]
    )
    assert jam @ stuck > 0.4 > jam @ invoice


def test_french_is_near_its_english_though_the_model_has_read_english_only(
    embedder: Embedder,
) -> None:
    french, english = ["bourrage papier", "la cartouche est vide"], ["paper jam", "cartridge empty"]
    with_help = (embedder.compute(french) * embedder.compute(english)).sum(1)
    without = (embedder.encode(french) * embedder.encode(english)).sum(1)
    assert (with_help > without + 0.2).all()


@pytest.mark.parametrize("name", ["/nowhere/at/all", "no such model!", ""])
def test_a_model_that_is_not_there_is_said_clearly(name: str) -> None:
    with pytest.raises(ModelMissing, match="no embedding model") as caught:
        Embedder(name)
    assert repr(name) in str(caught.value)
    assert "model.onnx" in str(caught.value)


def test_a_folder_is_a_model_too(tmp_path: Path, embedder: Embedder) -> None:
    folder = tmp_path / "own"
    shutil.copytree(SHIPPED / "all-MiniLM-L6-v2", folder)
    about = json.loads((folder / "model.json").read_text("utf-8"))
    (folder / "model.json").write_text(json.dumps(about | {"name": "ours"}), "utf-8")
    own = Embedder(str(folder), threads=1)
    assert own.name == "ours"
    assert own.fingerprint == embedder.fingerprint
    assert np.allclose(own.compute(["panne"]), embedder.compute(["panne"]), atol=0.01)
    own.close()


def test_the_runtime_of_the_model_keeps_no_id_of_this_machine(tmp_path: Path) -> None:
    words = [sys.executable, "-c", "import ai.embeddings"]
    home = {"HOME": str(tmp_path), "PYTHONPATH": str(SHIPPED.parents[1])}
    subprocess.run(words, env=home, check=True)
    assert list(tmp_path.rglob("*")) == []
