"""Reading what is posted, without holding more of it than is allowed."""

from __future__ import annotations

from fastapi import Request


async def bounded(request: Request, limit: int) -> bytes | None:
    """Return a request's body; nothing when it has more than `limit` bytes."""
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > limit:
            return None
    return bytes(raw)
