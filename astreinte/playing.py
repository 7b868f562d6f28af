"""The simulated cold rooms of a desk: those that it shows, and those of its routes."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

from fastapi import FastAPI

from refrigeration.profile import Profile
from schemas.event import Event
from schemas.vocabulary import Fault
from services.neighbours import Neighbours
from services.telling import Teller
from simulation.fleet import Fleet, Plan, drive
from simulation.routes import Runs, simulator
from storage import profiles as kept
from storage.database import Database

CONFIRM_S = 10.0
SHOWN = Plan(faults=(Fault.LEAK,), severity=0.9, onset_s=6 * 3600.0, speed=600.0)
"""A desk's own rooms: the first leaks; a day in two and a half minutes, then as the clock."""
BACK_S = 24 * 3600.0


async def declare_in(database: Database, profiles: Sequence[Profile]) -> None:
    """Write profiles into a record; what was learned of a unit stays."""
    now = datetime.now(UTC)
    for profile in profiles:
        await database.write(kept.save, profile.model_dump(mode="json"), now)


async def play(near: Neighbours, units: int) -> None:
    """Have simulated rooms send to a desk, the first of them with a leak, until cancelled."""
    fleet = Fleet(replace(SHOWN, units=units), time.time() // 60 * 60 - BACK_S)
    await declare_in(near.database, [unit.profile for unit in fleet.units])

    async def publish(events: Sequence[Event]) -> None:
        await near.teller.tell(events, "simulator")

    await drive(fleet, publish)


@asynccontextmanager
async def simulator_of(near: Neighbours, app: FastAPI) -> AsyncIterator[None]:
    """Give a desk the simulator's routes; what they started ends with the block."""
    teller = Teller(near.broker, CONFIRM_S)

    async def publish(events: Sequence[Event]) -> None:
        await teller.tell(events, "simulator")

    async def declare(profile: Profile) -> None:
        await declare_in(near.database, [profile])

    runs = Runs(publish, declare)
    app.include_router(simulator(runs))
    try:
        yield
    finally:
        await runs.close()
