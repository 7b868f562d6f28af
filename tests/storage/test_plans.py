"""No query that runs often reads a whole table, on any database.

The statements are those that the real functions send while they run on a record of some age; each
is then explained by the database itself. Plans are compared with the size of the tables, not with
time.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, event, text
from sqlmodel import Session, SQLModel

from knowledge.extraction.corrections import Correction as Said
from services import breaker as stopped
from services.record import keep
from services.steps import Step
from storage import (
    breaker,
    dead,
    devices,
    documents,
    doubts,
    journal,
    mailboxes,
    outbox,
    permission,
    roads,
)
from storage.customers import Card, owners_of, recognise
from storage.database import Database, insert_new
from storage.imports.ledger import Item, bring
from storage.tables import (
    Article,
    ArticleVersion,
    Attempt,
    Contact,
    Conversation,
    Correction,
    Customer,
    DeadLetter,
    Device,
    Document,
    DocumentPassage,
    Fetched,
    History,
    Journal,
    Message,
    Outgoing,
    PassageVector,
    Prediction,
    PrinterModel,
    Recorded,
    ThreadId,
)
from tests.console.record import walk
from tests.events import NOW
from tests.knowing import document, passage
from tests.services.desk import MAIL, SMS, Desk
from tests.storage.cold_rooms import cold_day, cold_rows
from tests.storage.test_intake import mail
from tests.storage.test_outbox import row as reply
from tests.storage.test_roads import step

MANY = 3_000
"""Rows of a table that is large here."""

ON_PURPOSE = {
    "SELECT conversation.state, count(*)": "counts all conversations by state, from an index alone",
    "SELECT count(*) AS count_1 FROM unit": "counts all units, from an index alone",
    "SELECT unit.unit_id, unit.name, unit.profile": "sorts all units by name, for people who look",
    "SELECT unit.unit_id FROM unit WHERE unit.declared": "ends at the first, while none is heard of",
    "v_pipeline_performance": "counts all conversations by day, for people who ask now and then",
}
"""Statements that read a whole table, by how they begin, each with the reason."""

OF_SERVERS = {"SELECT DISTINCT episode.unit_id": "reads an index alone, to the end"}
"""The same of servers: SQLite goes from unit to unit in it."""

VIEWS = ("v_actionable_tickets", "v_pipeline_performance", "v_unprocessed_messages")

Statement = tuple[str, Any]


def at(number: int) -> Any:
    return NOW - timedelta(minutes=MANY - number)


def name(number: int) -> str:
    return str(UUID(int=number))


def fill(session: Session) -> None:
    """Write a record of some age: nearly all is done, a little is under way."""
    numbers = range(MANY)
    rows: dict[type[SQLModel], list[dict[str, Any]]] = {
        Customer: [
            {"customer_id": f"k{n}", "address": f"mailto:{n}@x", "name": "", "created_at": at(n)}
            for n in numbers
        ],
        Contact: [{"address": f"mailto:{n}@x", "customer_id": f"k{n}"} for n in numbers],
        Conversation: [
            {
                "conversation_id": f"c{n}", "customer_id": f"k{n}", "channel": "email",
                "subject": "", "state": "handed_over" if n % 50 == 0 else "answered",
                "reason": "", "trial": False, "created_at": at(n), "last_at": at(n),
                "last_message_id": name(n),
            }
            for n in numbers
        ],
        Message: [
            {
                "message_id": name(n), "conversation_id": f"c{n}", "channel": "email",
                "external_id": f"<{n}@y>", "subject": "", "text": "x", "received_text": "x",
                "received_at": at(n), "stored_at": at(n), "sender": "a", "trial": False,
                "new_customer": False, "new_conversation": False, "why": "", "outcome": "answered",
            }
            for n in numbers
        ],
        ThreadId: [{"mail_id": f"<{n}@y>", "conversation_id": f"c{n}"} for n in numbers],
        Outgoing: [
            reply(n)
            | {
                "reply_id": name(n), "message_id": name(n), "conversation_id": f"c{n}",
                "status": "sent", "told_at": at(n), "created_at": at(n), "next_attempt_at": at(n),
            }
            | ({"status": ("queued", "sending", "doubtful")[n % 3], "told_at": None,
                "owner": "o", "claimed_at": at(n)} if n > MANY - 60 else {})
            for n in numbers
        ],
        Attempt: [
            {"reply_id": name(n), "outbound": "file", "outcome": "accepted", "provider_id": "",
             "detail": "", "at": at(n)}
            for n in numbers
        ],
        History: [
            {"history_id": f"h{n}", "conversation_id": f"c{n}", "action": "answered",
             "actor_type": "system", "actor": "", "at": at(n)}
            for n in numbers
        ],
        Recorded: [
            step(n, trace_id=UUID(int=n // 2).hex, conversation_id=f"c{n // 2}", occurred_at=at(n))
            for n in range(2 * MANY)
        ],
        Prediction: [
            {"event_id": f"e{n}", "task": "intent", "message_id": name(n),
             "conversation_id": f"c{n}", "label": "fault", "confidence": 0.5, "at": at(n)}
            for n in numbers
        ],
        Journal: [
            {"event_id": name(n), "body": "{}", "accepted_at": at(n),
             "finished_at": None if n > MANY - 20 else at(n)}
            for n in numbers
        ],
        DeadLetter: [letter(n) for n in numbers],
        Fetched: [
            {"mailbox": "m", "validity": 1, "uid": n, "state": "done", "owner": "", "tries": 1,
             "detail": "", "at": at(n)}
            for n in numbers
        ],
        Article: [
            {"article_id": f"a{n}", "version": 1, "title": "", "source": "", "in_use": True,
             "created_at": at(n), "updated_at": at(n)}
            for n in numbers
        ],
        ArticleVersion: [
            {"article_id": f"a{n}", "version": 1, "body": "{}", "changed_by": "",
             "changed_at": at(n)}
            for n in numbers
        ],
        Document: [document(f"d{n}") | times(at(n)) for n in numbers],
        DocumentPassage: [passage() | {"document_id": f"d{n}", "number": 1} for n in numbers],
        PrinterModel: [
            {"model_id": f"m{n}", "manufacturer": "Lexmark", "name": f"C{n}"} for n in numbers
        ],
        Device: [
            {"device_id": f"d{n}", "customer_id": f"k{n}", "model_id": f"m{n}",
             "serial_number": f"s{n}", "created_at": at(n)}
            for n in numbers
        ],
        Correction: [
            {"correction_id": name(n), "message_id": name(n), "conversation_id": f"c{n}",
             "customer_id": f"k{n}", "kind": "model", "old": "", "value": "C750", "at": at(n)}
            for n in numbers
        ],
        PassageVector: [
            {"digest": f"{n:032x}", "model": "m", "vector": b"1"} for n in numbers
        ],
    }  # fmt: skip
    for table, found in (rows | cold_rows(MANY)).items():
        insert_new(session, table, found)


def times(moment: datetime) -> dict[str, Any]:
    return {
        "passages": 1,
        "version": 1,
        "in_use": True,
        "imported_at": moment,
        "changed_at": moment,
    }


def letter(number: int) -> dict[str, Any]:
    state = "waiting" if number % 100 == 0 else "replayed" if number % 101 == 0 else "dropped"
    return {
        "dead_id": name(number), "stage": "classify", "error": "Rejected", "reason": "because",
        "topic": "printer.received", "place": f"0/{number}", "record_key": b"k", "headers": {},
        "body": b"{}", "cut_bytes": 0, "trace_id": UUID(int=number).hex,
        "message_id": name(number), "died_at": at(number), "state": state, "replays": 0,
    }  # fmt: skip


@pytest.fixture
async def aged(database: Database) -> Database:
    await database.write(fill)
    if not database.is_sqlite:  # a server counts its rows now and then; a file is never asked to
        with database.engine.connect() as connection:
            tables = ", ".join(SQLModel.metadata.tables)
            connection.execute(text(f"ANALYZE TABLE {tables}")).all()
    return database


async def ordinary_day(database: Database) -> None:
    """Have all that happens often happen."""
    await walk(database, mail(1, text="Bourrage papier"))
    await walk(database, mail(2, in_reply_to="<1@x>", references=("<2999@y>",)))
    await database.write(a_dead_letter)
    await database.write(settling)
    await database.write(journal.accept, "j1", "{}", NOW)
    await database.read(journal.unfinished)
    await database.write(outbox.tell_again, [name(7), name(8)])
    await database.read(outbox.depth)
    await database.read(looking)
    await deciding(database)
    await database.write(bringing_along)
    await database.write(cold_day)
    await database.write(fetching)
    await database.write(learning)


def learning(session: Session) -> None:
    documents.put(session, document(f"d{MANY}"), [passage()], NOW)
    documents.put_article(session, {"article_id": "a7", "title": "x"}, '{"id": "a7"}', "léa", NOW)
    documents.remove(session, "d7", NOW)
    documents.digests(session, ["d7", "d8"])
    documents.changed(session, NOW - timedelta(minutes=5), ["a7", "d7"])
    documents.articles(session, ["a7", "a8"])
    documents.documents(session, ["d7", "d8"])
    documents.keep_vectors(session, "m", {f"{MANY:032x}": b"1"})
    documents.vectors(session, "m", [f"{n:032x}" for n in range(20)])
    documents.forget_vectors(session, [f"{7:032x}"])
    devices.known(session, {"k7", "k8"}, {"c7", "c8"})
    message = devices.message_named(session, "c7")
    assert message
    said = Said("c7", "model", "", "C752")
    devices.correct(session, message, said, "léa", NOW)


def fetching(session: Session) -> None:
    mailboxes.note(session, "m", 1, 1, MANY + 2, [MANY + 1], NOW)
    mailboxes.claim(session, "m", 1, "o", bool, NOW)
    mailboxes.end(session, "m", 1, MANY + 1, "o", "done", "", NOW)


async def deciding(database: Database) -> None:
    """Have replies be decided, with all that may follow."""
    desk = Desk(database)
    await desk.say(**MAIL)
    for words in ("bourrage", "STOP", "START", "HUMAIN"):
        await desk.say(words, **SMS)
    await desk.say("ça fume", **SMS, priority="critical")
    (silent, *_) = await database.read(permission.silences)
    await database.write(permission.release, silent.conversation_id, "léa", NOW)
    await database.write(breaker.open_, "by_hand", "", NOW, None)
    await database.write(stopped.watch, NOW, timedelta(0))
    await database.write(breaker.close, "léa", NOW)


def a_dead_letter(session: Session) -> None:
    died = letter(MANY + 1) | {"trace_id": UUID(int=5).hex, "message_id": name(5)}
    row = step(90_001, "dead.classify", trace_id=died["trace_id"])
    keep(session, [Step(row, died["message_id"], dead=died, replay_of=name(101))], NOW)
    (found, *_) = dead.find(session, dead.Wanted(stage="classify", limit=50))
    dead.named(session, [found.dead_id])
    dead.reopen(session, found, NOW, found.trace_id, found.message_id)
    dead.end(session, found.dead_id, dead.DROPPED, NOW)


def settling(session: Session) -> None:
    (row, *_) = doubts.claimed(session)
    doubts.doubt(session, row, NOW)
    doubts.due(session, NOW)
    doubts.settle(session, row.reply_id, status="queued", next_attempt_at=NOW)
    doubts.left(session, name(3), "p", NOW, "file")
    doubts.delivered(session, name(3), NOW, "file")
    doubts.failed(session, name(3), "no", "file")


def bringing_along(session: Session) -> None:
    recognise(session, [Card(("mailto:7@x",)), Card(("mailto:new@x", "tel:+33612345678"))], NOW)
    ticket = Item("ticket", "1", {"external_ref": "1"}, ("mailto:7@x",), {}, {"message": ""})
    bring(session, lambda work: {"1": work.target(ticket)}, "export", [ticket], NOW)
    owners_of(session, ["c7"])


def looking(session: Session) -> None:
    roads.conversations(session, 200)
    roads.totals(session)
    roads.conversation(session, "c7")
    for one in (UUID(int=7).hex, "e7", "c7"):
        roads.trace(session, one)
    roads.since(session, roads.last_seq(session) - 100)
    roads.outcome(session, name(7))
    roads.ended(session, [name(n) for n in range(64)])


def explained(connection: Connection, statement: Statement) -> list[str]:
    """What a database says of the tables that a statement reads as a whole."""
    query, parameters = statement
    if connection.dialect.name == "sqlite":
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", parameters)
        lines = [str(line[3]) for line in plan]
        ordered = re.compile(r"SCAN \w+ USING (COVERING )?INDEX" if "LIMIT" in query else r"(?!)")
        scans = [line for line in lines if re.match(r"SCAN (?!CONSTANT ROW|newest|anon_)", line)]
        return [line for line in scans if not ordered.match(line)]
    plan = connection.exec_driver_sql(f"EXPLAIN {query}", parameters)
    return [
        f"{line['type']} {line['table']}, {line['rows']} rows"
        for line in plan.mappings()
        if line["type"] in {"ALL", "index"}
        and int(line["rows"] or 0) > MANY // 4
        # The first few of an index, in its order.
        and not (line["type"] == "index" and "LIMIT" in query and line["Extra"] == "Using index")
    ]


def indexes(connection: Connection, statement: Statement) -> set[str]:
    """The indexes that a database goes by for a statement."""
    query, parameters = statement
    if connection.dialect.name == "sqlite":
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", parameters)
        return {name for line in plan for name in re.findall(r"INDEX (\w+)", str(line[3]))}
    plan = connection.exec_driver_sql(f"EXPLAIN {query}", parameters)
    return {name for line in plan.mappings() for name in str(line["key"]).split(",")}


def chosen() -> set[str]:
    """The indexes that were chosen for queries: those that carry no key, as servers want one."""
    return {
        str(index.name)
        for table in SQLModel.metadata.sorted_tables
        for index in table.indexes
        if not index.unique and not next(iter(index.columns)).foreign_keys
    }


async def test_no_query_of_an_ordinary_day_reads_a_whole_table_and_each_index_serves_one(
    aged: Database,
) -> None:
    sent: dict[str, Statement] = {view: (f"SELECT * FROM {view}", ()) for view in VIEWS}

    def note(_c: Any, _cursor: Any, query: str, values: Any, _context: Any, many: bool) -> None:
        if re.match(r"\s*(SELECT|UPDATE|DELETE)", query):
            sent.setdefault(query, (query, values[0] if many else values))

    event.listen(aged.engine, "before_cursor_execute", note)
    await ordinary_day(aged)
    event.remove(aged.engine, "before_cursor_execute", note)
    assert len(sent) > 40
    on_purpose = ON_PURPOSE | ({} if aged.is_sqlite else OF_SERVERS)
    found, excused, used = {}, set(), set()
    with aged.engine.connect() as connection:
        for query, statement in sent.items():
            used |= indexes(connection, statement)
            whole = explained(connection, statement)
            reason = next((start for start in on_purpose if flat(query).startswith(start)), "")
            if whole and not reason:
                found[flat(query)] = whole
            excused |= {reason} if whole else set()
    assert found == {}, "\n".join(f"{plan}: {query}" for query, plan in found.items())
    assert excused - {""} == on_purpose.keys()
    assert chosen() - used == set()


def flat(query: str) -> str:
    return " ".join(query.split())
