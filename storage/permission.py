"""What the record says of whom a reply goes to: consent, suppressions, silence, replies of late."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import case, func, or_, update
from sqlmodel import Session, col, select

from schemas.vocabulary import Action, SendStatus
from storage.database import insert_new
from storage.tables import Consent, History, Outgoing, Silence, Suppression

STOPPED, GRANTED = "stopped", "granted"
LEAVING = tuple(
    status.value
    for status in (
        SendStatus.QUEUED,
        SendStatus.SENDING,
        SendStatus.DOUBTFUL,
        SendStatus.UNKNOWN,
        SendStatus.SENT,
    )
)
"""Replies that left, may have left, or are to leave."""


@dataclass(frozen=True)
class Asked:
    """Of what the record is asked: `lines` are (ours, theirs), `plain` (channel, address)."""

    conversations: Collection[str]
    addresses: Collection[str]
    plain: Collection[tuple[str, str]]
    lines: Collection[tuple[str, str]]


@dataclass
class Known:
    """What it says. `senders` counts by (channel, address), and by subject as it was sent."""

    stopped: set[tuple[str, str]] = field(default_factory=set)
    suppressed: set[tuple[str, str]] = field(default_factory=set)
    silenced: set[str] = field(default_factory=set)
    senders: dict[tuple[str, str], Counter[str]] = field(
        default_factory=lambda: defaultdict(Counter)
    )
    conversations: Counter[str] = field(default_factory=Counter)
    begun: set[str] = field(default_factory=set)


def known(
    session: Session,
    asked: Asked,
    now: datetime,
    *,
    senders_since: datetime,
    conversations_since: datetime,
    not_counted: Sequence[str],
) -> Known:
    """Return all that may concern a batch.

    `begun` are the conversations in which any reply left, but for those with a reason that is
    `not_counted`.
    """
    silenced = select(Silence.conversation_id).where(
        col(Silence.conversation_id).in_(asked.conversations)
    )
    found = Known(_stopped(session, asked), _suppressed(session, asked, now))
    found.silenced = set(session.exec(silenced))
    per_sender = (
        select(Outgoing.channel, Outgoing.address, Outgoing.subject, func.count())
        .where(
            col(Outgoing.address).in_(asked.addresses),
            col(Outgoing.created_at) > senders_since,
            col(Outgoing.status).in_(LEAVING),
        )
        .group_by(col(Outgoing.channel), col(Outgoing.address), col(Outgoing.subject))
    )
    for channel, address, subject, count in session.exec(per_sender):
        found.senders[channel, address][subject] = count
    _count_conversations(session, asked, found, conversations_since, not_counted)
    return found


def _stopped(session: Session, asked: Asked) -> set[tuple[str, str]]:
    if not asked.lines:
        return set()
    # Each part by itself, so that any database goes by the key; the pairs are looked at here.
    rows = session.exec(
        select(Consent).where(
            col(Consent.ours).in_({ours for ours, _ in asked.lines}),
            col(Consent.theirs).in_({theirs for _, theirs in asked.lines}),
            col(Consent.state) == STOPPED,
        )
    )
    return {(row.ours, row.theirs) for row in rows}


def _suppressed(session: Session, asked: Asked, now: datetime) -> set[tuple[str, str]]:
    rows = session.exec(
        select(Suppression).where(
            col(Suppression.channel).in_({channel for channel, _ in asked.plain}),
            col(Suppression.address).in_({address for _, address in asked.plain}),
            or_(col(Suppression.until).is_(None), col(Suppression.until) > now),
        )
    )
    return {(row.channel, row.address) for row in rows}


def _count_conversations(
    session: Session, asked: Asked, found: Known, since: datetime, not_counted: Sequence[str]
) -> None:
    late = func.sum(case((col(Outgoing.created_at) > since, 1), else_=0))
    answers = func.sum(case((col(Outgoing.reason).in_(not_counted), 0), else_=1))
    counted = (
        select(Outgoing.conversation_id, late, answers)
        .where(
            col(Outgoing.conversation_id).in_(asked.conversations),
            col(Outgoing.status).in_(LEAVING),
        )
        .group_by(col(Outgoing.conversation_id))
    )
    for conversation_id, count, begun in session.exec(counted):
        found.conversations[conversation_id] = int(count)
        found.begun |= {conversation_id} if begun else set()


def consent(session: Session, line: tuple[str, str], state: str, source: str, at: datetime) -> None:
    """Write down what somebody (ours, theirs) allowed or forbade."""
    ours, theirs = line
    session.merge(Consent(ours=ours, theirs=theirs, state=state, source=source[:80], changed_at=at))


def silence(
    session: Session, conversation_id: str, by: str, now: datetime, reason: str = "asked_for_person"
) -> bool:
    """Have the machine be silent in a conversation; return whether it was not already.

    What waits there to be sent is withdrawn.
    """
    if session.get(Silence, conversation_id):
        return False
    row = {"conversation_id": conversation_id, "reason": reason, "by": by[:80], "since": now}
    insert_new(session, Silence, [row])
    withdraw(session, "silenced", col(Outgoing.conversation_id) == conversation_id)
    return True


def release(session: Session, conversation_id: str, by: str, now: datetime) -> bool:
    """Let the machine answer again in a conversation; return whether it was silent."""
    row = session.get(Silence, conversation_id)
    if row is None:
        return False
    session.delete(row)
    entry = {
        "history_id": f"released {conversation_id} {now.timestamp():.3f}"[:80],
        "conversation_id": conversation_id,
        "action": "released",
        "actor_type": "agent",
        "actor": by[:80],
        "detail": {},
        "at": now,
    }
    insert_new(session, History, [entry])
    return True


def silences(session: Session) -> Sequence[Silence]:
    """Return the conversations in which the machine is silent, the longest first."""
    return session.exec(select(Silence).order_by(col(Silence.since)).limit(1_000)).all()


def withdraw(session: Session, reason: str, where: Any, **also: str) -> None:
    """Take back what waits to be sent: it has nothing to send any more, and a person has it."""
    conditions = [getattr(Outgoing, name) == value for name, value in also.items()]
    session.execute(
        update(Outgoing)
        .where(where, col(Outgoing.status) == SendStatus.QUEUED.value, *conditions)
        .values(
            status=SendStatus.NONE.value,
            action=Action.HANDOFF.value,
            reason=reason,
            outbound="",
        )
    )


def bring_forward(session: Session, conversation_id: str, now: datetime) -> None:
    """Have what waits in a conversation leave now: something urgent is behind it."""
    session.execute(
        update(Outgoing)
        .where(
            col(Outgoing.conversation_id) == conversation_id,
            col(Outgoing.status) == SendStatus.QUEUED.value,
            col(Outgoing.next_attempt_at) > now,
        )
        .values(next_attempt_at=now)
    )
