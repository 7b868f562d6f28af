"""Alarms as the record keeps them: what comes in, what people say of them, what is due.

Everything that has to be remembered is a row: whoever comes back after a kill goes on from there.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid5

from sqlmodel import Session

from gateways.roster import Roster, on_call
from schemas.errors import Rejected
from schemas.event import ASTREINTE
from schemas.frigo import AlertDrafted, FeedbackGiven
from schemas.vocabulary import Change, SendStatus, Severity
from services.cards import RANKS, Case
from services.dispatch import frigo
from services.dispatch.frigo import Notice, Recipient, Told
from storage import alerts, episodes, units
from storage.tables import Alert, Episode


def take_in(
    session: Session, events: Sequence[AlertDrafted], now: datetime, group_wait: timedelta
) -> None:
    """Write alarms down, each once; whoever is concerned is looked at at once."""
    units.meet(session, {event.unit_id for event in events}, now)
    for event in events:
        row = episodes.find(session, event.episode_id)
        if row is None:
            _begin(session, event, now, group_wait)
        elif row.ended_at is None and event.change is not Change.RAISED:
            _go_on(session, row, event, now)


def _begin(session: Session, event: AlertDrafted, now: datetime, group_wait: timedelta) -> None:
    site = event.unit.site if event.unit else ""
    gathering = (f"site {site}" if site else f"unit {event.unit_id}")[:100]
    over = event.change is Change.CLEARED  # its beginning was lost: kept, and nobody is told
    leader = episodes.leader_for(
        session, gathering, event.parent_id, event.severity.value, now - group_wait
    )
    session.add(
        Episode(
            episode_id=event.episode_id,
            unit_id=event.unit_id,
            fault=event.fault[:40],
            severity=event.severity.value,
            evidence=[cause.model_dump(mode="json") for cause in event.causes],
            began_at=event.since,
            ended_at=_moment(event) if over else None,
            leader_id=leader,
            parent_id=event.parent_id,
            gathering=gathering,
            card=_card(event),
            on_call=list(event.unit.on_call) if event.unit else [],
            trace_id=event.trace_id,
            changed_at=_moment(event),
            announced_at=None if over else now,
            due_at=None if over or leader else now,
        )
    )
    session.flush()
    if leader and not over:
        episodes.look_at(session, leader, now)


def _go_on(session: Session, row: Episode, event: AlertDrafted, now: datetime) -> None:
    at = _moment(event)
    if event.change is Change.CLEARED:
        row.ended_at = max(at, row.began_at)
    elif row.changed_at and at <= row.changed_at:
        return  # told again
    else:
        worse = RANKS.index(event.severity) > RANKS.index(Severity(row.severity))
        row.fault, row.card, row.parent_id = event.fault[:40], _card(event), event.parent_id
        row.severity = event.severity.value if worse else row.severity
        row.evidence = [cause.model_dump(mode="json") for cause in event.causes]
    row.changed_at = at
    session.add(row)
    session.flush()
    episodes.look_at(session, row.leader_id or row.episode_id, now)


def _moment(event: AlertDrafted) -> datetime:
    return event.measured_at or event.occurred_at


def _card(event: AlertDrafted) -> dict[str, Any]:
    return {
        "title": event.title[:255],
        "short_text": event.short_text,
        "text": event.text,
        "language": event.language.value,
    }


def hear(session: Session, event: FeedbackGiven, now: datetime) -> None:
    """Note what somebody said of an episode.

    Raises
    ------
    Rejected
        There is no such episode, or no such unit.
    """
    if event.action in {"out_of_service", "in_service"}:
        by = event.by[:80] or "?"
        if not units.serve(session, event.unit_id, by if event.action[0] == "o" else "", now):
            msg = "there is no such unit"
            raise Rejected(msg)
        concerned = {e.leader_id or e.episode_id for e in episodes.open_of(session, event.unit_id)}
    else:
        row = episodes.find(session, event.episode_id)
        if row is None:
            msg = "there is no such episode"
            raise Rejected(msg)
        concerned = {row.leader_id or row.episode_id}
        _say(session, row, next(iter(concerned)), event, now)
    session.flush()
    for name in sorted(concerned):
        episodes.look_at(session, name, now)


def _say(
    session: Session, row: Episode, leader_id: str, event: FeedbackGiven, now: datetime
) -> None:
    """Note it on the episode; what concerns the message, on all that it tells of."""
    if event.action == "label":
        row.label, row.label_by, row.label_note = event.fault, event.by, event.note[:2000]
        session.add(row)
        return
    for each, _, _ in episodes.members(session, [leader_id]):
        if event.action == "acknowledge" and not each.acknowledged_by:
            each.acknowledged_by, each.acknowledged_at = event.by[:80] or "?", event.occurred_at
        elif event.action == "shelve":
            asked = event.until or event.occurred_at + frigo.SHELF
            each.shelved_until = min(asked, now + frigo.MAX_SHELF)
            each.shelved_by = event.by[:80]
        elif event.action == "unshelve":
            each.shelved_until = now if each.shelved_until else None
        session.add(each)


def do_what_is_due(session: Session, roster: Roster, now: datetime) -> int:
    """Do what is due about messages; say how many were looked at."""
    due = episodes.due(session, now)
    if not due:
        return 0
    names = [row.episode_id for row in due]
    together: dict[str, list[tuple[Episode, str, str]]] = {}
    for each in episodes.members(session, names):
        together.setdefault(each[0].leader_id or each[0].episode_id, []).append(each)
    sent: dict[str, list[Alert]] = {}
    for alert in alerts.of_episodes(session, names):
        sent.setdefault(alert.episode_id, []).append(alert)
    for leader in due:
        _look(
            session,
            leader,
            together.get(leader.episode_id, []),
            sent.get(leader.episode_id, []),
            roster,
            now,
        )
    return len(due)


def _look(
    session: Session,
    leader: Episode,
    members: Sequence[tuple[Episode, str, str]],
    sent: Sequence[Alert],
    roster: Roster,
    now: datetime,
) -> None:
    cases = sorted(
        (_case(*member) for member in members),
        key=lambda case: case.episode_id != leader.episode_id,  # stable: the leader comes first
    )
    told = list(map(_told, sent))
    steps = recipients(roster, leader.on_call or (), now)
    found = frigo.plan(cases, told, steps, timedelta(minutes=roster.renotify_min), now)
    changed = {"due_at": found.due_at, "reminded_at": found.reminded_at}
    if found.notices and not told:
        changed["announced_at"] = now  # it was shelved or out of service: they begin to count now
    if not episodes.put(session, leader.episode_id, leader.version, changed):
        return  # somebody was quicker
    urgency = RANKS.index(Severity(str(found.card["severity"])))
    for row in sent:
        if row.kind == frigo.RAISED and row.card != found.card:
            alerts.show(session, row, dict(found.card), urgency, now)
    rows = [_row(leader, notice, urgency, now) for notice in found.notices]
    alerts.record(session, rows)


def _told(row: Alert) -> Told:
    """Return what became of a message; one that waits to be edited has left before."""
    status = SendStatus.SENT.value if row.shown else row.status
    complete = row.wanted == 1 and not (row.card or {}).get("open", True)
    return Told(row.kind, row.outbound, row.address, status, row.recipient, complete)


def recipients(roster: Roster, names: Sequence[str], now: datetime) -> list[Recipient]:
    """Return those on call, a recipient for each door of each."""
    return [
        Recipient(step.person.name, door, address, step.after)
        for step in on_call(roster, names, now)
        for door, address in step.person.channels.items()
    ]


def _case(row: Episode, unit: str, out_of_service_by: str) -> Case:
    return Case(
        episode_id=row.episode_id,
        unit=unit,
        fault=row.fault,
        severity=Severity(row.severity),
        card=row.card or {},
        began_at=row.began_at,
        ended_at=row.ended_at,
        announced_at=row.announced_at,
        reminded_at=row.reminded_at,
        acknowledged_by=row.acknowledged_by,
        shelved_until=row.shelved_until,
        out_of_service=bool(out_of_service_by),
    )


def _row(leader: Episode, notice: Notice, urgency: int, now: datetime) -> dict[str, Any]:
    to = notice.recipient
    name = f"alert {leader.episode_id}/{notice.kind}/{to.outbound}/{to.address}"
    return {
        "alert_id": str(uuid5(ASTREINTE, name)),
        "episode_id": leader.episode_id,
        "unit_id": leader.unit_id,
        "trace_id": leader.trace_id,
        "kind": notice.kind,
        "outbound": to.outbound,
        "recipient": to.name,
        "address": to.address,
        "card": dict(notice.card),
        "urgency": urgency,
        "status": SendStatus.QUEUED.value,
        "next_attempt_at": now,
        "created_at": now,
    }
