"""A record of cold rooms of some age, and what is asked of it all day."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlmodel import Session, SQLModel

from storage import addressed, alerts, episodes, profiles, rooms, standing, units
from storage.tables import Alert, Episode, Heartbeat, Unit
from tests.events import NOW


def cold_rows(many: int) -> dict[type[SQLModel], list[dict[str, Any]]]:
    """Units, and an episode with its message for each; nearly all are over."""
    numbers = range(many)
    return {
        Unit: [
            {
                "unit_id": f"u{n}", "name": f"U{n}", "profile": {"unit_id": f"u{n}"},
                "declared": True, "created_at": NOW, "profile_at": NOW - timedelta(minutes=n),
                "due_at": NOW + timedelta(minutes=n) if n % 2 else None,
            }
            for n in numbers
        ],
        Episode: [
            {
                "episode_id": f"x{n}", "unit_id": f"u{n}", "fault": "door", "severity": "low",
                "began_at": NOW, "ended_at": None if n > many - 30 else NOW,
                "leader_id": "" if n % 3 else f"x{n - 1}", "gathering": f"site {n // 4}",
                "announced_at": NOW - timedelta(minutes=many - n),
                "due_at": NOW if n > many - 20 else None,
            }
            for n in numbers
        ],
        Alert: [
            {
                "alert_id": f"a{n}", "episode_id": f"x{n}", "unit_id": f"u{n}", "trace_id": "",
                "kind": "raised", "outbound": "console", "recipient": "", "address": str(n),
                "status": ("queued", "sending")[n % 2] if n > many - 20 else "sent",
                "next_attempt_at": NOW, "created_at": NOW, "owner": "o",
                "told_at": None if n > many - 25 else NOW,
            }
            for n in numbers
        ],
        Heartbeat: [{"name": "h", "at": NOW}],
    }  # fmt: skip


def cold_day(session: Session) -> None:
    """Ask and write what classify, dispatch and rag do."""
    units.changed_since(session, NOW - timedelta(minutes=2))
    kept = units.remembered(session, ["u1", "u2"])
    units.overdue(session, NOW + timedelta(minutes=3))
    row = {"new_state": {}, "new_untold": [], "new_due_at": NOW, "new_read_at": NOW}
    units.remember(session, [row | {"unit": k.unit_id, "seen": k.version} for k in kept.values()])
    units.declare(session, {"unit_id": "u7", "name": "U"}, NOW)
    units.serve(session, "u7", "", NOW)
    units.beat(session, "h", NOW)
    addressed.taken_by(session, "console", "7", "Léa", NOW)
    units.last_beat(session)
    episodes.leader_for(session, "site 7", "x1", "low", NOW - timedelta(minutes=2))
    (due, *_) = episodes.due(session, NOW)
    episodes.members(session, [due.episode_id])
    episodes.put(session, due.episode_id, due.version, {"due_at": None})
    episodes.look_at(session, "x1", NOW)
    episodes.open_of(session, "u5")
    episodes.past(session, "u5", "x1")
    alerts.of_episodes(session, [due.episode_id])
    (claimed, *_) = alerts.claim(session, "me", NOW, 5)
    alerts.claimed(session)
    alerts.show(session, claimed, {}, 0, NOW)
    alerts.mark_told(session, [alerts.untold(session)[0].alert_id], NOW)
    alerts.waiting(session)
    shown_day(session)


def shown_day(session: Session) -> None:
    """Ask what the console, the demonstration, and who looks after profiles ask."""
    units.meet(session, ["u1", "new"], NOW)
    units.watched(session)
    standing.worst_open(session, "u5")
    rooms.fleet(session, 200, ["u5"], "detector")
    rooms.count(session, "detector")
    rooms.unit(session, "u5")
    going_on = [episode for episode, _ in rooms.open_episodes(session, 200)]
    past = [episode for episode, _ in rooms.episodes_of(session, "u5", 20)]
    rooms.told_since(session, ["u5", "u6"], NOW - timedelta(minutes=2), 20)
    rooms.drafts(session, [*going_on, *past])
    rooms.messages(session, [episode.episode_id for episode in going_on])
    rooms.episode(session, "x5")
    rooms.begin_anew(session, ["u5", "u6"], NOW)
    profiles.save(session, {"unit_id": "u9", "name": "U"}, NOW)
    profiles.one(session, "u9")
