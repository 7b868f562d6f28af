"""The outbox of alarms: what is to be shown is not lost between a look and a claim."""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import timedelta
from typing import Any

from sqlmodel import Session, select

from storage import alerts
from storage.database import Database
from storage.tables import Alert
from tests.events import NOW

LATER = NOW + timedelta(minutes=1)


def row(**changes: Any) -> dict[str, Any]:
    made = {"alert_id": "a1", "episode_id": "e1", "unit_id": "u1", "trace_id": "", "kind": "raised"}
    made |= {"outbound": "console", "recipient": "Léa", "address": "Léa", "card": {"text": "open"}}
    return made | {"status": "queued", "next_attempt_at": NOW, "created_at": NOW} | changes


async def one(database: Database) -> Alert:
    return await database.read(lambda session: session.exec(select(Alert)).one())


async def test_whoever_looks_at_a_message_keeps_it_from_being_claimed_as_it_was(
    database: Database,
):
    await database.write(alerts.record, [row()])
    looking = threading.Event()

    def look(session: Session) -> None:
        (found,) = alerts.of_episodes(session, ["e1"])
        looking.set()
        time.sleep(0.2)  # another process may claim it meanwhile
        alerts.show(session, found, {"text": "over"}, 0, NOW)

    working = asyncio.create_task(database.write(look))
    await asyncio.to_thread(looking.wait, 5)
    (claimed,) = await database.write(alerts.claim, "me", LATER, 10)
    await working
    after = await one(database)
    assert after.card == {"text": "over"}
    # It leaves as it is now; or the look lost a deadlock, came second, and an edit follows.
    assert after.wanted == (1 if claimed.card == after.card else 2)


async def test_what_changes_while_a_message_is_on_its_way_is_shown_by_an_edit(database: Database):
    await database.write(alerts.record, [row()])
    (claimed,) = await database.write(alerts.claim, "me", LATER, 10)
    await database.write(
        lambda session: alerts.show(
            session, alerts.of_episodes(session, ["e1"])[0], {"text": "over"}, 0, NOW
        )
    )
    found = {"name": "a1", "claimer": "me", "new_status": "sent", "new_reference": "7"}
    found |= {"new_shown": claimed.wanted, "new_attempts": 1, "new_attempt_at": NOW}
    await database.write(alerts.mark, [found | {"new_sent_at": NOW, "new_error": ""}])
    after = await one(database)
    assert (after.status, after.reference, after.card) == ("queued", "7", {"text": "over"})
