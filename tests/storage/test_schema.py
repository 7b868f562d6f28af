"""The schema goes up and down in steps, with the data, on every database."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import (
    JSON,
    Boolean,
    Connection,
    Date,
    DateTime,
    Engine,
    Float,
    Integer,
    MetaData,
    Table,
    event,
    inspect,
    select,
    text,
)
from sqlalchemy.exc import OperationalError
from sqlalchemy.types import _Binary
from sqlmodel import SQLModel

from storage import schema
from storage.database import Database
from storage.engine import WrongDatabase, engine_of

STEPS = [step.revision for step in schema.steps()]
VIEWS = {"v_actionable_tickets", "v_pipeline_performance", "v_unprocessed_messages"}
WHEN = datetime(2025, 2, 1, 8, 30, 15, 123456)  # noqa: DTZ001 - as databases keep it
BEFORE = Path(__file__).parent / "before_steps"


@pytest.fixture
def engine(blank: str) -> Iterator[Engine]:
    made = engine_of(blank, answer_s=None)
    yield made
    made.dispose()


def tables(connection: Connection) -> list[Table]:
    """The tables that are there, in the order in which they refer to one another."""
    found = MetaData()
    found.reflect(connection)
    return [table for table in found.sorted_tables if table.name != "alembic_version"]


VALUES: list[tuple[type[Any], Any]] = [
    (Boolean, True),
    (Integer, 1),
    (Float, 0.5),
    (DateTime, WHEN),
    (Date, WHEN.date()),
    (_Binary, b"\x00\xff"),
    (JSON, {"é": "🖨️"}),
]


def filled(table: Table) -> dict[str, Any]:
    """A row. A text is its column's name, so that keys refer to what is there."""
    row = {}
    for column in table.columns:
        long = getattr(column.type, "length", None) is None
        value: Any = json.dumps(column.name) if long else column.name[: column.type.length]  # type: ignore[attr-defined]
        for kind, example in VALUES:
            if isinstance(column.type, kind):
                value = example
                break
        row[column.name] = value
    return row


def fill(connection: Connection) -> None:
    """Put a row into each table that has none."""
    for table in tables(connection):
        if not connection.execute(select(table)).first():
            connection.execute(table.insert(), filled(table))
    connection.commit()


def content(connection: Connection) -> dict[str, dict[str, Any]]:
    """The first row of each table."""
    found = {}
    for table in tables(connection):
        if table.name == "latch":
            continue  # its rows are names, which steps add to
        row = connection.execute(select(table)).mappings().first()
        found[table.name] = dict(row) if row else {}
    return found


def part_of(older: dict[str, dict[str, Any]], newer: dict[str, dict[str, Any]]) -> bool:
    """All that was there is there, as it was."""
    return all(row.items() <= newer[name].items() for name, row in older.items())


def before_steps(engine: Engine) -> None:
    """Make the tables of the last program that had no steps, as it made them."""
    ddl = (BEFORE / f"{engine.dialect.name}.sql").read_text("utf-8")
    with engine.begin() as connection:
        for statement in ddl.split(";\n"):
            if statement.strip():
                connection.exec_driver_sql(statement)


def test_this_program_needs_the_last_step_that_there_is() -> None:
    assert STEPS[0] == schema.BASE
    assert STEPS[-1] == schema.HEAD
    assert sorted(STEPS) == STEPS


def test_tables_and_steps_agree(engine: Engine) -> None:
    schema.migrate(engine)
    with engine.connect() as connection:
        assert schema.differences(connection) == []
        assert set(inspect(connection).get_view_names()) == VIEWS
        names = set(inspect(connection).get_table_names())
        assert names == SQLModel.metadata.tables.keys() | {"alembic_version"}
        connection.execute(text("DROP INDEX message_outcome" + on(engine, "message")))
        connection.execute(text("ALTER TABLE metric DROP COLUMN value"))
        found = schema.differences(connection)
    assert sorted(found) == ["add_column metric value", "add_index message_outcome"]


def on(engine: Engine, table: str) -> str:
    return "" if engine.dialect.name == "sqlite" else f" ON {table}"


