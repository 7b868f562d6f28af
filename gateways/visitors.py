"""Visitors of a site who chat: who they are by a signed token, and how much they may say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from gateways.tokens import Tokens

AUDIENCE = "chat"
LASTS = timedelta(days=90)
"""A browser that comes back within it goes on with its conversation."""
SESSIONS_PER_MINUTE = 30
"""New visitors of one address: an office behind one line, not a script."""


class Visitors:
    """Makes tokens and reads them; `secret` signs them (HMAC-SHA256)."""

    def __init__(self, secret: str, per_minute: int) -> None:
        self._tokens = Tokens(secret, AUDIENCE, LASTS, ("sub",))
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._words = RateLimitItemPerMinute(per_minute)
        self._sessions = RateLimitItemPerMinute(SESSIONS_PER_MINUTE)

    def welcome(self, host: str) -> str | None:
        """Return the token of a new visitor; nothing: too many came from that host."""
        if not self._limiter.hit(self._sessions, "session", host):
            return None
        return self._tokens.make({"sub": f"w-{uuid4().hex}"})

    def read(self, token: str) -> str:
        """Return whose token it is.

        Raises
        ------
        Rejected
            It is none of ours, or has lapsed.
        """
        return str(self._tokens.read(token)["sub"])

    def may_speak(self, visitor: str) -> float:
        """Count a message; return how many seconds to wait before it may be said, 0: none."""
        return self._wait(self._words, "words", visitor)

    def _wait(self, item: RateLimitItem, *names: str) -> float:
        if self._limiter.hit(item, *names):
            return 0.0
        stats = self._limiter.get_window_stats(item, *names)
        return max(1.0, stats.reset_time - datetime.now(UTC).timestamp())
