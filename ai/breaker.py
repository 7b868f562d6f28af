"""A circuit that opens when a server fails, so that nobody waits for it meanwhile."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

REST_S = 30.0
"""How long a server that failed is left alone."""
ENOUGH = 3
"""Unusable answers in a row after which a model is left alone too."""

KEPT = 5
"""Troubles that are kept for people."""

State = Literal["closed", "open", "half-open"]


@dataclass(frozen=True)
class Trouble:
    """What went wrong, and when."""

    at: datetime
    what: str


class Breaker:
    """Open after one failure of the server, or several useless answers; then one call may try.

    Parameters
    ----------
    rest_s
        How long it stays open.
    """

    def __init__(self, rest_s: float = REST_S) -> None:
        self.troubles: deque[Trouble] = deque(maxlen=KEPT)
        self._rest_s = rest_s
        self._useless = 0
        self._open_until: float | None = None
        self._trying = False

    @property
    def state(self) -> State:
        """Closed: calls go through; half-open: one may; open: none."""
        if self._open_until is None:
            return "closed"
        return "open" if time.monotonic() < self._open_until else "half-open"

    @property
    def lets_through(self) -> bool:
        """A call may go through now; the one that tries in half-open keeps the others back."""
        return self.state == "closed" or (self.state == "half-open" and not self._trying)

    def note(self, error: Exception) -> None:
        """Keep what went wrong, for people."""
        self.troubles.append(Trouble(datetime.now(UTC), str(error)))

    def began(self) -> None:
        """Note that a call goes through."""
        self._trying = self.state == "half-open"

    def succeeded(self) -> None:
        """Close."""
        self._useless, self._open_until, self._trying = 0, None, False

    def failed(self) -> None:
        """Open: others would meet the same."""
        self._open_until, self._trying = time.monotonic() + self._rest_s, False

    def disappointed(self) -> None:
        """Count a useless answer; several in a row, or the one that tried, open it."""
        self._useless += 1
        if self._useless >= ENOUGH or self._open_until is not None:
            self.failed()

    def left(self) -> None:
        """Note that a call ended and says nothing of the server: it was busy, or gave up."""
        self._trying = False
