"""The desks that run are told what was learned; one that is not told finds it in the record."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from aiokafka.errors import KafkaError

from astreinte.running import Running
from schemas.errors import Rejected, Unavailable
from schemas.knowledge import changed
from services.neighbours import Neighbours
from services.settings import Settings
from storage.documents import Change

WITHIN_S = 5.0


class Crier:
    """Tells of changes; `failed`: Kafka took none of the last ones."""

    def __init__(self, near: Neighbours | None, *, failed: bool = False) -> None:
        self._near = near
        self.failed = failed

    async def tell(self, changes: Sequence[Change]) -> None:
        """Tell of changes that the record holds already. Kafka away: the record tells it."""
        if self._near is None or not changes:
            return
        now = datetime.now(UTC)
        events = [changed(c.name, c.kind, c.revision, now, removed=c.removed) for c in changes]
        try:
            async with asyncio.timeout(WITHIN_S):
                await self._near.teller.tell(events, "commands")
        except (Unavailable, Rejected, TimeoutError):
            self.failed = True


@asynccontextmanager
async def telling(settings: Settings, beside: Running | None) -> AsyncIterator[Crier]:
    """Have a crier: to the Kafka of the settings, of the desk that runs here, or to nobody."""
    kafka = settings.kafka.servers or (beside.kafka if beside else "")
    if not kafka:
        yield Crier(None)  # no desk runs: the next one reads the record at its start
        return
    embedded = bool(beside and beside.embedded and not settings.kafka.servers)
    async with Neighbours(settings, kafka, embedded=embedded) as near:
        try:
            yield Crier(near) if await _connected(near) else Crier(None, failed=True)
        finally:
            await near.broker.stop()


async def _connected(near: Neighbours) -> bool:
    try:
        async with asyncio.timeout(WITHIN_S):
            await near.broker.connect()
    except (KafkaError, OSError, TimeoutError):
        return False
    return True
