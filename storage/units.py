"""Cold rooms: their profiles, and what their detector remembers.

A profile is written by people, a memory by `classify`, each without touching the other: `version`
guards the memory, `profile_at` says when a profile changed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import CursorResult, bindparam, delete, func, update
from sqlmodel import Session, SQLModel, col, select

from storage.database import insert_new
from storage.tables import Heartbeat, Unit

_UNIT = SQLModel.metadata.tables["unit"]

AT_ONCE = 500
"""Units looked up by one statement."""
LONG_GONE = timedelta(days=1)
LISTENER = "silence"
"""Not a detector: the row that says until when somebody listened for one in vain."""


class Declared(NamedTuple):
    """A unit as people declared it; without `profile`, only readings named it."""

    unit_id: str
    profile: Mapping[str, Any]
    profile_at: datetime | None
    out_of_service: bool


class Kept(NamedTuple):
    """What the record keeps of a unit's detector."""

    unit_id: str
    state: dict[str, Any]
    untold: list[dict[str, Any]]
    version: int


class Conflict(Exception):  # noqa: N818 - a state: another process looks after the unit now
    """Somebody else wrote the memory of these units since it was read; nothing was written."""

    def __init__(self, units: Collection[str]) -> None:
        super().__init__(f"{len(units)} units are looked after by another process")
        self.units = frozenset(units)


def declare(session: Session, profile: Mapping[str, Any], now: datetime) -> None:
    """Write a profile (`Profile.model_dump(mode="json")`); the unit is watched from now on."""
    name = str(profile["unit_id"])
    meet(session, [name], now)
    session.execute(
        update(Unit)
        .where(col(Unit.unit_id) == name)
        .values(
            name=str(profile.get("name") or name)[:255],
            profile=dict(profile),
            declared=True,
            profile_at=now,
            updated_at=now,
        )
    )


def meet(session: Session, names: Collection[str], now: datetime) -> None:
    """Write down units that only readings named, so that people see them."""
    rows = [{"unit_id": name, "name": "", "created_at": now, "profile_at": now} for name in names]
    insert_new(session, Unit, rows)


def changed_since(session: Session, since: datetime | None) -> Sequence[Declared]:
    """Return the units whose profile changed at `since` or later; of nothing, all."""
    asked = select(Unit.unit_id, col(Unit.profile), col(Unit.profile_at), Unit.out_of_service_by)
    if since is not None:
        asked = asked.where(col(Unit.profile_at) >= since)
    return [
        Declared(name, profile or {}, at, bool(by)) for name, profile, at, by in session.exec(asked)
    ]


def remembered(session: Session, names: Sequence[str]) -> dict[str, Kept]:
    """Return what the record keeps of these units; those without a row are left out."""
    found: dict[str, Kept] = {}
    for place in range(0, len(names), AT_ONCE):
        rows = session.exec(
            select(Unit.unit_id, col(Unit.state), col(Unit.untold), Unit.version).where(
                col(Unit.unit_id).in_(names[place : place + AT_ONCE])
            )
        )
        found |= {
            name: Kept(name, state or {}, untold or [], version)
            for name, state, untold, version in rows
        }
    return found


def overdue(session: Session, before: datetime, limit: int = AT_ONCE) -> Sequence[str]:
    """Return units of which something was due before then, and whose keeper said nothing since."""
    return session.exec(
        select(Unit.unit_id)
        .where(col(Unit.due_at) < before)
        .order_by(col(Unit.due_at))
        .limit(limit)
    ).all()


def remember(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Write the memory of units: `{unit, seen, new_state, new_untold, new_due_at, new_read_at}`.

    Raises
    ------
    Conflict
        Another process wrote some of them; nothing is to be committed.
    """
    if not rows:
        return
    names = [row["unit"] for row in rows]
    asked = select(Unit.unit_id, Unit.version).where(col(Unit.unit_id).in_(names))
    found = dict(session.exec(asked.with_for_update()).all())
    if others := {row["unit"] for row in rows if found.get(row["unit"]) != row["seen"]}:
        raise Conflict(others)
    ours = _UNIT.c
    change = (
        update(_UNIT)
        .where(ours.unit_id == bindparam("unit"), ours.version == bindparam("seen"))
        .values(
            state=bindparam("new_state"),
            untold=bindparam("new_untold"),
            due_at=bindparam("new_due_at"),
            read_at=bindparam("new_read_at"),
            version=ours.version + 1,
        )
    )
    done = session.connection().execute(change, list(rows))
    if done.rowcount != len(rows):  # of a file, nothing is locked by reading
        raise Conflict(names)


def serve(session: Session, unit_id: str, by: str, now: datetime) -> bool:
    """Put a unit out of service, with who did, or back (nobody); say whether it was there."""
    done: CursorResult[Any] = session.execute(  # type: ignore[assignment]
        update(Unit)
        .where(col(Unit.unit_id) == unit_id)
        .values(out_of_service_by=by, out_of_service_at=now if by else None, profile_at=now)
    )
    return bool(done.rowcount)


def beat(session: Session, name: str, now: datetime) -> None:
    """Note that a process that watches over units did its work; forget those long gone."""
    found = session.get(Heartbeat, name)
    if found is None:
        session.execute(delete(Heartbeat).where(col(Heartbeat.at) < now - LONG_GONE))
        session.add(Heartbeat(name=name, at=now))
    else:
        found.at = now


def last_beat(session: Session) -> datetime | None:
    """Return when a detector last did its work; nothing: none ever did."""
    asked = select(func.max(Heartbeat.at)).where(col(Heartbeat.name) != LISTENER)
    return session.exec(asked).one()


def listen(session: Session, last: datetime, longer: timedelta) -> timedelta:
    """Note that nothing was heard of a detector since `last`, for so much longer; say how long."""
    found = session.get(Heartbeat, LISTENER, with_for_update=True)
    if found is None:
        found = Heartbeat(name=LISTENER, at=last)
        session.add(found)
    found.at = max(found.at, last) + longer
    return found.at - last


def watched(session: Session) -> bool:
    """Say whether any unit is declared."""
    return session.exec(select(Unit.unit_id).where(col(Unit.declared)).limit(1)).first() is not None
