"""Waiting for a neighbour: quickly at first, then patiently, with nothing more taken over."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from schemas.errors import Unavailable

T = TypeVar("T")

QUICK_TRIES_S = (0.2, 0.8, 3.2)
"""Waits between tries in place, for what is transient."""
SLOW_TRY_S = 5.0
"""Between tries once a neighbour counts as down."""


class Patience:
    """Repeats what a neighbour could not do, until it can.

    Parameters
    ----------
    down
        Called with the reason whenever the quick tries are spent.
    back
        Called once nothing waits any more.
    """

    def __init__(self, down: Callable[[str], None], back: Callable[[], None]) -> None:
        self._down = down
        self._back = back
        self._waiting: set[asyncio.Task[Any]] = set()

    @property
    def waiting(self) -> bool:
        """A neighbour counts as down."""
        return bool(self._waiting)

    async def until_done(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Return what `attempt` returns, once it no longer raises `Unavailable`."""
        tries = 0
        me = asyncio.current_task()
        try:
            while True:
                try:
                    return await attempt()
                except Unavailable as why:
                    tries += 1
                    if tries > len(QUICK_TRIES_S) and me:
                        self._waiting.add(me)
                        self._down(str(why))
                    wait = QUICK_TRIES_S[tries - 1] if tries <= len(QUICK_TRIES_S) else SLOW_TRY_S
                    await asyncio.sleep(wait * random.uniform(0.8, 1.2))  # noqa: S311 - jitter
        finally:
            if me in self._waiting:
                self._waiting.discard(me)
                if not self._waiting:
                    self._back()

    def give_up(self) -> None:
        """Cancel whatever waits: it is not done, and will be read again."""
        for task in self._waiting:
            task.cancel()
