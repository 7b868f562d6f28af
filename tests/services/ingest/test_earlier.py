"""What was said before comes along with a message: the same turns whenever it is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import update

from schemas.findings import Turn
from schemas.printer import InboundMessage, MessageReceived
from schemas.tags import tagged
from services.ingest.handlers import inbound_messages
from services.ingest.printer import Ours
from services.policy import Handler
from storage.database import Database, insert_new
from storage.tables import Message, Outgoing
from tests.conftest import inbound
from tests.storage.test_outbox import row as reply

BEGAN = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)


@pytest.fixture
def handle(database: Database) -> Handler:
    return inbound_messages(database)


def said(minute: int, text: str, **changes: object) -> InboundMessage:
    fields = {"external_id": f"m{minute}", "received_at": BEGAN + timedelta(minutes=minute)}
    return inbound(text, **(fields | changes))


async def tell(handle: Handler, *messages: InboundMessage) -> list[MessageReceived]:
    return [event for events in await handle(messages) for event in events]  # type: ignore[misc]


async def answer(database: Database, to: MessageReceived, text: str, status: str = "sent") -> None:
    await database.write(
        insert_new,
        Outgoing,
        [
            reply(1)
            | {
                "reply_id": str(to.event_id),
                "message_id": str(to.message.message_id),
                "conversation_id": to.key,
                "text": text,
                "status": status,
                "created_at": datetime.now(UTC),
            }
        ],
    )


def words(turns: tuple[Turn, ...]) -> list[tuple[str, str]]:
    return [(turn.who, turn.text) for turn in turns]


async def test_a_first_message_has_nothing_before_it(handle: Handler) -> None:
    (told,) = await tell(handle, said(1, "ça bourre"))
    assert told.earlier == ()


async def test_what_customer_and_desk_said_comes_along_oldest_first_and_again_the_same(
    handle: Handler, database: Database
) -> None:
    (first,) = await tell(handle, said(1, "ça bourre"))
    await answer(database, first, "Quel est le modèle ?")
    (second,) = await tell(handle, said(2, "une C750"))
    assert words(second.earlier) == [("customer", "ça bourre"), ("desk", "Quel est le modèle ?")]
    await answer(database, second, "Ouvrez le capot.")
    await tell(handle, said(3, "merci"))
    (again,) = await tell(handle, said(2, "une C750"))
    assert again.earlier == second.earlier


async def test_messages_of_one_batch_know_of_those_before_them(handle: Handler) -> None:
    _, second, third = await tell(handle, said(1, "un"), said(2, "deux"), said(3, "trois"))
    assert words(second.earlier) == [("customer", "un")]
    assert words(third.earlier) == [("customer", "un"), ("customer", "deux")]


async def test_only_the_last_turns_come_along_each_cut(handle: Handler) -> None:
    *_, last = await tell(handle, *(said(n, f"{n} " + "x" * 3_000) for n in range(1, 10)))
    assert [turn.text[:1] for turn in last.earlier] == list("345678")
    assert {len(turn.text) for turn in last.earlier} == {1_000}


@pytest.mark.parametrize("status", ["failed", "unknown"])
async def test_what_was_never_read_was_never_said(
    handle: Handler, database: Database, status: str
) -> None:
    (first,) = await tell(handle, said(1, "ça bourre"))
    await answer(database, first, "Ouvrez le capot.", status)
    (second,) = await tell(handle, said(2, "alors ?"))
    assert words(second.earlier) == [("customer", "ça bourre")]


async def test_a_colleague_who_joins_is_not_told_what_was_said_before(database: Database) -> None:
    handle = inbound_messages(database, Ours(("aide@desk.example",), "a secret"))
    mail = {"channel": "email", "from": "ana@exemple.example", "subject": "panne"}
    (first,) = await tell(handle, said(1, "notre contrat est le 4711", **mail))
    to = tagged("aide@desk.example", first.key, "a secret")
    joins = mail | {"from": "paul@autre.example", "to": to}
    (second,) = await tell(handle, said(2, "et alors ?", **joins))
    assert second.key == first.key
    assert second.earlier == ()


async def test_a_message_without_words_is_no_turn(handle: Handler, database: Database) -> None:
    await tell(handle, said(1, "ça bourre"))
    await database.write(lambda session: session.execute(update(Message).values(text="")))
    (second,) = await tell(handle, said(2, "alors ?"))
    assert not second.new_conversation
    assert second.earlier == ()
