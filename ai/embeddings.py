"""Sentence embeddings: an exported ONNX model, run without torch.

The int8 model that ships makes about 500 short texts a second on two cores in 160 MB; the
original under torch a quarter of that in 1 GB (docs/benchmarks.md).
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

SHIPPED = Path(__file__).parent / "models"
BATCH = 32
BATCH_CHARACTERS = 8_192
"""Of a batch, padding included: 32 texts of 256 tokens at once would take 930 MB for a moment."""
REMEMBERED = 4_096
"""Recent texts whose vectors are kept: classify and rag ask for the same ones."""

Vectors = NDArray[np.float32]


class ModelMissing(ValueError):  # noqa: N818 - said to whoever set the name
    """The embedding model that was named cannot be loaded."""


class Embedder:
    """Turns texts into unit vectors of `dimension` numbers.

    Parameters
    ----------
    model
        The name of a model that ships, a folder with `model.onnx` and `tokenizer.json`, or the
        name of a hub's repository that has them (needs the internet once).
    threads
        CPU threads for one batch.
    """

    def __init__(self, model: str = "all-MiniLM-L6-v2", threads: int = 2) -> None:
        folder = _folder(model)
        about = _about(folder)
        self.name: str = about.get("name", model)
        self.fingerprint = hashlib.sha256((folder / "model.onnx").read_bytes()).hexdigest()[:16]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.enable_cpu_mem_arena = False  # it grows with every new shape, to 1.5 GB
        self._session = onnxruntime.InferenceSession(
            str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )
        self._inputs = {entry.name for entry in self._session.get_inputs()}
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(about.get("max_tokens", 256))
        self._tokenizer.enable_padding()
        self._thread = ThreadPoolExecutor(1, "embedder")
        self._known: OrderedDict[str, Vectors] = OrderedDict()
        self.dimension = int(self._run(["."]).shape[1])

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one unit vector a text, shape (len(texts), dimension)."""
        missing = list(dict.fromkeys(text for text in texts if text not in self._known))
        if missing:
            loop = asyncio.get_running_loop()
            fresh = await loop.run_in_executor(self._thread, self.compute, missing)
            self._known.update(zip(missing, fresh, strict=True))
        vectors = np.stack([self._known[text] for text in texts]) if texts else self._empty()
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return vectors

    def compute(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors, computed now, in this thread."""
        vectors = self._empty(len(texts))
        # Texts of like length together: padding is computed too.
        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        while order:
            longest = max(len(texts[order[-1]]), 1)
            count = max(1, min(BATCH, BATCH_CHARACTERS // longest))
            places, order = order[-count:], order[:-count]
            vectors[places] = self._run([texts[place] for place in places])
        return vectors

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown()

    def _empty(self, rows: int = 0) -> Vectors:
        return np.zeros((rows, self.dimension), np.float32)

    def _run(self, texts: list[str]) -> Vectors:
        encoded = self._tokenizer.encode_batch(texts)
        feed: dict[str, NDArray[np.int64]] = {
            "input_ids": np.array([entry.ids for entry in encoded], np.int64),
            "attention_mask": np.array([entry.attention_mask for entry in encoded], np.int64),
            "token_type_ids": np.array([entry.type_ids for entry in encoded], np.int64),
        }
        (output,) = self._session.run(
            None, {name: value for name, value in feed.items() if name in self._inputs}
        )[:1]
        vectors = np.asarray(output, np.float32)
        if vectors.ndim == 3:  # noqa: PLR2004 - token vectors: the mean of those that are no padding
            mask = feed["attention_mask"][:, :, None].astype(np.float32)
            vectors = (vectors * mask).sum(1) / np.maximum(mask.sum(1), 1)
        unit: Vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
        return unit


def _folder(model: str) -> Path:
    for folder in (SHIPPED / model, Path(model), Path(model) / "onnx"):
        if (folder / "model.onnx").is_file() and (folder / "tokenizer.json").is_file():
            return folder
    return _from_hub(model)


def _from_hub(model: str) -> Path:
    from huggingface_hub import snapshot_download  # noqa: PLC0415 - 0.3 s, and only for these

    try:
        found = snapshot_download(model, allow_patterns=["onnx/model.onnx", "tokenizer.json"])
    except Exception as error:
        msg = (
            f"no embedding model {model!r}: neither shipped, nor a folder with model.onnx and "
            f"tokenizer.json, nor to be had from the hub ({type(error).__name__})"
        )
        raise ModelMissing(msg) from error
    folder = Path(found)
    if not (folder / "onnx" / "model.onnx").is_file():
        msg = f"the hub's {model!r} has no onnx/model.onnx"
        raise ModelMissing(msg)
    if not (folder / "onnx" / "tokenizer.json").exists():
        (folder / "onnx" / "tokenizer.json").symlink_to(folder / "tokenizer.json")
    return folder / "onnx"


def _about(folder: Path) -> dict[str, Any]:
    path = folder / "model.json"
    return dict(json.loads(path.read_text("utf-8"))) if path.is_file() else {}