def test_every_step_goes_up_and_down_with_a_row_in_every_table(engine: Engine) -> None:
    kept: dict[str, dict[str, dict[str, Any]]] = {}
    for step in STEPS:
        schema.migrate(engine, step)
        with engine.connect() as connection:
            assert schema.version_of(connection) == step
            fill(connection)
            kept[step] = content(connection)
            assert all(kept[step].values())
    assert all(part_of(kept[step], kept[STEPS[-1]]) for step in STEPS)
    for step in reversed(STEPS[:-1]):
        assert schema.migrate(engine, step)[1] == step
        with engine.connect() as connection:
            assert content(connection).keys() == kept[step].keys()
            assert part_of(kept[STEPS[0]], content(connection))
    assert schema.migrate(engine) == (STEPS[0], STEPS[-1])
    with engine.connect() as connection:
        assert part_of(kept[STEPS[0]], content(connection))
        assert schema.differences(connection) == []
    schema.migrate(engine, "")
    with engine.connect() as connection:
        assert tables(connection) == []
        assert schema.version_of(connection) == ""


def test_what_a_way_back_takes_away_is_what_it_says(engine: Engine) -> None:
    schema.migrate(engine)
    for target, before in zip(STEPS[-2::-1], STEPS[:0:-1], strict=True):
        with engine.connect() as connection:
            fill(connection)
            told = schema.losses(connection, before, target)
            there = {f"{t.name}.{c.name}" for t in tables(connection) for c in t.columns}
            rows = {t.name for t in tables(connection)}
        schema.migrate(engine, target)
        with engine.connect() as connection:
            left = {f"{t.name}.{c.name}" for t in tables(connection) for c in t.columns}
            full = {name for name, row in content(connection).items() if row}
        names = {name for name, _ in told}
        gone = {name for name in there - left if name.split(".")[0] not in names}
        emptied = {name for name in rows - full if name != "latch" or "latch" in names}
        assert names == gone | emptied, f"{before} to {target}"
        # One table comes filled: what providers' error codes mean.
        counted = dict(told) | ({"provider_error": 1} if "provider_error" in names else {})
        assert all(count == 1 for name, count in counted.items() if "." not in name)


def test_a_record_that_was_made_before_there_were_steps_is_taken_over(engine: Engine) -> None:
    before_steps(engine)
    with engine.connect() as connection:
        assert schema.version_of(connection) == schema.BASE
        fill(connection)
        kept = content(connection)
    assert schema.migrate(engine) == (schema.BASE, schema.HEAD)
    with engine.connect() as connection:
        assert schema.differences(connection) == []
        assert part_of(kept, content(connection))
        if engine.dialect.name == "mysql":
            collations = connection.execute(
                text(
                    "SELECT DISTINCT collation_name FROM information_schema.columns"
                    " WHERE table_schema = DATABASE() AND table_name <> 'alembic_version'"
                    " AND table_name NOT LIKE 'v\\_%' AND collation_name IS NOT NULL"
                )
            )
            assert list(collations.scalars()) == ["utf8mb4_bin"]


