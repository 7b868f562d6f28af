"""What reading gives: rows of tables, rows that cannot be used, and remarks."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, Any


@dataclass(frozen=True)
class Row:
    """A row of a table of an export; `place` says where it stands, `origin` names the export."""

    table: str
    place: str
    values: dict[str, Any]
    origin: str = ""


@dataclass(frozen=True)
class Skip:
    """What cannot be used, where it stands, and why, without a customer's words."""

    table: str
    place: str
    reason: str


@dataclass(frozen=True)
class Remark:
    """What whoever imports should know of a file as a whole."""

    text: str


Read = Row | Skip | Remark


@dataclass
class Shelf:
    """Rows by their tables, on disk: an export names customers after the tickets they wrote."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    _files: dict[tuple[str, str], IO[str]] = field(default_factory=dict)

    def put(self, row: Row) -> None:
        """Keep a row."""
        key = (row.table, row.origin)
        if key not in self._files:
            self._files[key] = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115
        line = json.dumps([row.place, row.values], default=str)
        self._files[key].write(line + "\n")
        self.counts[key] += 1

    def origins(self, table: str) -> list[str]:
        """Return the exports that have rows of a table."""
        return [origin for name, origin in self.counts if name == table]

    def rows(self, table: str, origin: str) -> Iterator[Row]:
        """Give the rows of a table of an export again."""
        file = self._files[table, origin]
        file.seek(0)
        for line in file:
            place, values = json.loads(line)
            yield Row(table, place, values, origin)

    def close(self) -> None:
        """Forget them."""
        for file in self._files.values():
            file.close()
