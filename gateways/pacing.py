"""Turns for a provider that counts messages: per recipient and in all, the urgent ones first."""

from __future__ import annotations

import asyncio
import itertools
import math
from dataclasses import dataclass, field

from schemas.errors import Unavailable

PATIENCE_S = 5.0
"""Whoever would wait longer than that for the provider's own pause is told to come back."""
REMEMBERED = 10_000


@dataclass(order=True)
class _Waiting:
    rank: tuple[bool, int]
    who: str = field(compare=False)
    gap_s: float = field(compare=False)
    turn: asyncio.Future[None] = field(compare=False)


class Pace:
    """Lets `per_s` messages a second through; `turn` says how far apart those of one recipient are.

    The gaps are exact instead of a bucket's average: a provider that counts has its own clock.
    """

    def __init__(self, per_s: float) -> None:
        self._gap_s = 1.0 / per_s
        self._next = 0.0
        self._held_until = 0.0
        self._next_of: dict[str, float] = {}
        self._waiting: list[_Waiting] = []
        self._timer: asyncio.TimerHandle | None = None
        self._count = itertools.count()

    async def turn(self, who: str, gap_s: float, *, urgent: bool = False) -> None:
        """Wait until a message to `who` may leave; the next to them may `gap_s` later.

        Raises
        ------
        Unavailable
            The provider asked for a longer pause than is worth waiting for.
        """
        loop = asyncio.get_running_loop()
        left = self._held_until - loop.time()
        if left > PATIENCE_S:
            raise _pause(left)
        own = _Waiting((not urgent, next(self._count)), who, gap_s, loop.create_future())
        self._waiting.append(own)
        self._waiting.sort()
        self._let_through()
        try:
            await own.turn
        finally:
            if own in self._waiting:  # given up
                self._waiting.remove(own)

    def hold(self, seconds: float) -> None:
        """Let nobody through for so long: the provider asked for it."""
        until = asyncio.get_running_loop().time() + seconds
        self._held_until = max(self._held_until, until)
        if seconds > PATIENCE_S:
            for each in self._waiting:
                if not each.turn.done():
                    each.turn.set_exception(_pause(seconds))
            self._waiting.clear()

    def _let_through(self) -> None:
        """Let the first one through whose time has come; look again when another's may."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        loop = asyncio.get_running_loop()
        now = loop.time()
        free = max(self._next, self._held_until)
        if free <= now:
            for each in self._waiting:
                if self._next_of.get(each.who, 0.0) <= now and not each.turn.done():
                    self._waiting.remove(each)
                    each.turn.set_result(None)
                    self._note(each, now)
                    free = self._next
                    break
        if self._waiting:
            theirs = min(self._next_of.get(each.who, 0.0) for each in self._waiting)
            self._timer = loop.call_at(max(free, theirs), self._let_through)

    def _note(self, gone: _Waiting, now: float) -> None:
        self._next = now + self._gap_s
        self._next_of[gone.who] = now + gone.gap_s
        if len(self._next_of) > REMEMBERED:
            self._next_of = {who: at for who, at in self._next_of.items() if at > now}


def _pause(seconds: float) -> Unavailable:
    return Unavailable(f"the provider asked for a pause of {math.ceil(seconds)} s", seconds)
