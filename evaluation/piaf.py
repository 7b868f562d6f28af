"""French questions about paragraphs (PIAF, MIT): our search beside BM25 alone and FULLTEXT.

`python -m evaluation.piaf` prints the table; with `ASTREINTE_MYSQL` set (`scripts/mysql run --`)
MariaDB's or MySQL's FULLTEXT is measured in the same run. Half of the encyclopedia's pages are the
tune part, on which our map was learnt and the weights are chosen; the figures are of the rest.
"""

from __future__ import annotations

import argparse
import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax
from sqlalchemy import Column, Index, Integer, MetaData, Table, Text, bindparam, insert, select
from sqlalchemy.dialects.mysql import match

from ai.embeddings import Embedder
from ai.pages import Lexicon, Pages, Weighed
from ai.passages import SEARCHES, PassageIndex, Row
from ai.shelf import vectors_of
from ai.terms import fold
from evaluation import page
from storage.engine import engine_of

DATA = Path("../shared/data/text/piaf-fr/piaf-v1.0.json")
CACHE = Path("data/cache/piaf")
CANDIDATES = 50


@dataclass(frozen=True)
class Asked:
    """A question, the paragraph that answers it, and where in it the answer begins."""

    question: str
    paragraph: int
    begins: int
    tune: bool


def read() -> tuple[list[str], list[Asked]]:
    """Return the paragraphs and the questions; none where the data is not there."""
    paragraphs: list[str] = []
    asked: list[Asked] = []
    entries = json.loads(DATA.read_text("utf-8"))["data"] if DATA.exists() else []
    for number, entry in enumerate(entries):
        for part in entry["paragraphs"]:
            paragraphs.append(part["context"])
            asked += [
                Asked(
                    each["question"],
                    len(paragraphs) - 1,
                    each["answers"][0]["answer_start"] if each["answers"] else 0,
                    number % 2 == 0,
                )
                for each in part["qas"]
            ]
    return paragraphs, asked


def sentences(paragraph: str) -> list[str]:
    """Return the sentences of a paragraph, as they stand."""
    return re.split(r"(?<=[.!?])\s+", paragraph)


def pairs() -> list[tuple[str, str]]:
    """Return the questions of the tune part, each with the sentence that answers it."""
    paragraphs, asked = read()
    return [
        (each.question, _answering(paragraphs[each.paragraph], each.begins))
        for each in asked
        if each.tune
    ]


def _answering(paragraph: str, begins: int) -> str:
    at = 0
    for sentence in sentences(paragraph):
        at = paragraph.index(sentence, at) + len(sentence)
        if begins < at:
            return sentence
    return sentences(paragraph)[0]


def ours(paragraphs: Sequence[str], asked: Sequence[Asked]) -> NDArray[np.float64]:
    """Return what our searches say of each question's candidates, as `(questions, 50, 1 + n)`.

    The first column is the paragraph; the candidates come in the order of the shipped weights.
    """
    embedder = Embedder()
    index = PassageIndex(embedder.name, embedder.dimension, embedder.fingerprint)
    rows = [Row(n, f"{n}", s) for n, text in enumerate(paragraphs) for s in sentences(text)]
    index.add(rows, vectors_of([row.text for row in rows], embedder, CACHE))
    texts = [each.question for each in asked]
    found = index.search_many(texts, vectors_of(texts, embedder, CACHE), CANDIDATES)
    return np.array(
        [[[int(hit.name), *(hit.evidence[s] for s in SEARCHES)] for hit in hits] for hits in found]
    )


