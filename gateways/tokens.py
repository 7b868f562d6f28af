"""Tokens that we sign and read back: each kind has an audience of its own, and lapses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt

from schemas.errors import Rejected

ALGORITHM = "HS256"


@dataclass(frozen=True)
class Tokens:
    """Tokens of one kind. `secret` signs them (HMAC-SHA256); `needs`: claims that all have."""

    secret: str = field(repr=False)
    audience: str
    lasts: timedelta
    needs: tuple[str, ...] = ()

    def make(self, claims: Mapping[str, Any]) -> str:
        """Return a token that says so from now on."""
        now = datetime.now(UTC)
        told = {**claims, "aud": self.audience, "iat": now, "exp": now + self.lasts}
        return jwt.encode(told, self.secret, ALGORITHM)

    def read(self, token: str) -> dict[str, Any]:
        """Return what a token says.

        Raises
        ------
        Rejected
            It is none of ours, is of another kind, or has lapsed.
        """
        try:
            return jwt.decode(
                token,
                self.secret,
                [ALGORITHM],
                audience=self.audience,
                options={"require": ["exp", "aud", *self.needs]},
            )
        except (jwt.InvalidTokenError, ValueError) as why:
            msg = f"the token is not ours ({type(why).__name__})"
            raise Rejected(msg) from None
