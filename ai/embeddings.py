"""Sentence embeddings: an exported ONNX model, run without torch.

The int8 model that ships makes about 120 messages of 31 tokens a second on one core, in 160 MB;
the original under torch takes 1 GB (docs/decisions/0006-embedding-model-int8.md).
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from ai.about_model import SAID_IN, about_model
from ai.gloss import DICTIONARY, english

# Its import alone makes up an id of this machine, and reports go to its makers. Not from here.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime

SHIPPED = Path(__file__).parent / "models"
ENGLISH = ("en",)
BATCH = 32
BATCH_TOKENS = 2_048
"""Of a batch, padding included: 32 texts of 256 tokens at once would take 930 MB for a moment."""
LIKE = 0.8
"""Share of a batch's longest text that its others have at least; below it, padding costs more
than another run: 16 mixed texts took 15 ms each in one batch, 8 ms one by one, 9 ms so."""
FROM_HUB = ("onnx/model.onnx", "tokenizer.json", *SAID_IN)
"""Files of a repository that are fetched."""
INPUTS = ("input_ids", "attention_mask", "token_type_ids")
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

    def __init__(self, model: str = "all-MiniLM-L6-v2", threads: int = 1) -> None:
        graph, tokens = _files(model)
        about = about_model(graph.parent, model)
        self.name = about.name
        self._about = about
        made_by = hashlib.sha256(graph.read_bytes())
        if about.languages == ENGLISH:
            made_by.update(DICTIONARY.read_bytes())
        self.fingerprint = made_by.hexdigest()[:16]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.enable_cpu_mem_arena = False  # it grows with every new shape, to 1.5 GB
        self._session = onnxruntime.InferenceSession(
            str(graph), options, providers=["CPUExecutionProvider"]
        )
        self._inputs = {entry.name for entry in self._session.get_inputs()}
        self._tokenizer = Tokenizer.from_file(str(tokens))
        self._tokenizer.enable_truncation(about.max_tokens)
        self._thread = ThreadPoolExecutor(1, "embedder")
        self._known: OrderedDict[str, Vectors] = OrderedDict()
        self._tokenizer.no_padding()
        self.dimension = int(self._run([[0]]).shape[1])

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one unit vector a text, shape (len(texts), dimension)."""
        texts = self._understood(texts)
        found = {text: self._known[text] for text in texts if text in self._known}
        missing = list(dict.fromkeys(text for text in texts if text not in found))
        if missing:
            loop = asyncio.get_running_loop()
            fresh = await loop.run_in_executor(self._thread, self.encode, missing)
            found.update(zip(missing, fresh, strict=True))
            self._known.update(found)
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return np.stack([found[text] for text in texts]) if texts else self._empty()

    def compute(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors, computed now, in this thread."""
        return self.encode(self._understood(texts))

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors of the very words, computed now; `compute` is for what people wrote.

        A model that has read English only is given French put into English word by word.
        """
        vectors = self._empty(len(texts))
        said = [self._about.prefix + text for text in texts]
        tokens = [entry.ids for entry in self._tokenizer.encode_batch(said)]
        # Longest first, and only texts of like length together: padding is computed too.
        order = sorted(range(len(texts)), key=lambda place: -len(tokens[place]))
        while order:
            longest = len(tokens[order[0]])
            most = max(1, min(BATCH, BATCH_TOKENS // longest))
            alike = [place for place in order[:most] if len(tokens[place]) >= LIKE * longest]
            vectors[alike] = self._run([tokens[place] for place in alike])
            order = order[len(alike) :]
        return vectors

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown()

    def _understood(self, texts: Sequence[str]) -> list[str]:
        return (
            [english(text) for text in texts] if self._about.languages == ENGLISH else list(texts)
        )

    def _empty(self, rows: int = 0) -> Vectors:
        return np.zeros((rows, self.dimension), np.float32)

    def _run(self, tokens: list[list[int]]) -> Vectors:
        shape = (len(tokens), max(len(ids) for ids in tokens))
        feed = {name: np.zeros(shape, np.int64) for name in INPUTS}
        for row, ids in enumerate(tokens):
            feed["input_ids"][row, : len(ids)] = ids
            feed["attention_mask"][row, : len(ids)] = 1
        (output,) = self._session.run(
            None, {name: value for name, value in feed.items() if name in self._inputs}
        )[:1]
        vectors = np.asarray(output, np.float32)
        if vectors.ndim == 3 and self._about.pooling == "cls":  # noqa: PLR2004 - token vectors
            vectors = vectors[:, 0]
        elif vectors.ndim == 3:  # noqa: PLR2004 - the mean of those that are no padding
            mask = feed["attention_mask"][:, :, None].astype(np.float32)
            vectors = (vectors * mask).sum(1) / np.maximum(mask.sum(1), 1)
        unit: Vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
        return unit


def _files(model: str) -> tuple[Path, Path]:
    """Return a model's graph and its tokenizer, which lies beside it or in the folder above."""
    for root in (SHIPPED / model, Path(model)):
        found = _within(root)
        if found:
            return found
    return _from_hub(model)


def _within(root: Path) -> tuple[Path, Path] | None:
    graphs = (root / "model.onnx", root / "onnx" / "model.onnx")
    tokenizers = (root / "onnx" / "tokenizer.json", root / "tokenizer.json")
    graph = next((path for path in graphs if path.is_file()), None)
    tokenizer = next((path for path in tokenizers if path.is_file()), None)
    return (graph, tokenizer) if graph and tokenizer else None


def _from_hub(model: str) -> tuple[Path, Path]:
    from huggingface_hub import snapshot_download  # noqa: PLC0415 - 0.3 s, and only for these

    try:
        folder = Path(snapshot_download(model, allow_patterns=list(FROM_HUB)))
    except Exception as error:
        msg = (
            f"no embedding model {model!r}: neither shipped, nor a folder with model.onnx and "
            f"tokenizer.json, nor to be had from the hub ({type(error).__name__})"
        )
        raise ModelMissing(msg) from error
    found = _within(folder)
    if not found:
        msg = f"the hub's {model!r} has no onnx/model.onnx with a tokenizer.json"
        raise ModelMissing(msg)
    return found
