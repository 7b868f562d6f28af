"""For each broken promise, all that is known of its message, as every ledger has it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from tests.chaos.trial import Result
from tests.chaos.verdict import Verdict

EXPLAINED = 40
AROUND_S = 10.0


def explain(result: Result, verdict: Verdict, work: Path) -> str:
    """Return, for the first violations, the road of each message as every ledger has it."""
    parts = []
    for violation in verdict.violations[:EXPLAINED]:
        parts.append(f"=== {violation.kind}: {violation.what} {violation.message_id}")
        if violation.message_id:
            parts += _known(result, violation.message_id, work)
    return "\n".join(parts) + "\n"


def _known(result: Result, message_id: str, work: Path) -> Iterator[str]:
    row = result.case.tables.outgoing.get(message_id)
    names = [message_id, row["reply_id"]] if row else [message_id]
    steps = sorted(_steps(result, names), key=lambda step: step[0])
    if steps:
        first, last = steps[0][0] - AROUND_S, steps[-1][0] + AROUND_S
        steps += [(at, f"– {what}") for at, what in result.marks if first <= at <= last]
    yield from (f"  {_clock(at)} {what}" for at, what in sorted(steps))
    yield f"  recorded: {result.case.tables.recorded.get(message_id.replace('-', ''), {})}"
    yield f"  message: {_row(result.case.tables.messages.get(message_id))}"
    yield f"  outgoing: {_row(row)}"
    for log in sorted(work.glob("*.log")):
        with log.open(errors="replace") as file:
            for line in file:
                if any(name in line for name in names):
                    yield f"  {log.stem}: {line.rstrip()[:300]}"


def _steps(result: Result, names: Sequence[str]) -> Iterator[tuple[float, str]]:
    case = result.case
    for told in case.told:
        if told.event_id == names[0]:
            who = f"message {told.place + 1} of {told.sender} ({told.channel}, {told.name})"
            for post in told.posts:
                again = " again, on purpose" if post.repeated else ""
                yield post.at, f"{who} posted{again}: {post.answer} after {post.took_s:.3f} s"
    for topic, found in case.topics.roads.get(names[0].replace("-", ""), {}).items():
        for seen in found:
            yield seen.at, f"{topic} {seen.place} {seen.event_id} {seen.detail}"
    for line in [*case.ledger.taken, *case.ledger.calls]:
        if line["reply_id"] in names:
            yield line["at"], f"provider: {json.dumps(line)}"


def _row(row: dict[str, object] | None) -> str:
    return ", ".join(f"{k}={v}" for k, v in row.items()) if row else "none"


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S.%f")[:-3]
