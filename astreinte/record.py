"""What commands do in the record: one transaction, in the name of whoever typed them."""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import Callable
from typing import Any, TypeVar

from astreinte import running
from astreinte.options import existing, settings_of
from storage.database import Database

T = TypeVar("T")


def in_record(url: str, work: Callable[..., T], *args: Any, write: bool = False) -> T:
    """Run `work(session, *args)` in a record; without a URL: of the desk that runs here."""

    async def run() -> T:
        here = running.find()
        chosen = url or (here.database if here else settings_of().database.url)
        record = Database(existing(chosen))
        try:
            await record.prepare()
            return await (record.write if write else record.read)(work, *args)
        finally:
            record.close()

    return asyncio.run(run())


def user() -> str:
    """Return who is logged in."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return "astreinte"
