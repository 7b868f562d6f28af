"""From a URL to an engine that is set on purpose; and what is wrong, in a sentence."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlmodel import create_engine

CONNECT_S, ANSWER_S = 5, 60
"""A server that hangs is one that is down; the longest statements are those of migrations."""

SESSION = (
    # Strict, whatever the server's own mode: a text that is too long is an error, not cut.
    "SET SESSION sql_mode = 'STRICT_TRANS_TABLES,NO_ZERO_DATE,NO_ENGINE_SUBSTITUTION',"
    " time_zone = '+00:00'"
)

WRONG = {
    1044: "refuses this user: it has no rights on this database",
    1045: "refuses the user or the password",
    1049: "has no such database: create it first",
    1142: "refuses a statement: the user needs all rights on its database",
    1227: "refuses a statement: the user needs all rights on its database",
    1290: "is read-only: name the primary, or take read_only off",
    1698: "refuses the user: it may only log in over the socket",
    1836: "is read-only: name the primary, or take read_only off",
    2005: "names a host that is not known",
}
"""Errors that waiting does not mend, by MySQL's and MariaDB's number."""

WRONG_SQLITE = {
    sqlite3.SQLITE_READONLY: "cannot be written: check the rights of the file and its folder",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened: check the folder and its rights",
    sqlite3.SQLITE_NOTADB: "is no SQLite database",
    sqlite3.SQLITE_CORRUPT: "is damaged: restore it from a backup",
}


class WrongDatabase(ValueError):  # noqa: N818 - said to whoever set it
    """The record cannot be kept there; the text says why and what to do."""


def engine_of(url: str) -> Engine:
    """Make the engine of a SQLite file or a MySQL or MariaDB server; nothing is connected.

    Raises
    ------
    WrongDatabase
        The URL is none, or names something else.
    """
    try:
        found = make_url(url)
    except (ArgumentError, ValueError):
        msg = "ASTREINTE_DATABASE_URL is no URL like mysql+pymysql://user:password@host/astreinte"
        raise WrongDatabase(msg) from None
    kind = found.get_backend_name()
    if kind == "sqlite":
        return _sqlite(found)
    if kind in {"mysql", "mariadb"}:
        return _mysql(found)
    msg = f"the record is kept in SQLite, MySQL or MariaDB, not in {kind}"
    raise WrongDatabase(msg)


def _mysql(url: URL) -> Engine:
    if not url.database:
        msg = f"{shown(url)} names no database: add /astreinte"
        raise WrongDatabase(msg)
    return create_engine(
        url.set(drivername="mysql+pymysql").update_query_dict({"charset": "utf8mb4"}),
        pool_pre_ping=True,
        pool_recycle=1800,
        # Claims read what others have committed meanwhile; and there are no gap locks.
        isolation_level="READ COMMITTED",
        connect_args={
            "connect_timeout": CONNECT_S,
            "read_timeout": ANSWER_S,
            "write_timeout": ANSWER_S,
            "init_command": SESSION,
        },
    )


def _sqlite(url: URL) -> Engine:
    file = url.database
    try:
        if file and file != ":memory:":
            Path(file).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"{shown(url)} cannot be made ({error.strerror})"
        raise WrongDatabase(msg) from None
    engine = create_engine(url, connect_args={"timeout": 30, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def _settle(connection: Any, _record: Any) -> None:
        # FULL: what was acknowledged to a gateway survives a power cut, not only a kill.
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    return engine


def shown(url: str | URL) -> str:
    """Return the URL as it may be shown: without its password."""
    return make_url(url).render_as_string(hide_password=True)


def why_not(error: DBAPIError, where: str) -> str:
    """Return what is wrong for good with a database, in a sentence; empty: it may come back."""
    original: Any = error.orig
    if isinstance(original, sqlite3.Error):
        code = getattr(original, "sqlite_errorcode", 0) & 0xFF  # without the extension
        return f"{where} {WRONG_SQLITE[code]}" if code in WRONG_SQLITE else ""
    code = original.args[0] if original is not None and original.args else 0
    if code == 2003 and isinstance(getattr(original, "original_exception", None), OSError):  # noqa: PLR2004
        unknown = type(original.original_exception).__name__ == "gaierror"
        return f"{where} {WRONG[2005]}" if unknown else ""
    return f"{where} {WRONG[code]}" if code in WRONG else ""
