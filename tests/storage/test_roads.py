"""The record of roads."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from schemas.printer import InboundMessage
from schemas.topics import PRINTER
from storage import journal, outbox, roads
from storage.database import Database
from storage.tables import Conversation, Message
from tests.conftest import inbound
from tests.events import NOW
from tests.storage.test_intake import take_in
from tests.storage.test_outbox import claimed, row

MESSAGE = str(inbound(external_id="m1", received_at=NOW).event_id)
TRACE = UUID(MESSAGE).hex


def step(number: int, topic: str = "printer.received", **changes: Any) -> dict[str, Any]:
    return {
        "event_id": f"e{number}",
        "trace_id": TRACE,
        "conversation_id": "c1",
        "stage": "ingest",
        "topic": topic,
        "partition_offset": f"0/{number}",
        "occurred_at": NOW + timedelta(milliseconds=number),
        "took_ms": 1.5,
        "why": "",
        "body": "{}",
    } | changes


async def write(
    database: Database,
    *steps: dict[str, Any],
    finished: tuple[str, ...] = (),
    failed: tuple[str, ...] = (),
) -> None:
    await database.write(roads.write, list(steps), list(finished), list(failed), NOW)


async def test_a_road_is_read_in_its_order_by_any_of_its_names(database: Database) -> None:
    topics = [event.topic for event in PRINTER]
    await write(database, *(step(n, topic) for n, topic in reversed(list(enumerate(topics)))))
    for name in (TRACE, MESSAGE, "e3", "c1"):
        steps = await database.read(roads.trace, name)
        assert [found.topic for found in steps] == topics
    assert await database.read(roads.trace, "nobody") == []


async def test_a_conversation_leads_to_its_newest_road(database: Database) -> None:
    await write(database, step(1), step(2, trace_id="f" * 32))
    (found,) = await database.read(roads.trace, "c1")
    assert found.trace_id == "f" * 32


async def test_what_is_recorded_twice_is_there_once(database: Database) -> None:
    await write(database, step(1), step(1))
    await write(database, step(1, why="again"))
    (found,) = await database.read(roads.trace, TRACE)
    assert found.why == ""


async def test_changes_are_told_from_a_number_on(database: Database) -> None:
    assert await database.read(roads.last_seq) == 0
    await write(database, step(1))
    seen = await database.read(roads.last_seq)
    await write(database, step(2), step(3))
    changes = await database.read(roads.since, seen)
    assert [change[1:] for change in changes] == [("c1", TRACE, "printer.received")] * 2
    assert await database.read(roads.since, changes[-1][0]) == []
    assert len(await database.read(roads.since, 0, 2)) == 2


async def test_a_finished_road_is_taken_off_the_journal(database: Database) -> None:
    await database.write(journal.accept, MESSAGE, "body", NOW)
    await write(database, step(1))
    assert await database.read(journal.unfinished) == ["body"]
    await write(database, step(2, "printer.sent"), finished=(MESSAGE,))
    assert await database.read(journal.unfinished) == []
    assert await database.read(roads.ended, [MESSAGE, "someone-else"]) == {MESSAGE}


async def test_a_dead_letter_ends_the_road_and_the_conversation_says_so(database: Database) -> None:
    message = inbound(external_id="m1", received_at=NOW)
    name = await database.write(take_in, message)
    await database.write(journal.accept, MESSAGE, "body", NOW)
    await write(database, step(1, "dead.classify"), failed=(MESSAGE,))
    conversation = await database.read(lambda session: session.get(Conversation, name))
    told = await database.read(lambda session: session.get(Message, MESSAGE))
    assert conversation is not None
    assert told is not None
    assert (conversation.state, conversation.reason, told.outcome) == (
        "failed",
        "dead_letter",
        "failed",
    )
    assert await database.read(journal.unfinished) == []
    assert await database.read(roads.ended, [MESSAGE]) == {MESSAGE}


async def test_an_outcome_is_known_once_it_was_told(database: Database) -> None:
    await database.write(outbox.record, [row()])
    (mine,) = await claimed(database)
    assert await database.read(roads.outcome, mine.message_id) is None
    await database.write(outbox.mark_told, [mine], NOW)
    found = await database.read(roads.outcome, mine.message_id)
    assert found is not None
    assert found.reply_id == mine.reply_id


async def test_the_list_is_newest_first_with_last_words_and_counts(database: Database) -> None:
    def say(text: str, who: str, minute: int) -> InboundMessage:
        at = NOW + timedelta(minutes=minute)
        return inbound(text, received_at=at, from_name=who, **{"from": who})

    old = await database.write(take_in, say("x" * 500, "ana", 1))
    new = await database.write(take_in, say("bonjour", "bob", 2))
    found = await database.read(roads.conversations, 10)
    assert [conversation.conversation_id for conversation, *_ in found] == [new, old]
    assert [(customer.name, words, count) for _, customer, words, count in found] == [
        ("bob", "bonjour", 1),
        ("ana", "x" * 160, 1),
    ]
    assert len(await database.read(roads.conversations, 1)) == 1
    assert await database.read(roads.totals) == {"on_the_road": 2}


async def test_one_conversation_comes_with_all_that_belongs_to_it(database: Database) -> None:
    name = await database.write(take_in, inbound(external_id="m1", received_at=NOW))
    await database.write(outbox.record, [row(conversation_id=name)])
    await write(
        database,
        step(1, "printer.received", conversation_id=name),
        step(2, "printer.classified", conversation_id=name),
    )
    found = await database.read(roads.conversation, name)
    assert found is not None
    conversation, customer, messages, replies, events = found
    assert (conversation.conversation_id, customer.address) == (name, "chat:visiteur")
    assert [message.message_id for message in messages] == [MESSAGE]
    assert [reply.message_id for reply in replies] == [MESSAGE]
    assert [event.topic for event in events] == ["printer.classified"]
    assert await database.read(roads.conversation, "nobody") is None
