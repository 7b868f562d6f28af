"""How a record is: what those who look after it want to know, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import SQLModel

from storage import schema
from storage.engine import shown, why_later
from storage.tables.columns import MYSQL

OLDEST = {"MySQL": (8, 0), "MariaDB": (10, 6)}
PACKET_BYTES = 16 * 2**20
"""The largest statement that a server must take: a row may hold 16 MiB."""

TABLES = """
    SELECT table_name, table_collation, engine, table_rows FROM information_schema.tables
    WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE'
"""


@dataclass
class Checkup:
    """What was found. `rows` are estimates where counting would take long."""

    server: str
    step: str = ""
    writable: bool | None = None
    texts: str = ""
    mode: str = ""
    rows: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)


def examine(engine: Engine) -> Checkup:
    """Look at a record, whatever step it is at; nothing is changed.

    Raises
    ------
    DBAPIError
        It cannot be reached, or read.
    """
    where = shown(engine.url)
    with engine.connect() as connection:
        found = Checkup(_server(connection), schema.version_of(connection))
        if advice := schema.advice(found.step, where):
            found.wrong.append(advice)
        else:
            found.wrong += [
                f"{where}: {difference}: restore it from a backup, or make it again"
                for difference in schema.differences(connection)
            ]
        look = _look_at_file if connection.dialect.name == "sqlite" else _look_at_server
        found.wrong += [f"{where} {wrong}" for wrong in look(connection, found)]
        connection.rollback()
        if found.rows:
            why = _why_not_writable(connection)
            found.writable = not why
            found.wrong += [f"{where} {why}"] if why else []
    return found


def _server(connection: Connection) -> str:
    dialect = connection.dialect
    name = "SQLite" if dialect.name == "sqlite" else "MySQL"
    if getattr(dialect, "is_mariadb", False):
        name = "MariaDB"
    return f"{name} {'.'.join(map(str, dialect.server_version_info or ()))}"


def _why_not_writable(connection: Connection) -> str:
    try:
        connection.execute(text(schema.MAY_WRITE))
    except DBAPIError as error:
        return why_later(error)
    finally:
        connection.rollback()
    return ""


def _look_at_file(connection: Connection, found: Checkup) -> Iterator[str]:
    def pragma(name: str) -> str:
        return str(connection.exec_driver_sql(f"PRAGMA {name}").scalar())

    found.texts = pragma("encoding")
    found.mode = f"journal_mode={pragma('journal_mode')}, synchronous={pragma('synchronous')}"
    ours = SQLModel.metadata.tables
    for name in connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'"):
        if name[0] in ours:
            count = connection.exec_driver_sql(f"SELECT COUNT(*) FROM {name[0]}")  # noqa: S608 - our names
            found.rows[name[0]] = count.scalar_one()
    if (damage := pragma("quick_check(1)")) != "ok":
        yield f"is damaged ({damage}): restore it from a backup"


def _look_at_server(connection: Connection, found: Checkup) -> Iterator[str]:
    def variable(name: str) -> str:
        return str(connection.exec_driver_sql(f"SELECT @@{name}").scalar())

    product = found.server.split()[0]
    if (connection.dialect.server_version_info or ()) < OLDEST[product]:
        oldest = ".".join(map(str, OLDEST[product]))
        yield f"is {found.server}: {product} {oldest} or newer is needed"
    found.mode = variable("sql_mode").replace(",", ", ")
    collations = set()
    for name, collation, kind, rows in connection.execute(text(TABLES)):
        if name not in SQLModel.metadata.tables:
            continue
        found.rows[name] = rows or 0
        collations.add(collation)
        if collation != MYSQL["mysql_collate"]:
            yield (
                f"has a table {name} in {collation}: ALTER TABLE {name}"
                f" CONVERT TO CHARACTER SET utf8mb4 COLLATE {MYSQL['mysql_collate']}"
            )
        if kind != MYSQL["mysql_engine"]:
            yield f"has a table {name} without transactions: ALTER TABLE {name} ENGINE = InnoDB"
    found.texts = ", ".join(sorted(collations))
    if int(variable("max_allowed_packet")) < PACKET_BYTES:
        yield "takes no row of 16 MiB: set max_allowed_packet to 16M or more"
    if variable("innodb_flush_log_at_trx_commit") != "1":
        yield "may lose what was acknowledged: set innodb_flush_log_at_trx_commit to 1"
