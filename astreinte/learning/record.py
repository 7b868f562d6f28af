"""The record that commands look at: that of the desk that runs here, or of the settings."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from astreinte import running
from astreinte.learning.telling import Crier, telling
from astreinte.options import settings_of
from services.neighbours import Neighbours


class Hands(NamedTuple):
    """What commands work with: the record and the model, and who tells the desks."""

    near: Neighbours
    crier: Crier


@asynccontextmanager
async def hands(broker: str = "", database: str = "") -> AsyncIterator[Hands]:
    """Have the record open, and somebody who tells the desks what changed in it.

    Raises
    ------
    WrongDatabase, Unavailable
        The record cannot be used, or does not answer.
    """
    here = running.find()
    settings = settings_of(broker, database or (here.database if here and not broker else ""))
    beside = here if here and here.database == settings.database.url and not broker else None
    async with Neighbours(settings, "") as near, telling(settings, beside) as crier:
        await near.database.prepare(settings.database.connect_s)
        yield Hands(near, crier)
