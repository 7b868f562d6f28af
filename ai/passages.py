"""Search over passages: by meaning and by words, joined into one probability.

An owner (an article, a piece of a document) is one row or many: its title, symptoms, every way
customers put it. It is as near as its nearest row. What the searches say is joined by a logistic
model into the probability that the owner answers the question, so that "near enough" is a number
that means something; `evaluation/retrieval.py` fits it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from zipfile import BadZipFile

import numpy as np

from ai.adapter import Adapter
from ai.embeddings import Vectors
from ai.keeping import current, fresh
from ai.many_texts import ManyTexts
from ai.near import Near
from ai.owners import Filters, Owners, Row
from ai.texts import FewTexts, Found
from ai.vectors import NearestVectors

RELEVANCE = Path(__file__).parent / "relevance.json"
SEARCHES = ("dense", "words", "characters")
NEAREST_ROWS = 400
"""Rows that are looked at by meaning: the dozen best articles at some thirty rows each."""

NEAREST_OWNERS = 40
"""Owners near in meaning that are compared by their words, where not all are."""
FEW = 2_000
"""Owners up to which all are compared with every question, in memory."""

ABOUT = "index.json"
DAMAGES = (OSError, ValueError, KeyError, TypeError, EOFError, RuntimeError, BadZipFile)
"""What the readers of the files raise; FAISS has RuntimeError for everything."""

__all__ = ["Filters", "Hit", "NoIndex", "OtherModel", "PassageIndex", "Row"]


class OtherModel(ValueError):  # noqa: N818 - said to whoever changed the setting
    """The index was made by another embedding model."""


class NoIndex(ValueError):  # noqa: N818 - told, and the index made again
    """There is no index, or a damaged one."""


class Model(Protocol):
    """What is asked of an embedding model."""

    name: str
    fingerprint: str
    dimension: int


@dataclass(frozen=True)
class Hit:
    """An owner and the probability that it answers; `evidence`: what each search said.

    `row` is the id of its row that is nearest in meaning, where one was near.
    """

    name: str
    score: float
    evidence: dict[str, float]
    row: int | None = None


class PassageIndex:
    """Passages under their owners' names; for one writer and any number of readers.

    Parameters
    ----------
    embedder_name, fingerprint
        The embedding model whose vectors come in; another one's index is refused by `load`.
    dimension
        Numbers of a vector.
    """

    def __init__(self, embedder_name: str, dimension: int, fingerprint: str = "") -> None:
        self._adapter = Adapter(fingerprint)
        self.made_by = {
            "model": embedder_name,
            "fingerprint": fingerprint,
            "dimension": dimension,
            "map": self._adapter.version,
        }
        self._owners = Owners()
        self.vectors = NearestVectors(dimension)
        self._texts: FewTexts | ManyTexts = FewTexts()
        self._lock = threading.RLock()
        model = json.loads(RELEVANCE.read_text("utf-8"))
        self._weights = np.array([model["weights"][name] for name in SEARCHES])
        self._intercept = float(model["intercept"])

    def __len__(self) -> int:
        return len(self._owners.number)

    def __contains__(self, owner: str) -> bool:
        return owner in self._owners.number

    def add(self, rows: Sequence[Row], vectors: Vectors) -> None:
        """Add rows and their vectors, all rows of an owner at once; found from then on.

        An owner that is there already is replaced.
        """
        at: dict[str, list[int]] = {}
        for place, row in enumerate(rows):
            at.setdefault(row.owner, []).append(place)
        owners = [[rows[place] for place in own] for own in at.values()]
        with self._lock:
            self.remove(at)
            numbers = [self._owners.add(own) for own in owners]
            if not numbers:
                return
            texts = [[row.text for row in own] for own in owners]
            kinds = [self._owners.kind(number) for number in numbers]
            if isinstance(self._texts, FewTexts) and len(self) > FEW:
                few, self._texts = self._texts, ManyTexts()
                self._texts.put(few.owners())
            self._texts.put(list(zip(numbers, kinds, texts, strict=True)))
            places = np.concatenate([self._owners.places(number) for number in numbers])
            order = [place for own in at.values() for place in own]
            self.vectors.add(places, self._adapter.apply(np.asarray(vectors)[order]))

    def remove(self, owners: Collection[str]) -> None:
        """Remove owners with all their rows; one that is not there is no error."""
        with self._lock:
            numbers = [self._owners.remove(name) for name in owners if name in self]
            if numbers:
                self._texts.drop(numbers)
                places = [self._owners.places(number) for number in numbers]
                self.vectors.remove(np.concatenate(places))

    def search_many(
        self,
        queries: Sequence[str],
        vectors: Vectors,
        limit: int = 5,
        filters: Filters | Sequence[Filters | None] | None = None,
    ) -> list[list[Hit]]:
        """Return the `limit` best owners for each question, best first.

        `filters` are for all questions, or one for each.
        """
        each = filters if isinstance(filters, Sequence) else [filters] * len(queries)
        with self._lock:
            if not len(self) or not queries:
                return [[] for _ in queries]
            kinds = [self._owners.fitting(wanted) if wanted else None for wanted in each]
            near = self._nearest(self._adapter.apply(vectors), kinds)
            closest = [each.closest(NEAREST_OWNERS) for each in near]
            found = self._texts.evidence(queries, kinds, closest)
            return [self._hits(*both, limit) for both in zip(near, found, strict=True)]

    def save(self, folder: Path) -> None:
        """Write everything into a folder; a reader finds the old or the new, never half of one."""
        with self._lock, fresh(folder) as inside:
            (inside / ABOUT).write_text(json.dumps(self.made_by), "utf-8")
            self._owners.save(inside)
            self.vectors.save(inside)
            self._texts.save(inside)

    @classmethod
    def load(cls, folder: Path, embedder: Model) -> PassageIndex:
        """Read what `save` wrote.

        Raises
        ------
        OtherModel
            The vectors are another embedding model's.
        NoIndex
            There is none, or a damaged one.
        """
        found = cls(embedder.name, embedder.dimension, embedder.fingerprint)
        try:
            inside = current(folder)
            made_by = json.loads((inside / ABOUT).read_text("utf-8"))
            if made_by == found.made_by:
                found._owners = Owners.load(inside)
                found.vectors = NearestVectors.load(inside)
                found._texts = (ManyTexts if ManyTexts.kept(inside) else FewTexts).load(inside)
                return found
            other = made_by["model"]
        except DAMAGES as error:
            msg = f"{folder} has no index that can be read ({type(error).__name__})"
            raise NoIndex(msg) from error
        msg = (
            f"{folder} was made by the embedding model {other!r}, and {embedder.name!r} is set "
            "now: 'astreinte knowledge index' makes it again"
        )
        raise OtherModel(msg)

    def _nearest(self, vectors: Vectors, kinds: Sequence[tuple[int, ...] | None]) -> list[Near]:
        """Return the owners nearest in meaning; questions with the same filter go together."""
        found: dict[int, Near] = {}
        for wanted in set(kinds):
            asked = [place for place, each in enumerate(kinds) if each == wanted]
            allowed = None if wanted is None else self._owners.rows_of(wanted)
            near, places = self.vectors.search(vectors[asked], NEAREST_ROWS, allowed)
            for number, scores, at in zip(asked, near, places, strict=True):
                found[number] = Near.of(scores, at, self._owners)
        return [found[number] for number in range(len(kinds))]

    def _hits(self, near: Near, found: Found, limit: int) -> list[Hit]:
        dense, rows = near.look_up(found.numbers)
        evidence = np.column_stack([dense, found.evidence])
        scores = 1 / (1 + np.exp(-(evidence @ self._weights + self._intercept)))
        return [
            Hit(
                self._owners.names[found.numbers[place]],
                round(float(scores[place]), 4),
                dict(zip(SEARCHES, (round(float(x), 4) for x in evidence[place]), strict=True)),
                self._owners.row_id(rows[place]) if rows[place] >= 0 else None,
            )
            for place in np.argsort(-scores, kind="stable")[:limit]
        ]
