"""Work that comes round: a turn at once when there is something to do, else every so often."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

from schemas.errors import Unavailable

log = logging.getLogger(__name__)

STOP_S = 5.0


class Rounds:
    """Takes turns until stopped; a turn that fails is logged, and the next one comes.

    Parameters
    ----------
    name
        What takes the turns, for the log.
    turn
        Does what is to be done, and says whether there may be more at once.
    every_s
        Between turns that nobody hurried.
    """

    def __init__(self, name: str, turn: Callable[[], Awaitable[object]], every_s: float) -> None:
        self._name = name
        self._turn = turn
        self._every_s = every_s
        self._due = asyncio.Event()
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    def hurry(self) -> None:
        """Say that there is something to do."""
        self._due.set()

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._work())

    async def stop(self) -> None:
        """Finish the turn, take a last one, and end."""
        self._stopping = True
        self._due.set()
        if self._task:
            with suppress(asyncio.CancelledError, TimeoutError):
                await asyncio.wait_for(self._task, STOP_S)

    async def _work(self) -> None:
        while True:
            last = self._stopping
            try:
                if await self._turn() and not last:
                    continue
            except Unavailable as why:
                log.warning("%s waits: %s", self._name, why)
            except Exception:
                log.exception("%s failed; it goes on", self._name)
            if last:
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(self._due.wait(), self._every_s)
            self._due.clear()
