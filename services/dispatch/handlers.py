"""The edge of dispatch: one function for each topic."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import repeat

from schemas.event import Event
from schemas.printer import ReplyDrafted
from services.dispatch import printer
from services.policy import Handler
from services.postman import Postman
from storage import outbox
from storage.database import Database


def drafted_replies(database: Database, postman: Postman, outbound: str) -> Handler:
    """Return the handler of `printer.drafted`."""

    async def handle(events: Sequence[ReplyDrafted]) -> list[Sequence[Event]]:
        now = datetime.now(UTC)
        # A microsecond apart: the order in which they are sent, within a conversation too.
        moments = [now + timedelta(microseconds=place) for place in range(len(events))]
        rows = map(printer.plan, events, repeat(outbound), moments)
        await database.write(outbox.record, list(rows))
        postman.hurry()
        return [() for _ in events]  # the postman tells, once it has sent

    return handle
