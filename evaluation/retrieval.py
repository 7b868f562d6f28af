"""How often search finds the right article, and stays silent when there is none.

`python -m evaluation.retrieval` prints the tables; `--write` puts them into docs/quality.md;
`--fit` learns the map of the vectors and fits the weights of the joined score first, on what is
kept apart for it (`evaluation/fitting.py`).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import yaml

from ai.embeddings import Embedder, Vectors
from ai.passages import Hit, PassageIndex, Row
from ai.shelf import vectors_of
from evaluation import fitting, page
from knowledge.articles import SHIPPED, Article, load_articles, search_rows
from services.rag.printer import NEAR_ENOUGH

QUESTIONS = Path(__file__).parent / "data" / "printer_queries.yaml"
C750 = Path("../shared/data/seeds/c750_queries_dev.json")
CACHE = Path("data/cache")
BINS = (0.0, 0.2, 0.35, 0.5, 0.7, 0.9, 1.0)
FOLDS = 5

Found = list[tuple["Question", list[Hit]]]


@dataclass(frozen=True)
class Question:
    """A question, the articles that answer it (none: nothing does), and its half of the data."""

    text: str
    language: str
    expected: tuple[str, ...]
    split: str

    def place(self, hits: Sequence[Hit]) -> int:
        """Return the place, from 0, of the first right article; beyond the last when none is."""
        names = [hit.name for hit in hits]
        return min((names.index(x) for x in self.expected if x in names), default=len(names))


def questions() -> list[Question]:
    """Read the questions written for this."""
    rows = yaml.load(QUESTIONS.read_text("utf-8"), Loader=yaml.CSafeLoader)
    return [
        Question(row["text"], row["language"], tuple(row["expected"]), row["split"]) for row in rows
    ]


def of_c750() -> list[Question]:
    """Read the questions about one printer's 17 cases, and those that none of these answers."""
    if not C750.exists():
        return []
    data = json.loads(C750.read_text("utf-8"))
    found = [
        Question(row["query"], language, (f"lexmark-c750-{row['expected'] + 1:02d}",), "c750")
        for part, language in (("dev", "fr"), ("en", "en"))
        for row in data[part]
    ]
    none = [row if isinstance(row, str) else row["query"] for row in data["oos"]]
    return [*found, *(Question(text, "fr", (), "c750") for text in none)]


class Knowledge:
    """The articles that ship, as rows with their vectors."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self.articles = load_articles(SHIPPED)

    def index(self, keep: Callable[[Article, str], bool] = lambda *_: True) -> PassageIndex:
        """Return an index over the rows that are to be kept."""
        rows = [
            Row(place, article.id, text, "", article.brand or "", article.models)
            for article in self.articles
            for place, text in enumerate(search_rows(article))
            if keep(article, text)
        ]
        index = PassageIndex(
            self._embedder.name, self._embedder.dimension, self._embedder.fingerprint
        )
        index.add(rows, self.vectors([row.text for row in rows]))
        return index

    def vectors(self, texts: Sequence[str], cache: Path = CACHE) -> Vectors:
        """Return the vectors of texts, kept for the next time."""
        return vectors_of(texts, self._embedder, cache)

    def ask(self, index: PassageIndex, asked: Sequence[Question], limit: int = 10) -> Found:
        """Ask the questions."""
        texts = [question.text for question in asked]
        found = index.search_many(texts, self._embedder.compute(texts), limit)
        return list(zip(asked, found, strict=True))

    def held_out(self, limit: int = 10) -> Found:
        """Ask each of the articles' own phrasings of an index that has not seen it."""
        return [pair for fold in range(FOLDS) for pair in self._fold(fold, limit)]

    def _fold(self, fold: int, limit: int) -> Found:
        asked = [
            Question(text, language, (article.id,), "held out")
            for article in self.articles
            for language in ("fr", "en")
            for n, text in enumerate(getattr(article, language).asked_as)
            if n % FOLDS == fold
        ]
        out = {question.text for question in asked}
        return self.ask(self.index(lambda _, text: text not in out), asked, limit)


def table(parts: dict[str, Found]) -> list[str]:
    """Return the table of right answers, one line for each part and language."""
    lines = [
        "| questions | n | first | in three | MRR | answered | right of answered |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, found in parts.items():
        for language in ("fr", "en"):
            own = [(q, hits) for q, hits in found if q.expected and q.language == language]
            if own:
                lines.append(f"| {name}, {language} | {_line(own)} |")
        none = [hits[0].score >= NEAR_ENOUGH for q, hits in found if not q.expected]
        if none:
            lines.append(f"| {name}, no article | {len(none)} | | | | {np.mean(none):.2f} | |")
    return lines


def _line(own: Found) -> str:
    places = np.array([question.place(hits) for question, hits in own])
    said = np.array([hits[0].score >= NEAR_ENOUGH for _, hits in own])
    right = (places == 0)[said].mean() if said.any() else 0.0
    figures = ((places == 0).mean(), (places < 3).mean(), (1 / (places + 1)).mean())  # noqa: PLR2004
    shown = " | ".join(f"{figure:.2f}" for figure in (*figures, said.mean(), right))
    return f"{len(own)} | {shown}"


def reliability(found: Found) -> list[str]:
    """Return what the best article's probability was worth, and the calibration error."""
    said = np.array([hits[0].score for _, hits in found])
    right = np.array(
        [question.place(hits) == 0 and bool(question.expected) for question, hits in found]
    )
    lines = ["| probability said | n | said on average | right |", "|---|---|---|---|"]
    error = 0.0
    for low, high in pairwise(BINS):
        own = (said >= low) & ((said < high) | (high == 1))
        if own.any():
            lines.append(
                f"| {low:.2f} to {high:.2f} | {own.sum()} | {said[own].mean():.2f} "
                f"| {right[own].mean():.2f} |"
            )
            error += own.mean() * abs(said[own].mean() - right[own].mean())
    return [*lines, "", f"Expected calibration error: {error:.3f}."]


def side_by_side(found: Found) -> list[str]:
    """Return each question with the articles found for it."""
    lines = ["| question | right | found first | probability |", "|---|---|---|---|"]
    for question, hits in found:
        right = question.expected[0] if question.expected else "none"
        if question.expected and question.place(hits):
            right += f", found {question.place(hits) + 1}."
        lines.append(f"| {question.text} | {right} | {hits[0].name} | {hits[0].score:.2f} |")
    return lines


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fit", action="store_true", help="learn the map and the weights first")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/quality.md")
    given = parser.parse_args()
    embedder = Embedder()
    knowledge = Knowledge(embedder)
    halves = {name: [q for q in questions() if q.split == name] for name in ("tune", "report")}
    if given.fit:
        fitting.learn_map(knowledge, embedder.fingerprint)
        held_out = knowledge.held_out(len(knowledge.articles))
        tune = knowledge.ask(knowledge.index(), halves["tune"], len(knowledge.articles))
        fitting.fit(held_out, tune)
    index = knowledge.index()
    reported = knowledge.ask(index, halves["report"])
    c750 = knowledge.ask(index, of_c750(), len(knowledge.articles))
    parts = {"report half": reported, "own phrasings, each held out": knowledge.held_out()}
    lines = [*table({**parts, "C750, for tuning": c750}), "", *reliability(reported)]
    lines += ["", *side_by_side(c750)]
    print("\n".join(lines))
    if given.write:
        page.write("retrieval", lines)


if __name__ == "__main__":
    main()
