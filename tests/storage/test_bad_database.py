"""A record that cannot be used: why, and what to do, before anything is taken in."""

from __future__ import annotations

import asyncio
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import pytest
from sqlalchemy import text

import storage.database
from schemas.errors import Unavailable
from storage import schema
from storage.database import Database, insert_new
from storage.engine import CONNECT_S, WrongDatabase, engine_of, shown
from storage.tables import Customer
from tests.storage.test_database import customer, names

NOBODY = 65_534


async def refusal(url: str, wait_s: float = 0.0) -> str:
    """What is said when a record is to be used: for good."""
    with pytest.raises(WrongDatabase) as caught:
        await prepared(url, wait_s)
    return str(caught.value)


async def prepared(url: str, wait_s: float = 0.0) -> Database:
    database = Database(url)
    try:
        await database.prepare(wait_s)
    finally:
        database.close()
    return database


def said_to_nobody(url: str) -> str:
    """Be somebody whom the rights of files concern, for good, and say what is said to him."""
    if not os.geteuid():
        os.seteuid(NOBODY)
    return asyncio.run(refusal(url))


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that anybody may use, on a path that anybody may walk."""
    with tempfile.TemporaryDirectory() as made:
        Path(made).chmod(0o777)
        yield Path(made)
        Path(made).chmod(0o777)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("nonsense", "is no URL like mysql+pymysql://user:password@host/astreinte"),
        ("mysql+pymysql://me:secret@host:port/x", "is no URL like mysql"),
        ("", "is no URL like mysql"),
        ("postgresql://me:secret@127.0.0.1/x", "kept in SQLite, MySQL or MariaDB, not in postgres"),
        ("mysql+pymysql://me:secret@127.0.0.1", "names no database: add /astreinte"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
    ],
)
async def test_a_url_that_cannot_be_right_is_refused_at_once(url: str, why: str) -> None:
    said = await refusal(url)
    assert why in said
    assert "secret" not in said


async def test_a_host_that_nobody_knows_is_not_waited_for() -> None:
    began = time.monotonic()
    said = await refusal("mysql+pymysql://me:secret@nowhere.invalid/x", wait_s=60)
    assert said == "mysql+pymysql://me:***@nowhere.invalid/x names a host that is not known"
    assert time.monotonic() - began < 30


async def test_a_port_where_nobody_listens_is_waited_for() -> None:
    began = time.monotonic()
    with pytest.raises(Unavailable, match=r"me:\*\*\*@127.0.0.1:1/x does not answer"):
        await prepared("mysql+pymysql://me:secret@127.0.0.1:1/x", wait_s=1.2)
    assert 1.2 <= time.monotonic() - began < 4


async def test_who_takes_a_call_and_says_nothing_counts_as_absent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(storage.database, "engine_of", partial(engine_of, answer_s=0.3))
    silent = await asyncio.start_server(lambda _reader, _writer: asyncio.sleep(30), "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    began = time.monotonic()
    with pytest.raises(Unavailable, match="does not answer"):
        await prepared(f"mysql+pymysql://me:secret@127.0.0.1:{port}/x", wait_s=1)
    assert 1 <= time.monotonic() - began < 1 + CONNECT_S
    silent.close()


async def test_who_answers_in_another_language_is_no_database(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def talk(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(Unavailable) as caught:
        await prepared(f"mysql+pymysql://me:secret@127.0.0.1:{port}/x")
    assert str(caught.value).endswith("does not answer (InternalError)")
    server.close()


async def test_what_is_no_database_is_left_as_it_is(tmp_path: Path) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_text("Chère Madame, " * 100, "utf-8")
    before = letter.read_bytes()
    assert "is no SQLite database" in await refusal(f"sqlite:///{letter}")
    assert letter.read_bytes() == before
    assert "cannot be opened" in await refusal(f"sqlite:///{tmp_path}")
    assert "cannot be made (File exists)" in await refusal(f"sqlite:///{letter}/record.db")


async def test_a_newer_or_strange_record_is_left_as_it_is(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/record.db"
    await prepared(url)
    engine = engine_of(url)
    for step in ("9999", "f00dcafe1234"):
        with engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = :s"), {"s": step})
        said = await refusal(url)
        assert f"was made by a newer Astreinte (step {step}, not {schema.HEAD}): update" in said
    engine.dispose()


def read_only_file(file: Path) -> None:
    file.chmod(0o444)


def read_only_folder(file: Path) -> None:
    file.parent.chmod(0o555)


def both(file: Path) -> None:
    read_only_file(file)
    read_only_folder(file)


def closed_folder(file: Path) -> None:
    file.parent.chmod(0o000)


@pytest.mark.parametrize(
    ("close", "why"),
    [
        (read_only_file, "cannot be written: check the rights of the file and its folder"),
        (read_only_folder, "cannot be (written|opened): check the"),
        (both, "cannot be (written|opened): check the"),
        (closed_folder, "cannot be opened: check the folder and its rights"),
    ],
)
async def test_a_file_that_may_not_be_written_is_said_and_keeps_its_rows(
    folder: Path, close: Callable[[Path], None], why: str
) -> None:
    file = folder / "record.db"
    database = Database(f"sqlite:///{file}")
    await database.prepare()
    await database.write(insert_new, Customer, [customer()])
    database.close()
    file.chmod(0o666)
    close(file)
    # In a process of its own: changing user interrupts every thread, the embedded broker's too,
    # and that one does not survive it.
    with ProcessPoolExecutor(1, get_context("spawn")) as elsewhere:
        said = elsewhere.submit(said_to_nobody, f"sqlite:///{file}").result(timeout=60)
    assert re.search(why, said), said
    for path in (folder, file):
        os.chmod(path, 0o777)  # noqa: PTH101
    again = Database(f"sqlite:///{file}")
    assert await again.read(names) == ["k1"]
    again.close()


async def test_a_server_at_another_step_is_only_looked_at(blank: str) -> None:
    if blank.startswith("sqlite"):
        pytest.skip("a file goes up by itself")
    assert (
        await refusal(blank)
        == f"{shown(blank)} has no tables yet: run `astreinte database migrate`"
    )
    engine = engine_of(blank)
    schema.migrate(engine, "0004")
    assert f"is at step 0004, {schema.HEAD} is needed: run" in await refusal(blank)
    with engine.connect() as connection:
        assert schema.version_of(connection) == "0004"
    schema.migrate(engine)
    await prepared(blank)
    engine.dispose()