async def test_a_file_goes_up_by_itself_with_its_rows(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/record.db"
    engine = engine_of(url)
    before_steps(engine)
    with engine.connect() as connection:
        fill(connection)
    database = Database(url)
    await database.prepare()
    with engine.connect() as connection:
        assert schema.version_of(connection) == schema.HEAD
        assert connection.execute(text("SELECT customer_id FROM contact")).scalar() == "customer_id"
    database.close()
    engine.dispose()


def test_contacts_and_last_messages_are_filled_from_what_was_there(engine: Engine) -> None:
    schema.migrate(engine, "0004")
    moments = {"k1": ["1", "3", "2"], "k2": ["1", "2", "2"], "k3": []}
    with engine.begin() as connection:
        found = {table.name: table for table in tables(connection)}
        for number, (name, seconds) in enumerate(moments.items()):
            customer = filled(found["customer"]) | {"customer_id": name, "address": f"a{number}"}
            connection.execute(found["customer"].insert(), customer)
            conversation = filled(found["conversation"])
            conversation |= {"conversation_id": f"c{name}", "customer_id": name}
            connection.execute(found["conversation"].insert(), conversation)
            for place, second in enumerate(seconds):
                message = filled(found["message"]) | {
                    "message_id": f"{name}-m{place}",
                    "external_id": f"{name}-m{place}",
                    "conversation_id": f"c{name}",
                    "stored_at": WHEN.replace(second=int(second)),
                }
                connection.execute(found["message"].insert(), message)
    schema.migrate(engine)
    with engine.connect() as connection:
        contacts = connection.execute(text("SELECT address, customer_id FROM contact ORDER BY 1"))
        assert [tuple(row) for row in contacts] == [("a0", "k1"), ("a1", "k2"), ("a2", "k3")]
        query = "SELECT conversation_id, last_message_id FROM conversation ORDER BY 1"
        assert [tuple(row) for row in connection.execute(text(query))] == [
            ("ck1", "k1-m1"),
            ("ck2", "k2-m2"),
            ("ck3", ""),
        ]


MIGRATE = (
    "import sys; from storage import engine, schema; schema.migrate(engine.engine_of(sys.argv[1]))"
)


def test_migrating_twice_at_once_is_harmless(blank: str, engine: Engine) -> None:
    processes = [subprocess.Popen([sys.executable, "-c", MIGRATE, blank]) for _ in range(2)]
    with ThreadPoolExecutor() as pool:
        found = list(pool.map(lambda _: schema.migrate(engine_of(blank)), range(2)))
    assert [process.wait(60) for process in processes] == [0, 0]
    assert {after for _, after in found} == {schema.HEAD}
    with engine.connect() as connection:
        assert schema.differences(connection) == []


def breaking(engine: Engine, word: str) -> Callable[[], None]:
    """Have statements with this word fail, as a full disk would; return how to mend it."""

    def fail(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if word in statement:
            raise OperationalError(statement, {}, Exception("the disk is full"))

    event.listen(engine, "before_cursor_execute", fail)
    return lambda: event.remove(engine, "before_cursor_execute", fail)


@pytest.mark.parametrize(
    "word",
    ["CREATE TABLE attachment", "ADD COLUMN language", "SET last_message_id", "CREATE VIEW v_unp"],
)
def test_a_step_that_failed_half_way_says_so_and_can_be_repeated(engine: Engine, word: str) -> None:
    before_steps(engine)
    with engine.connect() as connection:
        fill(connection)
        kept = content(connection)
    mend = breaking(engine, word)
    with pytest.raises(WrongDatabase, match="the disk is full") as caught:
        schema.migrate(engine)
    mend()
    with engine.connect() as connection:
        reached = schema.version_of(connection)
    if engine.dialect.name == "sqlite":
        assert str(caught.value).endswith("nothing was changed")
        assert reached == schema.BASE
    else:
        assert f"after step {reached}, on the way to {schema.HEAD}" in str(caught.value)
        assert "run the same command again" in str(caught.value)
    assert schema.migrate(engine) == (reached, schema.HEAD)
    with engine.connect() as connection:
        assert schema.differences(connection) == []
        assert part_of(kept, content(connection))
        assert connection.execute(text("SELECT COUNT(*) FROM contact")).scalar() == 1


@pytest.mark.parametrize("word", ["DROP TABLE contact", "latch"])
def test_a_way_back_that_failed_half_way_can_be_repeated(engine: Engine, word: str) -> None:
    schema.migrate(engine)
    with engine.connect() as connection:
        fill(connection)
    mend = breaking(engine, word)
    with pytest.raises(WrongDatabase, match="the disk is full"):
        schema.migrate(engine, schema.BASE)
    mend()
    schema.migrate(engine, schema.BASE)
    with engine.connect() as connection:
        assert {table.name for table in tables(connection)} == schema.FIRST
        assert all(content(connection).values())
    schema.migrate(engine)


def test_the_tables_of_somebody_else_are_left_alone(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE customer (id INTEGER)"))
    with pytest.raises(WrongDatabase, match="'customer' that is not ours") as caught:
        schema.migrate(engine)
    assert "***" in str(caught.value) or engine.dialect.name == "sqlite"
    with engine.connect() as connection:
        assert inspect(connection).get_table_names() == ["customer"]


def test_steps_that_are_not_known_are_refused(engine: Engine) -> None:
    with pytest.raises(WrongDatabase, match="knows the steps 0001 to"):
        schema.migrate(engine, "0099")
    schema.migrate(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0099'"))
    with pytest.raises(WrongDatabase, match="not '0099'"):
        schema.migrate(engine)
    assert "newer Astreinte" in schema.advice("0099", "here")
