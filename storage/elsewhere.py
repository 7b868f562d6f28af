"""The tables of somebody else's database, read and never written."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import MetaData, create_engine, inspect, make_url, select
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from storage.engine import CONNECT_S, WrongDatabase, shown

AT_ONCE = 500


def tables_of(url: str, names: Collection[str]) -> Iterator[tuple[str, int, dict[str, Any]]]:
    """Give the rows of those of the tables that are there: table, number from 1, values.

    Raises
    ------
    WrongDatabase
        There is no such database, or it cannot be read.
    """
    try:
        target = make_url(url)
    except (ArgumentError, ValueError):
        msg = (
            "what is imported is a path, or a URL like mysql+pymysql://user:password@host/database"
        )
        raise WrongDatabase(msg) from None
    options: dict[str, Any] = {}
    if target.get_backend_name() in {"mysql", "mariadb"}:
        target = target.set(drivername="mysql+pymysql").update_query_dict({"charset": "utf8mb4"})
        options = {"connect_timeout": CONNECT_S}
    elif not Path(target.database or "").is_file():
        msg = f"{shown(target)} is not there"
        raise WrongDatabase(msg)
    engine = create_engine(target, connect_args=options)
    try:
        with engine.connect() as connection:
            there = [
                name for name in inspect(connection).get_table_names() if name.lower() in names
            ]
            found = MetaData()
            found.reflect(connection, only=there)
            for name in there:
                rows = connection.execution_options(yield_per=AT_ONCE).execute(
                    select(found.tables[name])
                )
                for number, row in enumerate(rows.mappings(), 1):
                    yield name.lower(), number, {str(k).lower(): value for k, value in row.items()}
    except SQLAlchemyError as error:
        msg = f"{shown(target)} cannot be read ({type(error).__name__})"
        raise WrongDatabase(msg) from None
    finally:
        engine.dispose()
