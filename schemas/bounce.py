"""Whom a mail did not reach."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from schemas.event import Value

Address = Annotated[str, StringConstraints(pattern=r"^[^\x00\r\n]*$", max_length=320)]
"""An address or number: 64 characters, an @, and 255 (RFC 5321, 4.5.3.1)."""


class Bounce(Value):
    """Whom a mail did not reach, as a server told us."""

    address: Address
    permanent: bool = Field(description="no mail will ever reach it; else maybe later")
