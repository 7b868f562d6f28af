"""The desk's classifiers: those kept since the last start, or learned now from the phrases."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import ai
from ai import stored, training
from ai.classifier import Classifier
from ai.embeddings import Embedder
from ai.features import Features
from ai.shelf import vectors_of
from knowledge import phrases

log = logging.getLogger(__name__)

SOURCES = ("calibration", "classifier", "features", "scope", "stored", "training")
"""Files of `ai/` that decide what is learned: another line there is another model."""


@dataclass(frozen=True)
class Classifiers:
    """What the stage asks."""

    intents: Classifier
    priorities: Classifier


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
    features = Features.learn([text for labelled in known.values() for text, _ in labelled])
    made = {}
    for name, labelled in known.items():
        texts, labels = zip(*labelled, strict=True)
        vectors = vectors_of(texts, embedder, cache)
        made[name] = training.learn(texts, vectors, labels, features=features)
    return made


def _digest(known: Mapping[str, phrases.Labelled], embedder: Embedder) -> str:
    digest = hashlib.sha256(json.dumps([known, embedder.fingerprint]).encode())
    for name in SOURCES:
        digest.update((Path(ai.__file__).parent / f"{name}.py").read_bytes())
    return digest.hexdigest()[:16]
