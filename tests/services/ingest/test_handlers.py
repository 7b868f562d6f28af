"""Ingest at its edge: once, whoever tells it and however often."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session, col, func, select, update

from schemas.printer import InboundMessage, MessageReceived
from schemas.tags import tagged
from services.ingest.handlers import inbound_messages
from services.ingest.printer import Ours
from services.policy import Handler
from storage.database import Database
from storage.tables import Contact, Conversation, Customer, Message, ThreadId
from tests.conftest import inbound


@pytest.fixture
def handle(database: Database) -> Handler:
    return inbound_messages(database)


async def tell(handle: Handler, *messages: InboundMessage) -> list[MessageReceived]:
    return [event for events in await handle(messages) for event in events]


def count(session: Session) -> tuple[int, int, int]:
    tables: tuple[Any, ...] = (Customer, Conversation, Message)
    found = tuple(session.exec(select(func.count()).select_from(table)).one() for table in tables)
    return found[0], found[1], found[2]


async def test_a_message_told_twice_is_written_once_and_told_the_same(
    handle: Handler, database: Database
) -> None:
    message = inbound("bonjour")
    (first,) = await tell(handle, message)
    (again,) = await tell(handle, message)
    assert again.model_copy(update={"occurred_at": first.occurred_at}) == first
    assert again.new_customer
    assert await database.read(count) == (1, 1, 1)


async def test_twice_in_one_batch_is_once_too(handle: Handler, database: Database) -> None:
    message = inbound("bonjour")
    first, again = await tell(handle, message, message)
    assert first == again
    assert await database.read(count) == (1, 1, 1)


async def test_a_message_whose_road_is_finished_is_left_alone(
    handle: Handler, database: Database
) -> None:
    message = inbound()
    await tell(handle, message)
    await database.write(
        lambda session: session.execute(update(Message).values(outcome="answered"))
    )
    assert await tell(handle, message) == []


async def test_two_messages_of_one_sender_share_a_conversation_within_a_batch(
    handle: Handler, database: Database
) -> None:
    first, second = await tell(handle, inbound("un"), inbound("deux"))
    assert first.key == second.key
    assert (first.new_customer, first.new_conversation) == (True, True)
    assert (second.new_customer, second.new_conversation) == (False, False)
    assert await database.read(count) == (1, 1, 2)


async def test_a_batch_tells_in_the_order_in_which_it_came(handle: Handler) -> None:
    messages = [inbound(str(n), **{"from": f"visiteur {n % 3}"}) for n in range(12)]
    told = await handle(messages)
    assert [events[0].message.text for events in told] == [str(n) for n in range(12)]


def mail(number: int, **changes: Any) -> InboundMessage:
    fields = {
        "channel": "email",
        "external_id": f"<{number}@x>",
        "from": "ana@exemple.example",
        "subject": f"sujet {number}",
    }
    return inbound(**(fields | changes))


async def test_a_mail_finds_its_conversation_by_what_it_answers_to(handle: Handler) -> None:
    (first,) = await tell(handle, mail(1))
    (second,) = await tell(handle, mail(2, in_reply_to="<1@x>"))
    (third,) = await tell(handle, mail(3, references=("<0@x>", "<2@x>")))
    (fourth,) = await tell(handle, mail(4))
    assert first.key == second.key == third.key != fourth.key


async def test_a_mail_finds_its_conversation_within_a_batch_too(handle: Handler) -> None:
    first, second = await tell(handle, mail(1), mail(2, in_reply_to="<1@x>"))
    assert first.key == second.key


async def test_a_stranger_who_names_a_thread_does_not_get_in(handle: Handler) -> None:
    (first,) = await tell(handle, mail(1))
    (forged,) = await tell(handle, mail(2, in_reply_to="<1@x>", **{"from": "eve@exemple.example"}))
    assert forged.key != first.key
    assert forged.new_customer


async def test_mails_are_known_by_their_message_id_and_others_are_not(
    handle: Handler, database: Database
) -> None:
    await tell(handle, mail(1), inbound())
    found = await database.read(lambda session: session.exec(select(ThreadId.mail_id)).all())
    assert found == ["<1@x>"]


async def test_what_was_received_is_kept_beside_what_was_cleaned(
    handle: Handler, database: Database
) -> None:
    await tell(handle, mail(1, text="Merci\u200b.\r\n> avant", html="<p>Merci.</p>"))
    row = await database.read(lambda session: session.exec(select(Message)).one())
    assert (row.text, row.received_text) == ("Merci.", "Merci\u200b.\r\n> avant")
    assert row.received_html == "<p>Merci.</p>"


async def test_html_alone_becomes_text(handle: Handler) -> None:
    page = "<style>p{}</style><p>Bon<b>jour</b></p><script>x()</script><p>ça bourre</p>"
    (told,) = await tell(handle, inbound("", html=page))
    assert told.message.text == "Bonjour\nça bourre"


async def test_a_message_that_shows_nothing_is_received_all_the_same(handle: Handler) -> None:
    (told,) = await tell(handle, inbound("", html="<script>x()</script>"))
    assert told.message.text == ""


async def test_a_new_message_puts_its_conversation_back_on_the_road(
    handle: Handler, database: Database
) -> None:
    (first,) = await tell(handle, inbound())
    await database.write(
        lambda session: session.execute(
            update(Conversation)
            .where(col(Conversation.conversation_id) == first.key)
            .values(state="answered", reason="grounded")
        )
    )
    later = datetime.now(UTC) + timedelta(minutes=5)
    await tell(handle, inbound(received_at=later))
    row = await database.read(lambda session: session.get(Conversation, first.key))
    assert row is not None
    assert (row.state, row.reason, row.last_at) == ("on_the_road", "", later)


async def give(database: Database, customer_id: str, address: str) -> None:
    await database.write(
        lambda session: session.add(Contact(address=address, customer_id=customer_id))
    )


async def test_a_customer_who_is_known_by_a_number_is_met_again_by_it(
    handle: Handler, database: Database
) -> None:
    (first,) = await tell(handle, mail(1))
    customer = first.message.customer_id
    await give(database, customer, "tel:+33612345678")
    (second,) = await tell(handle, inbound(channel="sms", **{"from": "06 12 34 56 78"}))
    assert (second.message.customer_id, second.new_customer) == (customer, False)
    assert second.key != first.key
    (third,) = await tell(handle, inbound(channel="sms", **{"from": "0612345678"}))
    assert third.key == second.key
    assert await database.read(count) == (1, 2, 3)


async def test_a_message_told_again_is_told_of_whoever_wrote_it_then(
    handle: Handler, database: Database
) -> None:
    message = inbound(channel="sms", **{"from": "0612345678"})
    (first,) = await tell(handle, message)
    (other,) = await tell(handle, mail(1))
    await database.write(
        lambda session: session.execute(
            update(Contact).values(customer_id=other.message.customer_id)
        )
    )
    (again,) = await tell(handle, message)
    assert again.message == first.message


async def test_a_new_customer_is_known_by_the_address_from_then_on(
    handle: Handler, database: Database
) -> None:
    (told,) = await tell(handle, mail(1))
    rows = await database.read(lambda session: session.exec(select(Contact)).all())
    assert [(row.address, row.customer_id) for row in rows] == [
        ("mailto:ana@exemple.example", told.message.customer_id)
    ]


OURS = Ours(("aide@desk.example",), "a secret")


async def test_an_answer_to_a_closed_conversation_under_a_new_subject_is_a_new_linked_one(
    handle: Handler, database: Database
) -> None:
    (first,) = await tell(handle, mail("panne", external_id="<1@x>", subject="Panne"))
    await database.write(
        lambda session: session.execute(update(Conversation).values(state="closed"))
    )
    (same,) = await tell(handle, mail("encore", in_reply_to="<1@x>", subject="RE: Panne"))
    assert (same.key, same.new_conversation) == (first.key, False)
    await database.write(
        lambda session: session.execute(update(Conversation).values(state="closed"))
    )
    (other,) = await tell(handle, mail("toner vide", in_reply_to="<1@x>", subject="Toner"))
    assert other.new_conversation and not other.new_customer

    def follows(session: Session) -> dict[str, str | None]:
        return {one.conversation_id: one.follows for one in session.exec(select(Conversation))}

    assert await database.read(follows) == {first.key: None, other.key: first.key}


async def test_a_colleague_who_has_the_tag_joins_and_the_conversation_stays_its_customers(
    database: Database,
) -> None:
    handle = inbound_messages(database, OURS)
    (first,) = await tell(handle, mail("panne"))
    to = tagged("aide@desk.example", first.key, "a secret")
    joins = mail("je suis son collègue", to=to, subject="x", **{"from": "paul@autre.example"})
    (second,), (again,) = await tell(handle, joins), await tell(handle, joins)
    assert (second.key, second.message.customer_id) == (first.key, first.message.customer_id)
    assert again.model_copy(update={"occurred_at": second.occurred_at}) == second
    assert await database.read(count) == (1, 1, 2)

    def recipients(session: Session) -> set[str]:
        return set(session.exec(select(Message.recipient)))

    assert "aide@desk.example" in await database.read(recipients)


async def test_the_number_of_an_imported_ticket_counts_for_its_customer_only(
    handle: Handler, database: Database
) -> None:
    (first,) = await tell(handle, mail("panne", subject="Panne"))
    await database.write(
        lambda session: session.execute(update(Conversation).values(external_ref="4711"))
    )
    (theirs,) = await tell(handle, mail("alors ?", subject="[#4711] où en est-on"))
    (foreign,) = await tell(
        handle, mail("moi aussi", subject="[#4711]", **{"from": "eve@autre.example"})
    )
    assert theirs.key == first.key != foreign.key


async def test_a_ticket_system_that_says_the_same_again_is_not_answered_however_often_it_is_told(
    handle: Handler,
) -> None:
    ack = "Nous avons bien reçu votre demande numéro {}. Un conseiller vous répondra."
    (first,) = await tell(handle, mail(ack.format(1), external_id="<1@x>"))
    again = mail(ack.format(2), in_reply_to="<1@x>")
    (second,), (told_again,) = await tell(handle, again), await tell(handle, again)
    assert first.message.automatic is None
    assert second.message.automatic == "boucle de messages (mêmes mots)"
    assert told_again.message.automatic == second.message.automatic
