"""The record's schema: which step it is at, and the way up and down (Alembic).

An embedded record goes up by itself at start. A server's goes up when somebody says so: a
program that finds another step than its own stops and says what to do.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

HEAD = "0006"
"""The step that this program needs."""
BASE = "0001"
"""The tables of records that were made before there were steps."""

LOCK_S = 60


def version_of(connection: Connection) -> str:
    """Return the step that a record is at; empty: it has no tables."""
    names = set(inspect(connection).get_table_names())
    if "alembic_version" in names:
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        return str(found or "")
    return BASE if "message" in names else ""


def migrate(engine: Engine, target: str = HEAD) -> tuple[str, str]:
    """Go up or down to a step, with the data; return where it was and where it is.

    Raises
    ------
    ValueError
        There is no such step, or the record is at one that this program does not know.
    """
    from alembic import command  # noqa: PLC0415 - heavy, and rarely needed
    from alembic.config import Config  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    steps = [step.revision for step in ScriptDirectory.from_config(config).walk_revisions()][::-1]
    with engine.connect() as connection, _alone(connection):
        config.attributes["connection"] = connection
        before = version_of(connection)
        connection.rollback()
        for step in filter(None, (before, target)):
            if step not in steps:
                msg = f"this program knows the steps {steps[0]} to {steps[-1]}, not {step!r}"
                raise ValueError(msg)
        if before == BASE and not _has_version(connection):
            command.stamp(config, BASE)
        if not before or steps.index(before) <= steps.index(target):
            command.upgrade(config, target)
        else:
            command.downgrade(config, target)
        connection.commit()
        after = version_of(connection)
    return before, after


def _has_version(connection: Connection) -> bool:
    found = inspect(connection).has_table("alembic_version")
    connection.rollback()
    return found


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    """Keep others from migrating at the same time."""
    if connection.dialect.name == "sqlite":
        # A table that is made anew is dropped first: what refers to it must not go with it.
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        yield
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        connection.rollback()
        connection.exec_driver_sql("PRAGMA foreign_keys=ON")
        if broken:
            msg = f"rows of {broken[0][0]} refer to rows that are not there"
            raise ValueError(msg)
        return
    name = "astreinte.migrate"
    connection.execute(text("SELECT GET_LOCK(:name, :wait)"), {"name": name, "wait": LOCK_S})
    try:
        yield
    finally:
        connection.execute(text("SELECT RELEASE_LOCK(:name)"), {"name": name})
        connection.rollback()
