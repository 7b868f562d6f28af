"""The record's schema: which step it is at, and the way up and down (Alembic).

An embedded record goes up by itself at start. A server's goes up when somebody says so: a
program that finds another step than its own stops and says what to do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, func, inspect, select, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import SQLModel

from storage import tables as _tables  # noqa: F401 - registers the tables
from storage.engine import WrongDatabase, shown

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.script import Script

HEAD = "0011"
"""The step that this program needs."""
BASE = "0001"
"""The tables of records that were made before there were steps."""
FIRST = {"customer", "conversation", "message", "threadid", "outgoing", "event", "journal"}

MAY_WRITE = "UPDATE customer SET name = name WHERE customer_id = ''"
"""Changes nothing, but must be allowed to."""

LOCK_S = 30
"""For another who migrates the same record; on SQLite the driver waits as long."""


def version_of(connection: Connection) -> str:
    """Return the step that a record is at; empty: it has no tables of ours."""
    names = set(inspect(connection).get_table_names())
    if "alembic_version" in names:
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        return str(found or "")
    return BASE if names >= FIRST else ""


def advice(found: str, where: str) -> str:
    """Say what to do with a record at that step; empty: it is as this program needs it."""
    if found == HEAD:
        return ""
    if not found:
        return f"{where} has no tables yet: run `astreinte database migrate`"
    if found not in [step.revision for step in steps()]:
        return f"{where} was made by a newer Astreinte (step {found}, not {HEAD}): update this one"
    return f"{where} is at step {found}, {HEAD} is needed: run `astreinte database migrate`"


def steps() -> Sequence[Script]:
    """Return the steps that this program knows, from the first to the last."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - heavy, and rarely needed

    return list(ScriptDirectory.from_config(_config()).walk_revisions())[::-1]


def migrate(engine: Engine, target: str = HEAD) -> tuple[str, str]:
    """Go up or down to a step, with the data; return where it was and where it is.

    Parameters
    ----------
    engine
        Of the record. It should let statements take their time: see `engine_of`.
    target
        A step; empty: before the first, with no tables.

    Raises
    ------
    WrongDatabase
        There is no such step, the record is at one that this program does not know, or a step
        failed; the text says how far it came.
    """
    with engine.connect() as connection, _alone(connection):
        before = version_of(connection)
        _check(connection, before, target)
        try:
            _walk(connection, before, target)
        except DBAPIError as error:
            raise WrongDatabase(_half_way(connection, target, error)) from error
        return before, version_of(connection)


def losses(connection: Connection, before: str, target: str) -> list[tuple[str, int | None]]:
    """Return what a way back takes away: tables with their rows, and columns."""
    gone = [
        name for step in steps() if target < step.revision <= before for name in step.module.LOST
    ]
    return [(name, None if "." in name else _count(connection, name)) for name in gone]


def _count(connection: Connection, table: str) -> int:
    counting = select(func.count()).select_from(SQLModel.metadata.tables[table])
    return connection.execute(counting).scalar_one()


def differences(connection: Connection) -> list[str]:
    """Return where the tables are not as this program expects them; a lost index, say."""
    from alembic.autogenerate import compare_metadata  # noqa: PLC0415
    from alembic.migration import MigrationContext  # noqa: PLC0415

    context = MigrationContext.configure(connection)
    return [_difference(found) for found in compare_metadata(context, SQLModel.metadata)]


def _difference(found: Any) -> str:
    if isinstance(found, list):  # of one column
        return "; ".join(_difference(part) for part in found)
    kind, *what = found
    names = [str(getattr(part, "name", part)) for part in what if part is not None]
    return f"{kind} {' '.join(names)}"


def _config() -> Config:
    from alembic.config import Config  # noqa: PLC0415 - heavy, and rarely needed

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def _check(connection: Connection, before: str, target: str) -> None:
    known = [step.revision for step in steps()]
    for step in filter(None, (before, target)):
        if step not in known:
            msg = f"this program knows the steps {known[0]} to {known[-1]}, not {step!r}"
            raise WrongDatabase(msg)
    names = set(inspect(connection).get_table_names())
    foreign = sorted(names & SQLModel.metadata.tables.keys())
    if not before and foreign and "alembic_version" not in names:
        msg = (
            f"{shown(connection.engine.url)} has a table {foreign[0]!r} that is not ours:"
            " give Astreinte a database of its own"
        )
        raise WrongDatabase(msg)


def _walk(connection: Connection, before: str, target: str) -> None:
    from alembic import command  # noqa: PLC0415 - heavy, and rarely needed

    config = _config()
    config.attributes["connection"] = connection
    taken_over = before == BASE and not inspect(connection).has_table("alembic_version")
    if connection.dialect.name != "sqlite":
        connection.rollback()  # of what was read: each step begins a transaction of its own
    if taken_over:
        command.stamp(config, BASE)
    if before <= target:
        command.upgrade(config, target)
    else:
        command.downgrade(config, target or "base")


def _half_way(connection: Connection, target: str, error: DBAPIError) -> str:
    why = f"it failed ({error.orig})"
    if connection.dialect.name == "sqlite":
        return f"{why}; nothing was changed"
    connection.rollback()
    return (
        f"{why} after step {version_of(connection) or 'none'}, on the way to {target}:"
        " mend that and run the same command again, it goes on from there"
    )


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    """Keep others from migrating at the same time."""
    alone = _alone_in_file if connection.dialect.name == "sqlite" else _alone_on_server
    with alone(connection):
        yield


@contextmanager
def _alone_in_file(connection: Connection) -> Iterator[None]:
    """Have one transaction for all steps: a migration that fails leaves nothing."""
    driver: Any = connection.connection.driver_connection
    # A table that is made anew is dropped first: what refers to it must not go with it.
    connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
    level, driver.isolation_level = driver.isolation_level, None  # it would begin none for a DDL
    try:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        if broken:
            msg = f"rows of {broken[0][0]} refer to rows that are not there; nothing was changed"
            raise WrongDatabase(msg)
        connection.commit()
    finally:
        connection.rollback()
        driver.isolation_level = level
        connection.exec_driver_sql("PRAGMA foreign_keys=ON")


@contextmanager
def _alone_on_server(connection: Connection) -> Iterator[None]:
    # Locks are of the whole server, names of 64 characters at most.
    lock = "CONCAT('astreinte.', MD5(DATABASE()))"
    if not connection.execute(text(f"SELECT GET_LOCK({lock}, {LOCK_S})")).scalar():
        msg = f"{shown(connection.engine.url)} is being migrated by somebody else: wait, then look"
        raise WrongDatabase(msg)
    try:
        yield
    finally:
        with suppress(DBAPIError):  # the connection may be what failed: the lock went with it
            connection.rollback()
            connection.execute(text(f"SELECT RELEASE_LOCK({lock})"))
            connection.rollback()
