"""What a record must bear: long and strange texts, keys that are nearly the same, contention."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DataError, IntegrityError
from sqlmodel import Session, select

from schemas.errors import Unavailable
from storage.database import Database, insert_new
from storage.tables import Customer, Journal, Latch, Message
from tests.events import NOW
from tests.storage.test_database import customer
from tests.storage.test_intake import mail, take_in


async def test_a_body_of_fifteen_mebibytes_comes_back(database: Database) -> None:
    body = "é🖨️👩‍🔧" * (15 * 2**20 // len("é🖨️👩‍🔧".encode()))
    row = {"event_id": "e1", "body": body, "accepted_at": NOW}
    await database.write(insert_new, Journal, [row])
    found = await database.read(lambda session: session.get(Journal, "e1"))
    assert found is not None
    assert found.body == body


async def test_keys_that_differ_by_a_byte_are_different(database: Database) -> None:
    keys = [
        "<ab@x>",
        "<aB@x>",
        "<àb@x>",
        "<a\u0300b@x>",
        "<ab\u200b@x>",
        "<🖨@x>",
        "<🖨️@x>",
        "<ß@x>",
        "<ss@x>",
    ]
    for key in keys:
        await database.write(take_in, mail(external_id=key), "", key == keys[0])
    stored = await database.read(lambda session: session.exec(select(Message.external_id)).all())
    assert sorted(stored) == sorted(keys)


async def test_a_row_that_refers_to_nothing_is_an_error_and_not_left_out(
    database: Database,
) -> None:
    row = {
        "message_id": "m1", "conversation_id": "nowhere", "channel": "chat", "external_id": "1",
        "subject": "", "text": "", "received_text": "", "received_at": NOW, "stored_at": NOW,
        "sender": "a", "trial": False, "new_customer": False, "new_conversation": False,
        "why": "", "outcome": "",
    }  # fmt: skip
    with pytest.raises(IntegrityError):
        await database.write(insert_new, Message, [row])


async def test_a_text_that_is_too_long_is_an_error_and_not_cut(database: Database) -> None:
    if database.is_sqlite:
        await database.write(insert_new, Latch, [{"name": "x" * 41}])
        return  # it knows no lengths: all of it is kept
    with pytest.raises(DataError):
        await database.write(insert_new, Latch, [{"name": "x" * 41}])


def touch(session: Session, name: str) -> None:
    session.execute(text("UPDATE customer SET company = 'x' WHERE customer_id = :n"), {"n": name})


async def test_who_loses_a_deadlock_is_tried_again_at_once(database: Database) -> None:
    if database.is_sqlite:
        pytest.skip("one writer at a time knows no deadlocks")
    await database.write(insert_new, Customer, [customer("k1"), customer("k2")])
    both, tries = threading.Barrier(2, timeout=10), []

    def cross(session: Session, first: str, second: str) -> None:
        tries.append(first)
        touch(session, first)
        if len(tries) <= 2:
            both.wait()
        touch(session, second)

    await asyncio.gather(database.write(cross, "k1", "k2"), database.write(cross, "k2", "k1"))
    assert len(tries) == 3


async def test_who_loses_one_deadlock_after_the_other_waits_for_later(database: Database) -> None:
    if database.is_sqlite:
        pytest.skip("one writer at a time knows no deadlocks")

    def unlucky(session: Session) -> None:
        session.connection().exec_driver_sql("SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213")

    with pytest.raises(Unavailable, match="has taken a change back in favour of others"):
        await database.write(unlucky)


async def test_who_waits_too_long_for_a_lock_may_try_again(database: Database) -> None:
    await database.write(insert_new, Customer, [customer("k1")])

    def impatient(session: Session) -> None:
        wait = "PRAGMA busy_timeout = 50" if database.is_sqlite else IMPATIENT
        session.connection().exec_driver_sql(wait)
        touch(session, "k1")

    async with holding(database):
        with pytest.raises(Unavailable, match=r"too long for others|in use by another process"):
            await database.write(impatient)
    await database.write(touch, "k1")


IMPATIENT = "SET SESSION innodb_lock_wait_timeout = 1"


@asynccontextmanager
async def holding(database: Database) -> AsyncIterator[None]:
    """Have somebody else hold the lock of what `touch` changes."""
    if database.is_sqlite:
        other = sqlite3.connect(database.engine.url.database or "", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        yield
        other.close()
        return
    held, release = threading.Event(), threading.Event()

    def hold(session: Session) -> None:
        touch(session, "k1")
        held.set()
        release.wait(20)

    holder = asyncio.create_task(database.write(hold))
    await asyncio.to_thread(held.wait, 10)
    yield
    release.set()
    await holder
