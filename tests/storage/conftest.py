"""A record of one's own: on SQLite, and on MySQL where ASTREINTE_MYSQL names one."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlmodel import SQLModel

from storage.database import Database


@pytest.fixture(params=["sqlite", pytest.param("mysql", marks=pytest.mark.mysql)])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    url = f"sqlite:///{tmp_path}/record.db"
    if request.param == "mysql":
        url = os.environ.get("ASTREINTE_MYSQL", "")
        if not url:
            pytest.skip("ASTREINTE_MYSQL is not set, e.g. mysql+pymysql://user:password@host/empty")
    made = Database(url)
    if request.param == "mysql":
        SQLModel.metadata.drop_all(made.engine)
    await made.create_tables()
    yield made
    made.close()
