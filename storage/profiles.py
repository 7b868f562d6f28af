"""The profiles of units, as people see and change them; `storage.units` declares them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlmodel import Session, col, select

from storage import units
from storage.tables import Unit


class Kept(NamedTuple):
    """A unit of the record. Without `declared` nobody wrote its profile: readings named it."""

    unit_id: str
    profile: dict[str, Any]
    declared: bool
    read_at: datetime | None
    """Of its newest reading."""


def save(session: Session, profile: Mapping[str, Any], now: datetime) -> str:
    """Write a profile (`Profile.model_dump(mode="json")`); say `new`, `changed` or `same`.

    What was learned of the unit stays, unless the profile brings its own.
    """
    before = one(session, str(profile["unit_id"]))
    known = before.profile if before and before.declared else {}
    wanted = dict(profile)
    if not wanted.get("learned") and known.get("learned"):
        wanted["learned"] = known["learned"]
    if known == wanted:
        return "same"
    units.declare(session, wanted, now)
    return "changed" if known else "new"


def one(session: Session, unit_id: str) -> Kept | None:
    """Return one unit, or nothing."""
    return next(iter(_read(session, unit_id)), None)


def every(session: Session) -> Sequence[Kept]:
    """Return all units by their names."""
    return _read(session, None)


def _read(session: Session, unit_id: str | None) -> list[Kept]:
    asked = select(Unit.unit_id, Unit.profile, Unit.declared, Unit.read_at)
    if unit_id is not None:
        asked = asked.where(col(Unit.unit_id) == unit_id)
    return [
        Kept(name, dict(profile or {}), declared, at)
        for name, profile, declared, at in session.exec(asked.order_by(col(Unit.unit_id)))
    ]
