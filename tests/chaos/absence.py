"""When parts of the desk were not there, from their lives and from what was done to its servers."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from tests.chaos.desk import Desk

DOWN = ("database killed", "database stopped", "database has no room", "broker killed")
BACK = ("database is back", "database has room", "broker is back")
SETTLES_S = 15.0
"""So long at least a part has to work before it counts as back."""

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
    return together([*_not_ready(desk, began_at), *_servers(marks)])


def _not_ready(desk: Desk, began_at: float) -> Iterator[Span]:
    (part,) = (part for part in desk.parts if part.name == "classify")
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
