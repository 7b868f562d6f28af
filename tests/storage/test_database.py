"""The connection to the record: one transaction each, outside the event loop."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from schemas.errors import Unavailable
from storage.database import Database, insert_new
from storage.tables import Customer, Journal

NOW = datetime(2025, 2, 1, 8, 30, 15, 123456, tzinfo=UTC)


def customer(name: str = "k1", **changes: Any) -> dict[str, Any]:
    return {
        "customer_id": name,
        "address": f"chat:{name}",
        "name": name,
        "created_at": NOW,
    } | changes


def names(session: Session) -> list[str]:
    return list(session.exec(select(Customer.name).order_by(col(Customer.customer_id))))


async def test_what_is_there_already_stays_as_it_is(database: Database) -> None:
    await database.write(insert_new, Customer, [customer("k1")])
    again = [
        customer("k1", created_at=NOW + timedelta(1)),
        customer("k2"),
        customer("k3", address="chat:k1"),
    ]
    await database.write(insert_new, Customer, again)
    assert await database.read(names) == ["k1", "k2"]
    found = await database.read(lambda session: session.get(Customer, "k1"))
    assert found is not None
    assert found.created_at == NOW


async def test_no_rows_are_no_work(database: Database) -> None:
    await database.write(insert_new, Customer, [])
    assert await database.read(names) == []


async def test_a_transaction_that_fails_leaves_nothing(database: Database) -> None:
    def half(session: Session) -> None:
        insert_new(session, Customer, [customer()])
        msg = "half way"
        raise RuntimeError(msg)

    with pytest.raises(RuntimeError, match="half way"):
        await database.write(half)
    assert await database.read(names) == []


async def test_a_bug_is_not_called_unavailable(database: Database) -> None:
    def twice(session: Session) -> None:
        session.add(Customer(**customer("k1")))
        session.add(Customer(**customer("k2", address="chat:k1")))

    with pytest.raises(IntegrityError):
        await database.write(twice)


async def test_moments_keep_microseconds_and_come_back_as_utc(database: Database) -> None:
    local = NOW.astimezone(timezone(timedelta(hours=9)))
    await database.write(insert_new, Customer, [customer(created_at=local)])
    found = await database.read(lambda session: session.get(Customer, "k1"))
    assert found is not None
    assert (found.created_at, found.created_at.tzinfo) == (NOW, UTC)


async def test_all_of_unicode_and_long_texts_come_back(database: Database) -> None:
    body = "« Prêt Hex » 🖨️ \u0000".replace("\u0000", "") + "é🖨" * 60_000
    row = {"event_id": "e1", "body": body, "accepted_at": NOW}
    await database.write(insert_new, Journal, [row])
    found = await database.read(lambda session: session.get(Journal, "e1"))
    assert found is not None
    assert found.body == body


async def test_names_that_differ_in_case_or_accent_are_different(database: Database) -> None:
    rows = [
        customer(f"k{n}", address=a) for n, a in enumerate(("chat:ana", "chat:ANA", "chat:aná"))
    ]
    await database.write(insert_new, Customer, rows)
    assert len(await database.read(names)) == 3


async def test_work_is_done_outside_the_event_loop(database: Database) -> None:
    assert await database.write(lambda _: threading.current_thread()) is not threading.main_thread()


async def test_many_write_at_once(database: Database) -> None:
    await asyncio.gather(*(
        database.write(insert_new, Customer, [customer(f"k{n:02}")]) for n in range(40)
    ))  # fmt: skip
    assert len(await database.read(names)) == 40


async def test_tables_are_made_once(database: Database) -> None:
    await database.write(insert_new, Customer, [customer()])
    await database.prepare()
    assert await database.read(names) == ["k1"]


async def test_a_database_that_does_not_answer_is_unavailable_without_its_password(
    tmp_path: Path,
) -> None:
    absent = Database("mysql+pymysql://me:secret@127.0.0.1:1/x")
    with pytest.raises(Unavailable, match="does not answer") as caught:
        await absent.read(names)
    assert "secret" not in str(caught.value)
    absent.close()
    torn = tmp_path / "torn.db"
    torn.write_bytes(b"this is no database" * 100)
    broken = Database(f"sqlite:///{torn}")
    with pytest.raises(Exception, match="database"):
        await broken.read(names)
    broken.close()


async def test_sqlite_survives_a_power_cut(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/deep/folder/record.db")

    def pragmas(session: Session) -> list[Any]:
        connection = session.connection()
        names = ("journal_mode", "synchronous", "foreign_keys")
        return [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names]

    assert await database.read(pragmas) == ["wal", 2, 1]
    database.close()
