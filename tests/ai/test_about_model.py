"""Models of other makers: a folder as sentence-transformers exports it, in miniature."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from ai.about_model import about_model
from ai.embeddings import Embedder
from ai.passages import PassageIndex, Row

WORDS = ["[UNK]", "query", ":", "panne", "toner", "papier"]
TABLE = np.eye(len(WORDS), 8, dtype=np.float32)
"""One direction a word, so that what was pooled can be read off the vector."""


def message(*fields: tuple[int, bytes | int]) -> bytes:
    """Write a message of protocol buffers, the format of ONNX; all here is short."""
    parts = [
        bytes([number << 3, value])
        if isinstance(value, int)
        else bytes([number << 3 | 2]) + length(len(value)) + value
        for number, value in fields
    ]
    return b"".join(parts)


def length(count: int) -> bytes:
    return bytes([count]) if count < 128 else bytes([count & 127 | 128, count >> 7])


def value(name: bytes, kind: int, *sizes: bytes) -> bytes:
    shape = message(*((1, message((2, size))) for size in sizes))
    return message((1, name), (2, message((1, message((1, kind), (2, shape))))))


def graph() -> bytes:
    """Return a model whose token vectors are rows of TABLE."""
    table = message(
        (1, TABLE.shape[0]), (1, TABLE.shape[1]), (2, 1), (8, b"table"), (9, TABLE.tobytes())
    )
    gather = message((1, b"table"), (1, b"input_ids"), (2, b"tokens"), (4, b"Gather"))
    parts = message(
        (1, gather),
        (2, b"tiny"),
        (5, table),
        (11, value(b"input_ids", 7, b"texts", b"length")),
        (12, value(b"tokens", 1, b"texts", b"length", b"size")),
    )
    return message((1, 8), (7, parts), (8, message((2, 17))))


def export(folder: Path, *, cls: bool = False, tokens: int = 512) -> Path:
    (folder / "onnx").mkdir(parents=True)
    (folder / "1_Pooling").mkdir()
    (folder / "onnx" / "model.onnx").write_bytes(graph())
    tokenizer = Tokenizer(WordLevel({w: n for n, w in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    pooling = {"pooling_mode_cls_token": cls, "pooling_mode_mean_tokens": not cls}
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling), "utf-8")
    limits = json.dumps({"max_seq_length": tokens})
    (folder / "sentence_bert_config.json").write_text(limits, "utf-8")
    return folder


def said(folder: Path, text: str) -> dict[str, float]:
    """Return how much of each word is in a text's vector."""
    embedder = Embedder(str(folder))
    vector = embedder.compute([text])[0]
    embedder.close()
    return {word: round(float(x), 2) for word, x in zip(WORDS, vector, strict=False) if x}


def test_token_vectors_are_averaged(tmp_path: Path) -> None:
    assert said(export(tmp_path / "own"), "panne toner") == {"panne": 0.71, "toner": 0.71}


def test_a_model_that_wants_its_first_token_gets_it(tmp_path: Path) -> None:
    assert said(export(tmp_path / "own", cls=True), "toner panne") == {"toner": 1.0}


@pytest.mark.parametrize("name", ["multilingual-e5-small", "e5_base", "E5"])
def test_models_of_the_e5_family_are_asked_as_they_were_trained(tmp_path: Path, name: str) -> None:
    assert said(export(tmp_path / name, cls=True), "toner panne") == {"query": 1.0}


def test_a_prompt_that_a_model_names_goes_before_each_text(tmp_path: Path) -> None:
    folder = export(tmp_path / "own", cls=True)
    prompts = {"prompts": {"query": "papier: ", "document": ""}}
    (folder / "config_sentence_transformers.json").write_text(json.dumps(prompts), "utf-8")
    assert said(folder, "toner") == {"papier": 1.0}


def test_texts_are_cut_where_the_model_says(tmp_path: Path) -> None:
    assert said(export(tmp_path / "own", tokens=1), "papier panne") == {"papier": 1.0}
    assert about_model(export(tmp_path / "long", tokens=8192) / "onnx", "x").max_tokens == 512


def test_what_lies_beside_the_graph_comes_before_what_others_wrote(tmp_path: Path) -> None:
    folder = export(tmp_path / "e5", cls=True)
    own = {"name": "ours", "pooling": "mean", "prefix": "", "max_tokens": 9}
    (folder / "onnx" / "model.json").write_text(json.dumps(own), "utf-8")
    about = about_model(folder / "onnx", "e5")
    assert (about.name, about.pooling, about.prefix, about.max_tokens) == ("ours", "mean", "", 9)


def test_search_works_with_another_model_too(tmp_path: Path) -> None:
    embedder = Embedder(str(export(tmp_path / "e5")))
    index = PassageIndex(embedder.name, embedder.dimension, embedder.fingerprint)
    rows = [Row(1, "toner", "toner"), Row(2, "jam", "papier")]
    index.add(rows, embedder.compute([row.text for row in rows]))
    assert index.search_many(["papier"], embedder.compute(["papier"]))[0][0].name == "jam"
    embedder.close()
