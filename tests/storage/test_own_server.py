"""What becomes of a server while it is used: read-only, without rights, without room, gone."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import NullPool, create_engine, make_url, text
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from schemas.errors import Unavailable
from storage import checkup, schema
from storage.database import Database, insert_new
from storage.engine import engine_of, shown
from storage.tables import Customer, Journal
from tests.events import NOW
from tests.mariadb import Server
from tests.storage.test_bad_database import prepared, refusal
from tests.storage.test_database import customer, names

pytestmark = pytest.mark.mysql


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(tmp_path_factory.mktemp("mariadb"))
    yield made
    made.stop()


@pytest.fixture
async def record(server: Server) -> AsyncIterator[Database]:
    made = Database(server.url)
    schema.migrate(made.engine)
    with made.engine.begin() as connection:
        connection.execute(text("DELETE FROM customer"))
        connection.execute(text("DELETE FROM journal"))
    await made.prepare()
    yield made
    made.close()


def as_user(url: str, name: str, password: str) -> str:
    changed = make_url(url).set(username=name, password=password)
    return changed.render_as_string(hide_password=False)


async def test_a_wrong_password_a_wrong_name_and_missing_rights_are_told_apart(
    server: Server, record: Database
) -> None:
    assert "refuses the user or the password" in await refusal(
        as_user(server.url, "astreinte", "x")
    )
    assert "refuses the user or the password" in await refusal(as_user(server.url, "nobody", "x"))
    elsewhere = make_url(server.url).set(database="astreinte_nowhere")
    said = await refusal(elsewhere.render_as_string(hide_password=False))
    assert "has no such database: create it first" in said
    server.admin(
        "CREATE OR REPLACE USER reader@127.0.0.1 IDENTIFIED BY 'r'",
        "GRANT SELECT ON astreinte.* TO reader@127.0.0.1",
        "CREATE OR REPLACE USER stranger@127.0.0.1 IDENTIFIED BY 's'",
    )
    assert "it has no rights on this database" in await refusal(
        as_user(server.url, "stranger", "s")
    )
    assert "needs all rights on its database" in await refusal(as_user(server.url, "reader", "r"))
    assert "'s'" not in said


async def test_a_server_that_only_reads_is_refused_at_start_and_waited_for_later(
    server: Server, record: Database
) -> None:
    await record.write(insert_new, Customer, [customer("k1")])
    server.admin("SET GLOBAL read_only = 1")
    try:
        assert "is read-only: name the primary, or take read_only off" in await refusal(server.url)
        with pytest.raises(Unavailable, match="the database is read-only"):
            await record.write(insert_new, Customer, [customer("k2")])
        assert await record.read(names) == ["k1"]
    finally:
        server.admin("SET GLOBAL read_only = 0")
    await record.write(insert_new, Customer, [customer("k2")])
    assert await record.read(names) == ["k1", "k2"]


async def test_what_an_administrator_should_change_is_said(
    server: Server, record: Database
) -> None:
    server.admin(
        "SET GLOBAL read_only = 1",
        "SET GLOBAL max_allowed_packet = 4194304",
        "SET GLOBAL innodb_flush_log_at_trx_commit = 2",
    )
    engine = engine_of(server.url)
    try:
        found = checkup.examine(engine)
    finally:
        server.admin(
            "SET GLOBAL read_only = 0",
            "SET GLOBAL max_allowed_packet = 16777216",
            "SET GLOBAL innodb_flush_log_at_trx_commit = 1",
        )
    assert found.writable is False
    assert [wrong.removeprefix(f"{shown(engine.url)} ") for wrong in found.wrong] == [
        "takes no row of 16 MiB: set max_allowed_packet to 16M or more",
        "may lose what was acknowledged: set innodb_flush_log_at_trx_commit to 1",
        "is read-only: name the primary, or take read_only off",
    ]
    engine.dispose()
    engine = engine_of(server.url)
    assert checkup.examine(engine).wrong == []
    engine.dispose()


async def test_a_server_that_is_full_of_connections_is_waited_for(
    server: Server, record: Database
) -> None:
    server.admin("SET GLOBAL max_connections = 10")
    others = create_engine(server.url, poolclass=NullPool)
    with ExitStack() as held:
        with pytest.raises(OperationalError, match="Too many connections"):
            for _ in range(11):
                held.enter_context(others.connect())
        with pytest.raises(Unavailable, match="has too many connections: raise max_connections"):
            await prepared(server.url)
    server.admin("SET GLOBAL max_connections = 151")
    await prepared(server.url)


@pytest.mark.parametrize("end", ["stop", "kill"])
async def test_what_was_written_is_there_when_the_server_is_back(
    server: Server, record: Database, end: str
) -> None:
    await record.write(insert_new, Customer, [customer("k1")])
    getattr(server, end)()
    with pytest.raises(Unavailable):
        await record.write(insert_new, Customer, [customer("k2")])
    with pytest.raises(Unavailable):
        await record.read(names)
    with pytest.raises(Unavailable, match="does not answer"):
        await prepared(server.url)
    server.start()
    await record.write(insert_new, Customer, [customer("k3")])
    assert await record.read(names) == ["k1", "k3"]


@contextmanager
def small_disk(folder: Path, mebibytes: int) -> Iterator[Path]:
    """A disk of its own, gone afterwards."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("a disk cannot be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


async def test_a_full_disk_is_waited_for_and_loses_nothing(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 400) as disk:
        server = Server(disk / "mariadb")
        record = Database(server.url)
        try:
            schema.migrate(record.engine)
            await record.prepare()
            confirmed = await fill_up(record, disk)
            # MariaDB ends itself when it has no room to take a change back; then it is started
            # again, as a supervisor would.
            (disk / "ballast").unlink()
            server.kill()
            server.start()
            assert await record.read(bodies) == confirmed
            await write(record, 1_000)
            assert await record.read(bodies) == sorted([*confirmed, "e1000"])
        finally:
            record.close()
            server.stop()


async def fill_up(record: Database, disk: Path) -> list[str]:
    """Write until there is no room; return what was confirmed."""
    confirmed = [await write(record, 0)]
    with (disk / "ballast").open("wb") as ballast:
        os.posix_fallocate(ballast.fileno(), 0, shutil.disk_usage(disk).free - 12 * 2**20)
    with pytest.raises(Unavailable, match=r"the database (does not|has no|cannot)"):
        async for name in numbered(record):
            confirmed.append(name)  # noqa: PERF401 - all that came before the error
    assert len(confirmed) < 60
    return sorted(confirmed)


async def numbered(record: Database) -> AsyncIterator[str]:
    for number in range(1, 100):
        yield await write(record, number)


async def write(record: Database, number: int) -> str:
    name = f"e{number}"
    row = {"event_id": name, "body": "x" * 1_000_000, "accepted_at": NOW}
    await record.write(insert_new, Journal, [row])
    return name


def bodies(session: Session) -> list[Any]:
    whole = text("SELECT event_id FROM journal WHERE LENGTH(body) = 1000000 ORDER BY event_id")
    return list(session.connection().execute(whole).scalars())
