"""The state of one alarm of one unit: idle, pending, active, clearing (after ISA-18.2).

The on-delay and the off-delay run in event time. A gap between readings, longer than is usual for
the unit, is no evidence: it does not count, and it does not start the delay again either.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import uuid5

from schemas.event import ASTREINTE
from schemas.vocabulary import Change, Fault

BROKEN: Final = 2
"""The condition holds."""
NEAR: Final = 1
"""It does not hold, by less than noise: a delay that runs goes on."""
HELD: Final = 0
"""Inside the limit, but not by the differential, or nothing is known: an alarm stays."""
CLEAR: Final = -1
"""It does not hold."""

IDLE, PENDING, ACTIVE, CLEARING = "idle", "pending", "active", "clearing"
FLAPPING_S: Final = 24 * 3600.0
"""Each time it comes within so long makes the off-delay thrice as long: what flaps stays raised."""
LEAST_OFF_S: Final = 60.0
MAX_OFF_S: Final = 4 * 3600.0


class Condition:
    """One fault of one unit."""

    __slots__ = ("episode_id", "left", "lost", "parent_id", "raises", "since", "state")

    def __init__(self) -> None:
        self.state = IDLE
        self.since = 0.0  # the condition began
        self.left = 0.0  # it went: the off-delay runs
        self.lost = 0.0  # of the delay that runs, seconds without readings
        self.episode_id = ""
        self.parent_id = ""
        self.raises: list[float] = []  # when it came, or came back before it was cleared

    @property
    def raised(self) -> bool:
        """Whether the alarm stands."""
        return self.state in {ACTIVE, CLEARING}

    def stands(self, at: float, after_s: float) -> bool:
        """Whether the alarm stands, or stood until shortly ago."""
        return self.raised or (bool(self.raises) and 0 <= at - self.left < after_s)

    def step(
        self, level: int, at: float, on_s: float, off_s: float, since: float | None = None
    ) -> Change | None:
        """Move by one reading; return what an operator would see of it.

        Parameters
        ----------
        level
            `BROKEN`, `NEAR`, `HELD` or `CLEAR`.
        at
            Of the reading.
        on_s, off_s
            The delays, in seconds.
        since
            When the condition began, if not with this reading.
        """
        if self.state == IDLE and level == BROKEN:
            self.state, self.lost = PENDING, 0.0
            self.since = at if since is None else since
        if self.state == PENDING:
            if level == BROKEN and at - self.since - self.lost >= on_s:
                return self._raise(at)
            if level < NEAR:
                self.state = IDLE
        elif self.state == ACTIVE and level == CLEAR:
            self.state, self.left, self.lost = CLEARING, at, 0.0
            return self._clear() if self.off_delay(at, off_s) <= 0 else None
        elif self.state == CLEARING:
            if level > CLEAR:
                self.state = ACTIVE
                if level == BROKEN:
                    self._came(at)
            elif at - self.left - self.lost >= self.off_delay(at, off_s):
                return self._clear()
        return None

    def off_delay(self, at: float, off_s: float) -> float:
        """Return how long it has to be gone."""
        again = sum(at - raised < FLAPPING_S for raised in self.raises) - 1
        if again <= 0:
            return off_s
        return max(off_s, min(MAX_OFF_S, max(off_s, LEAST_OFF_S) * 3.0**again))

    def _raise(self, at: float) -> Change:
        self.state = ACTIVE
        self._came(at)
        return Change.RAISED

    def _came(self, at: float) -> None:
        self.raises = [*(when for when in self.raises[-7:] if at - when < FLAPPING_S), at]

    def _clear(self) -> Change:
        self.state = IDLE
        return Change.CLEARED

    def rewind(self, at: float) -> None:
        """Let nothing have begun after `at`: the clock was wrong."""
        self.left = min(self.left, at)
        self.raises = [min(when, at) for when in self.raises]
        if self.state in {IDLE, PENDING}:
            self.since = min(self.since, at)

    def stale(self, at: float) -> bool:
        """Whether nothing of it is worth keeping."""
        return self.state == IDLE and not any(at - when < FLAPPING_S for when in self.raises)

    def body(self) -> list[Any]:
        """Return all as JSON."""
        return [getattr(self, name) for name in sorted(self.__slots__)]

    @classmethod
    def of(cls, body: Sequence[Any]) -> Condition:
        """Return what `body` was made of."""
        condition = cls()
        for name, value in zip(sorted(cls.__slots__), body, strict=True):
            setattr(condition, name, list(value) if name == "raises" else value)
        return condition


def episode(unit_id: str, fault: Fault, since: float) -> str:
    """Return the identity of an episode: the same whenever it is told again."""
    return str(uuid5(ASTREINTE, f"episode:{unit_id}:{fault.value}:{since!r}"))
