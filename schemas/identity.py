"""Who is who, the same for all who have to say it."""

from __future__ import annotations

from uuid import uuid5

from schemas.event import ASTREINTE


def customer_met_at(address: str) -> str:
    """Return the id of the customer who is met at this address for the first time."""
    return f"k{uuid5(ASTREINTE, f'customer {address}').hex[:20]}"
