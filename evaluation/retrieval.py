"""How often search finds the right article, and stays silent when there is none.

`python -m evaluation.retrieval` prints the table for the `report` half of the questions;
`--fit` fits the weights of the joined score on the `tune` half first and writes them.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from ai.embeddings import Embedder
from ai.index import RELEVANCE, SEARCHES, ArticleIndex, Entry, rows_of
from ai.shelf import vectors_of
from knowledge.articles import SHIPPED, load_articles, search_document, search_rows
from services.rag.printer import NEAR_ENOUGH

QUESTIONS = Path(__file__).parent / "data" / "printer_queries.yaml"
CACHE = Path("data/cache")


@dataclass(frozen=True)
class Question:
    """A question, the articles that answer it (none: nothing does), and its half of the data."""

    text: str
    language: str
    expected: tuple[str, ...]
    split: str


def questions() -> list[Question]:
    """Read the questions."""
    rows = yaml.load(QUESTIONS.read_text("utf-8"), Loader=yaml.CSafeLoader)
    return [
        Question(row["text"], row["language"], tuple(row["expected"]), row["split"]) for row in rows
    ]


def shipped_index(embedder: Embedder) -> ArticleIndex:
    """Return the index over the articles that ship."""
    entries = [
        Entry(article.id, search_rows(article), search_document(article))
        for article in load_articles(SHIPPED)
    ]
    return ArticleIndex(entries, vectors_of(rows_of(entries), embedder, CACHE))


def fit(index: ArticleIndex, embedder: Embedder, asked: list[Question]) -> None:
    """Fit the join of the searches, on each question's six nearest articles and the right ones."""
    names = index.names()
    examples: list[NDArray[np.float64]] = []
    right: list[bool] = []
    for question, vector in zip(asked, embedder.compute([q.text for q in asked]), strict=True):
        features = index.features([question.text], vector.reshape(1, -1))[0]
        nearest = set(np.argsort(-features.sum(1))[:6]) | {
            names.index(x) for x in question.expected
        }
        for place in sorted(nearest):
            examples.append(features[place])
            right.append(names[place] in question.expected)
    model = LogisticRegression(C=10, max_iter=1000).fit(np.array(examples), right)
    weights = {name: round(float(w), 4) for name, w in zip(SEARCHES, model.coef_[0], strict=True)}
    RELEVANCE.write_text(
        json.dumps(
            {
                "fitted_on": "the tune half of evaluation/data/printer_queries.yaml",
                "examples": len(right),
                "weights": weights,
                "intercept": round(float(model.intercept_[0]), 4),
            },
            indent=2,
        )
        + "\n",
        "utf-8",
    )


def report(index: ArticleIndex, embedder: Embedder, asked: list[Question]) -> list[str]:
    """Return the lines of the table."""
    lines = [
        "| questions | n | R@1 | R@3 | answered | right of answered |",
        "|---|---|---|---|---|---|",
    ]
    found = [
        (question, index.search(question.text, vector))
        for question, vector in zip(asked, embedder.compute([q.text for q in asked]), strict=True)
    ]
    for language in ("fr", "en"):
        rows = [(q, hits) for q, hits in found if q.expected and q.language == language]
        first = [hits[0].name in q.expected for q, hits in rows]
        three = [any(hit.name in q.expected for hit in hits[:3]) for q, hits in rows]
        said = [hits[0].score >= NEAR_ENOUGH for _, hits in rows]
        good = [ok for ok, spoke in zip(first, said, strict=True) if spoke]
        lines.append(
            f"| answerable, {language} | {len(rows)} | {np.mean(first):.2f} | {np.mean(three):.2f} "
            f"| {np.mean(said):.2f} | {np.mean(good):.2f} |"
        )
    none = [hits[0].score >= NEAR_ENOUGH for q, hits in found if not q.expected]
    lines.append(f"| no article answers | {len(none)} | | | {np.mean(none):.2f} | |")
    return lines


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fit", action="store_true", help="fit the weights on the tune half first")
    arguments = parser.parse_args()
    embedder = Embedder()
    asked = questions()
    if arguments.fit:
        fit(shipped_index(embedder), embedder, [q for q in asked if q.split == "tune"])
    for split in ("tune", "report"):
        print(f"\n{split} half")
        half = [question for question in asked if question.split == split]
        print("\n".join(report(shipped_index(embedder), embedder, half)))


if __name__ == "__main__":
    main()
