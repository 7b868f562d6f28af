"""The outbox: recorded before they are tried, claimed by one, marked for good."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session, select

from services.dispatch.printer import plan
from storage import doubts, outbox
from storage.database import Database
from storage.tables import Attempt, Conversation, Message, Outgoing
from tests.conftest import inbound
from tests.events import NOW
from tests.services.dispatch.test_printer import drafted
from tests.storage.test_intake import take_in

LATER = NOW + timedelta(minutes=1)


def row(number: int = 1, **changes: Any) -> dict[str, Any]:
    event = drafted(external_id=f"m{number}")
    made = plan(event, "file", NOW) | {"created_at": NOW + timedelta(seconds=number)}
    return made | changes


async def claimed(database: Database, owner: str = "me", limit: int = 10) -> Sequence[Outgoing]:
    return await database.write(outbox.claim, owner, LATER, limit)


async def stored(database: Database, reply_id: str) -> Outgoing:
    found = await database.read(lambda session: session.get(Outgoing, reply_id))
    assert found is not None
    return found


async def test_a_draft_that_comes_twice_is_recorded_once(database: Database) -> None:
    await database.write(outbox.record, [row(), row()])
    await database.write(outbox.record, [row(text="other")])
    (mine,) = await claimed(database)
    assert mine.text == "Bonjour"


async def test_two_replies_to_one_message_are_one(database: Database) -> None:
    await database.write(outbox.record, [row(), row(reply_id="another")])
    assert len(await claimed(database)) == 1


async def test_a_claim_takes_what_is_due_oldest_first_up_to_the_limit(database: Database) -> None:
    rows = [row(n) for n in (3, 1, 2)]
    not_due = row(4, next_attempt_at=LATER + timedelta(seconds=1))
    await database.write(outbox.record, [*rows, not_due])
    first = await claimed(database, limit=2)
    assert [mine.reply_id for mine in first] == [rows[1]["reply_id"], rows[2]["reply_id"]]
    assert {(mine.status, mine.owner, mine.attempts) for mine in first} == {("sending", "me", 1)}


async def test_what_one_claimed_another_does_not_get(database: Database) -> None:
    await database.write(outbox.record, [row(1), row(2)])
    assert len(await claimed(database, "me")) == 2
    assert await claimed(database, "you") == []
    assert await claimed(database, "me") == []  # it has them already


async def test_a_reply_waits_for_those_before_it_in_its_conversation(database: Database) -> None:
    put_off = row(1, next_attempt_at=LATER + timedelta(seconds=1))
    behind, elsewhere = row(2), row(3, conversation_id="c9")
    await database.write(outbox.record, [put_off, behind, elsewhere])
    (mine,) = await claimed(database)
    assert mine.reply_id == elsewhere["reply_id"]
    both = await database.write(outbox.claim, "you", LATER + timedelta(seconds=1), 10)
    assert [late.reply_id for late in both] == [put_off["reply_id"], behind["reply_id"]]


@pytest.mark.parametrize("status", ["held", "none"])
async def test_what_has_nothing_to_send_is_given_to_be_told(
    database: Database, status: str
) -> None:
    await database.write(outbox.record, [row(status=status)])
    (mine,) = await claimed(database)
    assert mine.status == status
    await database.write(outbox.mark_told, [mine], LATER)
    assert await claimed(database) == []


async def test_a_sent_reply_is_told_once_and_never_claimed_again(database: Database) -> None:
    await database.write(outbox.record, [row()])
    (mine,) = await claimed(database)
    mine.status, mine.provider_id = "sent", "p7"
    await database.write(outbox.mark, [mine], LATER)
    found = await stored(database, mine.reply_id)
    assert (found.status, found.provider_id, found.sent_at) == ("sent", "p7", LATER)
    (untold,) = await claimed(database, "you")
    await database.write(outbox.mark_told, [untold], LATER)
    assert await claimed(database) == []


async def test_a_failed_attempt_waits_for_its_time(database: Database) -> None:
    await database.write(outbox.record, [row()])
    (mine,) = await claimed(database)
    mine.status, mine.last_error = "queued", "file cannot be written"
    mine.next_attempt_at = LATER + timedelta(seconds=10)
    await database.write(outbox.mark, [mine], LATER)
    assert await claimed(database) == []
    (again,) = await database.write(outbox.claim, "me", LATER + timedelta(seconds=10), 10)
    assert (again.attempts, again.last_error) == (2, "file cannot be written")


async def test_an_outcome_does_not_overwrite_what_was_settled_meanwhile(database: Database) -> None:
    await database.write(outbox.record, [row()])
    (mine,) = await claimed(database)
    assert await database.write(doubts.left, mine.reply_id, "p7", LATER, "file")
    mine.status, mine.last_error = "queued", "no answer"
    await database.write(outbox.mark, [mine], LATER)
    found = await stored(database, mine.reply_id)
    assert (found.status, found.provider_id, found.last_error) == ("sent", "p7", "")


async def test_a_reply_waits_for_one_in_doubt_before_it(database: Database) -> None:
    await database.write(outbox.record, [row(1), row(2)])
    (first,) = await claimed(database, limit=1)
    await database.write(doubts.doubt, first, LATER)
    assert await claimed(database, "you") == []
    await database.write(lambda s: doubts.settle(s, first.reply_id, status="unknown"))
    assert [late.status for late in await claimed(database, "you")] == ["unknown", "sending"]


async def test_an_older_message_says_nothing_of_a_conversation_that_went_on(
    database: Database,
) -> None:
    name = await database.write(take_in, inbound(external_id="m1", received_at=NOW))
    await database.write(outbox.record, [row(1, conversation_id=name)])
    (mine,) = await claimed(database)

    def go_on(session: Session) -> None:
        found = session.get(Conversation, name)
        assert found is not None
        found.last_message_id = "a newer one"

    await database.write(go_on)
    await database.write(outbox.mark_told, [mine], LATER)
    states = await database.read(lambda session: list(session.exec(select(Conversation.state))))
    assert states == ["on_the_road"]


async def test_what_waits_is_counted_with_its_age(database: Database) -> None:
    assert (await database.read(outbox.depth)).waiting == 0
    waiting = [row(1), row(2, next_attempt_at=NOW + timedelta(seconds=2)), row(3, status="held")]
    await database.write(outbox.record, waiting)
    await claimed(database, limit=1)
    depth = await database.read(outbox.depth)
    assert depth.rows == {"queued": 1, "sending": 1}
    assert (depth.waiting, depth.oldest) == (2, NOW + timedelta(seconds=1))


async def test_what_is_put_off_to_the_morning_waits_from_then_on_and_what_was_tried_since_ever(
    database: Database,
) -> None:
    morning = NOW + timedelta(hours=8)
    await database.write(outbox.record, [row(1, next_attempt_at=morning)])
    assert (await database.read(outbox.depth)).oldest == morning
    await database.write(outbox.record, [row(2, next_attempt_at=morning, attempts=1)])
    assert (await database.read(outbox.depth)).oldest == NOW + timedelta(seconds=2)


async def test_attempts_are_kept_for_people_who_ask(database: Database) -> None:
    tried = {"reply_id": "r", "outbound": "file", "outcome": "later", "provider_id": "", "at": NOW}
    await database.write(outbox.note_attempts, [tried | {"detail": "disk full"}])
    kept = await database.read(lambda session: session.exec(select(Attempt)).one())
    assert (kept.outcome, kept.detail, kept.at) == ("later", "disk full", NOW)


@pytest.mark.parametrize(
    ("status", "action", "state"),
    [
        ("sent", "reply", "answered"),
        ("sent", "handoff", "handed_over"),
        ("held", "reply", "answered"),
        ("none", "ignore", "ignored"),
        ("failed", "reply", "failed"),
    ],
)
async def test_what_was_told_ends_the_road_of_message_and_conversation(
    database: Database, status: str, action: str, state: str
) -> None:
    message = inbound(external_id="m1", received_at=NOW)
    name = await database.write(take_in, message)
    await database.write(
        outbox.record, [row(status=status, action=action, conversation_id=name, reason="danger")]
    )
    (mine,) = await claimed(database)
    mine.status = status
    await database.write(outbox.mark, [mine], LATER)
    await database.write(outbox.mark_told, [mine], LATER)
    conversation = await database.read(lambda session: session.get(Conversation, name))
    told = await database.read(lambda session: session.get(Message, str(message.event_id)))
    assert conversation is not None
    assert told is not None
    assert (conversation.state, conversation.reason, told.outcome) == (state, "danger", state)


async def test_a_road_walked_again_sends_nothing_again(database: Database) -> None:
    await database.write(outbox.record, [row()])
    (mine,) = await claimed(database)
    mine.status = "sent"
    await database.write(outbox.mark, [mine], LATER)
    await database.write(outbox.mark_told, [mine], LATER)
    await database.write(outbox.tell_again, [mine.message_id])
    (again,) = await claimed(database)
    assert (again.reply_id, again.status, again.attempts) == (mine.reply_id, "sent", 1)


def test_waits_double_from_ten_seconds_to_an_hour() -> None:
    waits = [(outbox.retry_at(NOW, n) - NOW).total_seconds() for n in range(13)]
    assert waits[:5] == [10, 10, 20, 40, 80]
    assert max(waits) == waits[-1] == 3600
