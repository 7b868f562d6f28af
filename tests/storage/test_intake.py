"""What ingest reads of the record, and what it adds."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlmodel import Session, func, select

from schemas.printer import InboundMessage
from services.ingest.printer import arrive, new_conversation_id, receive
from storage import intake
from storage.database import Database
from storage.tables import Attachment, Contact, Conversation, Customer, Message, ThreadId
from tests.conftest import inbound
from tests.events import NOW


def take_in(
    session: Session, message: InboundMessage, conversation_id: str = "", new: bool = True
) -> str:
    """Write one message down, as ingest does."""
    arrival = arrive(message, message.text, NOW)
    known, additions = intake.Known(), intake.Additions()
    name = conversation_id or new_conversation_id(message)
    (told,) = receive(arrival, name, NOW, new_customer=new, new_conversation=not conversation_id)
    intake.note(known, additions, told, arrival.address, message, NOW)
    intake.add(session, additions)
    return name


def mail(number: int = 1, **changes: Any) -> InboundMessage:
    fields = {
        "channel": "email",
        "external_id": f"<{number}@x>",
        "from": "ana@exemple.example",
        "received_at": NOW + timedelta(minutes=number),
    }
    return inbound(**(fields | changes))


async def test_what_was_written_is_known(database: Database) -> None:
    name = await database.write(take_in, mail())
    known = await database.read(
        intake.look_up, [("email", "<1@x>")], ["mailto:ana@exemple.example"], ["<1@x>"]
    )
    assert known.messages["email", "<1@x>"].conversation_id == name
    assert known.threads == {"<1@x>": name}
    customer = known.customers["mailto:ana@exemple.example"]
    assert [c.conversation_id for c in known.conversations[customer]] == [name]
    assert known.owners == {name: customer}


async def test_a_customer_is_known_by_any_address(database: Database) -> None:
    name = await database.write(take_in, mail())

    def give_number(session: Session) -> str:
        (customer,) = session.exec(select(Customer))
        session.add(Contact(address="tel:+33612345678", customer_id=customer.customer_id))
        return customer.customer_id

    customer = await database.write(give_number)
    known = await database.read(intake.look_up, [], ["tel:+33612345678"], [])
    assert known.customers == {"tel:+33612345678": customer}
    assert [c.conversation_id for c in known.conversations[customer]] == [name]


async def test_what_was_not_written_is_not_known(database: Database) -> None:
    await database.write(take_in, mail())
    known = await database.read(
        intake.look_up, [("email", "<2@x>"), ("chat", "<1@x>")], ["mailto:eve@x.example"], ["<3@x>"]
    )
    assert known == intake.Known()


async def test_nothing_asked_is_nothing_known(database: Database) -> None:
    assert await database.read(intake.look_up, [], [], []) == intake.Known()


async def test_ids_that_differ_in_case_are_two_messages(database: Database) -> None:
    first = await database.write(take_in, mail(external_id="<CAFé@x>"))
    second = await database.write(take_in, mail(external_id="<cafE@x>"), "", False)
    keys = [("email", "<CAFé@x>"), ("email", "<cafE@x>")]
    known = await database.read(intake.look_up, keys, [], [name for _, name in keys])
    assert known.messages.keys() == set(keys)
    assert known.threads == {"<CAFé@x>": first, "<cafE@x>": second}


async def test_conversations_come_newest_first(database: Database) -> None:
    names = [await database.write(take_in, mail(n), "", n == 1) for n in (1, 2, 3)]
    known = await database.read(intake.look_up, [], ["mailto:ana@exemple.example"], [])
    (conversations,) = known.conversations.values()
    assert [c.conversation_id for c in conversations] == names[::-1]


async def test_writing_twice_changes_nothing(database: Database) -> None:
    files = [{"name": "photo.png", "size_bytes": 10**20, "reference": "r"}]
    for _ in range(2):
        await database.write(take_in, mail(text="un", attachments=files))
    await database.write(take_in, mail(text="deux"))

    def everything(session: Session) -> list[int]:
        tables: tuple[Any, ...] = (Customer, Contact, Conversation, Message, ThreadId, Attachment)
        return [session.exec(select(func.count()).select_from(table)).one() for table in tables]

    assert await database.read(everything) == [1, 1, 1, 1, 1, 1]
    row = await database.read(lambda session: session.exec(select(Message)).one())
    assert row.text == "un"


async def test_a_conversation_that_goes_on_is_on_the_road_again(database: Database) -> None:
    name = await database.write(take_in, mail(1))
    second = mail(2)
    await database.write(take_in, second, name, False)
    row = await database.read(lambda session: session.get(Conversation, name))
    assert row is not None
    assert (row.state, row.last_at) == ("on_the_road", NOW + timedelta(minutes=2))
    assert (row.last_message_id, row.version) == (str(second.event_id), 1)


async def test_what_a_mail_says_of_its_way_is_kept(database: Database) -> None:
    parts = {"to": "sav@exemple.example", "in_reply_to": "<0@x>", "references": ("<a@x>", "<0@x>")}
    await database.write(take_in, mail(**parts))
    row = await database.read(lambda session: session.exec(select(Message)).one())
    assert (row.recipient, row.in_reply_to) == ("sav@exemple.example", "<0@x>")
    assert row.mail_references == ["<a@x>", "<0@x>"]


async def test_the_longest_message_fits(database: Database) -> None:
    longest = mail(
        text="é" * 131_072,
        html="🖨" * 131_072,
        subject="é" * 998,
        external_id="é" * 255,
        attachments=[{"name": "é" * 998, "size_bytes": 1, "reference": "r"}] * 50,
    )
    await database.write(take_in, longest)
    row = await database.read(lambda session: session.exec(select(Message)).one())
    assert (row.text, row.received_html, row.subject) == (
        longest.text,
        longest.html,
        longest.subject,
    )
    assert len(row.attachments) == 50
    files = await database.read(lambda session: session.exec(select(Attachment)).all())
    assert {len(file.name) for file in files} == {998}
    assert len(files) == 50


async def test_chats_have_no_thread_ids(database: Database) -> None:
    await database.write(take_in, inbound(received_at=NOW))
    assert await database.read(lambda session: session.exec(select(ThreadId)).all()) == []
