"""The edge of dispatch: one function for each topic."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

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
        await database.write(
            outbox.record, [printer.plan(event, outbound, now) for event in events]
        )
        postman.hurry()
        return [() for _ in events]  # the postman tells, once it has sent

    return handle
