"""How often small classifiers are right, how well they know it, and whether promises are kept.

`python -m evaluation.classification` learns from the training parts of Banking77 and CLINC150,
sets every threshold there or on the validation part, and looks at the test parts once. The data
are not shipped; without them the tables stay out.
"""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ai import calibration, training
from ai.classifier import Classifier
from ai.embeddings import Embedder, Vectors
from ai.scope import REFUSED
from ai.shelf import vectors_of
from services.classifiers import read

DATA = Path("../shared/data/text")
CACHE = Path("data/cache/evaluation")
RISK = 0.02
BATCH = 32
HEAD = (
    "| set | train / test | labels | accuracy | ECE | answered at a promised 98 % "
    "| right of those | could be answered at 98 % | ms CPU |"
)


@dataclass(frozen=True)
class Part:
    """Labelled texts, as classifiers see them."""

    texts: list[str]
    labels: list[str]
    vectors: Vectors


@dataclass(frozen=True)
class Parts:
    """What is learned from and what is looked at once; strangers by part, where there are any."""

    name: str
    train: Part
    test: Part
    strangers: dict[str, Part] = field(default_factory=dict)
    validation: Part | None = None


def banking(embedder: Embedder) -> Parts:
    """Read Banking77: 77 intents of a bank's customers, as published."""
    found = {}
    for name in ("train", "test"):
        with (DATA / f"banking77/{name}.csv").open(encoding="utf-8", newline="") as file:
            found[name] = _part([(row[0], row[1]) for row in csv.reader(file)][1:], embedder)
    return Parts("Banking77", found["train"], found["test"])


def clinc(embedder: Embedder) -> Parts:
    """Read CLINC150: 150 intents, and texts of none (`oos`), as published."""
    rows = json.loads((DATA / "clinc150/data_full.json").read_text("utf-8"))
    found = {name: _part(pairs, embedder) for name, pairs in rows.items()}
    strangers = {name: found[f"oos_{name}"] for name in ("train", "val", "test")}
    return Parts("CLINC150", found["train"], found["test"], strangers, found["val"])


def _part(pairs: Sequence[Sequence[str]], embedder: Embedder) -> Part:
    texts = [read(text) for text, _ in pairs]
    return Part(texts, [label for _, label in pairs], vectors_of(texts, embedder, CACHE))


def learn(parts: Parts) -> Classifier:
    """Return what is learned from the training part, strangers included."""
    train, strange = parts.train, parts.strangers.get("train")
    strangers = (strange.texts, strange.vectors) if strange else None
    return training.learn(train.texts, train.vectors, train.labels, strangers=strangers)


def right(classifier: Classifier, part: Part) -> tuple[calibration.Floats, np.ndarray]:
    """Return the confidence in each text's label, and whether it is right."""
    found = classifier.probabilities(part.texts, part.vectors)
    said = [classifier.labels[place] for place in found.argmax(1)]
    return found.max(1), np.array(said) == np.array(part.labels)


def row(parts: Parts, classifier: Classifier) -> str:
    """Return a line of the first table."""
    confidence, good = right(classifier, parts.test)
    known = classifier.scope(parts.test.texts, parts.test.vectors)
    answered = confidence >= classifier.threshold(RISK)
    answered &= known >= classifier.head.scope.threshold
    kept = f"{good[answered].mean():.3f}" if answered.any() else "–"
    return (
        f"| {parts.name} | {len(parts.train.texts):,} / {len(good):,} | {len(classifier.labels)} "
        f"| {good.mean():.4f} | {calibration.calibration_error(confidence, good):.3f} "
        f"| {answered.mean():.3f} | {kept} "
        f"| {calibration.coverage(confidence, good, 1 - RISK):.3f} | {_ms(parts, classifier):.2f} |"
    )


def scope_row(parts: Parts, classifier: Classifier) -> str:
    """Return the line of the second table; the threshold is of the validation part."""
    assert parts.validation  # noqa: S101 - for the type checker
    known = classifier.scope(parts.validation.texts, parts.validation.vectors)
    threshold = calibration.refusal(known, REFUSED)
    refused = {
        name: float((classifier.scope(part.texts, part.vectors) < threshold).mean())
        for name, part in (("known", parts.test), ("strange", parts.strangers["test"]))
    }
    return (
        f"| {parts.name} | {len(known):,} | {len(parts.test.texts):,} + "
        f"{len(parts.strangers['test'].texts):,} | {refused['strange']:.3f} "
        f"| {refused['known']:.3f} |"
    )


def _ms(parts: Parts, classifier: Classifier) -> float:
    """Return milliseconds of CPU a text, n-grams and head, in batches; embedding apart."""
    texts = parts.test.texts[: BATCH * 20]
    began = time.process_time()
    for start in range(0, len(texts), BATCH):
        here = slice(start, start + BATCH)
        classifier.probabilities(texts[here], parts.test.vectors[: len(texts)][here])
    return (time.process_time() - began) / len(texts) * 1e3


def report(embedder: Embedder) -> list[str]:
    """Return the lines of both tables."""
    sets = [banking(embedder), clinc(embedder)]
    learned = [learn(parts) for parts in sets]
    return [
        HEAD,
        "|---|---|---|---|---|---|---|---|---|",
        *(row(parts, classifier) for parts, classifier in zip(sets, learned, strict=True)),
        "",
        "| set | threshold from | test | out-of-scope recall | in scope refused |",
        "|---|---|---|---|---|",
        scope_row(sets[1], learned[1]),
    ]


def main() -> None:
    """Run the command."""
    if DATA.is_dir():
        print("\n".join(report(Embedder())))


if __name__ == "__main__":
    main()
