"""The same questions through the desk before and now, on one page.

`python -m evaluation.side_by_side` sends the questions about the C750 and the 50 tickets
(../shared/data/seeds, beside the checkout), and questions of our own
(`data/c750_questions.yaml`), through the real road, templates only, and writes
`docs/answers-before-after.md` beside what the desk said at an earlier commit
(`data/before.json`). Kept are numbers of questions
and our own replies, never a ticket's words.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from astreinte.process import Line, pipeline, process
from schemas.printer import InboundMessage
from services import logs
from services.settings import Settings
from services.settings_models import OllamaSettings

SEEDS = Path(__file__).parents[2] / "shared" / "data" / "seeds"
OWN = Path(__file__).parent / "data" / "c750_questions.yaml"
BEFORE = Path(__file__).parent / "data" / "before.json"
PAGE = Path(__file__).parents[1] / "docs" / "answers-before-after.md"
FIRST_COMMIT = "5e1aa77"
SENDERS = {
    "email": "essai{n}@example.org",
    "sms": "+3363998{n:04}",
    "call": "+3363998{n:04}",
    "telegram": "998{n:04}",
}
SETS = {
    "c750-dev": "Questions about the C750, French",
    "c750-en": "Questions about the C750, English",
    "c750-oos": "Questions that nothing in the knowledge base answers",
    "own": "Questions of our own about the C750, French and English",
    "own-none": "Questions of our own that nothing answers",
    "tickets": "The 50 tickets (office software; the desk is one for printers)",
}

Outcome = dict[str, Any]
Asked = tuple[str, dict[str, Any]]
Right = dict[str, tuple[str, ...]]


def questions() -> list[Asked]:
    """Return (set, message) of all questions; nobody asks twice."""
    asked = json.loads((SEEDS / "c750_queries_dev.json").read_text("utf-8"))
    found: list[Asked] = []
    for name in ("dev", "en"):
        for row in asked[name]:
            one = _message(f"{name}-{row['id']}", "chat", row["query"], len(found))
            found.append((f"c750-{name}", one))
    for number, text in enumerate(asked["oos"]):
        found.append(("c750-oos", _message(f"oos-{number}", "chat", text, len(found))))
    for row in _own():
        one = _message(row["id"], "chat", row["text"], len(found))
        found.append(("own" if row["expected"] else "own-none", one))
    for row in json.loads((SEEDS / "tickets.json").read_text("utf-8")):
        channel = {"phone": "call", "whatsapp": "chat"}.get(row["channel"], row["channel"])
        message = _message(row["ticket_id"], channel, row["content"], len(found))
        found.append(("tickets", message | {"subject": row.get("subject") or ""}))
    return found


def _own() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = yaml.load(OWN.read_text("utf-8"), Loader=yaml.CSafeLoader)
    return rows


def expected() -> dict[str, tuple[str, ...]]:
    """Return the articles that answer each question about the C750; any of them is right."""
    asked = json.loads((SEEDS / "c750_queries_dev.json").read_text("utf-8"))
    theirs = {
        f"{name}-{row['id']}": (f"lexmark-c750-{row['expected'] + 1:02}",)
        for name in ("dev", "en")
        for row in asked[name]
    }
    ours = {
        row["id"]: tuple(f"lexmark-c750-{number:02}" for number in row["expected"])
        for row in _own()
    }
    return theirs | ours


def _message(name: str, channel: str, text: str, n: int) -> dict[str, Any]:
    sender = SENDERS.get(channel, "visiteur-{n}").format(n=n)
    said = {"channel": channel, "external_id": name, "from": sender, "text": text}
    return said | {"received_at": datetime.now(UTC)}


async def through(rows: list[Asked]) -> list[Outcome]:
    """Send the questions through the road; return what is kept of each outcome."""
    sets = {message["external_id"]: name for name, message in rows}
    lines: dict[str, Line] = {}

    def done(message: InboundMessage, line: Line, _: float) -> None:
        lines[message.external_id] = line

    settings = Settings().model_copy(update={"ollama": OllamaSettings(url="")})
    async with pipeline(settings) as near:
        await process(near, [InboundMessage.model_validate(m) for _, m in rows], done)
    return [_kept(sets[name], lines[name]) for name in sets]


def _kept(name: str, line: Line) -> Outcome:
    kept = ("external_id", "channel", "language", "category", "intent", "action", "reason", "how")
    return (
        {"set": name}
        | {key: line[key] for key in kept}
        | {"passages": [[p["article"], round(p["score"], 3)] for p in line["passages"]]}
        | {"reply": line["reply"]}
    )


def became(one: Outcome, right: Sequence[str]) -> str:
    """Return a word for an outcome: right, wrong, asked, handed over (with its reason), ignored."""
    if one["reason"].startswith("ask_"):
        return "follow-up asked"
    if one["action"] == "handoff":
        return "handed over in part" if one["reason"] == "partly" else "handed over"
    if one["action"] == "ignore":
        return "ignored"
    return "answered right" if one["passages"][0][0] in right else "answered wrong"


def counts(outcomes: Iterable[Outcome], right: Right) -> dict[str, Counter[str]]:
    """Count what became of the questions of each set."""
    found: dict[str, Counter[str]] = {name: Counter() for name in SETS}
    for one in outcomes:
        found[one["set"]][became(one, right.get(one["external_id"], ()))] += 1
    return found


COLUMNS = (
    *("answered right", "follow-up asked", "handed over in part"),
    *("handed over", "ignored", "answered wrong"),
)


def table(before: list[Outcome], now: list[Outcome], right: Right) -> list[str]:
    """Return the lines of the table: before → now."""
    lines = [f"| questions | n | {' | '.join(COLUMNS)} |", "|---" * (len(COLUMNS) + 2) + "|"]
    old, new = counts(before, right), counts(now, right)
    for name, title in SETS.items():
        cells = [f"{old[name][column]} → {new[name][column]}" for column in COLUMNS]
        lines.append(f"| {title} | {old[name].total()} | {' | '.join(cells)} |")
    return lines


def page(before: list[Outcome], now: list[Outcome], right: Right) -> str:
    """Return the page: the counts, then each question whose outcome is worth reading."""
    lines = [
        "# Answers before and now",
        "",
        "Written by `python -m evaluation.side_by_side`: the same questions through the whole",
        f"desk, templates only, at commit {FIRST_COMMIT} and now. The tickets' words may not be",
        "redistributed; numbers are theirs, or those of `evaluation/data/c750_questions.yaml`.",
        "",
        *table(before, now, right),
    ]
    old = {one["external_id"]: one for one in before}
    for name, title in SETS.items():
        lines += ["", f"## {title}"]
        replies: dict[tuple[str, str], list[str]] = {}
        for one in (one for one in now if one["set"] == name):
            number = one["external_id"]
            both = _told(old[number], right.get(number, ())), _told(one, right.get(number, ()))
            replies.setdefault(both, []).append(number)
        for (was, is_), numbers in replies.items():
            lines += ["", f"### {', '.join(numbers)}", "", "| before | now |", "|---|---|"]
            lines.append(f"| {was} | {is_} |")
    return "\n".join(lines) + "\n"


def _told(one: Outcome, right: Sequence[str]) -> str:
    head = f"**{became(one, right)}** ({one['reason']}, {one['channel']})"
    reply = one["reply"].replace("|", "\\|").replace("\n", "<br>")
    return f"{head}<br><br>{reply}" if reply else head


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", type=Path, help="also write the outcomes as JSON")
    arguments = parser.parse_args()
    logs.begin(["side_by_side"], quiet="error")
    if not SEEDS.is_dir():
        print(f"skipped: there is no {SEEDS}")
        return
    now = asyncio.run(through(questions()))
    if arguments.keep:
        arguments.keep.write_text(json.dumps(now, ensure_ascii=False, indent=1) + "\n", "utf-8")
    before, right = json.loads(BEFORE.read_text("utf-8")), expected()
    PAGE.write_text(page(before, now, right), "utf-8")
    print("\n".join(table(before, now, right)))


if __name__ == "__main__":
    main()
