"""The edge's journal: what was acknowledged while the broker keeps nothing on disk."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import LargeBinary, cast, func, update
from sqlmodel import Session, col, select

from schemas.errors import Unavailable
from storage.database import insert_new
from storage.tables import Journal

UNDER_WAY_BYTES = 8 * 2**20
"""Of all roads that are not finished, as the embedded broker would keep them: it forgets what
exceeds 5 MiB a partition, silently, and has four. An event grows to about twice its message and
6,000 bytes of passages."""


def accept(session: Session, event_id: str, body: str, now: datetime) -> bool:
    """Write an inbound event down; return False when it was there and its road is finished.

    Raises
    ------
    Unavailable
        So much is under way that the embedded broker might forget some of it.
    """
    unfinished = col(Journal.finished_at).is_(None)
    encoded = func.length(cast(Journal.body, LargeBinary))  # SQLite counts characters otherwise
    size = select(func.coalesce(func.sum(2 * encoded + 6_000), 0))
    if session.exec(size.where(unfinished)).one() > UNDER_WAY_BYTES:
        msg = "too many messages are under way"
        raise Unavailable(msg)
    insert_new(session, Journal, [{"event_id": event_id, "body": body, "accepted_at": now}])
    row = session.get(Journal, event_id)
    return row is not None and row.finished_at is None


def unfinished(session: Session) -> list[str]:
    """Return the bodies whose road was not finished, oldest first."""
    return list(
        session.exec(
            select(Journal.body)
            .where(col(Journal.finished_at).is_(None))
            .order_by(col(Journal.accepted_at))
        )
    )


def finish(session: Session, event_ids: Iterable[str], now: datetime) -> None:
    """Note that these roads are finished: answered, handed over, ignored, or a dead letter."""
    session.execute(
        update(Journal)
        .where(col(Journal.event_id).in_(list(event_ids)), col(Journal.finished_at).is_(None))
        .values(finished_at=now)
    )
