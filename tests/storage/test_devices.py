"""What extract reads of the record: customers' printers, and what people said of findings."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlmodel import Session, select

from knowledge.catalogue import load_catalogue
from knowledge.extraction.corrections import Correction
from schemas.printer import MessageClassified, MessageExtracted
from services.extract.handlers import classified_messages
from services.ingest.handlers import _take_in
from services.ingest.printer import arrive
from storage import devices
from storage.database import Database
from storage.tables import Customer, Device, History, Message, PrinterModel
from tests.conftest import inbound
from tests.events import NOW, judged

CATALOGUE = load_catalogue()
ANA, BOB = "ana@exemple.example", "bob@exemple.example"


class Desk:
    """Messages come in and are read, by the stages' own handlers, with a real record."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.handle = classified_messages(CATALOGUE, database)
        self.number = 0

    async def read(self, text: str, sender: str = ANA, **changes: Any) -> MessageExtracted:
        self.number += 1
        fields = {
            "external_id": f"<{self.number}@x>",
            "channel": "email",
            "from": sender,
            "received_at": NOW + timedelta(minutes=self.number),
        }
        came = inbound(text, **(fields | changes))
        ((received,),) = await self.database.write(_take_in, [arrive(came, text, NOW)], NOW)
        event = MessageClassified.after(received, NOW, classification=judged())
        ((told,),) = await self.handle([event])
        assert isinstance(told, MessageExtracted)
        return told

    async def give(self, sender: str, **device: Any) -> None:
        await self.database.write(give, sender, device)

    async def correct(
        self, told: MessageExtracted, kind: str, value: str, old: str = "", words: str = ""
    ) -> bool:
        def work(session: Session) -> bool:
            message = devices.message_named(session, str(told.message.message_id))
            assert message
            said = Correction(message.conversation_id, kind, old, value, words)
            return devices.correct(session, message, said, "léa", NOW)

        return await self.database.write(work)


def give(session: Session, sender: str, device: dict[str, Any]) -> None:
    (customer,) = session.exec(select(Customer).where(Customer.address == f"mailto:{sender}"))
    model = device.pop("model", "C750")
    if session.get(PrinterModel, model) is None:
        session.add(
            PrinterModel(model_id=model, manufacturer=device.pop("brand", "Lexmark"), name=model)
        )
        session.flush()
    device.pop("brand", None)
    name = device.get("serial_number") or "none"
    row: dict[str, Any] = (
        {"device_id": f"d-{name}", "serial_number": "", "customer_id": customer.customer_id}
        | {"model_id": model, "created_at": NOW}
        | device
    )
    session.add(Device(**row))


@pytest.fixture
async def desk(database: Database) -> Desk:
    made = Desk(database)
    await made.read("bonjour")
    await made.read("bonjour", BOB)
    return made


def serials(told: MessageExtracted) -> list[tuple[str, float, str]]:
    found = [each for each in told.findings if each.kind == "serial_number"]
    return [(each.value, each.confidence, each.by) for each in found]


async def test_the_only_device_is_meant_and_its_warranty_told(desk: Desk) -> None:
    day = NOW.date()
    await desk.give(ANA, serial_number="LEX-C750-001", warranty_until=day, location="Accueil")
    told = await desk.read("elle ne marche plus")
    assert told.device
    assert (told.device.model, told.device.brand, told.device.by) == ("C750", "Lexmark", "only")
    assert told.device.under_warranty is True
    assert "appareil d-LEX-C750-001 (le seul du client)" in told.why
    later = await desk.read("elle ne marche plus", received_at=NOW + timedelta(days=1))
    assert later.device
    assert later.device.under_warranty is False


async def test_a_device_without_a_date_has_no_warranty_to_tell_of(desk: Desk) -> None:
    await desk.give(ANA, serial_number="LEX-C750-001")
    told = await desk.read("elle ne marche plus")
    assert told.device
    assert told.device.under_warranty is None


@pytest.mark.parametrize(
    "text",
    ["S/N LEXC750001", "n° de série LEX-C75O-OO1", "lex c750 001 en panne", "série : LEX-C750-01"],
)
async def test_a_serial_number_tells_the_device_even_when_misread(desk: Desk, text: str) -> None:
    await desk.give(ANA, serial_number="LEX-C750-001", warranty_until=date(2020, 1, 1))
    await desk.give(ANA, serial_number="7528ABC", model="E260")
    told = await desk.read(text)
    assert told.device
    assert (told.device.serial_number, told.device.by) == ("LEX-C750-001", "serial")
    assert [(value, by) for value, _, by in serials(told)] == [("LEX-C750-001", "record")]


