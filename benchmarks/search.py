"""Search at scale: a million passages in one process, and real sentences by the ten thousand.

The million is made up, always the same: vectors around two thousand centres with a spectrum that
falls as that of texts does, and texts whose words are as frequent as Zipf says. Exact search, which
recall is measured against, goes over the same vectors made once more.
"""

from __future__ import annotations

import csv
import json
import random
import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import TypeVar

import numpy as np
import psutil

from ai.embeddings import Embedder, Vectors
from ai.passages import PassageIndex, Row
from ai.shelf import vectors_of
from ai.vectors import NearestVectors, Places
from benchmarks.figures import Figure, say

NAME = "search"
PLACE = "one process"
PASSAGES = 1_000_000
DIMENSION = 384
CENTRES, SPREAD = 2_000, 0.9
VOCABULARY, ZIPF = 60_000, 1.1
WORDS = 29
"""Of a text; a question has eight."""
CHUNK = 20_000
QUESTIONS = 500
TEXTS = Path(__file__).parents[2] / "shared" / "data" / "text"
CACHE = Path("data/cache/benchmark")

MODEL = SimpleNamespace(name="made up", fingerprint="", dimension=DIMENSION)

T = TypeVar("T")


class World:
    """Passages that are made up: chunk `n` is the same whenever it is made."""

    def __init__(self) -> None:
        dice = np.random.default_rng(1)
        self._spectrum = (np.arange(1, DIMENSION + 1) ** -0.5).astype(np.float32)
        self._centres = self._around(dice, CENTRES)
        syllables = [a + b for a in "bcdfglmnprstv" for b in ("a", "e", "i", "o", "u", "an", "ou")]
        picks = dice.integers(0, len(syllables), (VOCABULARY, 4))
        sizes = dice.integers(2, 5, VOCABULARY)
        self._words = np.array(
            ["".join(syllables[s] for s in p[:n]) for p, n in zip(picks, sizes, strict=True)]
        )
        rarity = np.arange(1, VOCABULARY + 1) ** -ZIPF
        self._chances = np.cumsum(rarity / rarity.sum())

    def vectors(self, chunk: int) -> Vectors:
        """Return the vectors of a chunk."""
        dice = np.random.default_rng([2, chunk])
        around = self._centres[dice.integers(0, CENTRES, CHUNK)]
        return _unit(around + SPREAD * self._around(dice, CHUNK))

    def texts(self, chunk: int, words: int = WORDS) -> list[str]:
        """Return the texts of a chunk."""
        dice = np.random.default_rng([3, chunk])
        found = np.searchsorted(self._chances, dice.random((CHUNK, words)))
        return [" ".join(line) for line in self._words[np.minimum(found, VOCABULARY - 1)]]

    def questions(self) -> tuple[list[str], Vectors]:
        """Return questions: half about passages that there are, and one word in ten misspelt."""
        dice = np.random.default_rng(4)
        noise = self._around(dice, CHUNK)[:QUESTIONS]
        copies = _unit(self.vectors(0)[:QUESTIONS] + 0.3 * noise)
        fresh = self.vectors(10**6)[:QUESTIONS]
        vectors = np.where(np.arange(QUESTIONS)[:, None] % 2, copies, fresh)
        texts = [" ".join(text.split()[:8]) for text in self.texts(0)[:QUESTIONS]]
        for place in range(0, QUESTIONS, 10):
            texts[place] = f"{texts[place][:9]}x{texts[place][9:]}"
        return texts, vectors

    def _around(self, dice: np.random.Generator, count: int) -> Vectors:
        return _unit(dice.standard_normal((count, DIMENSION), np.float32) * self._spectrum)


def measure(count: int = PASSAGES) -> list[Figure]:
    """Measure the made-up passages, then real sentences where the data is there."""
    say(NAME, f"{count:,} passages are made and added")
    with TemporaryDirectory(prefix="astreinte-bench-") as folder:
        building_s = build(Path(folder), count)
        say(NAME, f"{QUESTIONS} questions to them")
        command = [sys.executable, "-m", "benchmarks.search", folder, str(count)]
        told = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
    made_up = [Figure(**each) for each in json.loads(told)]
    return [*made_up, _figure("all of them added, s", building_s), *real()]


