"""What people have comes into the record: once, whole, and where they find it again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, SQLModel, col, select, update

from astreinte.importing import bringing
from astreinte.importing.bringing import Bringing, gather
from astreinte.importing.reading import read
from astreinte.importing.report import Report
from astreinte.importing.rows import Shelf
from schemas.errors import Unavailable
from schemas.printer import InboundMessage
from services.ingest.handlers import inbound_messages
from storage.database import Database
from storage.imports.messages import put_on_the_road
from storage.tables import (
    Article,
    ArticleVersion,
    Attachment,
    Contact,
    Conversation,
    Customer,
    Device,
    History,
    Imported,
    Message,
    Outgoing,
    PrinterModel,
)
from tests.conftest import inbound
from tests.storage.conftest import database, server  # noqa: F401 - fixtures

OLD = Path(__file__).parent / "old"
SEEDS = Path(__file__).parents[4] / "shared/data/seeds"
TABLES: tuple[type[SQLModel], ...] = (
    *(Article, ArticleVersion, Attachment, Contact, Conversation, Customer, Device, History),
    *(Imported, Message, Outgoing, PrinterModel),
)


async def bring(database: Database | None, *sources: object, origin: str = "") -> Report:  # noqa: F811
    report, shelf = Report(), Shelf()
    for source in sources:
        gather(read(str(source)), shelf, report, origin)
    await Bringing(shelf, report, database).run()
    shelf.close()
    return report


def counts(report: Report) -> dict[str, dict[str, int]]:
    return {name: dict(each) for name, each in report.tables.items()}


async def every(database: Database, table: Any) -> Sequence[Any]:  # noqa: F811
    return await database.read(lambda session: session.exec(select(table)).all())


async def one(database: Database, table: Any, **values: Any) -> Any:  # noqa: F811
    rows = [
        row
        for row in await every(database, table)
        if all(getattr(row, name) == value for name, value in values.items())
    ]
    assert len(rows) == 1, rows
    return rows[0]


async def everything(database: Database) -> dict[str, list[str]]:  # noqa: F811
    return {
        table.__name__: sorted(row.model_dump_json() for row in await every(database, table))
        for table in TABLES
    }


def saved(folder: Path, name: str, data: object) -> Path:
    path = folder / name
    path.write_text(
        data if isinstance(data, str) else json.dumps(data, ensure_ascii=False), "utf-8"
    )
    return path


# --- both dumps ------------------------------------------------------------------------------


async def test_the_dump_of_the_first_system_comes_in_whole(database: Database) -> None:  # noqa: F811
    report = await bring(database, OLD / "printer_support.sql")
    assert counts(report) == {
        "loyalty_points": {"skipped": 3},
        "predictions": {"skipped": 2},
        "customers": {"new": 3},
        "printer_models": {"new": 1},
        "devices": {"new": 2},
        "knowledge_base": {"new": 2},
        "tickets": {"new": 3, "skipped": 1},
        "messages": {"new": 5, "skipped": 1},
        "attachments": {"new": 1, "skipped": 1},
        "responses": {"new": 1, "skipped": 1},
        "ticket_history": {"new": 2},
    }
    assert {(skip.table, skip.reason) for skip in report.skips} == {
        ("loyalty_points", "unknown table"),
        ("predictions", "what the old stages noted of their work"),
        (
            "tickets",
            "body: Value error, a message without text: text, html and subject are all empty",
        ),
        (
            "messages",
            "body: Value error, a message without text: text, html and subject are all empty",
        ),
        ("attachments", "its message was not imported"),
        ("responses", "it was never sent"),
    }
    assert all(" line " in skip.place or "row(s)" in skip.place for skip in report.skips)


async def test_a_ticket_is_a_conversation_with_all_that_was_said(database: Database) -> None:  # noqa: F811
    await bring(database, OLD / "printer_support.sql")
    ticket = await one(database, Conversation, external_ref="SAV-2025-001")
    assert (ticket.state, ticket.reason, ticket.priority) == ("handed_over", "imported", "high")
    assert (ticket.category, ticket.assigned_to, ticket.confidence) == ("technical", "Léa", None)
    assert ticket.channel == "email"
    assert ticket.created_at == datetime(2025, 1, 20, 8, 0, tzinfo=UTC)
    assert ticket.last_at == datetime(2025, 1, 21, 9, 30, tzinfo=UTC)
    own = [m for m in await every(database, Message) if m.conversation_id == ticket.conversation_id]
    told = sorted((m.received_at, m.external_id, m.outcome, m.sender) for m in own)
    assert [each[1:] for each in told] == [
        ("<tambour-1@lafleur.example>", "imported", "ana.dupré@lafleur.example"),
        ("<tambour-2@lafleur.example>", "imported", "ana.dupré@lafleur.example"),
    ]
    answer = await one(database, Outgoing, conversation_id=ticket.conversation_id)
    assert (answer.status, answer.text) == ("sent", "Remplacez le tambour.")
    assert answer.how == "printer_support"
    assert (await one(database, Outgoing, text="La voici.")).how == "agent Léa"
    assert answer.told_at
    assert answer.message_id not in {m.message_id for m in own}
    photo = await one(database, Attachment)
    assert (photo.name, photo.size_bytes) == ("panneau.jpg", 2**31 - 1)
    closed = await one(database, Conversation, external_ref="102")
    assert (closed.state, closed.category) == ("closed", "billing")
    assert closed.resolved_at == datetime(2025, 1, 12, 10, 0, tzinfo=UTC)
    done = await one(database, History, action="status_changed")
    assert (done.actor_type, done.actor, done.detail) == ("agent", "Léa", {"to": "closed"})
    device = await one(database, Device, device_id=ticket.device_id)
    assert (device.serial_number, device.installed_on) == ("E78283H9N", date(2023, 5, 4))
    model = await one(database, PrinterModel)
    assert (device.model_id, model.specifications) == (
        model.model_id,
        {"couleur": False, "ppm": 30},
    )


async def test_a_message_of_no_ticket_is_a_conversation_of_its_own(database: Database) -> None:  # noqa: F811
    await bring(database, OLD / "printer_support.sql")
    call = await one(database, Message, channel="call")
    assert call.text == "Allô, c'est pour un bourrage papier dans le bac deux"
    assert call.sender == "+33199001234"
    assert (await one(database, Conversation, channel="call")).state == "handed_over"
    devis = await one(database, Message, external_id="wh-1")
    assert (devis.channel, devis.sender) == ("chat", "ref:printer_support/message/5")
    row = await one(database, Conversation, conversation_id=devis.conversation_id)
    assert row.state == "closed"


async def test_a_customer_is_known_by_mail_number_and_reference(database: Database) -> None:  # noqa: F811
    await bring(database, OLD / "printer_support.sql")
    ana = await one(database, Customer, name="Ana Dupré")
    assert (ana.company, ana.postal_address) == (
        "Menuiserie Lafleur",
        "12 rue des Érables\n75011 Paris",
    )
    assert ana.details == {"metadata": {"contrat": "or", "agences": [1, 2]}}
    assert ana.address == "mailto:ana.dupré@lafleur.example"
    contacts = {row.address: row.customer_id for row in await every(database, Contact)}
    bob = await one(database, Customer, name="Bob Marchand")
    assert contacts == {
        "mailto:ana.dupré@lafleur.example": ana.customer_id,
        "tel:+33639981207": ana.customer_id,  # a number that colleagues share
        "ref:printer_support/1": ana.customer_id,
        "mailto:bob@lafleur.example": bob.customer_id,
        "ref:printer_support/2": bob.customer_id,
        "tel:+33199001234": contacts["ref:printer_support/3"],
        "ref:printer_support/3": contacts["tel:+33199001234"],
        "ref:printer_support/message/5": contacts["ref:printer_support/message/5"],
    }


async def test_knowledge_is_kept_as_articles_in_their_language(database: Database) -> None:  # noqa: F811
    await bring(database, OLD / "printer_support.sql")
    article = await one(database, Article, title="Le tambour arrive en fin de vie")
    assert (article.error_codes, article.tags, article.version) == (["TO"], ["tambour"], 1)
    assert article.model_id == (await one(database, PrinterModel)).model_id
    version = await one(database, ArticleVersion, article_id=article.article_id)
    body = json.loads(version.body)
    assert (body["id"], body["language"]) == (article.article_id, "fr")
    assert body["fr"]["steps"] == ["Éteindre l'imprimante", "Sortir le bloc", "Changer le tambour"]
    assert body["fr"]["symptoms"] == ["Le panneau affiche « Remplacer tambour »"]
    english = await one(database, Article, title="The queue is stuck")
    told = json.loads((await one(database, ArticleVersion, article_id=english.article_id)).body)
    assert told["en"]["steps"] == ["Restart the spooler service.\nThen print again."]


async def test_the_dump_of_the_older_system_comes_in_whole(database: Database) -> None:  # noqa: F811
    report = await bring(database, OLD / "support_client.sql")
    assert counts(report) == {
        "clients": {"new": 2},
        "resolutions": {"new": 1},
        "tickets": {"new": 3},
        "ticket_history": {"new": 1},
    }
    ticket = await one(database, Conversation, external_ref="T01")
    assert (ticket.state, ticket.category, ticket.assigned_to) == (
        "answered",
        "authentification",
        "IA",
    )
    zoe = await one(database, Customer, customer_id=ticket.customer_id)
    assert (zoe.name, zoe.address) == ("Zoé Épinette", "mailto:zoé.épinette@exemple.example")
    kept = await one(database, History, action="imported", conversation_id=ticket.conversation_id)
    assert kept.detail == {"auto_resolvable": True, "subcategory": "session"}
    call = await one(database, Conversation, external_ref="T02")
    assert (call.state, call.channel, call.priority) == ("handed_over", "call", "medium")
    words = await one(database, Message, conversation_id=call.conversation_id)
    assert words.sender == "ref:support_client/K02"  # a call, and no number is known
    nobody = await one(database, Conversation, external_ref="T03")
    assert nobody.state == "closed"


# --- again, and changed ----------------------------------------------------------------------


async def test_the_same_again_changes_nothing(database: Database) -> None:  # noqa: F811
    await bring(database, OLD)
    before = await everything(database)
    report = await bring(database, OLD)
    assert await everything(database) == before
    outcomes = {outcome for each in report.tables.values() for outcome in each}
    assert outcomes == {"unchanged", "skipped"}


async def test_a_folder_is_what_its_files_are_one_by_one(database: Database) -> None:  # noqa: F811
    await bring(database, OLD)
    report = await bring(database, OLD / "support_client.sql", OLD / "printer_support.sql")
    assert {outcome for each in report.tables.values() for outcome in each} == {
        "unchanged",
        "skipped",
    }


async def test_what_changed_there_changes_here(database: Database, tmp_path: Path) -> None:  # noqa: F811
    ticket = {"ticket_id": "T1", "client_id": "K1", "content": "un", "status": "new"}
    client = {"client_id": "K1", "nom": "Nil", "email": "nil@x.example"}
    article = {"knowledge_base_ref": "KB1", "solution_title": "t", "solution_full_text": "un"}

    async def again() -> dict[str, dict[str, int]]:
        data = {"tickets": [ticket], "clients": [client], "resolutions": [article]}
        return counts(await bring(database, saved(tmp_path, "a.json", data)))

    await again()
    ticket |= {"content": "deux", "status": "closed", "priority": "high"}
    client |= {"entreprise": "Nil & Co", "telephone": "0639980001"}
    article |= {"solution_full_text": "deux"}
    assert set(map(str, (await again()).values())) == {"{'updated': 1}"}
    row = await one(database, Conversation)
    assert (row.state, row.priority, row.version) == ("closed", "high", 1)
    assert (await one(database, Message)).text == "deux"
    assert (await one(database, Customer)).company == "Nil & Co"
    assert "tel:+33639980001" in {contact.address for contact in await every(database, Contact)}
    assert (await one(database, Article)).version == 2
    bodies = sorted(
        (row.version, json.loads(row.body)["fr"]["solution"])
        for row in await every(database, ArticleVersion)
    )
    assert bodies == [(1, "un"), (2, "deux")]


async def test_a_conversation_that_has_gone_on_here_is_left_to_us(
    database: Database,  # noqa: F811
    tmp_path: Path,
) -> None:
    ticket = {"ticket_id": "T1", "client_id": "K1", "email": "nil@x.example", "channel": "email"}
    ticket |= {"subject": "Panne", "content": "un", "created_at": datetime.now(UTC).isoformat()}
    ticket["status"] = "open"
    await bring(database, saved(tmp_path, "tickets.json", [ticket]))
    again = inbound("et alors ?", channel="email", subject="Re: Panne", **{"from": "nil@x.example"})
    [[told]] = await inbound_messages(database)([again])
    row = await one(database, Conversation)
    assert (told.key, row.state) == (row.conversation_id, "on_the_road")
    ticket["status"] = "closed"
    report = await bring(database, saved(tmp_path, "tickets.json", [ticket]))
    assert counts(report) == {"tickets": {"skipped": 1}}
    assert "has gone on" in report.skips[0].reason
    assert (await one(database, Conversation)).state == "on_the_road"


# --- who is who ------------------------------------------------------------------------------


async def test_a_customer_who_wrote_before_is_not_doubled(database: Database) -> None:  # noqa: F811
    wrote = inbound(channel="email", **{"from": "Sam@Exemple.example"})
    called = inbound(channel="call", **{"from": "+33639980001"})
    tell = inbound_messages(database)
    [[mail], [call]] = await tell([wrote, called])
    await bring(database, OLD / "support_client.sql")
    assert (
        await one(database, Customer, name="Sam O'Brien")
    ).customer_id == mail.message.customer_id
    assert (
        await one(database, Customer, name="Zoé Épinette")
    ).customer_id == call.message.customer_id
    assert len(await every(database, Customer)) == 3  # and the one of no name


async def test_whoever_was_imported_is_recognised_when_they_write(database: Database) -> None:  # noqa: F811
    await bring(database, OLD)
    zoe = await one(database, Customer, name="Zoé Épinette")
    tell = inbound_messages(database)
    [[mail], [sms], [ref]] = await tell(
        [
            inbound(channel="email", **{"from": "zoé.épinette@exemple.example"}),
            inbound(channel="sms", **{"from": "06 39 98 00 01"}),
            inbound(customer_ref="support_client/K01", **{"from": None}),
        ]
    )
    assert {each.message.customer_id for each in (mail, sms, ref)} == {zoe.customer_id}
    assert not any(each.new_customer for each in (mail, sms, ref))


async def test_tickets_may_come_before_their_customers(database: Database, tmp_path: Path) -> None:  # noqa: F811
    tickets = [{"ticket_id": "T1", "client_id": "K1", "content": "un"}]
    await bring(database, saved(tmp_path, "tickets.json", tickets))
    clients = [{"client_id": "K1", "nom": "Nil", "email": "nil@x.example"}]
    await bring(database, saved(tmp_path, "clients.json", clients))
    customer = await one(database, Customer)
    assert customer.name == "Nil"
    assert (await one(database, Conversation)).customer_id == customer.customer_id


async def test_two_exports_may_use_the_same_numbers(database: Database, tmp_path: Path) -> None:  # noqa: F811
    path = saved(tmp_path, "tickets.csv", "id,email,text\n1,a@x.example,un\n")
    await bring(database, path, origin="nord")
    await bring(database, path, origin="sud")
    rows = await every(database, Conversation)
    assert {row.external_ref for row in rows} == {"1", "sud/1"}
    assert {row.state for row in rows} == {"closed"}
    assert len(await every(database, Customer)) == 1


# --- mail ------------------------------------------------------------------------------------


def mail(number: int, day: int, **headers: str) -> str:
    lines = {"From": "ana@x.example", "Subject": "Panne", "Message-ID": f"<{number}@x>"}
    lines |= {"Date": f"{day:02} Jan 2025 08:00:00 +0000"} | headers
    return "".join(f"{name}: {value}\n" for name, value in lines.items()) + f"\nnuméro {number}\n"


async def test_mails_are_conversations_as_if_they_had_come_in(
    database: Database,  # noqa: F811
    tmp_path: Path,
) -> None:
    saved(tmp_path, "a.eml", mail(2, 9, **{"In-Reply-To": "<1@x>", "Subject": "Autre"}))
    saved(tmp_path, "b.eml", mail(1, 8))
    saved(tmp_path, "c.eml", mail(1, 8))
    saved(tmp_path, "d.eml", mail(3, 30, From="nobody at all"))
    report = await bring(database, tmp_path)
    assert counts(report) == {"mail": {"new": 2, "unchanged": 1, "skipped": 1}}
    row = await one(database, Conversation)
    assert (row.state, row.reason, row.subject) == ("closed", "imported", "Panne")
    assert row.last_at == datetime(2025, 1, 9, 8, 0, tzinfo=UTC)
    assert {message.outcome for message in await every(database, Message)} == {"imported"}
    before = await everything(database)
    assert counts(await bring(database, tmp_path)) == {"mail": {"unchanged": 3, "skipped": 1}}
    assert await everything(database) == before


async def test_an_old_mail_does_not_wake_a_conversation(database: Database, tmp_path: Path) -> None:  # noqa: F811
    when = datetime(2025, 1, 9, tzinfo=UTC)
    fields = {"channel": "email", "subject": "Panne", "received_at": when, "external_id": "<5@x>"}
    [[told]] = await inbound_messages(database)([inbound(**fields, **{"from": "ana@x.example"})])
    await database.write(
        lambda session: session.execute(update(Conversation).values(state="answered"))
    )
    saved(tmp_path, "a.eml", mail(1, 10))
    await bring(database, tmp_path)
    row = await one(database, Conversation)
    assert (row.state, row.last_at, row.version) == ("answered", when, 0)
    assert row.last_message_id == str(told.message.message_id)
    assert len(await every(database, Message)) == 2


# --- what goes wrong -------------------------------------------------------------------------


async def test_rows_that_cannot_be_used_leave_the_others_alone(
    database: Database,  # noqa: F811
    tmp_path: Path,
) -> None:
    rows = [
        {"ticket_id": 1, "client_id": "K1", "content": "un"},
        {"ticket_id": 2, "client_id": "K1", "content": "deux", "channel": "pigeon"},
        {"ticket_id": 3, "client_id": "K1", "content": "trois", "created_at": "hier"},
        {"ticket_id": 4, "client_id": "K1", "content": "x" * 131_073},
        {"ticket_id": 5, "client_id": "K1", "content": ["liste"]},
        {"ticket_id": 1, "client_id": "K1", "content": "encore un"},
        {"ticket_id": 6, "client_id": "K1", "content": "a\0b \ud800", "subject": "s" * 5_000},
        {"ticket_id": 7, "client_id": "c" * 5_000, "content": "sept", "assigned_to": "é" * 500},
        {"ticket_id": 8, "client_id": "K1", "content": "huit", "created_at": "0000-00-00 00:00:00"},
    ]
    (tmp_path / "tickets.json").write_text(json.dumps(rows))
    report = await bring(database, tmp_path / "tickets.json")
    assert counts(report) == {"tickets": {"new": 4, "skipped": 5}}
    assert [(skip.place, skip.reason) for skip in report.skips] == [
        ("tickets.json row 2", "unknown channel 'pigeon'"),
        (
            "tickets.json row 3",
            "received_at: neither ISO 8601, dd/mm/yyyy hh:mm:ss, nor seconds since 1970",
        ),
        ("tickets.json row 4", "a text of more than 131072 characters"),
        ("tickets.json row 5", "text: a text is needed, not a list"),
        ("tickets.json row 6", "a row of the same id was read before"),
    ]
    assert (await one(database, Conversation, external_ref="6")).subject == "s" * 998
    assert len((await one(database, Conversation, external_ref="7")).assigned_to) == 80


async def test_one_row_that_the_database_refuses_does_not_take_its_neighbours_along(
    database: Database,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuses(work: Any) -> Any:
        if any(item.external_id == "K2" for item in work.items):
            work.session.add(Contact(address="chat:x", customer_id="nobody"))
            work.session.flush()
        return real(work)

    real = bringing.WRITERS["customer"]
    monkeypatch.setitem(bringing.WRITERS, "customer", refuses)
    clients = [{"client_id": f"K{n}", "email": f"k{n}@x.example"} for n in (1, 2, 3)]
    report = await bring(database, saved(tmp_path, "clients.json", clients))
    assert counts(report) == {"clients": {"new": 2, "skipped": 1}}
    assert report.skips[0].place == "clients.json row 2"
    assert "the database refuses it" in report.skips[0].reason


async def test_a_record_that_is_busy_for_a_moment_is_waited_for(
    database: Database,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    busy = [Unavailable("a deadlock"), Unavailable("a deadlock")]

    def waits(work: Any) -> Any:
        if busy:
            raise busy.pop()
        return real(work)

    real = bringing.WRITERS["customer"]
    monkeypatch.setitem(bringing.WRITERS, "customer", waits)
    monkeypatch.setattr(bringing, "WAITS_S", (0.01, 0.01))
    report = await bring(database, saved(tmp_path, "clients.json", [{"client_id": "K1"}]))
    assert counts(report) == {"clients": {"new": 1}}


async def test_ids_of_any_length_are_taken(database: Database, tmp_path: Path) -> None:  # noqa: F811
    rows = [{"id": f"{n}{'é' * 5_000}", "text": "x", "email": "a@x.example"} for n in (1, 2)]
    path = saved(tmp_path, f"{'n' * 100}.json", rows)
    assert counts(await bring(database, path)) == {"tickets": {"new": 2}}
    assert counts(await bring(database, path)) == {"tickets": {"unchanged": 2}}


async def test_a_dry_run_says_what_could_be_used_and_needs_no_record() -> None:
    report = await bring(None, OLD / "printer_support.sql")
    assert counts(report)["messages"] == {"usable": 5, "skipped": 1}
    assert report.used == 21


# --- on the road -----------------------------------------------------------------------------


async def test_messages_of_open_tickets_are_taken_for_a_trial_as_they_came(
    database: Database,  # noqa: F811
) -> None:
    await bring(database, OLD)

    def take(session: Session, only_open: bool) -> list[InboundMessage]:
        return put_on_the_road(session, ["support_client"], only_open=only_open)

    [message] = await database.write(take, True)
    assert (message.trial, message.channel.value, message.customer_ref) == (
        True,
        "call",
        "support_client/K02",
    )
    row = await one(database, Message, external_id="support_client/ticket/T02")
    assert (str(message.event_id), row.outcome, row.trial) == (row.message_id, "", True)
    [[told]] = await inbound_messages(database)([message])
    assert (told.message.conversation_id, told.message.trial) == (row.conversation_id, True)
    assert (
        told.message.customer_id == (await one(database, Customer, name="Sam O'Brien")).customer_id
    )
    assert len(await database.write(take, True)) == 1, "its road has not ended"
    ended = update(Message).where(col(Message.message_id) == row.message_id)
    await database.write(lambda session: session.execute(ended.values(outcome="handed_over")))
    assert await database.write(take, True) == []
    assert len(await database.write(take, False)) == 2


# --- the data of the first systems -----------------------------------------------------------


@pytest.mark.skipif(not SEEDS.exists(), reason="the shared data are not here")
async def test_the_data_of_the_first_systems_come_in_whole(database: Database) -> None:  # noqa: F811
    names = ("tickets", "clients", "resolutions", "kb_lexmark_c750", "printer_samples")
    report = await bring(database, *(SEEDS / f"{name}.json" for name in names))
    assert counts(report) == {
        "customers": {"new": 3},
        "clients": {"new": 48},
        "printer_models": {"new": 1},
        "devices": {"new": 3},
        "knowledge_base": {"new": 17},
        "resolutions": {"new": 5},
        "tickets": {"new": 50},
    }
    assert len(await every(database, Customer)) == 51
    contacts = [row.address for row in await every(database, Contact)]
    assert sum(not address.isascii() for address in contacts) == 5
    devices = await every(database, Device)
    assert len({row.customer_id for row in devices}) == 3
    assert {row.model_id for row in devices} == {(await one(database, PrinterModel)).model_id}
