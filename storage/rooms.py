"""Cold rooms for people: units with what was last measured, their episodes, what was told of them.

Nothing here changes an episode but `begin_anew`, which is for simulated units only.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy
from sqlalchemy import update
from sqlmodel import Session, SQLModel, col, func, select

from schemas.frigo import AlertDrafted
from storage.tables import Alert, Episode, Recorded, Unit

_UNIT = SQLModel.metadata.tables["unit"]
_TRACK = ("names", "value", "at")


class Shown(NamedTuple):
    """A unit as it is listed; `track`: names, last values and their moments, by sensor."""

    unit_id: str
    name: str
    profile: Mapping[str, Any]
    declared: bool
    out_of_service_by: str
    read_at: datetime | None
    track: Mapping[str, Any]
    state: Mapping[str, Any] = {}


def fleet(session: Session, limit: int, first: Collection[str] = (), but: str = "") -> list[Shown]:
    """Return units: `first` those, then those that people declared, by name; never `but`."""
    ours = _UNIT.c
    asked = (
        sqlalchemy.select(*_columns(), *(ours.state["track", name] for name in _TRACK))
        .where(ours.unit_id != but)
        .order_by(ours.unit_id.in_(first).desc(), ours.declared.desc(), ours.name, ours.unit_id)
        .limit(limit)
    )
    return [
        _shown(row, dict(zip(_TRACK, row[6:], strict=True)))
        for row in session.connection().execute(asked)
    ]


def unit(session: Session, unit_id: str) -> Shown | None:
    """Return one unit, with the whole memory of its detector."""
    asked = sqlalchemy.select(*_columns(), _UNIT.c.state).where(_UNIT.c.unit_id == unit_id)
    row = session.connection().execute(asked).one_or_none()
    if row is None:
        return None
    state = row[6] if isinstance(row[6], dict) else {}
    track = state.get("track")
    return _shown(row, track if isinstance(track, dict) else {})._replace(state=state)


def _columns() -> list[Any]:
    ours = _UNIT.c
    return [
        ours.unit_id,
        ours.name,
        ours.profile,
        ours.declared,
        ours.out_of_service_by,
        ours.read_at,
    ]


def _shown(row: Any, track: Mapping[str, Any]) -> Shown:
    return Shown(row[0], row[1], row[2] or {}, bool(row[3]), row[4], row[5], track)


def count(session: Session, but: str = "") -> int:
    """Return how many units there are."""
    return session.exec(select(func.count()).where(col(Unit.unit_id) != but)).one()


def open_episodes(session: Session, limit: int) -> list[tuple[Episode, str]]:
    """Return episodes that go on, the newest first, each with its unit's name.

    Their units are found in an index alone: those that are over are many, and nobody's concern.
    """
    going_on = col(Episode.ended_at).is_(None)
    named = session.exec(select(Episode.unit_id).where(going_on).distinct().limit(limit)).all()
    asked = _named().where(col(Episode.unit_id).in_(named), going_on)
    rows = session.exec(asked.order_by(col(Episode.began_at).desc()).limit(limit))
    return [(episode, name or episode.unit_id) for episode, name in rows]


def episodes_of(session: Session, unit_id: str, limit: int) -> list[tuple[Episode, str]]:
    """Return episodes of a unit, the newest first, each with the unit's name."""
    asked = _named().where(col(Episode.unit_id) == unit_id)
    rows = session.exec(asked.order_by(col(Episode.began_at).desc()).limit(limit))
    return [(episode, name or episode.unit_id) for episode, name in rows]


def told_since(
    session: Session, names: Collection[str], since: datetime, limit: int
) -> list[tuple[Episode, str]]:
    """Return episodes of units that have messages of their own, announced since then, in order."""
    asked = _named().where(
        col(Episode.unit_id).in_(names),
        col(Episode.announced_at) >= since,
        col(Episode.leader_id) == "",
    )
    rows = session.exec(asked.order_by(col(Episode.announced_at)).limit(limit))
    return [(episode, name or episode.unit_id) for episode, name in rows]


def _named() -> Any:
    return select(Episode, Unit.name).join(Unit, col(Unit.unit_id) == col(Episode.unit_id))


def drafts(session: Session, episodes: Collection[Episode]) -> dict[str, str]:
    """Return what was last drafted of episodes that go on, first of those that are over; by id.

    It is what the record's own consumer wrote down, a moment after the episode.
    """
    found: dict[str, str] = {}
    for which, names in (
        (func.max, [e.episode_id for e in episodes if e.ended_at is None]),
        (func.min, [e.episode_id for e in episodes if e.ended_at]),
    ):
        if names:
            found |= dict(session.exec(_drafted(which, names)).all())
    return found


def _drafted(which: Any, names: Sequence[str]) -> Any:
    one = (
        select(which(Recorded.seq))
        .where(col(Recorded.conversation_id).in_(names), col(Recorded.topic) == AlertDrafted.topic)
        .group_by(col(Recorded.conversation_id))
    )
    return select(Recorded.conversation_id, Recorded.body).where(col(Recorded.seq).in_(one))


def messages(session: Session, leaders: Collection[str]) -> dict[str, list[Alert]]:
    """Return the messages that tell of episodes, by the episode that leads them; oldest first."""
    found: dict[str, list[Alert]] = {}
    asked = select(Alert).where(col(Alert.episode_id).in_(leaders))
    for alert in session.exec(asked.order_by(col(Alert.created_at), col(Alert.alert_id))):
        found.setdefault(alert.episode_id, []).append(alert)
    return found


def episode(session: Session, episode_id: str) -> Episode | None:
    """Return an episode."""
    return session.get(Episode, episode_id)


def begin_anew(session: Session, names: Collection[str], now: datetime) -> None:
    """Have simulated units remember nothing, and end what an earlier run left going on."""
    session.execute(
        update(Unit)
        .where(col(Unit.unit_id).in_(names))
        .values(
            state={},
            untold=[],
            due_at=None,
            read_at=None,
            out_of_service_by="",
            profile_at=now,
            version=col(Unit.version) + 1,
        )
    )
    left = update(Episode).where(col(Episode.unit_id).in_(names), col(Episode.ended_at).is_(None))
    ended = {"ended_at": now, "version": col(Episode.version) + 1}
    session.execute(left.where(col(Episode.leader_id) == "").values(due_at=now, **ended))
    session.execute(left.values(**ended))