def build(folder: Path, count: int) -> float:
    """Keep an index of so many passages in a folder; return the seconds that adding took."""
    world, index = World(), PassageIndex(MODEL.name, MODEL.dimension)
    took_s = 0.0
    for chunk in range(count // CHUNK):
        texts, vectors = world.texts(chunk), world.vectors(chunk)
        rows = [Row(n, f"p-{n}", text) for n, text in enumerate(texts, start=chunk * CHUNK)]
        began = time.perf_counter()
        index.add(rows, vectors)
        took_s += time.perf_counter() - began
    index.vectors.wait()
    index.save(folder)
    return took_s


def figures(folder: Path, count: int) -> list[Figure]:
    """Measure an index that was kept, in this process, which has nothing else."""
    began = time.perf_counter()
    index = PassageIndex.load(folder, MODEL)
    loading_s = time.perf_counter() - began
    world = World()
    texts, vectors = world.questions()
    found, dense_s = _timed(lambda n: _ten(index.vectors, vectors[n]), QUESTIONS)
    _, hybrid_s = _timed(lambda n: index.search_many([texts[n]], vectors[n : n + 1]), QUESTIONS)
    more = world.texts(10**6), world.vectors(10**6)

    def add_one(n: int) -> bool:
        index.add([Row(count + n, f"more-{n}", more[0][n])], more[1][n : n + 1])
        return index.search_many([more[0][n]], more[1][n : n + 1], 1)[0][0].name == f"more-{n}"

    there, adding_s = _timed(add_one, 20)
    if not all(there):
        msg = "what was added was not found"
        raise AssertionError(msg)
    memory = psutil.Process().memory_info().rss
    recall = _recall(found, _exact(world, vectors, count))
    return [
        _figure("meaning alone, p50, ms", np.median(dense_s) * 1e3),
        _figure("meaning alone, p99, ms", np.percentile(dense_s, 99) * 1e3, 5),
        _figure("meaning alone, ten nearest found, share", recall, 0.97, at_most=False),
        _figure("whole search, p50, ms", np.median(hybrid_s) * 1e3),
        _figure("whole search, p99, ms", np.percentile(hybrid_s, 99) * 1e3, 40),
        _figure("one more, until it is found, slowest of 20, s", max(adding_s), 2),
        _figure("memory of the process, MB", memory / 1e6, 1_200),
        _figure("read from disk, s", loading_s),
    ]


def real() -> list[Figure]:
    """Return how many of the ten nearest lists find among real sentences, English and French."""
    sentences = _sentences()
    if not sentences:
        return []
    embedder = Embedder()
    say(NAME, f"{len(sentences):,} real sentences")
    vectors = vectors_of(sentences, embedder, CACHE)
    own, asked = vectors[QUESTIONS:], vectors[:QUESTIONS]
    index = NearestVectors(DIMENSION)
    index.add(np.arange(len(own)), own)
    index.learn()
    index.wait()
    found = [_ten(index, vector) for vector in asked]
    exact = np.argsort(-(asked @ own.T), axis=1)[:, :10]
    what = f"ten nearest of {len(own):,} real sentences found by lists, share"
    return [_figure(what, _recall(found, exact), 0.97, at_most=False)]


def _ten(index: NearestVectors, vector: Vectors) -> Places:
    _, places = index.search(vector.reshape(1, -1), 10)
    return places.ravel()


def _timed(once: Callable[[int], T], times: int) -> tuple[list[T], list[float]]:
    """Return what each call gave, and the seconds that it took."""
    found, took_s = [], []
    for n in range(times):
        began = time.perf_counter()
        found.append(once(n))
        took_s.append(time.perf_counter() - began)
    return found, took_s


def _exact(world: World, vectors: Vectors, count: int) -> Places:
    """Return the ten nearest of each question, compared with all."""
    best: Vectors = np.zeros((len(vectors), 0), np.float32)
    places: Places = np.zeros((len(vectors), 0), np.int64)
    for chunk in range(count // CHUNK):
        near = vectors @ world.vectors(chunk).T
        at = np.argpartition(-near, 10, axis=1)[:, :10]
        best = np.concatenate([best, np.take_along_axis(near, at, 1)], axis=1)
        places = np.concatenate([places, at + chunk * CHUNK], axis=1)
        first = np.argsort(-best, axis=1)[:, :10]
        best = np.take_along_axis(best, first, 1)
        places = np.take_along_axis(places, first, 1)
    return places


def _recall(found: Sequence[Places], exact: Places) -> float:
    return float(np.mean([len(set(f) & set(e)) / 10 for f, e in zip(found, exact, strict=True)]))


def _sentences() -> list[str]:
    """Return what customers of a bank wrote, and French paragraphs and questions about them."""
    banking = TEXTS / "banking77" / "train.csv"
    french = TEXTS / "piaf-fr" / "piaf-v1.0.json"
    if not (banking.exists() and french.exists()):
        return []
    with banking.open(encoding="utf-8", newline="") as file:
        found = [row["text"] for row in csv.DictReader(file)]
    parts = [p for a in json.loads(french.read_text("utf-8"))["data"] for p in a["paragraphs"]]
    found += [sentence for p in parts for sentence in re.split(r"(?<=[.!?])\s+", p["context"])]
    found += [asked["question"] for p in parts for asked in p["qas"]]
    found = list(dict.fromkeys(found))
    random.Random(5).shuffle(found)
    return found


def _figure(what: str, value: float, floor: float | None = None, *, at_most: bool = True) -> Figure:
    return Figure(NAME, PLACE, what, float(value), "", floor, at_most=at_most)


def _unit(vectors: Vectors) -> Vectors:
    unit: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


if __name__ == "__main__":
    print(json.dumps([asdict(each) for each in figures(Path(sys.argv[1]), int(sys.argv[2]))]))
