"""The watch over units while nothing comes in: silence, memories to write, a sign of life."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

from services.owner import new_owner
from services.policy import Health
from services.rooms import Rooms
from services.rounds import Rounds
from storage import units
from storage.database import Database

EVERY_S = 2.0
BEAT_S = 10.0
CAUGHT_UP = 1_000
"""Readings: while more of them wait, silence means nothing, for it may be heard in them."""
CALM_TURNS = 3


class Vigil:
    """Takes turns beside the handler of readings.

    Parameters
    ----------
    rooms
        The units in hand.
    database
        Where the sign of life goes.
    health
        Of the consumer of readings: one that is stopped or waits gives no sign of life.
    """

    def __init__(self, rooms: Rooms, database: Database, health: Callable[[], Health]) -> None:
        self._rooms = rooms
        self._database = database
        self._health = health
        self._calm = 0
        self._beaten_at = 0.0
        self._name = new_owner()
        self.rounds = Rounds("classify's watch", self.turn, EVERY_S)

    async def turn(self) -> None:
        """Do what is due."""
        await self._rooms.tell()
        health = self._health()
        self._calm = self._calm + 1 if health.ready and health.lag <= CAUGHT_UP else 0
        if self._calm >= CALM_TURNS and await self._rooms.pass_time(time.time()):
            await self._rooms.tell()
        await self._rooms.strike_out()
        await self._rooms.keep()
        if health.ready and time.monotonic() - self._beaten_at > BEAT_S:
            await self._database.write(units.beat, self._name, datetime.now(UTC))
            self._beaten_at = time.monotonic()
