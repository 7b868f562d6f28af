"""What was read, and what became of it: table by table, with the rows that were left out."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from rich import box
from rich.table import Table

from astreinte import output
from astreinte.importing.rows import Remark, Skip
from storage.imports.ledger import Verdict

OUTCOMES = {
    "new": "nouvelles",
    "updated": "modifiées",
    "unchanged": "inchangées",
    "usable": "utilisables",
    "skipped": "écartées",
}
SHOWN = 20
"""Of the rows that were left out of a table; `--json` gives all."""


@dataclass
class Report:
    """Counts of each table, as `OUTCOMES`; what was left out; remarks on the files."""

    tables: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    skips: list[Skip] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    @property
    def used(self) -> int:
        """Rows that were of use."""
        return sum(sum(each.values()) - each["skipped"] for each in self.tables.values())

    def count(self, table: str, place: str, verdict: Verdict) -> None:
        """Count a row, and keep why it was left out."""
        if verdict.outcome == "skipped":
            self.skip(Skip(table, place, verdict.reason))
        else:
            self.tables[table][verdict.outcome] += 1

    def skip(self, skip: Skip, rows: int = 1) -> None:
        """Note what was left out."""
        self.skips.append(skip)
        self.tables[skip.table]["skipped"] += rows

    def remark(self, remark: Remark) -> None:
        """Note what should be known of a file."""
        self.remarks.append(remark.text)

    def as_json(self) -> dict[str, Any]:
        """Return all of it, for machines."""
        tables = {
            name: {"read": sum(counts.values())} | dict(counts)
            for name, counts in self.tables.items()
        }
        return {
            "tables": tables,
            "skips": [asdict(skip) for skip in self.skips],
            "remarks": self.remarks,
        }

    def show(self) -> None:
        """Print it for people: the counts, and on standard error what was left out."""
        used = [name for name in OUTCOMES if any(each[name] for each in self.tables.values())]
        table = Table(title="lignes", box=box.SIMPLE)
        table.add_column("table")
        for name in ("lues", *(OUTCOMES[outcome] for outcome in used)):
            table.add_column(name, justify="right")
        for name, counts in self.tables.items():
            cells = (str(counts[outcome]) for outcome in used)
            table.add_row(name or "?", str(sum(counts.values())), *cells)
        for name in self.tables:
            _show([skip for skip in self.skips if skip.table == name])
        for remark in self.remarks:
            output.err.print(remark, markup=False)
        if self.tables:
            output.out.print(table)


def _show(skips: Sequence[Skip]) -> None:
    for skip in skips[:SHOWN]:
        output.err.print(f"{skip.place}: {skip.table or 'file'}: {skip.reason}", markup=False)
    if len(skips) > SHOWN:
        output.err.print(f"… {len(skips) - SHOWN} more of {skips[0].table}", markup=False)
