"""Classifiers in a folder: numbers in `weights.npz`, else `model.json`. Nothing is pickled."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from ai.classifier import Classifier, Head, HeldOut
from ai.embeddings import Embedder, ModelMissing
from ai.features import Features
from ai.scope import Scope

FORMAT = 1
"""Raised whenever an older program would read the files wrongly."""
DESCRIPTION = "model.json"
WEIGHTS = "weights.npz"


class UnusableModel(ModelMissing):
    """The folder holds no model that this program can use with this embedding model."""


def save(
    folder: Path,
    classifiers: Mapping[str, Classifier],
    embedder: Embedder,
    about: Mapping[str, Any],
) -> None:
    """Write classifiers that share their features, and `about`, into a folder.

    Each file is whole or absent at any moment; `model.json` comes last.
    """
    folder.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, NDArray[Any]] = {}
    heads = {}
    for name, classifier in classifiers.items():
        head = classifier.head
        arrays |= classifier.features.arrays()
        arrays |= {
            f"{name}_weights": head.weights,
            f"{name}_intercepts": head.intercepts,
            f"{name}_held_out": head.held_out.probabilities.astype(np.float32),
            f"{name}_places": head.held_out.places.astype(np.int32),
            f"{name}_held_scope": head.held_out.scope,
            f"{name}_means": head.scope.means,
            f"{name}_scope": head.scope.weights,
        }
        heads[name] = {
            "labels": head.labels,
            "temperature": head.temperature,
            "scope_threshold": head.scope.threshold,
        }
    description = {
        "format": FORMAT,
        "embedding": {"model": embedder.name, "fingerprint": embedder.fingerprint},
        "heads": heads,
        "about": about,
    }
    part = folder / f"{uuid4().hex}.npz"
    np.savez(part, allow_pickle=False, **arrays)
    part.replace(folder / WEIGHTS)
    written = part.with_suffix(".json")
    written.write_text(json.dumps(description, indent=2, ensure_ascii=False) + "\n", "utf-8")
    written.replace(folder / DESCRIPTION)


def load(folder: Path, embedder: Embedder) -> dict[str, Classifier]:
    """Return the classifiers of a folder.

    Raises
    ------
    UnusableModel
        There is none, it is damaged, of another format, or made with another embedding model.
    """
    description = describe(folder)
    made_with = description["embedding"]
    if made_with["fingerprint"] != embedder.fingerprint:
        msg = (
            f"{folder}: made with the embedding model {made_with['model']!r} "
            f"({made_with['fingerprint']}), here is {embedder.name!r} ({embedder.fingerprint}): "
            "set ASTREINTE_EMBEDDING_MODEL to the former, or train again"
        )
        raise UnusableModel(msg)
    try:
        with np.load(folder / WEIGHTS, allow_pickle=False) as arrays:
            features = Features.restore(arrays)
            return {
                name: Classifier(features, _head(name, about, arrays))
                for name, about in description["heads"].items()
            }
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        msg = f"{folder / WEIGHTS}: damaged ({type(error).__name__}); train again"
        raise UnusableModel(msg) from None


def describe(folder: Path) -> dict[str, Any]:
    """Return what `model.json` says. Raises `UnusableModel`."""
    path = folder / DESCRIPTION
    try:
        description = json.loads(path.read_text("utf-8"))
        written = description["format"]
        _ = description["embedding"]["fingerprint"], description["heads"].items()
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror}"
        raise UnusableModel(msg) from None
    except (ValueError, KeyError, TypeError, AttributeError):
        msg = f"{path}: this is no model of Astreinte's"
        raise UnusableModel(msg) from None
    if written != FORMAT:
        msg = f"{path}: format {written}, this program reads {FORMAT}: train again"
        raise UnusableModel(msg)
    return dict(description)


def _head(name: str, about: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Head:
    held_out = arrays[f"{name}_held_out"].astype(np.float64)
    return Head(
        labels=tuple(about["labels"]),
        weights=arrays[f"{name}_weights"],
        intercepts=arrays[f"{name}_intercepts"],
        temperature=float(about["temperature"]),
        held_out=HeldOut(
            held_out, arrays[f"{name}_places"].astype(np.int64), arrays[f"{name}_held_scope"]
        ),
        scope=Scope(
            arrays[f"{name}_means"], arrays[f"{name}_scope"], float(about["scope_threshold"])
        ),
    )
