"""Episodes of cold rooms: one row from alarm to end, and whose message it is told in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import CursorResult, update
from sqlmodel import Session, col, or_, select

from schemas.vocabulary import Severity
from storage.tables import Episode, Unit

RANKS = tuple(severity.value for severity in Severity)
"""From the least to the worst."""


class Past(NamedTuple):
    """An earlier episode of a unit; `label`: what it really was, when somebody said."""

    fault: str
    began_at: datetime
    ended_at: datetime | None
    label: str
    note: str


def find(session: Session, episode_id: str) -> Episode | None:
    """Return an episode, and keep it from others until this transaction ends."""
    return session.get(Episode, episode_id, with_for_update=True)


def leader_for(
    session: Session, gathering: str, parent_id: str, severity: str, since: datetime
) -> str:
    """Return the episode in whose message a new one is told; nothing: it has its own.

    That of its cause, while it goes on; else one of the same gathering that was told `since`,
    unless the new one is worse: nobody looks twice at a message that is edited.
    """
    parent = session.get(Episode, parent_id) if parent_id else None
    if parent and parent.ended_at is None:
        return parent.leader_id or parent.episode_id
    found = session.exec(
        select(Episode)
        .where(
            col(Episode.gathering) == gathering,
            col(Episode.announced_at) >= since,
            col(Episode.ended_at).is_(None),
            col(Episode.leader_id) == "",
        )
        .order_by(col(Episode.announced_at))
        .limit(20)
    ).all()
    worst = RANKS.index(severity)
    return next((one.episode_id for one in found if RANKS.index(one.severity) >= worst), "")


def due(session: Session, now: datetime, limit: int = 50) -> Sequence[Episode]:
    """Return the leaders about which something is to be done, kept from others; oldest first."""
    return session.exec(
        select(Episode)
        .where(col(Episode.due_at) <= now)
        .order_by(col(Episode.due_at))
        .limit(limit)
        .with_for_update()
    ).all()


def members(session: Session, leaders: Sequence[str]) -> Sequence[tuple[Episode, str, str]]:
    """Return all episodes told in these messages, each with its unit's name and who put it off."""
    rows = session.exec(
        select(Episode, Unit.name, Unit.out_of_service_by)
        .join(Unit, col(Unit.unit_id) == col(Episode.unit_id))
        .where(or_(col(Episode.episode_id).in_(leaders), col(Episode.leader_id).in_(leaders)))
        .order_by(col(Episode.began_at), col(Episode.episode_id))
    )
    return [(episode, name or episode.unit_id, by) for episode, name, by in rows]


def put(session: Session, episode_id: str, seen: int, values: dict[str, Any]) -> bool:
    """Change an episode that is still as it was seen; say whether it was."""
    done: CursorResult[Any] = session.execute(  # type: ignore[assignment]
        update(Episode)
        .where(col(Episode.episode_id) == episode_id, col(Episode.version) == seen)
        .values(version=seen + 1, **values)
    )
    return bool(done.rowcount)


def look_at(session: Session, episode_id: str, now: datetime) -> None:
    """Have something done about an episode's message now."""
    session.execute(
        update(Episode)
        .where(col(Episode.episode_id) == episode_id)
        .values(due_at=now, version=col(Episode.version) + 1)
    )


def open_of(session: Session, unit_id: str) -> Sequence[Episode]:
    """Return the episodes of a unit that go on."""
    return session.exec(
        select(Episode).where(col(Episode.unit_id) == unit_id, col(Episode.ended_at).is_(None))
    ).all()


def past(session: Session, unit_id: str, but: str, limit: int = 5) -> Sequence[Past]:
    """Return a unit's newest episodes, but for one."""
    rows = session.exec(
        select(Episode)
        .where(col(Episode.unit_id) == unit_id, col(Episode.episode_id) != but)
        .order_by(col(Episode.began_at).desc())
        .limit(limit)
    )
    return [Past(e.fault, e.began_at, e.ended_at, e.label, e.label_note) for e in rows]
