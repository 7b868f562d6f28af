"""The words of what is searched: all compared with a question while owners are few."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ai.pages import Lexicon, Pages, Scores, Weighed
from ai.terms import fold

FILE = "texts.json"


Owner = tuple[int, int, list[str]]
"""Number, kind and the texts of the rows."""
Kinds = Sequence[int] | None
"""That a question may find; nothing: all."""
Numbers = Sequence[int] | NDArray[np.integer]


class Found(NamedTuple):
    """Owners, by number and in rising order, and what their words say of a question."""

    numbers: NDArray[np.int64]
    evidence: Scores
    """A row an owner: by its words, by its letters; each from 0 to 1."""


class FewTexts:
    """Texts in memory, compared one and all."""

    def __init__(self) -> None:
        self._texts: dict[int, tuple[int, list[str]]] = {}
        self._pages: dict[int, Pages] = {}
        self._lexicon = Lexicon()
        self._weighed: Weighed | None = None
        self._numbers = np.zeros(0, np.int64)
        self._kinds = np.zeros(0, np.int64)

    def __len__(self) -> int:
        return len(self._texts)

    def put(self, owners: Sequence[Owner]) -> None:
        """Add owners: number, kind and the texts of the rows of each."""
        self._texts.update({number: (kind, texts) for number, kind, texts in owners})
        self._weighed = None

    def drop(self, numbers: Numbers) -> None:
        """Remove owners."""
        for number in numbers:
            del self._texts[number]
            pages = self._pages.pop(number, None)
            if pages is not None:
                self._lexicon.add(pages, -1)
        self._weighed = None

    def evidence(
        self,
        queries: Sequence[str],
        kinds: Sequence[Kinds],
        near: Sequence[Numbers],  # noqa: ARG002 - as ManyTexts: here, all are compared
    ) -> list[Found]:
        """Return for each question all owners of the kinds that it may find."""
        scores = self._weigh().scores(queries)
        return [
            Found(self._numbers, each) if allowed is None else self._only(each, allowed)
            for each, allowed in zip(scores, kinds, strict=True)
        ]

    def owners(self) -> list[Owner]:
        """Return what was put in and is still there."""
        return [(number, kind, texts) for number, (kind, texts) in self._texts.items()]

    def save(self, folder: Path) -> None:
        """Write to a folder."""
        (folder / FILE).write_text(json.dumps(self.owners(), ensure_ascii=False), "utf-8")

    @classmethod
    def load(cls, folder: Path) -> FewTexts:
        """Read what `save` wrote."""
        found = cls()
        found.put(json.loads((folder / FILE).read_text("utf-8")))
        return found

    def _weigh(self) -> Weighed:
        if self._weighed is None:
            fresh = sorted(self._texts.keys() - self._pages.keys())
            self._count(fresh)
            numbers = sorted(self._texts)
            self._numbers = np.array(numbers, np.int64)
            self._kinds = np.array([self._texts[number][0] for number in numbers], np.int64)
            pages = Pages.joined([self._pages[number] for number in numbers])
            self._weighed = Weighed(pages, self._lexicon, many=True)
        return self._weighed

    def _count(self, numbers: Sequence[int]) -> None:
        if numbers:
            pages = Pages.of([fold("\n".join(self._texts[number][1])) for number in numbers])
            self._lexicon.add(pages)
            self._pages.update(zip(numbers, pages.apart(), strict=True))

    def _only(self, scores: Scores, allowed: Sequence[int]) -> Found:
        mask = np.isin(self._kinds, list(allowed))
        return Found(self._numbers[mask], scores[mask])
