"""The record of all roads: a consumer of its own writes every event down, in batches.

So that a stage that keeps nothing does not touch the database, and people can still see what
happened to a message: which stage, when, how long, what was decided and why.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

from sqlmodel import Session

from schemas.event import Event
from schemas.topics import FEEDBACK, FRIGO, PRINTER, REPORTS, STAGES
from services.policy import Handler
from services.steps import Row, Step
from storage import dead, roads
from storage.database import Database

ALARMS = FRIGO[2:]
"""Of the cold-room flow, what happened: readings are many, and stay in their topics only."""
RECORDED = (
    *(event.topic for event in (*PRINTER, *REPORTS, *ALARMS, *FEEDBACK)),
    *(f"dead.{stage}" for stage in (*STAGES, "record")),
)

BATCH = 500
GATHER_S = 0.1
"""Between batches that are not full: seven events a message, one by one, would be seven
transactions."""


def every_step(database: Database) -> Handler:
    """Return the handler of all topics but those of readings, and of the dead letters."""

    async def handle(steps: Sequence[Step]) -> list[Sequence[Event]]:
        if len(steps) < BATCH:
            await asyncio.sleep(GATHER_S)  # what comes in meanwhile is the next batch
        await database.write(keep, steps, datetime.now(UTC))
        return [() for _ in steps]

    return handle


def keep(session: Session, steps: Sequence[Step], now: datetime) -> None:
    """Write a batch down, with what was found and what died. Harmless when repeated."""
    letters = dead.fresh(session, [step.dead for step in steps if step.dead])
    names = {letter["dead_id"] for letter in letters}
    died = [step for step in steps if step.dead and step.dead["dead_id"] in names]
    roads.write(
        session,
        [step.row for step in steps],
        finished=[step.message_id for step in steps if step.finished and step.message_id],
        failed=[step.message_id for step in died if step.message_id],
        now=now,
    )
    found: dict[str, list[Row]] = {}
    for step in steps:
        for table, rows in step.found.items():
            found.setdefault(table, []).extend(rows)
    roads.write_findings(session, found, [step.classified for step in steps if step.classified])
    dead.bury(session, [(step.dead, step.replay_of) for step in died if step.dead])
    ended = [step.row["trace_id"] for step in steps if step.finished and step.row["trace_id"]]
    dead.served(session, ended, now)
