"""When parts of the desk were not there, from their lives and from what was done to its servers."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from tests.chaos.desk import Desk

DOWN = ("database killed", "database stopped", "database has no room", "broker killed")
BACK = ("database is back", "database has room", "broker is back")
SETTLES_S = 15.0
"""So long at least a part has to work before it counts as back."""

LOOK_S = 6.0
"""Between two looks of dispatch."""

Span = tuple[float, float]


def ends_of(desk: Desk, name: str) -> list[float]:
    """Return when processes of a part ended, a second instance's too."""
    return [
        life.ended_at
        for part in (*desk.parts, *desk.members)
        if part.name.partition("#")[0] == name
        for life in part.lives
        if life.ended_at
    ]


def away(desk: Desk, marks: Sequence[tuple[float, str]], began_at: float) -> list[Span]:
    """Return from when to when no detector worked: it was not there, or what it needs was not."""
    return together([*_not_ready(desk, "classify", began_at), *_servers(marks)])


def deaf(desk: Desk, marks: Sequence[tuple[float, str]], began_at: float) -> list[Span]:
    """Return from when to when nobody listened for the detector, between two looks too."""
    spans = (*_not_ready(desk, "dispatch", began_at), *_servers(marks))
    return together([(first - LOOK_S, last + LOOK_S) for first, last in spans])


def _not_ready(desk: Desk, name: str, began_at: float) -> Iterator[Span]:
    (part,) = (part for part in desk.parts if part.name == name)
    since = began_at
    for life in part.lives:
        if life.ready_after_s is not None:
            ready = life.began_at + life.ready_after_s
            if ready > since:
                yield since, ready
            since = life.ended_at or time.time()


def _servers(marks: Sequence[tuple[float, str]]) -> Iterator[Span]:
    since = 0.0
    for at, what in marks:
        if what.startswith(DOWN):
            since = at
        elif what.startswith(BACK) and since:
            yield since, at


def together(spans: Sequence[Span]) -> list[Span]:
    """Join spans that overlap, or between which nothing can have come to rest."""
    found: list[Span] = []
    for first, last in sorted(spans):
        if found and first <= found[-1][1] + SETTLES_S:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return found


def without(span: Span, others: Sequence[Span]) -> float:
    """Return how many seconds of a span lie in none of the others, which do not overlap."""
    first, last = span
    return last - first - sum(max(min(last, end) - max(first, at), 0.0) for at, end in others)
