"""Who owns which rows of an index, and for which printers they are."""

from __future__ import annotations

import json
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.int64]
Allowed = NDArray[np.bool_]

NAMES, NUMBERS = "owners.json", "owners.npz"


@dataclass(frozen=True)
class Row:
    """A short text by which its owner is found; `id` is the caller's own.

    `brand` and `models` empty: for any printer; `language` empty: for any reader. An owner's
    brand and models are those of its first row.
    """

    id: int
    owner: str
    text: str
    language: str = ""
    brand: str = ""
    models: tuple[str, ...] = ()


@dataclass(frozen=True)
class Filters:
    """What may be found: what is for this brand, model and language, or for any. Empty: all."""

    brand: str = ""
    model: str = ""
    language: str = ""


class Kind(NamedTuple):
    """What an owner is for; many share one. Small letters; empty: for any."""

    brand: str
    models: tuple[str, ...]
    languages: tuple[str, ...]

    @classmethod
    def of(cls, rows: Sequence[Row]) -> Kind:
        """Return the kind of an owner, from its rows."""
        languages = {row.language for row in rows}
        models = tuple(sorted(model.lower() for model in rows[0].models))
        return cls(rows[0].brand.lower(), models, () if "" in languages else tuple(languages))

    def fits(self, filters: Filters) -> bool:
        """Say whether an owner of this kind may be found."""
        brand, model = filters.brand.lower(), filters.model.lower()
        return not (
            (self.brand and brand and self.brand != brand)
            or (self.models and model and model not in self.models)
            or (self.languages and filters.language and filters.language not in self.languages)
        )


class Owners:
    """Numbers owners and the places of their rows, from 0 on; none is given twice."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.number: dict[str, int] = {}
        """Of each owner that is there."""
        self._kinds: list[Kind] = []
        self._kind_of = array("i")
        self._first = array("q", [0])
        """Where each owner's rows begin, and where the last one's end."""
        self._row_ids = array("q")
        self._owner_of = array("i")

    def add(self, rows: Sequence[Row]) -> int:
        """Enter an owner that is not there, by its rows; return its number."""
        number, kind = len(self.names), Kind.of(rows)
        if kind not in self._kinds:
            self._kinds.append(kind)
        self.names.append(rows[0].owner)
        self.number[rows[0].owner] = number
        self._kind_of.append(self._kinds.index(kind))
        self._row_ids.extend(row.id for row in rows)
        self._first.append(len(self._row_ids))
        self._owner_of.extend([number] * len(rows))
        return number

    def remove(self, name: str) -> int:
        """Forget an owner; return the number that it had."""
        return self.number.pop(name)

    def places(self, number: int) -> Places:
        """Return the places of an owner's rows."""
        return np.arange(self._first[number], self._first[number + 1])

    def rows(self, numbers: Places) -> Places:
        """Return how many rows each of the owners has."""
        first = np.frombuffer(self._first, np.int64)
        rows: Places = first[numbers + 1] - first[numbers]
        return rows

    def kind(self, number: int) -> int:
        """Return the number of the kind of an owner."""
        return self._kind_of[number]

    def fitting(self, filters: Filters) -> tuple[int, ...]:
        """Return the kinds that may be found."""
        return tuple(place for place, kind in enumerate(self._kinds) if kind.fits(filters))

    def at(self, places: Places) -> NDArray[np.int32]:
        """Return the owners of rows."""
        return np.frombuffer(self._owner_of, np.int32)[places]

    def rows_of(self, kinds: Sequence[int]) -> Allowed:
        """Return for each place whether its row's owner is of one of the kinds."""
        chosen = np.zeros(len(self._kinds), np.bool_)
        chosen[list(kinds)] = True
        owners = chosen[np.frombuffer(self._kind_of, np.int32)]
        allowed: Allowed = owners[np.frombuffer(self._owner_of, np.int32)]
        return allowed

    def row_id(self, place: int) -> int:
        """Return the caller's id of a row."""
        return self._row_ids[place]

    def save(self, folder: Path) -> None:
        """Write to a folder."""
        there = {number: name for name, number in self.number.items()}
        about = {
            "names": [there.get(number, "") for number in range(len(self.names))],
            "kinds": self._kinds,
        }
        (folder / NAMES).write_text(json.dumps(about, ensure_ascii=False), "utf-8")
        np.savez(
            folder / NUMBERS,
            kind_of=self._kind_of,
            first=self._first,
            row_ids=self._row_ids,
            owner_of=self._owner_of,
        )

    @classmethod
    def load(cls, folder: Path) -> Owners:
        """Read what `save` wrote."""
        found = cls()
        about = json.loads((folder / NAMES).read_text("utf-8"))
        found.names = about["names"]
        found.number = {name: number for number, name in enumerate(found.names) if name}
        found._kinds = [Kind(b, tuple(m), tuple(x)) for b, m, x in about["kinds"]]
        with np.load(folder / NUMBERS, allow_pickle=False) as numbers:
            found._kind_of = array("i", numbers["kind_of"].tobytes())
            found._first = array("q", numbers["first"].tobytes())
            found._row_ids = array("q", numbers["row_ids"].tobytes())
            found._owner_of = array("i", numbers["owner_of"].tobytes())
        return found
