# ruff: noqa: ISC004 - lines of a page, some longer than a line of code
"""How well customers' messages are understood by the fast path, without a language model.

`python -m evaluation.messages` prints tables of the report split and writes them into
docs/quality.md; `--split tune` and `--split fresh` print those of the others, `--failures` every
failure, one by one.
"""

from __future__ import annotations

import argparse
import asyncio
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sklearn.metrics import f1_score

from evaluation.page import write
from evaluation.written import SPLITS, Split, Written, messages, squash
from knowledge.catalogue import load_catalogue
from schemas.findings import Finding
from schemas.printer import CustomerMessage, MessageClassified, MessageExtracted, MessageReceived
from schemas.vocabulary import Category, Channel, Language
from services.classify.app import learn
from services.extract.printer import extract
from services.neighbours import Neighbours
from services.settings import Settings

WHEN = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
BATCH = 16
"""As the stage takes them."""

FINDINGS = {
    "model": "model",
    "error_code": "error_code",
    "serial": "serial_number",
    "brand": "brand",
    "order_number": "order_number",
    "invoice_number": "invoice_number",
    "page_count": "page_count",
    "phone": "phone",
    "quantity": "quantity",
}
"""Field of a written message -> kind of finding."""
FLOORS = {"model": 0.97, "error_code": 0.97, "serial": 0.97}
CATEGORY_FLOOR = 0.92
SERIES = re.compile(
    r"^(?:accuriopress|advance|aficio|altalink|bizhub|color|colorqube|designjet|deskjet|dx|"
    r"ecosys|ecotank|enterprise|envy|estudio|imageclass|imagepress|imagerunner|ir|isensys|laserjet|"
    r"magicolor|maxify|multixpress|officejet|pagewide|phaser|pixma|pro|proxpress|smarttank|"
    r"stylus|surecolor|taskalfa|versalink|workcentre|workforce|xpress)+(?=.*\d)"
)
"""What makers write before a model; told with it or not, it is the same model."""
CODE_WORDS = re.compile(r"^(?:printunable|impressionimpossible|erreur|error|code)")
PHONE_DIGITS = 9


@dataclass(frozen=True)
class Heard:
    """A message, and what the stages made of it."""

    true: Written
    said: MessageExtracted

    def found(self, field: str) -> list[Finding]:
        """Return the findings of a kind."""
        return [found for found in self.said.findings if found.kind == FINDINGS[field]]


def event_of(message: Written, number: int) -> MessageReceived:
    """Return the event that ingest would tell."""
    sender = f"eval{number}@customer.example"
    message_id = UUID(int=number)
    return MessageReceived(
        event_id=message_id,
        trace_id=f"{number:032x}",
        occurred_at=WHEN,
        message=CustomerMessage.model_validate(
            {
                "message_id": message_id,
                "conversation_id": f"c{number}",
                "customer_id": f"k{number}",
                "channel": message.channel,
                "external_id": message.id,
                "sender": sender,
                "subject": message.subject,
                "text": message.text,
                "received_at": WHEN,
            }
        ),
    )


async def hear(written: Sequence[Written]) -> list[Heard]:
    """Send messages through classify and extract, as they stand."""
    handle = learn(Neighbours(Settings(), kafka=""), None)
    catalogue = load_catalogue()
    heard: list[Heard] = []
    for start in range(0, len(written), BATCH):
        part = written[start : start + BATCH]
        told = await handle([event_of(m, start + i) for i, m in enumerate(part)])
        for message, events in zip(part, told, strict=True):
            classified = MessageClassified.model_validate(events[0], from_attributes=True)
            heard.append(Heard(message, extract(classified, catalogue, WHEN)[0]))
    return heard


def bare(field: str, value: str) -> str:
    """Return what must agree for two values to be the same."""
    plain = squash(value)
    if field == "phone":
        return plain[-PHONE_DIGITS:]
    if field in {"order_number", "invoice_number"}:
        return re.sub(r"[a-z]", "", plain) or plain
    if field == "model":
        return SERIES.sub("", plain)
    return CODE_WORDS.sub("", plain) if field == "error_code" else plain


