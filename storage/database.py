"""The connection to the record, and the threads that its blocking drivers need."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Engine, event, make_url
from sqlalchemy.dialects import mysql, sqlite
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.sql.dml import Insert
from sqlmodel import Session, SQLModel, create_engine

from schemas.errors import Unavailable
from storage import tables as _tables  # noqa: F401 - registers the tables

T = TypeVar("T")

THREADS = 4
"""For servers. SQLite has one writer; a single thread spares it the waiting for locks."""


class Database:
    """Runs functions of a session, one transaction each, outside the event loop."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = _engine(url)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        self._creating = asyncio.Lock()
        self._created = False
        self._writers = ThreadPoolExecutor(1 if self.is_sqlite else THREADS, "record")
        self._readers = ThreadPoolExecutor(2, "record-read") if self.is_sqlite else self._writers

    async def create_tables(self) -> None:
        """Make the tables that are not there; once, however many stages ask."""
        async with self._creating:
            if not self._created:
                await self._in(self._writers, lambda: SQLModel.metadata.create_all(self.engine))
                self._created = True

    async def write(self, work: Callable[..., T], *args: Any) -> T:
        """Run `work(session, *args)` in a transaction that is committed when it returns.

        Raises
        ------
        Unavailable
            The database does not answer; nothing was written.
        """
        return await self._in(self._writers, lambda: self._transaction(work, args))

    async def read(self, work: Callable[..., T], *args: Any) -> T:
        """Run `work(session, *args)`, which only reads. Raises as `write` does."""
        return await self._in(self._readers, lambda: self._transaction(work, args))

    def _transaction(self, work: Callable[..., T], args: tuple[Any, ...]) -> T:
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            return work(session, *args)

    async def _in(self, pool: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(pool, work)
        except (OperationalError, InterfaceError) as error:
            msg = f"the database does not answer ({type(error.orig).__name__})"
            raise Unavailable(msg) from error
        except DBAPIError as error:
            if error.connection_invalidated:
                msg = "the connection to the database was lost"
                raise Unavailable(msg) from error
            raise

    def close(self) -> None:
        """Finish what runs and disconnect."""
        self._writers.shutdown()
        self._readers.shutdown()
        self.engine.dispose()


def _engine(url: str) -> Engine:
    if not url.startswith("sqlite"):
        return create_engine(url, pool_pre_ping=True, pool_recycle=1800)
    file = make_url(url).database
    if file and file != ":memory:":
        Path(file).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"timeout": 30, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def _settle(connection: Any, _record: Any) -> None:
        # FULL: what was acknowledged to a gateway survives a power cut, not only a kill.
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    return engine


def insert_new(session: Session, table: type[SQLModel], rows: list[dict[str, Any]]) -> None:
    """Insert rows; those whose unique key is there already are left as they are."""
    if not rows:
        return
    session.execute(_ignoring(session, table), rows)


def _ignoring(session: Session, table: type[SQLModel]) -> Insert:
    if session.get_bind().dialect.name == "sqlite":
        return sqlite.insert(table).on_conflict_do_nothing()
    return mysql.insert(table).prefix_with("IGNORE")