async def test_another_customers_serial_number_reveals_nothing(desk: Desk) -> None:
    await desk.give(BOB, serial_number="CNB9K12345", model="M404dn", brand="HP", location="Coffre")
    words = "n° de série {}, elle est sous garantie ?"
    theirs = await desk.read(words.format("CNB9K12345"))
    nobodys = await desk.read(words.format("CNB9K54321"))
    assert theirs.device is None
    assert [each[1:] for each in serials(theirs)] == [each[1:] for each in serials(nobodys)]
    assert "Coffre" not in theirs.model_dump_json()


async def test_a_serial_number_of_none_of_their_devices_is_less_sure_and_says_so(
    desk: Desk,
) -> None:
    told = await desk.read("n° de série CNB9K54321")
    ((_, before, _),) = serials(told)
    await desk.give(ANA, serial_number="LEX-C750-001")
    told = await desk.read("n° de série CNB9K54321")
    ((value, sure, by),) = serials(told)
    assert value == "CNB9K54321"
    assert sure < before
    assert "not of the customer's devices" in by
    assert told.device is None


@pytest.mark.parametrize(
    ("text", "device", "by"),
    [
        ("la C750 bourre", "d-A1", "model"),
        ("la lexmark c 750 n imprime plus", "d-A1", "model"),
        ("notre HP bourre", "d-B2", "brand"),
        ("celle du 3e étage bourre", "d-C3", "location"),
        ("la E260 du 3e étage", "d-C3", "model"),
        ("la MS421dn bourre", None, None),
        ("notre Ricoh bourre", None, None),
        ("elle bourre", None, None),
        ("notre Lexmark bourre", None, None),
    ],
)
async def test_of_several_devices_the_one_that_is_spoken_of_is_meant(
    desk: Desk, text: str, device: str | None, by: str | None
) -> None:
    await desk.give(ANA, serial_number="A1", model="C750", location="Accueil")
    await desk.give(ANA, serial_number="B2", model="LaserJet Pro M404dn", brand="HP")
    await desk.give(ANA, serial_number="C3", model="E260", location="3e étage")
    told = await desk.read(text)
    assert (told.device and told.device.device_id) == device
    assert (told.device and told.device.by) == by


async def test_a_correction_holds_for_what_comes_later_and_is_remembered_once(desk: Desk) -> None:
    first = await desk.read("la E260 affiche 900.xx", in_reply_to=None)
    assert await desk.correct(first, "model", "C750", old="E260")
    assert not await desk.correct(first, "model", "C750", old="E260")
    again = await desk.read("la E260 affiche toujours 900.xx", in_reply_to="<3@x>")
    assert again.message.conversation_id == first.message.conversation_id
    assert [(f.value, f.by) for f in again.findings if f.kind == "model"] == [("C750", "agent")]
    silent = await desk.read("toujours rien", in_reply_to="<3@x>")
    assert [(f.kind, f.value, f.start, f.end, f.by) for f in silent.findings] == [
        ("brand", "Lexmark", 0, 0, "earlier"),
        ("error_code", "900.XX", 0, 0, "earlier"),
        ("model", "C750", 0, 0, "agent"),
    ]
    elsewhere = await desk.read("la E260 bourre", BOB)
    assert elsewhere.first("model") == "E260"

    def counted(session: Session) -> int:
        return len(session.exec(select(History).where(History.action == "corrected")).all())

    assert await desk.database.read(counted) == 1


async def test_a_customers_own_words_for_a_device_are_learnt(desk: Desk) -> None:
    first = await desk.read("notre grosse bleue du 2e est en panne")
    await desk.correct(first, "model", "C750", words="Notre grosse bleue du 2e")
    told = await desk.read(
        "NOTRE GROSSE BLEUE du 2e bourre encore", received_at=NOW + timedelta(hours=20)
    )
    (found,) = [each for each in told.findings if each.kind == "model"]
    assert (found.value, found.by) == ("C750", "agent")
    assert told.message.text[found.start : found.end] == "NOTRE GROSSE BLEUE du 2e"
    other = await desk.read("notre grosse bleue du 2e bourre", BOB)
    assert other.first("model") is None


async def test_what_a_person_took_away_stays_away_and_the_last_word_counts(desk: Desk) -> None:
    first = await desk.read("code E-05 sur la Brother HL-L2350DW")
    await desk.correct(first, "error_code", "", old="E-05")
    told = await desk.read("encore le code E-05", in_reply_to="<3@x>")
    assert told.first("error_code") is None
    await desk.correct(first, "error_code", "E-05")
    told = await desk.read("encore le code E-05", in_reply_to="<3@x>")
    assert told.first("error_code") == "E-05"


async def test_a_message_is_named_by_itself_or_by_its_conversation(desk: Desk) -> None:
    told = await desk.read("la E260 bourre")

    def look(session: Session, name: str) -> Message | None:
        return devices.message_named(session, name)

    for name in (str(told.message.message_id), told.message.conversation_id):
        found = await desk.database.read(look, name)
        assert found
        assert found.message_id == str(told.message.message_id)
    assert await desk.database.read(look, "nobody") is None