def chosen(evidence: NDArray[np.float64], right: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the weights under which the right paragraph is likeliest to be first."""
    there = evidence[:, :, 0] == right[:, None]
    own, place = evidence[there.any(1), :, 1:], there[there.any(1)].argmax(1)

    def loss(weights: NDArray[np.float64]) -> float:
        return float(-log_softmax(own @ weights, axis=1)[np.arange(len(own)), place].mean())

    result: NDArray[np.float64] = minimize(loss, np.full(len(SEARCHES), 5.0)).x
    return result


def places(ranked: NDArray[Any], right: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the place, from 0, of the right paragraph; beyond the last when it was not found."""
    there = ranked == right[:, None]
    result: NDArray[np.int64] = np.where(there.any(1), there.argmax(1), 10**6)
    return result


def by_words(paragraphs: Sequence[str], asked: Sequence[Asked]) -> NDArray[np.int64]:
    """Return the paragraphs in the order of BM25 alone, over the same stems as in our search."""
    lexicon, pages = Lexicon(), Pages.of([fold(text) for text in paragraphs])
    lexicon.add(pages)
    scores = Weighed(pages, lexicon, many=True).scores([each.question for each in asked])[..., 0]
    return np.argsort(-scores, axis=1, kind="stable")[:, :CANDIDATES]


def by_fulltext(paragraphs: Sequence[str], asked: Sequence[Asked], url: str) -> NDArray[np.int64]:
    """Return the paragraphs in the order of the server's FULLTEXT, in its natural language mode."""
    engine = engine_of(url)
    body = Table("piaf_" + uuid4().hex[:8], MetaData(), Column("id", Integer), Column("body", Text))
    Index(f"of_{body.name}", body.c.body, mysql_prefix="FULLTEXT")
    near = match(body.c.body, against=bindparam("asked"))
    query = select(body.c.id).where(near).order_by(near.desc()).limit(CANDIDATES)
    ranked = np.full((len(asked), CANDIDATES), -1)
    body.create(engine)
    try:
        with engine.begin() as connection:
            rows = [{"id": n, "body": paragraph} for n, paragraph in enumerate(paragraphs)]
            connection.execute(insert(body), rows)
        with engine.connect() as connection:
            for place, each in enumerate(asked):
                found = connection.scalars(query, {"asked": each.question}).all()
                ranked[place, : len(found)] = found
    finally:
        body.drop(engine)
        engine.dispose()
    return ranked


def tables() -> list[str]:
    """Return the table; nothing where the data is not there."""
    paragraphs, asked = read()
    if not asked:
        return []
    right = np.array([each.paragraph for each in asked])
    rest = ~np.array([each.tune for each in asked])
    evidence = ours(paragraphs, asked)
    weights = chosen(evidence[~rest], right[~rest])
    order = np.argsort(-(evidence[:, :, 1:] @ weights), axis=1, kind="stable")
    ranked = {
        "ours, as shipped": evidence[:, :, 0],
        "ours, weights chosen on the tune part": np.take_along_axis(evidence[:, :, 0], order, 1),
        "meaning alone": np.take_along_axis(evidence[:, :, 0], np.argsort(-evidence[:, :, 1]), 1),
        "BM25 alone, the same stems": by_words(paragraphs, asked),
    }
    url = os.environ.get("ASTREINTE_MYSQL", "")
    if url:
        ranked["FULLTEXT of the server"] = by_fulltext(paragraphs, asked, url)
    sizes = rest.sum(), len(paragraphs), (~rest).sum()
    lines = [
        "{:,} questions about {} paragraphs; the other {:,} are the tune part.".format(*sizes),
        "",
        "| search | recall@1 | recall@5 | MRR |",
        "|---|---|---|---|",
    ]
    for name, found in ranked.items():
        at = places(found, right)[rest]
        figures = (at == 0).mean(), (at < 5).mean(), (1 / (at + 1)).mean()  # noqa: PLR2004
        lines.append(f"| {name} | " + " | ".join(f"{figure:.3f}" for figure in figures) + " |")
    shown = ", ".join(f"{n} {w:.1f}" for n, w in zip(SEARCHES, weights, strict=True))
    return [*lines, "", f"Weights chosen: {shown}."]


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="put the table into docs/quality.md")
    lines = tables()
    print("\n".join(lines))
    if lines and parser.parse_args().write:
        page.write("piaf", lines)


if __name__ == "__main__":
    main()
