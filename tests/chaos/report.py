"""What a trial came to, as tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

from benchmarks.figures import machine
from tests.chaos.judge import grown, is_flat
from tests.chaos.parts import Part, by_part
from tests.chaos.plan import DISK_FULL, Plan
from tests.chaos.times import table, times
from tests.chaos.trial import Result
from tests.chaos.verdict import Verdict, Violation

KINDS = {
    "lost": "accepted messages without exactly one outcome",
    "outcomes": "messages with contradictory outcomes",
    "twice": "replies that left twice",
    "no row": "replies that left unknown to us",
    "row": "rows that say otherwise than the provider's ledger",
    "order": "replies out of order",
    "dead": "dead letters that were no poison, or poison that was none",
    "stranger": "messages or replies that nobody handed in",
    "stuck": "conversations on the road for ever",
    "refused": "messages that the edge refused",
    "bad call": "calls that no provider would take",
    "reading": "accepted readings that did not come through",
    "episode": "excursions that are not one episode, or episodes without one",
    "lost alarm": "excursions of which nobody was told",
    "lost end": "ends of which nobody was told",
    "alarm twice": "alarm messages that left twice without a reason",
    "message": "alarm messages without an excursion, or to somebody else",
    "open": "alarms that are open for ever",
    "alarm row": "rows of alarm messages without their outcome",
    "detector": "detectors said to be down that were not, or the other way round",
    "press": "pressed buttons that were lost, or made up",
    "memory": "processes whose memory grew",
    "exit": "processes that did not end cleanly",
}
"""Kinds of violation, and how the table calls them."""


def add_processes(result: Result, verdict: Verdict) -> None:
    """Judge what processes are, beside what they did."""
    for part in result.desk.parts:
        for life in part.lives:
            found = grown(life.memory)
            if found and not is_flat(*found):
                what = f"{part.name}: {found[0]:.0f} MiB, then {found[1]:.0f} MiB"
                verdict.violations.append(Violation("memory", what))
    verdict.violations += [
        Violation("exit", f"{name} ended with {status} when asked to stop")
        for name, status in result.exits.items()
        if status != 0
    ]


def markdown(plan: Plan, result: Result, verdict: Verdict) -> str:
    """Return the whole report."""
    parts = [
        _head(plan, result, verdict),
        "## What was done\n\n" + table(("", ""), _done(result, verdict)),
        "## What came of it\n\n" + table(("", ""), _outcomes(verdict)),
        "## What came of the cold rooms\n\n" + table(("", ""), _rooms(plan, verdict)),
        "## What was looked for\n\n" + table(("promise broken", "times"), _broken(verdict)),
        "## How long it took\n\n" + times(result),
        "## Processes\n\n" + _processes(result),
    ]
    if verdict.violations:
        told = "\n".join(f"* {v.kind}: {v.what} {v.message_id}" for v in verdict.violations[:200])
        parts.append(f"## Violations\n\n{told}")
    return "\n\n".join(parts) + "\n"


def _head(plan: Plan, result: Result, verdict: Verdict) -> str:
    here = machine()
    said = "**Passed.**" if not verdict.violations else f"**Failed**: {len(verdict.violations)}."
    began, ended = result.load
    accepted = sum(told.accepted_at < ended for told in result.case.told if told.accepted_at)
    return (
        f"# Nothing lost, nothing twice\n\n{said} {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, "
        f"{here['cores']} cores of {here['cpu']}, {result.seconds / 60:.1f} minutes, of which "
        f"{(ended - began) / 60:.1f} under a load of "
        f"{verdict.counts['offered'] / (ended - began):.1f} messages/s offered, "
        f"{accepted / (ended - began):.1f} messages/s accepted meanwhile. Seed {plan.seed}."
    )


def _done(result: Result, verdict: Verdict) -> Iterator[tuple[str, object]]:
    kills = {part.name: part.kills for part in result.desk.parts}
    yield "processes killed with SIGKILL", sum(kills.values())
    yield "of these", ", ".join(f"{name} {number}" for name, number in kills.items())
    yield "broker killed and started again", result.desk.kafka.kills
    yield "database killed and started again", result.desk.database.kills
    yield "database stopped for a while", result.desk.database.stops
    yield "disk of the database full for a while", result.done[DISK_FULL]
    yield "provider hung for a while", result.done["provider hangs"]
    yield "second instances added, and ended", result.done["member comes and goes"]
    yield "second instances added, and killed", result.done["member comes and is killed"]
    faults = {
        name.removeprefix("fault "): number
        for name, number in verdict.counts.items()
        if name.startswith("fault ")
    }
    yield "calls that met a fault of the provider", sum(faults.values())
    yield "of these", ", ".join(f"{name} {number}" for name, number in sorted(faults.items()))
    yield "poison put into topics", verdict.counts["poison put in"]


def _outcomes(verdict: Verdict) -> Iterator[tuple[str, object]]:
    counts = verdict.counts
    yield "messages offered", counts["offered"]
    yield "accepted by the edge (2xx)", counts["accepted"]
    yield "answer lost and not asked again (unknown)", counts["unknown"]
    yield "of the unknown, with an outcome", counts["unknown, with an outcome"]
    for kind in ("action", "outcome"):
        for name, number in sorted(counts.items()):
            if name.startswith(f"{kind} "):
                yield name.replace(" ", ": "), number
    for name in (
        "replies in the provider's ledger",
        "unknown outcomes",
        "unknown outcomes settled by callback",
        "unknown outcomes settled by look-up",
        "unknown outcomes settled otherwise",
        "unknown outcomes left to a person",
        "replies of killed processes settled by look-up",
        "look-ups",
        "callbacks",
        "dead letters",
        "dead letters written again",
        "outcomes told again",
        "conversations whose order was compared",
    ):
        yield name, counts[name]


def _rooms(plan: Plan, verdict: Verdict) -> Iterator[tuple[str, object]]:
    counts = verdict.counts
    yield "cold rooms", plan.rooms
    for name, number in sorted(counts.items()):
        if name.startswith(("excursions: ", "Telegram: ")):
            yield name, number
    faults = {
        name.removeprefix("Telegram's fault "): number
        for name, number in counts.items()
        if name.startswith("Telegram's fault ") and name != "Telegram's fault "
    }
    said = ", ".join(f"{name} {number}" for name, number in sorted(faults.items()))
    yield "calls that met a fault of Telegram's", sum(faults.values())
    yield "of these", said
    for name in (
        "readings accepted",
        "readings told again",
        "messages of alarms, and of their ends",
        "messages there twice: the answer was lost",
        "messages there twice: dispatch was killed with the answer",
        "excursions told when they were over",
        "acknowledgements pressed",
        "acknowledgements told again",
        "detector down",
    ):
        yield name, counts[name]


def _broken(verdict: Verdict) -> Iterator[tuple[str, object]]:
    for kind, name in KINDS.items():
        yield name, verdict.of(kind)


def _processes(result: Result) -> str:
    rows = []
    for name, parts in by_part([*result.desk.parts, *result.desk.members]).items():
        lives = [life for part in parts for life in part.lives]
        ready = sorted(life.ready_after_s for life in lives if life.ready_after_s is not None)
        failures = Counter(status for part in parts for status in part.failures)
        longest = max(lives, key=lambda life: life.memory[-1][0] if life.memory else 0)
        found = grown(longest.memory)
        rows.append(
            (
                name,
                len(lives),
                sum(part.kills for part in parts),
                ", ".join(f"{n}× status {s}" for s, n in failures.items()) or "–",
                f"{ready[len(ready) // 2]:.1f} s / {ready[-1]:.1f} s" if ready else "–",
                f"{sum(life.cpu_s for life in lives) / result.seconds:.2f}",
                f"{_at_age(parts[0], 0)} / {_at_age(parts[0], -1)}",
                f"{longest.memory[-1][0]:.0f} s" if longest.memory else "–",
                f"{found[0]:.0f} → {found[1]:.0f} MiB" if found else "–",
            )
        )
    head = (
        "process",
        "lives",
        "killed",
        "ended by itself",
        "ready after, median / longest",
        "cores, mean",
        "memory at 20 s, first / last life",
        "longest life",
        "its memory, second → last quarter",
    )
    return table(head, rows)


def _at_age(part: Part, which: int, age_s: float = 20.0) -> str:
    lives = [life for life in part.lives if life.memory and life.memory[-1][0] >= age_s]
    if not lives:
        return "–"
    return f"{next(mib for age, mib in lives[which].memory if age >= age_s):.0f} MiB"
