"""Learning to classify from a table, and what the model is worth. Heavy: loaded when asked for."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import f1_score

from ai import calibration, stored, training
from ai.classifier import Classifier
from ai.embeddings import Embedder
from knowledge.labelled import Labelled
from services.classifiers import LABEL, read, trained
from services.settings import EmbeddingSettings

PRECISIONS = (0.95, 0.98)


def teach(
    rows: Labelled, data: Path, out: Path, embedding: EmbeddingSettings, outside: str
) -> dict[str, Any]:
    """Learn from `rows`, write model and card into `out`, and return what is known of it."""
    embedder = Embedder(embedding.model, embedding.threads)
    texts = [read(text) for text, _ in rows]
    vectors = embedder.compute(texts)
    labels = np.array([label for _, label in rows])
    known = labels != outside
    strange = [text for text, ours in zip(texts, known, strict=True) if not ours]
    learned = training.learn(
        [text for text, ours in zip(texts, known, strict=True) if ours],
        vectors[known],
        [str(label) for label in labels[known]],
        strangers=(strange, vectors[~known]),
    )
    about = {
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "made_by": f"astreinte {version('astreinte')}",
        "data": data.name,
        "data_sha256": hashlib.sha256(data.read_bytes()).hexdigest(),
        "texts": int(known.sum()),
        "outside": outside,
        "outside_texts": len(strange),
        "labels": dict(Counter(str(label) for label in labels[known])),
        "held_out": _held_out(learned),
    }
    stored.save(out, {LABEL: learned}, embedder, about)
    (out / "card.md").write_text(card(about, embedder), "utf-8")
    embedder.close()
    return about


def judge(rows: Labelled, folder: Path, embedding: EmbeddingSettings) -> dict[str, Any]:
    """Return how good the model in `folder` is on `rows`; a label it does not know is an error.

    Raises
    ------
    UnusableModel
        There is no such model, or it is of another embedding model.
    """
    embedder = Embedder(embedding.model, embedding.threads)
    learned = trained(folder, embedder)
    outside = stored.describe(folder)["about"].get("outside", "")
    texts = [read(text) for text, _ in rows]
    vectors = embedder.compute(texts)
    embedder.close()
    labels = np.array([label for _, label in rows])
    ours = labels != outside
    unknown = Counter(str(label) for label in labels[ours] if label not in learned.labels)
    found = learned.probabilities(texts, vectors)[ours]
    said = np.array(learned.labels)[found.argmax(1)]
    scope = learned.scope(texts, vectors)
    result = _figures(learned, found.max(1), said, labels[ours], scope[ours])
    result["unknown_labels"] = dict(unknown)
    result["outside"] = None
    if (~ours).any():
        refused = scope < learned.head.scope.threshold
        result["outside"] = {
            "texts": int((~ours).sum()),
            "recall": float(refused[~ours].mean()),
            "refused": float(refused[ours].mean()) if ours.any() else 0.0,
        }
    return result


def card(about: dict[str, Any], embedder: Embedder) -> str:
    """Return the model card, in Markdown."""
    held_out = about["held_out"]
    figures = (
        f"- On texts held out by turns: accuracy {held_out['accuracy']:.3f}, macro F1 "
        f"{held_out['macro_f1']:.3f}, calibration error {held_out['ece']:.3f}"
    )
    lines = [
        f"# Model of {about['data']}",
        "",
        f"Made {about['made_at']} by {about['made_by']}, for `astreinte` to classify texts.",
        "",
        f"- Data: `{about['data']}`, SHA-256 `{about['data_sha256']}`",
        f"- Texts: {about['texts']}, and {about['outside_texts']} out of scope",
        f"- Embedding model: `{embedder.name}`, fingerprint `{embedder.fingerprint}`",
        figures,
        "",
        "| label | texts |",
        "|---|---|",
        *(f"| {label.replace('|', '¦')} | {count} |" for label, count in about["labels"].items()),
    ]
    return "\n".join(lines) + "\n"


def _held_out(learned: Classifier) -> dict[str, Any]:
    held = learned.head.held_out
    names = np.array(learned.labels)
    probabilities = held.probabilities
    said = names[probabilities.argmax(1)]
    return _figures(learned, probabilities.max(1), said, names[held.places], held.scope)


def _figures(
    learned: Classifier,
    confidence: calibration.Floats,
    said: NDArray[np.str_],
    labels: NDArray[np.str_],
    scope: calibration.Floats,
) -> dict[str, Any]:
    right = said == labels
    inside = scope >= learned.head.scope.threshold
    return {
        "texts": len(labels),
        "accuracy": float(right.mean()) if len(right) else 0.0,
        "macro_f1": float(f1_score(labels, said, average="macro", zero_division=0))
        if len(right)
        else 0.0,
        "ece": calibration.calibration_error(confidence, right),
        "promised": {str(p): _promise(learned, confidence, right, inside, p) for p in PRECISIONS},
        "possible": {str(p): calibration.coverage(confidence, right, p) for p in PRECISIONS},
    }


def _promise(
    learned: Classifier,
    confidence: calibration.Floats,
    right: NDArray[np.bool_],
    inside: NDArray[np.bool_],
    precision: float,
) -> dict[str, float | None]:
    """Return what becomes of a threshold that was set on texts held out while learning."""
    bound = learned.threshold(1 - precision)
    answered = inside & (confidence >= bound)
    return {
        "threshold": None if math.isinf(bound) else bound,
        "coverage": float(answered.mean()) if len(answered) else 0.0,
        "right": float(right[answered].mean()) if answered.any() else None,
    }
