"""The connection to the record, and the threads that its blocking drivers need."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from sqlalchemy import text
from sqlalchemy.dialects import mysql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.dml import Insert
from sqlmodel import Session, SQLModel

from schemas.errors import Unavailable
from storage import schema
from storage.engine import (
    WrongDatabase,
    engine_of,
    explained,
    is_passing,
    lost_a_deadlock,
    shown,
    why_later,
)

T = TypeVar("T")

Observe = Callable[[str, float], None]

DEADLOCK_TRIES = 3
THREADS = 4
"""For servers. SQLite has one writer; a single thread spares it the waiting for locks."""


class Database:
    """Runs functions of a session, one transaction each, outside the event loop.

    Parameters
    ----------
    url
        SQLAlchemy URL.
    observe
        Called after each transaction: was it a "read" or a "write", and its seconds, with those
        that it waited for a thread.
    """

    def __init__(self, url: str, observe: Observe = lambda _kind, _seconds: None) -> None:
        self.url = url
        self._observe = observe
        self.engine = engine_of(url)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        self._preparing = asyncio.Lock()
        self._prepared = False
        self._writers = ThreadPoolExecutor(1 if self.is_sqlite else THREADS, "record")
        self._readers = ThreadPoolExecutor(2, "record-read") if self.is_sqlite else self._writers

    async def prepare(self, wait_s: float = 0.0) -> None:
        """Bring a file to the schema of this program, check a server's; once, whoever asks.

        Parameters
        ----------
        wait_s
            How long a server that does not answer is waited for.

        Raises
        ------
        WrongDatabase
            It answers, and cannot be used as it is; the text says what to do.
        Unavailable
            It does not answer.
        """
        async with self._preparing:
            until = time.monotonic() + wait_s
            while not self._prepared:
                try:
                    await self._in(self._writers, self._prepare)
                    self._prepared = True
                except Unavailable:
                    if time.monotonic() >= until:
                        raise
                    await asyncio.sleep(1)

    def _prepare(self) -> None:
        with explained(shown(self.url)):
            with self.engine.connect() as connection:
                found = schema.version_of(connection)
            if self.is_sqlite and found < schema.HEAD:
                _, found = schema.migrate(self.engine)
            if advice := schema.advice(found, shown(self.url)):
                raise WrongDatabase(advice)
            with self.engine.begin() as connection:
                connection.execute(text(schema.MAY_WRITE))

    async def write(self, work: Callable[..., T], *args: Any) -> T:
        """Run `work(session, *args)` in a transaction that is committed when it returns.

        `work` is run again when the transaction lost a deadlock: it only acts on its session.

        Raises
        ------
        Unavailable
            The database does not answer; nothing was written.
        """
        return await self._observed("write", self._writers, work, args)

    async def read(self, work: Callable[..., T], *args: Any) -> T:
        """Run `work(session, *args)`, which only reads. Raises as `write` does."""
        return await self._observed("read", self._readers, work, args)

    async def _observed(
        self, kind: str, pool: ThreadPoolExecutor, work: Callable[..., T], args: tuple[Any, ...]
    ) -> T:
        began = time.perf_counter()
        try:
            return await self._in(pool, lambda: self._transaction(work, args))
        finally:
            self._observe(kind, time.perf_counter() - began)

    def _transaction(self, work: Callable[..., T], args: tuple[Any, ...]) -> T:
        # Whoever loses a deadlock has changed nothing, and mostly wins the next time.
        for tries_left in range(DEADLOCK_TRIES - 1, -1, -1):
            try:
                with Session(self.engine, expire_on_commit=False) as session, session.begin():
                    return work(session, *args)
            except DBAPIError as error:
                if not tries_left or not lost_a_deadlock(error):
                    raise
        raise AssertionError

    async def _in(self, pool: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(pool, work)
        except DBAPIError as error:
            if not is_passing(error):
                raise
            msg = f"the database {why_later(error)}"
            raise Unavailable(msg) from error

    def close(self) -> None:
        """Finish what runs and disconnect."""
        self._writers.shutdown()
        self._readers.shutdown()
        self.engine.dispose()


def insert_new(session: Session, table: type[SQLModel], rows: list[dict[str, Any]]) -> None:
    """Insert rows; those whose unique key is there already are left as they are."""
    if not rows:
        return
    session.execute(_ignoring(session, table), rows)


def _ignoring(session: Session, table: type[SQLModel]) -> Insert:
    if session.get_bind().dialect.name == "sqlite":
        return sqlite.insert(table).on_conflict_do_nothing()
    # Not IGNORE: that also cuts texts that are too long and drops rows that refer to nothing.
    inserting = mysql.insert(table)
    key = next(iter(inserting.table.primary_key))
    return inserting.on_duplicate_key_update({key.name: key})
