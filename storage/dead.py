"""Dead letters: what no stage could use, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlmodel import Session, col, or_, select

from storage.database import insert_new
from storage.tables import DeadLetter

WAITING, REPLAYED, SERVED, AGAIN, DROPPED = "waiting", "replayed", "served", "again", "dropped"


def fresh(session: Session, letters: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return those letters that are not recorded yet: a batch may be read twice."""
    if not letters:
        return []
    names = {letter["dead_id"] for letter in letters}
    known = set(session.exec(select(DeadLetter.dead_id).where(col(DeadLetter.dead_id).in_(names))))
    return [letter for letter in letters if letter["dead_id"] not in known]


def bury(session: Session, letters: Sequence[tuple[dict[str, Any], str]]) -> None:
    """Write fresh letters down, each with the letter that it is a replay of (or nothing)."""
    insert_new(session, DeadLetter, [letter for letter, _ in letters])
    for letter, replay_of in letters:
        same_road = col(DeadLetter.trace_id) == letter["trace_id"]
        earlier = col(DeadLetter.dead_id) == replay_of
        session.execute(
            update(DeadLetter)
            .where(
                or_(earlier, same_road) if letter["trace_id"] else earlier,
                col(DeadLetter.state) == REPLAYED,
                col(DeadLetter.dead_id) != letter["dead_id"],
            )
            .values(state=AGAIN, ended_at=letter["died_at"])
        )


def served(session: Session, trace_ids: Sequence[str], now: datetime) -> None:
    """Note that these roads came to their end: what was replayed on them was served."""
    if trace_ids:
        session.execute(
            update(DeadLetter)
            .where(col(DeadLetter.trace_id).in_(trace_ids), col(DeadLetter.state) == REPLAYED)
            .values(state=SERVED, ended_at=now)
        )
