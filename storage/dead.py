"""Dead letters: what no stage could use, and what became of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, update
from sqlmodel import Session, col, or_, select

from storage import outbox
from storage.database import insert_new
from storage.tables import Conversation, DeadLetter

WAITING, REPLAYED, SERVED, AGAIN, DROPPED = "waiting", "replayed", "served", "again", "dropped"


def fresh(session: Session, letters: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return those letters that are not recorded yet: a batch may be read twice."""
    if not letters:
        return []
    names = {letter["dead_id"] for letter in letters}
    known = set(session.exec(select(DeadLetter.dead_id).where(col(DeadLetter.dead_id).in_(names))))
    return [letter for letter in letters if letter["dead_id"] not in known]


def bury(session: Session, letters: Sequence[tuple[dict[str, Any], str]]) -> None:
    """Write fresh letters down, each with the letter that it is a replay of (or nothing)."""
    insert_new(session, DeadLetter, [letter for letter, _ in letters])
    for letter, replay_of in letters:
        same_road = col(DeadLetter.trace_id) == letter["trace_id"]
        earlier = col(DeadLetter.dead_id) == replay_of
        session.execute(
            update(DeadLetter)
            .where(
                or_(earlier, same_road) if letter["trace_id"] else earlier,
                col(DeadLetter.state) == REPLAYED,
                col(DeadLetter.dead_id) != letter["dead_id"],
            )
            .values(state=AGAIN, ended_at=letter["died_at"])
        )


def served(session: Session, trace_ids: Sequence[str], now: datetime) -> None:
    """Note that these roads came to their end: what was replayed on them was served."""
    if trace_ids:
        session.execute(
            update(DeadLetter)
            .where(col(DeadLetter.trace_id).in_(trace_ids), col(DeadLetter.state) == REPLAYED)
            .values(state=SERVED, ended_at=now)
        )


@dataclass(frozen=True)
class Wanted:
    """Which letters: `ids` may be beginnings; `cause` is an error's type or part of a reason."""

    ids: tuple[str, ...] = ()
    stage: str = ""
    cause: str = ""
    topic: str = ""
    since: datetime | None = None
    until: datetime | None = None
    states: tuple[str, ...] = (WAITING,)
    limit: int = 10_000


def find(session: Session, wanted: Wanted) -> Sequence[DeadLetter]:
    """Return the letters that are wanted, oldest first."""
    query = select(DeadLetter).where(*_conditions(wanted))
    oldest = query.order_by(col(DeadLetter.died_at), col(DeadLetter.dead_id))
    return session.exec(oldest.limit(wanted.limit)).all()


def named(session: Session, ids: Sequence[str]) -> Sequence[DeadLetter]:
    """Return these letters."""
    return session.exec(select(DeadLetter).where(col(DeadLetter.dead_id).in_(ids))).all()


def _conditions(wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    if wanted.ids:
        yield or_(
            *(col(DeadLetter.dead_id).startswith(name, autoescape=True) for name in wanted.ids)
        )
    if wanted.states:
        yield col(DeadLetter.state).in_(wanted.states)
    if wanted.stage:
        yield col(DeadLetter.stage) == wanted.stage
    if wanted.topic:
        yield col(DeadLetter.topic) == wanted.topic
    if wanted.cause:
        part = col(DeadLetter.reason).contains(wanted.cause, autoescape=True)
        yield or_(col(DeadLetter.error) == wanted.cause, part)
    if wanted.since:
        yield col(DeadLetter.died_at) >= wanted.since
    if wanted.until:
        yield col(DeadLetter.died_at) < wanted.until


def reopen(
    session: Session, letter: DeadLetter, now: datetime, trace_id: str, message_id: str
) -> bool:
    """Note that a letter goes back on its road, and open that road; False: somebody else did.

    What was already answered is told again, and not sent again.
    """
    row = col(DeadLetter.dead_id) == letter.dead_id
    done: CursorResult[Any] = session.execute(  # type: ignore[assignment]
        update(DeadLetter)
        .where(row, col(DeadLetter.replays) == letter.replays)
        .values(
            state=REPLAYED,
            replays=col(DeadLetter.replays) + 1,
            replayed_at=now,
            ended_at=None,
            trace_id=trace_id,
            message_id=message_id,
        )
    )
    if not done.rowcount:
        return False
    if message_id:
        outbox.tell_again(session, [message_id])
        session.execute(
            update(Conversation)
            .where(
                col(Conversation.last_message_id) == message_id,
                col(Conversation.state) == "failed",
            )
            .values(state="on_the_road", reason="", version=col(Conversation.version) + 1)
        )
    return True


def end(session: Session, dead_id: str, state: str, now: datetime) -> None:
    """Write down what became of a letter: dropped, served, died again, or waiting once more."""
    values: dict[str, Any] = {"state": state, "ended_at": None if state == WAITING else now}
    session.execute(update(DeadLetter).where(col(DeadLetter.dead_id) == dead_id).values(**values))
