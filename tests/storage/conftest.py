"""A record of one's own: on SQLite, and on MySQL where ASTREINTE_MYSQL names one."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlmodel import SQLModel

from storage import schema
from storage.database import Database
from tests.conftest import record_in


@pytest.fixture(scope="session")
def server() -> str:
    """The URL of a MySQL or MariaDB database with the tables of this program."""
    url = os.environ.get("ASTREINTE_MYSQL", "")
    if not url:
        pytest.skip("ASTREINTE_MYSQL is not set: scripts/mysql run -- pytest -m mysql")
    made = Database(url)
    schema.migrate(made.engine)
    made.close()
    return url


def empty(database: Database) -> None:
    """Remove all rows; migrations take too long to be made for each test."""
    with database.engine.begin() as connection:
        connection.execute(text("SET foreign_key_checks = 0"))
        for table in SQLModel.metadata.sorted_tables:
            if table.name != "latch":
                connection.execute(table.delete())
        connection.execute(text("SET foreign_key_checks = 1"))


@pytest.fixture(params=["sqlite", pytest.param("mysql", marks=pytest.mark.mysql)])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    if request.param == "mysql":
        made = Database(request.getfixturevalue("server"))
        empty(made)
    else:
        made = Database(record_in(tmp_path))
    await made.prepare()
    yield made
    made.close()
