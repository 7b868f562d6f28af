"""How well the check of answers tells what an article says from what it does not.

`python -m evaluation.grounding` prints, for each split of `data/grounding.yaml`, how many
faithful sentences it refuses (false alarms) and how many of each kind of unfaithful ones it lets
through (misses). No model is involved. `--each` names the sentences.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from knowledge.articles import SHIPPED, load_articles
from schemas.vocabulary import Language
from services.grounding import Evidence, objections

PAIRS = Path(__file__).parent / "data" / "grounding.yaml"
FAITHFUL = "faithful"
KINDS = (FAITHFUL, "number", "polarity", "invented", "promise", "link", "foreign", "other article")


@dataclass(frozen=True)
class Judged:
    """A sentence, what it is in truth, and what the check objects to in it."""

    split: str
    language: Language
    kind: str
    text: str
    reasons: tuple[str, ...]

    @property
    def wrong(self) -> bool:
        """The check errs."""
        return bool(self.reasons) is (self.kind == FAITHFUL)


def judged() -> Iterator[Judged]:
    """Judge all sentences; faithful ones also against the next article, which does not say so."""
    articles = {article.id: article for article in load_articles(SHIPPED)}
    blocks = yaml.load(PAIRS.read_text("utf-8"), Loader=yaml.CSafeLoader)
    for place, block in enumerate(blocks):
        language = Language(block["language"])
        ground = evidence(articles[block["article"]], language)
        elsewhere = evidence(articles[_next(blocks, place)], language)
        for kind in KINDS[:-1]:
            for text in block[kind]:
                found = tuple(one.reason for one in objections(text, ground))
                yield Judged(block["split"], language, kind, text, found)
        for text in block[FAITHFUL]:
            if found := tuple(one.reason for one in objections(text, elsewhere)):
                yield Judged(block["split"], language, KINDS[-1], text, found)
            elif objections(text, evidence_of_nothing(language)):  # courtesy is true of any article
                yield Judged(block["split"], language, KINDS[-1], text, ())


def evidence(article: object, language: Language) -> Evidence:
    """Return an article as evidence."""
    text = article.version(language)  # type: ignore[attr-defined]
    return Evidence(
        "\n".join([text.title, text.cause, *text.steps, text.call_technician]), language
    )


def evidence_of_nothing(language: Language) -> Evidence:
    """Return evidence that says nothing."""
    return Evidence("", language)


def _next(blocks: list[dict[str, str]], place: int) -> str:
    others = (block["article"] for block in [*blocks[place + 1 :], *blocks])
    return next(name for name in others if name != blocks[place]["article"])


def table(found: list[Judged]) -> list[str]:
    """Return the lines of the table."""
    lines = ["| sentences | fr | en | wrongly judged, fr | en |", "|---|---|---|---|---|"]
    for kind in KINDS:
        counts, wrong = Counter[Language](), Counter[Language]()
        for one in found:
            if one.kind == kind:
                counts[one.language] += 1
                wrong[one.language] += one.wrong
        said = "refused" if kind == FAITHFUL else "let through"
        fr, en = Language.FR, Language.EN
        lines.append(
            f"| {kind}, {said} | {counts[fr]} | {counts[en]} | {wrong[fr]} | {wrong[en]} |"
        )
    return lines


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", action="store_true", help="name the sentences wrongly judged")
    parser.add_argument("--split", choices=("tune", "report"), help="only this part")
    arguments = parser.parse_args()
    found = list(judged())
    for split in (arguments.split,) if arguments.split else ("tune", "report"):
        part = [one for one in found if one.split == split]
        print(f"\n{split} part", *table(part), sep="\n")
        for one in part if arguments.each else ():
            if one.wrong:
                print(f"- {one.kind}, {one.language.value}: {one.text} {one.reasons}")


if __name__ == "__main__":
    main()
