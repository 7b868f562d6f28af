"""From a URL to an engine that is set on purpose; and what is wrong, in a sentence."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic_core import from_json, to_json
from sqlalchemy import URL, Engine, event, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    InterfaceError,
    InternalError,
    OperationalError,
)
from sqlmodel import create_engine

from schemas.errors import Unavailable

CONNECT_S, ANSWER_S, LOCK_S = 5, 20, 10
"""A server that hangs is one that is down. Only migrations have statements that take long."""

JSON: dict[str, Any] = {
    "json_serializer": lambda value: to_json(value).decode(),
    "json_deserializer": from_json,
}
"""Columns of JSON: a unit's memory is 15 kB, and Python's own takes five times as long for it."""

SESSION = (
    # Strict, whatever the server's own mode: a text that is too long is an error, not cut.
    "SET SESSION sql_mode = 'STRICT_TRANS_TABLES,NO_ZERO_DATE,NO_ENGINE_SUBSTITUTION',"
    f" time_zone = '+00:00', innodb_lock_wait_timeout = {LOCK_S}"
)

WRONG = {
    1044: "refuses this user: it has no rights on this database",
    1045: "refuses the user or the password",
    1049: "has no such database: create it first",
    1129: "has blocked this host after errors: run FLUSH HOSTS there",
    1130: "lets nobody in from this host: the user must be allowed from here",
    1142: "refuses a statement: the user needs all rights on its database",
    1227: "refuses a statement: the user needs all rights on its database",
    1290: "is read-only: name the primary, or take read_only off",
    1698: "refuses the user: it may only log in over the socket",
    1836: "is read-only: name the primary, or take read_only off",
    2005: "names a host that is not known",
}
"""Errors that waiting does not mend, by MySQL's and MariaDB's number."""

DEADLOCK = 1213
LATER = {
    3: "cannot write its files: is its disk full?",
    1021: "has no room left on its disk: make room",
    1026: "cannot write its files: is its disk full?",
    1030: "cannot write its files: is its disk full?",
    1040: "has too many connections: raise max_connections",
    1114: "has no room left on its disk: make room",
    1205: "has made a change wait too long for others",
    DEADLOCK: "has taken a change back in favour of others",
}
"""Errors that pass, by the same numbers; any other one says that nobody answers."""

WRONG_SQLITE = {
    sqlite3.SQLITE_READONLY: "cannot be written: check the rights of the file and its folder",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened: check the folder and its rights",
    sqlite3.SQLITE_NOTADB: "is no SQLite database",
    sqlite3.SQLITE_CORRUPT: "is damaged: restore it from a backup",
}

LATER_SQLITE = {
    sqlite3.SQLITE_BUSY: "is in use by another process",
    sqlite3.SQLITE_FULL: "has no room left on its disk: make room",
}


class WrongDatabase(ValueError):  # noqa: N818 - said to whoever set it
    """The record cannot be kept there; the text says why and what to do."""


def engine_of(url: str, answer_s: float | None = ANSWER_S) -> Engine:
    """Make the engine of a SQLite file or a MySQL or MariaDB server; nothing is connected.

    Parameters
    ----------
    url
        SQLAlchemy URL.
    answer_s
        How long a server may take for an answer; None: as long as it likes, for migrations.

    Raises
    ------
    WrongDatabase
        The URL is none, or names something else.
    """
    found = _parsed(url)
    kind = found.get_backend_name()
    if kind == "sqlite":
        return _sqlite(found)
    if kind in {"mysql", "mariadb"}:
        return _mysql(found, answer_s)
    msg = f"the record is kept in SQLite, MySQL or MariaDB, not in {kind}"
    raise WrongDatabase(msg)


def file_of(url: str) -> Path | None:
    """Return the file of a SQLite URL; of another, none. Raises as `engine_of` does."""
    found = _parsed(url)
    return Path(found.database or "") if found.get_backend_name() == "sqlite" else None


def _parsed(url: str) -> URL:
    try:
        return make_url(url)
    except (ArgumentError, ValueError):
        msg = "ASTREINTE_DATABASE_URL is no URL like mysql+pymysql://user:password@host/astreinte"
        raise WrongDatabase(msg) from None


def _mysql(url: URL, answer_s: float | None) -> Engine:
    if not url.database:
        msg = f"{shown(url)} names no database: add /astreinte"
        raise WrongDatabase(msg)
    return create_engine(
        url.set(drivername="mysql+pymysql").difference_update_query(["charset"]),
        pool_pre_ping=True,
        pool_recycle=1800,
        **JSON,
        # Claims read what others have committed meanwhile; and there are no gap locks.
        isolation_level="READ COMMITTED",
        connect_args={
            "charset": "utf8mb4",
            "connect_timeout": CONNECT_S,
            "read_timeout": answer_s,
            "write_timeout": answer_s,
            "init_command": SESSION,
        },
    )


def _sqlite(url: URL) -> Engine:
    file = url.database
    if not file or file == ":memory:":
        msg = f"{shown(url)} names no file: sqlite:///data/astreinte.db, for example"
        raise WrongDatabase(msg)
    try:
        Path(file).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"{shown(url)} cannot be made ({error.strerror})"
        raise WrongDatabase(msg) from None
    engine = create_engine(
        url.set(drivername="sqlite"),
        connect_args={"timeout": 30, "check_same_thread": False},
        **JSON,
    )

    @event.listens_for(engine, "connect")
    def _settle(connection: Any, _record: Any) -> None:
        # FULL: what was acknowledged to a gateway survives a power cut, not only a kill.
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    return engine


def shown(url: str | URL) -> str:
    """Return the URL as it may be shown: without its password."""
    return make_url(url).render_as_string(hide_password=True)


@contextmanager
def explained(where: str) -> Iterator[None]:
    """Turn what a driver raises into what is said to people.

    Raises
    ------
    WrongDatabase
        It cannot be used as it is; waiting does not mend that.
    Unavailable
        It does not answer, or not now.
    """
    try:
        yield
    except DBAPIError as error:
        if wrong := why_not(error):
            msg = f"{where} {wrong}"
            raise WrongDatabase(msg) from error
        if is_passing(error):
            msg = f"{where} {why_later(error)}"
            raise Unavailable(msg) from error
        raise


def is_passing(error: DBAPIError) -> bool:
    """Say whether an error is the database's, not the statement's: it may do it later."""
    down = isinstance(error, OperationalError | InterfaceError | InternalError)
    return down or error.connection_invalidated


def lost_a_deadlock(error: DBAPIError) -> bool:
    """Say whether the database took a transaction back in favour of others."""
    return not isinstance(error.orig, sqlite3.Error) and _code(error) == DEADLOCK


def why_not(error: DBAPIError) -> str:
    """Return what is wrong for good with a database; empty: it may come back."""
    code = _code(error)
    if isinstance(error.orig, sqlite3.Error):
        return WRONG_SQLITE.get(code, "")
    original: Any = error.orig
    if code == 2003 and type(original.original_exception).__name__ == "gaierror":  # noqa: PLR2004
        return WRONG[2005]
    return WRONG.get(code, "")


def why_later(error: DBAPIError) -> str:
    """Return what keeps a database from doing something now."""
    code = _code(error)
    known = LATER_SQLITE if isinstance(error.orig, sqlite3.Error) else LATER
    which = f"error {code}" if code else type(error.orig).__name__
    return known.get(code) or why_not(error) or f"does not answer ({which})"


def _code(error: DBAPIError) -> int:
    original: Any = error.orig
    if isinstance(original, sqlite3.Error):
        return getattr(original, "sqlite_errorcode", 0) & 0xFF  # without the extension
    code = original.args[0] if original is not None and original.args else 0
    return code if isinstance(code, int) else 0
