"""A database in the old shape on a real server: by its URL, and by a dump that its own tool made."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, insert, make_url, text
from sqlalchemy.schema import MetaData

from astreinte.columns import moment_of
from storage.database import Database
from tests.astreinte.importing.test_bringing import OLD, SEEDS, bring, counts
from tests.storage.conftest import database, server  # noqa: F401 - fixtures

pytestmark = [
    pytest.mark.mysql,
    pytest.mark.parametrize("database", ["mysql"], indirect=True),
]

NAMES = {"clients": "clients", "tickets": "tickets", "resolutions": "resolutions"}
DUMPS = [name for name in ("mariadb-dump", "mysqldump") if shutil.which(name)]


def rows_of(table: str) -> list[dict[str, Any]]:
    if SEEDS.exists():
        rows: list[dict[str, Any]] = json.loads((SEEDS / f"{table}.json").read_text("utf-8"))
        return rows
    keys = {"clients": "client_id", "tickets": "ticket_id", "resolutions": "knowledge_base_ref"}
    more = {
        "clients": {"nom": "Épinette", "prenom": "Zoé"},
        "tickets": {
            "channel": "sms",
            "subject": "Été; -- 'x'",
            "content": 'a\n"b" \\ 🖨',
            "client_id": "1",
        },
        "resolutions": {
            "category": "c",
            "problem_description": "p",
            "solution_title": "t",
            "solution_full_text": "s",
        },
    }
    return [
        {keys[table]: str(n), **more[table]}
        | ({"email": f"{n}@x.example"} if table == "clients" else {})
        for n in range(1, 4)
    ]


@pytest.fixture
def old(server: str) -> Iterator[str]:  # noqa: F811
    """The URL of a database of the older system, filled as it was."""
    url = make_url(server).set(database="astreinte_support_client")
    admin = create_engine(server)
    with admin.begin() as connection:
        connection.execute(text("DROP DATABASE IF EXISTS astreinte_support_client"))
        connection.execute(text("CREATE DATABASE astreinte_support_client CHARACTER SET utf8mb4"))
    engine = create_engine(url)
    shape = (OLD / "support_client.sql").read_text("utf-8").partition("CREATE OR REPLACE VIEW")[0]
    with engine.begin() as connection:
        for statement in re.findall(r"^CREATE TABLE.*?;$", shape, re.MULTILINE | re.DOTALL):
            connection.exec_driver_sql(statement.replace("%", "%%"))
        found = MetaData()
        found.reflect(connection)
        for name in NAMES:
            table = found.tables[name]
            for row in rows_of(name):
                kept = {key: _value(value) for key, value in row.items() if key in table.columns}
                connection.execute(insert(table).values(kept))
    engine.dispose()
    yield url.render_as_string(hide_password=False)
    with admin.begin() as connection:
        connection.execute(text("DROP DATABASE astreinte_support_client"))
    admin.dispose()


def _value(value: Any) -> Any:
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT.*Z", value):
        moment: datetime = moment_of(value).replace(tzinfo=None)
        return moment
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list) else value


def expected(outcome: str) -> dict[str, dict[str, int]]:
    return {name: {outcome: len(rows_of(name))} for name in ("clients", "resolutions", "tickets")}


async def test_an_old_database_comes_in_by_its_url(database: Database, old: str) -> None:  # noqa: F811
    assert counts(await bring(database, old)) == expected("new")
    assert counts(await bring(database, old)) == expected("unchanged")


@pytest.mark.skipif(not DUMPS, reason="there is no mysqldump here")
@pytest.mark.parametrize("more", [[], ["--skip-extended-insert", "--complete-insert", "--compact"]])
async def test_a_dump_says_what_the_database_says(
    database: Database,  # noqa: F811
    old: str,
    tmp_path: Path,
    more: list[str],
) -> None:
    at = make_url(old)
    words = [DUMPS[0], f"-h{at.host}", f"-P{at.port}", f"-u{at.username}", f"-p{at.password}"]
    dump = tmp_path / "dump.sql"
    made = await asyncio.create_subprocess_exec(
        *words, *more, f"--result-file={dump}", str(at.database)
    )
    assert await made.wait() == 0
    assert counts(await bring(database, dump)) == expected("new")
    report = await bring(database, old)
    assert counts(report) == expected("unchanged")
    assert report.remarks == []
