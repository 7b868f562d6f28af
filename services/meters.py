"""Meters around the doors: what goes through is counted and timed, nothing else changes."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateways.outbound import Letter, Outbound
from schemas.errors import Rejected, Unavailable
from services import metrics, tracing


class MeteredOutbound:
    """A door for replies, metered: how long each takes, and what becomes of it."""

    def __init__(self, door: Outbound) -> None:
        self._door = door
        self.name = door.name
        self.at_once = door.at_once
        self.settles_after_s = door.settles_after_s

    async def send(self, letter: Letter) -> str:
        """Send, as the door does."""
        outcome, began = "unknown", time.perf_counter()
        try:
            provider_id = await self._door.send(letter)
            outcome = "accepted"
        except Unavailable:
            outcome = "later"
            raise
        except Rejected:
            outcome = "refused"
            raise
        finally:  # a time-out ends here too: nobody knows whether it left
            metrics.PROVIDER_CALLS.labels(self.name, outcome).inc()
            metrics.PROVIDER_DURATION.labels(self.name).observe(time.perf_counter() - began)
        return provider_id

    async def was_sent(self, reply_id: str) -> bool | None:
        """Say what the door says."""
        return await self._door.was_sent(reply_id)

    async def close(self) -> None:
        """Let the door's connections go."""
        await self._door.close()


def paths_of(routers: Iterable[APIRouter]) -> set[str]:
    """Return the paths of all routes."""
    routes = (route for router in routers for route in router.routes)
    return {route.path for route in routes if isinstance(route, APIRoute)}


class MeteredEdge:
    """An application whose edge is metered; `paths`: which of its routes are the edge."""

    def __init__(self, app: ASGIApp, paths: Collection[str]) -> None:
        self._app = app
        self._paths = frozenset(paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the application does."""
        if scope["type"] != "http" or scope["path"] not in self._paths:
            await self._app(scope, receive, send)
            return
        code, began = 500, time.perf_counter()
        tracing.arrived(f"{scope['method']} {scope['path']}", scope["headers"])

        async def noting(message: Message) -> None:
            nonlocal code
            if message["type"] == "http.response.start":
                code = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            metrics.EDGE_REQUESTS.labels(str(code)).inc()
            metrics.EDGE_DURATION.observe(time.perf_counter() - began)
