"""How a unit stands: what is open for it, the worst first."""

from __future__ import annotations

from typing import NamedTuple

from sqlmodel import Session, col, select

from schemas.vocabulary import Severity
from storage.tables import Episode

RANKS = [severity.value for severity in Severity]
ENOUGH = 50


class Standing(NamedTuple):
    """The worst open episode of a unit; `causes`: as they were told, the likeliest first."""

    fault: str
    causes: list[dict[str, object]]
    announced: bool


def worst_open(session: Session, unit_id: str) -> Standing | None:
    """Return the worst episode that is open for a unit, the oldest of them; nothing: none is."""
    found = session.exec(
        select(Episode)
        .where(col(Episode.unit_id) == unit_id, col(Episode.ended_at).is_(None))
        .order_by(col(Episode.began_at))
        .limit(ENOUGH)
    ).all()
    if not found:
        return None
    worst = max(found, key=lambda one: RANKS.index(one.severity) if one.severity in RANKS else -1)
    told = worst.announced_at is not None or bool(worst.leader_id)
    return Standing(worst.fault, list(worst.evidence), told)
