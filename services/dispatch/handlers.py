"""The edge of dispatch: one function for each topic."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from sqlmodel import Session

from schemas.delivery import DeliveryReported
from schemas.event import Event
from schemas.frigo import AlertDrafted, FeedbackGiven
from schemas.printer import ReplyDrafted
from services import alarms, clearance, metrics, reports
from services.clearance import Rules
from services.dispatch import printer
from services.permission import Verdict
from services.policy import Handler
from services.postman import Postman
from services.rounds import Rounds
from storage import answering
from storage.database import Database


def drafted_replies(
    database: Database,
    postman: Postman,
    door_of: Callable[[str], str],
    rules: Rules,
    domain: str = "",
) -> Handler:
    """Return the handler of `printer.drafted`; `domain` is what our Message-IDs end with."""

    async def handle(events: Sequence[ReplyDrafted]) -> list[Sequence[Event]]:
        postman.room()
        now = datetime.now(UTC)
        # A microsecond apart: the order in which they are sent, within a conversation too.
        moments = [now + timedelta(microseconds=place) for place in range(len(events))]
        doors = [door_of(event.message.channel.value) for event in events]
        verdicts = await database.write(_plan, events, doors, moments, rules, domain)
        for verdict in verdicts:
            metrics.VERDICTS.labels(verdict.outcome, verdict.reason).inc()
        postman.hurry()
        return [() for _ in events]  # the postman tells, once it has sent

    return handle


def _plan(
    session: Session,
    events: Sequence[ReplyDrafted],
    doors: Sequence[str],
    moments: Sequence[datetime],
    rules: Rules,
    domain: str,
) -> Sequence[Verdict]:
    answered = answering.answered(session, [str(event.message.message_id) for event in events])
    rows = []
    for event, door, moment in zip(events, doors, moments, strict=True):
        row = printer.plan(event, door, moment, domain)
        rows.append(row | answered.get(row["message_id"], {}))
    rows, verdicts = clearance.clear(session, events, rows, rules)
    answering.note_threads(session, rows)
    return verdicts


def delivery_reports(database: Database, postman: Postman) -> Handler:
    """Return the handler of `printer.reported`."""

    async def handle(events: Sequence[DeliveryReported]) -> list[Sequence[Event]]:
        await database.write(reports.take_in, events)
        postman.hurry()
        return [() for _ in events]  # the postman tells what is news

    return handle


def drafted_alerts(database: Database, clerk: Rounds, group_wait: timedelta) -> Handler:
    """Return the handler of `frigo.drafted`."""

    async def handle(events: Sequence[AlertDrafted]) -> list[Sequence[Event]]:
        await database.write(alarms.take_in, events, datetime.now(UTC), group_wait)
        clerk.hurry()
        return [() for _ in events]  # the courier tells, once it has sent

    return handle


def given_feedback(database: Database, clerk: Rounds) -> Handler:
    """Return the handler of `feedback.given`."""

    async def handle(events: Sequence[FeedbackGiven]) -> list[Sequence[Event]]:
        await database.write(_hear, events)
        clerk.hurry()
        return [() for _ in events]

    return handle


def _hear(session: Session, events: Sequence[FeedbackGiven]) -> None:
    for event in events:
        alarms.hear(session, event, datetime.now(UTC))
