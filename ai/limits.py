"""What a server of models may take: settings, and turns."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from ai.llm import Busy, Piece


@dataclass(frozen=True)
class Limits:
    """What a backend may take, and what it costs.

    `model`: its name, or nothing for the best there is; `remote`: text may leave this machine;
    `parallel` requests at once, `queue` more that wait; prices for 1,000 tokens; `monthly_cap`: 0
    for none.
    """

    model: str = ""
    remote: bool = False
    timeout_s: float = 60.0
    parallel: int = 1
    queue: int = 8
    context_tokens: int = 4096
    price_in: float = 0.0
    price_out: float = 0.0
    monthly_cap: float = 0.0

    def cost(self, last: Piece) -> float:
        """Return what an answer cost, by its last piece."""
        return (last.prompt_tokens * self.price_in + last.answer_tokens * self.price_out) / 1000


class Turns:
    """So many at once, so many more that wait; whoever comes then is sent away.

    Parameters
    ----------
    at_once, queue
        How many of each.
    """

    def __init__(self, at_once: int, queue: int) -> None:
        self._free = asyncio.Semaphore(at_once)
        self._queue = queue
        self._waiting = 0

    @asynccontextmanager
    async def turn(self, until: float) -> AsyncIterator[None]:
        """Have a turn before the time `until` (of the monotonic clock).

        Raises
        ------
        Busy
            Many wait already, or it did not come in time.
        """
        if self._free.locked() and self._waiting >= self._queue:
            msg = f"{self._waiting} questions wait already"
            raise Busy(msg)
        self._waiting += 1
        try:
            async with asyncio.timeout(until - time.monotonic()):
                await self._free.acquire()
        except TimeoutError:
            msg = "its turn did not come in time"
            raise Busy(msg) from None
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._free.release()