@dataclass
class Tally:
    """Values of one kind: found and right, found and wrong, missed."""

    right: int = 0
    wrong: int = 0
    missed: int = 0

    @property
    def precision(self) -> float:
        """Return the share of what was found that is right."""
        return self.right / max(self.right + self.wrong, 1)

    @property
    def recall(self) -> float:
        """Return the share of what is there that was found."""
        return self.right / max(self.right + self.missed, 1)

    @property
    def f1(self) -> float:
        """Return their harmonic mean."""
        return 2 * self.right / max(2 * self.right + self.wrong + self.missed, 1)


def compare(one: Heard, field: str) -> tuple[set[str], set[str]]:
    """Return what was found and is not there, and what is there and was not found.

    Quantities count only where something is ordered.
    """
    if field == "quantity" and one.true.category is not Category.ORDER:
        return set(), set()
    true = {bare(field, value): value for value in one.true.truth(field)}
    said = {bare(field, f.value): f.value for f in one.found(field)}
    return {said[v] for v in said.keys() - true}, {true[v] for v in true.keys() - said}


def tally(heard: Iterable[Heard], field: str) -> Tally:
    """Count a kind over messages."""
    counts = Tally()
    for one in heard:
        wrong, missed = compare(one, field)
        counts.wrong += len(wrong)
        counts.missed += len(missed)
        counts.right += len(set(one.true.truth(field))) - len(missed)
    return counts


def macro_f1(heard: Sequence[Heard]) -> float:
    """Return the mean F1 of the categories that are there."""
    true = [one.true.category.value for one in heard]
    said = [one.said.classification.category.value for one in heard]
    return float(f1_score(true, said, labels=sorted(set(true)), average="macro", zero_division=0))


def share(heard: Iterable[Heard], right: Callable[[Heard], bool]) -> str:
    """Return the share of messages for which something holds, as it is shown."""
    held = [right(one) for one in heard]
    return f"{sum(held) / len(held):.3f}" if held else "–"


def same_intent(one: Heard) -> bool:
    """Tell whether the intent was right."""
    return one.said.classification.intent is one.true.intent


def same_language(one: Heard) -> bool:
    """Tell whether the language was right."""
    return one.said.classification.language is one.true.language


def same_category(one: Heard) -> bool:
    """Tell whether the category was right."""
    return one.said.classification.category is one.true.category


def same_priority(one: Heard) -> bool:
    """Tell whether the priority was right."""
    return one.said.classification.priority is one.true.priority


def heading(heard: Sequence[Heard]) -> str:
    """Return what was measured, and when."""
    by = Counter(one.true.language for one in heard)
    return (
        f"{datetime.now(UTC):%Y-%m-%d}: {len(heard)} messages, {by[Language.FR]} French and "
        f"{by[Language.EN]} English; fast path only, no language model."
    )


def groups(heard: Sequence[Heard]) -> dict[str, list[Heard]]:
    """Return the messages of each language, channel and style."""
    made: dict[str, list[Heard]] = {"all": list(heard)}
    for language in Language:
        made[language.value] = [one for one in heard if one.true.language is language]
    for channel in Channel:
        made[channel.value] = [one for one in heard if one.true.channel is channel]
    for style in dict.fromkeys(one.true.style for one in heard):
        made[f"style {style}"] = [one for one in heard if one.true.style == style]
    return made


