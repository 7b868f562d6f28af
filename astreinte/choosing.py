"""From a command's options to the dead letters that are meant."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from astreinte.options import fail
from storage import dead

STATES = (dead.WAITING, dead.REPLAYED, dead.SERVED, dead.AGAIN, dead.DROPPED)
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def moment(text: str, now: datetime) -> datetime | None:
    """Read `2h`, `3d` or a date; without zone it is UTC."""
    if not text:
        return None
    if found := re.fullmatch(r"(\d{1,6})\s*([smhd])", text.strip()):
        return now - timedelta(**{UNITS[found[2]]: int(found[1])})
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        fail(f"{text!r} is no time: 2h, 3d, or 2026-11-21T08:00")
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def wanted_of(
    ids: list[str] | None,
    stage: str,
    cause: str,
    topic: str,
    since: str,
    until: str,
    state: str,
    limit: int = 10_000,
) -> dead.Wanted:
    """Return what the options mean; letters that are named count in any state."""
    now = datetime.now(UTC)
    if state not in {*STATES, "all", ""}:
        fail(f"no state {state!r}; there are: {', '.join(STATES)}, all")
    states = STATES if state == "all" or (ids and not state) else (state or dead.WAITING,)
    return dead.Wanted(
        tuple(ids or ()),
        stage,
        cause,
        topic,
        moment(since, now),
        moment(until, now),
        states,
        limit,
    )
