"""When the whole desk was stopped, why, and until when."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session, col, func, select

from schemas.vocabulary import SendStatus
from storage.permission import LEAVING
from storage.tables import Breaker, Outgoing


def last(session: Session) -> Breaker | None:
    """Return the newest stop, over or not."""
    newest = select(Breaker).order_by(col(Breaker.opened_at).desc()).limit(1)
    return session.exec(newest).first()


def open_(
    session: Session, reason: str, detail: str, now: datetime, until: datetime | None
) -> Breaker:
    """Stop the desk; `until`: when it goes on by itself, or nothing for a person."""
    row = Breaker(opened_at=now, reason=reason, detail=detail[:500], until=until)
    return session.merge(row)


def close(session: Session, by: str, now: datetime) -> bool:
    """Let the desk go on; return whether it was stopped."""
    row = last(session)
    if row is None or not is_open(row, now):
        return False
    row.closed_at, row.closed_by = now, by[:80]
    session.add(row)
    return True


def is_open(row: Breaker | None, now: datetime) -> bool:
    """Say whether the desk is stopped."""
    return row is not None and row.closed_at is None and (row.until is None or row.until > now)


def over_since(row: Breaker | None) -> datetime | None:
    """Return since when the desk goes on after this stop; nothing: it was never stopped."""
    return row.closed_at or row.until if row else None


def left_since(session: Session, since: datetime) -> int:
    """Count the replies that left, or are to leave, of the whole desk."""
    counted = select(func.count()).where(
        col(Outgoing.status).in_(LEAVING), col(Outgoing.created_at) > since
    )
    return session.exec(counted).one()


def ended_since(session: Session, since: datetime) -> tuple[int, int]:
    """Count the replies written down since then that were sent, and those that failed."""
    statuses = (SendStatus.SENT.value, SendStatus.FAILED.value)
    counted = (
        select(Outgoing.status, func.count())
        .where(col(Outgoing.status).in_(statuses), col(Outgoing.created_at) > since)
        .group_by(col(Outgoing.status))
    )
    found = dict(session.exec(counted).all())
    return found.get(statuses[0], 0), found.get(statuses[1], 0)
