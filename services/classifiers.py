"""The desk's classifiers: those kept since the last start, or learned now from the phrases."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import ai
from ai import stored, training
from ai.classifier import Classifier
from ai.embeddings import Embedder
from ai.features import Features
from ai.gloss import DICTIONARY, english
from ai.shelf import vectors_of
from knowledge import catalogue, extraction, phrases
from knowledge.extraction.naming import named
from schemas.vocabulary import Intent

log = logging.getLogger(__name__)

SOURCES = (
    *(
        Path(ai.__file__).parent / f"{name}.py"
        for name in (
            "calibration", "classifier", "features", "gloss", "scope", "stored", "training"
        )
    ),
    *sorted(Path(extraction.__file__).parent.glob("*.py")),
    catalogue.SHIPPED,
    catalogue.MODELS,
    DICTIONARY,
)  # fmt: skip
"""Files that decide what is learned: another line there is another model."""

LABEL = "label"
"""The head of a model that was trained from a table: its column."""


@dataclass(frozen=True)
class Classifiers:
    """What the stage asks; `own`: of a company's own categories."""

    intents: Classifier
    priorities: Classifier
    own: Classifier | None = None


_catalogue = lru_cache(1)(catalogue.load_catalogue)


def read(text: str) -> str:
    """Return a text as all classifiers see it: codes and numbers by name, French in English."""
    return english(named(text, _catalogue()))


def of(embedder: Embedder, cache: Path, folder: Path | None = None) -> Classifiers:
    """Return the desk's classifiers, with what a company has trained, if it has.

    A model whose labels are intents of ours takes the place of the one that ships; another
    stands beside it. Raises `UnusableModel` when the folder holds none for this program.
    """
    known = shipped(embedder, cache)
    if folder is None:
        return known
    made = trained(folder, embedder)
    if set(made.labels) <= {intent.value for intent in Intent}:
        return replace(known, intents=made)
    return replace(known, own=made)


def trained(folder: Path, embedder: Embedder) -> Classifier:
    """Return what `astreinte train classify` put into a folder. Raises `UnusableModel`."""
    made = stored.load(folder, embedder).get(LABEL)
    if made is None:
        msg = f"{folder}: not made by astreinte train classify"
        raise stored.UnusableModel(msg)
    return made


def shipped(embedder: Embedder, cache: Path) -> Classifiers:
    """Return the classifiers of the phrases that ship; learned once for each change of them."""
    known = {"intents": phrases.intents(), "priorities": phrases.priorities()}
    folder = cache / f"classify-{_digest(known, embedder)}"
    try:
        return Classifiers(**stored.load(folder, embedder))
    except stored.UnusableModel:
        made = _learn(known, embedder, cache)
    try:
        stored.save(folder, made, embedder, {"texts": {k: len(v) for k, v in known.items()}})
    except OSError as error:
        log.warning("classifiers are not kept in %s: %s", folder, error.strerror)
    return Classifiers(**made)


def _learn(
    known: Mapping[str, phrases.Labelled], embedder: Embedder, cache: Path
) -> dict[str, Classifier]:
    features = Features.learn([read(text) for labelled in known.values() for text, _ in labelled])
    made = {}
    for name, labelled in known.items():
        texts = [read(text) for text, _ in labelled]
        vectors = vectors_of(texts, embedder, cache)
        made[name] = training.learn(
            texts, vectors, [label for _, label in labelled], features=features
        )
    return made


def _digest(known: Mapping[str, phrases.Labelled], embedder: Embedder) -> str:
    digest = hashlib.sha256(json.dumps([known, embedder.fingerprint]).encode())
    for path in SOURCES:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