def classified_lines(heard: Sequence[Heard]) -> list[str]:
    """Return the tables of classification."""
    lines = [
        f"| messages | number | category macro-F1 (floor of all: {CATEGORY_FLOOR}) | category "
        "accuracy | intent accuracy | priority accuracy (where given) | language accuracy |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, part in groups(heard).items():
        given = [one for one in part if one.true.priority]
        lines.append(
            f"| {name} | {len(part)} | {macro_f1(part):.3f} | {share(part, same_category)} "
            f"| {share(part, same_intent)} | {share(given, same_priority)} ({len(given)}) "
            f"| {share(part, same_language)} |"
        )
    return [*lines, "", *category_lines(heard), "", *alone_lines(heard)]


def category_lines(heard: Sequence[Heard]) -> list[str]:
    """Return the table of the categories, with what each is taken for."""
    lines = [
        "| category | messages | right | taken for | answered alone |",
        "|---|---|---|---|---|",
    ]
    for category in Category:
        part = [one for one in heard if one.true.category is category]
        wrong = Counter(
            one.said.classification.category.value for one in part if not same_category(one)
        )
        taken = ", ".join(f"{name} {count}" for name, count in wrong.most_common())
        alone = sum(one.said.classification.alone is True for one in part)
        lines.append(
            f"| {category} | {len(part)} | {len(part) - wrong.total()} | {taken} | {alone} |"
        )
    return lines


def alone_lines(heard: Sequence[Heard]) -> list[str]:
    """Return how many would be answered by nobody but the machine, and at what risk."""
    alone = [one for one in heard if one.said.classification.alone]
    if not alone:
        return ["None was sure enough to be answered alone."]
    wrong = [one for one in alone if not same_category(one)]
    return [
        f"Sure enough to be answered alone: {len(alone)} of {len(heard)} "
        f"({len(alone) / len(heard):.0%}); of these in the wrong category: {len(wrong)} "
        f"({len(wrong) / len(alone):.1%}; promised: at most 2 %)."
    ]


def extracted_lines(heard: Sequence[Heard]) -> list[str]:
    """Return the table of what was found in the texts."""
    lines = [
        "| found | in messages | precision | recall | F1 | floor | F1 fr | F1 en |",
        "|---|---|---|---|---|---|---|---|",
    ]
    by_language = [[o for o in heard if o.true.language is language] for language in Language]
    for field, kind in FINDINGS.items():
        all_of = tally(heard, field)
        there = sum(bool(one.true.truth(field)) for one in heard)
        floor = f"≥ {FLOORS[field]}" if field in FLOORS else ""
        each = " | ".join(f"{tally(part, field).f1:.3f}" for part in by_language)
        lines.append(
            f"| {kind} | {there} | {all_of.precision:.3f} | {all_of.recall:.3f} "
            f"| {all_of.f1:.3f} | {floor} | {each} |"
        )
    return lines


def failures(heard: Iterable[Heard]) -> list[str]:
    """Return a line for whatever is wrong, after the message that it is about."""
    lines: list[str] = []
    for one in heard:
        made, true = one.said.classification, one.true
        wrong = [
            f"  {name}: {said} (confidence {sure:.2f}), true {right}"
            for name, said, sure, right in (
                ("category", made.category, made.category_confidence, true.category),
                ("intent", made.intent, made.intent_confidence, true.intent),
                ("priority", made.priority, made.priority_confidence, true.priority),
                ("language", made.language, made.language_confidence, true.language),
            )
            if right is not None and said is not right
        ]
        for field in FINDINGS:
            false, missed = compare(one, field)
            wrong += [f"  {field}: {value} is not there" for value in sorted(false)]
            wrong += [f"  {field}: {value} was missed" for value in sorted(missed)]
        if wrong:
            alone = ", ALONE" if made.alone and not same_category(one) else ""
            lines += [f"{true.id} ({true.channel}, {true.style}{alone})", *wrong]
            lines += [f"    {line}" for line in true.words().strip().splitlines()]
    return lines


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--split", choices=SPLITS, default="report")
    parser.add_argument("--failures", action="store_true", help="tell each failure")
    arguments = parser.parse_args()
    split: Split = arguments.split
    heard = asyncio.run(hear(messages(split)))
    lines = [heading(heard), "", *classified_lines(heard), "", *extracted_lines(heard)]
    print("\n".join(lines))
    if arguments.failures:
        print("\n".join(["", *failures(heard)]))
    elif split == "report":
        write("messages", lines)


if __name__ == "__main__":
    main()
