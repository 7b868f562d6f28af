"""The simulated cold rooms of a desk's routes, and how any are declared."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from fastapi import FastAPI

from refrigeration.profile import Profile
from schemas.event import Event
from services.neighbours import Neighbours
from services.telling import Teller
from simulation.routes import Runs, simulator
from storage import profiles as kept
from storage.database import Database

CONFIRM_S = 10.0


async def declare_in(database: Database, profiles: Sequence[Profile]) -> None:
    """Write profiles into a record; what was learned of a unit stays."""
    now = datetime.now(UTC)
    for profile in profiles:
        await database.write(kept.save, profile.model_dump(mode="json"), now)


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
