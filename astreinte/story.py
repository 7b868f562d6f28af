"""The opening story: invented customers write, and one sees what becomes of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import httpx

from astreinte.desk import Desk
from simulation.customers import STORY, Line, as_request
from storage import roads
from storage.tables import Outgoing

ANSWER_S = 60.0


@dataclass(frozen=True)
class Told:
    """A line of the story and what became of it; `outcome` is empty after the time-out."""

    line: Line
    outcome: Outgoing | None
    seconds: float


async def play(desk: Desk) -> AsyncIterator[Told]:
    """Hand the story's messages in over HTTP, as a gateway would, and give each one's outcome."""
    run = datetime.now(UTC).strftime("%Y%m%d%H%M%S")
    async with httpx.AsyncClient(base_url=desk.url, timeout=30, trust_env=False) as client:
        for number, line in enumerate(STORY, 1):
            await asyncio.sleep(line.after_s)
            began = asyncio.get_running_loop().time()
            response = await client.post("/messages", json=as_request(line, number, run))
            response.raise_for_status()
            message_id = str(UUID(response.json()["event_id"]))
            outcome = await _outcome(desk, message_id)
            yield Told(line, outcome, asyncio.get_running_loop().time() - began)


async def _outcome(desk: Desk, message_id: str) -> Outgoing | None:
    until = asyncio.get_running_loop().time() + ANSWER_S
    while asyncio.get_running_loop().time() < until:
        outcome = await desk.near.database.read(roads.outcome, message_id)
        if outcome:
            return outcome
        await asyncio.sleep(0.05)
    return None
