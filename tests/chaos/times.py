"""How long a trial's messages took, and how long nothing came of what was killed."""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Sequence

from benchmarks.figures import amount
from schemas.topics import STAGES
from tests.chaos.evidence import ROAD
from tests.chaos.trial import Result


def times(result: Result) -> str:
    """Time from a message's acknowledgement to its reply in the provider's ledger."""
    message_of = {row["reply_id"]: name for name, row in result.case.tables.outgoing.items()}
    took: dict[str, float] = {}
    for line in result.case.ledger.taken:
        took.setdefault(message_of.get(line["reply_id"], ""), line["at"])
    rows = []
    for phase, (began, ended) in result.phases.items():
        waits = sorted(
            took[told.event_id] - told.accepted_at
            for told in result.case.told
            if told.event_id in took and began <= told.accepted_at < ended
        )
        if waits:
            shares = [waits[min(int(share * len(waits)), len(waits) - 1)] for share in (0.5, 0.95)]
            seconds = [f"{each:.2f} s" for each in (*shares, waits[-1])]
            rows.append((phase, f"{ended - began:.0f} s", len(waits), *seconds))
    head = ("accepted in", "lasted", "replies", "p50", "p95", "longest")
    silent = _silences(result)
    missed = (
        ", ".join(f"{s:.1f} s" for s in (silent[len(silent) // 2], silent[-1])) if silent else "–"
    )
    edge = sorted(
        post.took_s for told in result.case.told for post in told.posts if post.answer == 202
    )
    p99 = edge[min(int(0.99 * len(edge)), len(edge) - 1)] if edge else 0.0
    p50 = edge[len(edge) // 2] if edge else 0.0
    return (
        "From a message's acknowledgement to its reply in the provider's ledger.\n\n"
        f"{table(head, rows)}\n\nThe edge acknowledged within {p50 * 1000:.0f} ms (p50) and "
        f"{p99 * 1000:.0f} ms (p99), over the whole trial. From the kill of a stage to the next "
        f"event that it tells (median, longest): {missed}."
    )


def _silences(result: Result) -> list[float]:
    """Return how long nothing came of a stage that was killed, shortest first."""
    found = []
    for stage, topic in zip(STAGES, ROAD[1:], strict=True):
        told = sorted(
            seen.at for road in result.case.topics.roads.values() for seen in road.get(topic, ())
        )
        for at, what in result.marks:
            place = bisect.bisect(told, at)
            if what == f"{stage} killed" and place < len(told):
                found.append(told[place] - at)
    return sorted(found)


def table(head: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    lines = [list(head), ["---"] * len(head), *rows]
    return "\n".join(
        "| " + " | ".join(amount(c) if isinstance(c, int) else str(c) for c in line) + " |"
        for line in lines
    )
