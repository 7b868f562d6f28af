"""The chats that are open in this process, and what is shown in them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any

from fastapi import WebSocket, WebSocketDisconnect

from schemas.delivery import ReplyShown

PIECE = re.compile(r".*?(?:[.!?…]+\s+|\n+|$)", re.DOTALL)

POLICY, LATER = 1008, 1013
"""Why a socket is closed (RFC 6455, 7.4)."""


class Chats:
    """The chats that are open in this process."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._sockets: dict[str, set[WebSocket]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.open = 0

    @property
    def full(self) -> bool:
        """No more may come."""
        return self.open >= self._limit

    def add(self, visitor: str, socket: WebSocket) -> None:
        """Take a socket in."""
        self._sockets.setdefault(visitor, set()).add(socket)
        self.open += 1

    def remove(self, visitor: str, socket: WebSocket) -> None:
        """Forget a socket."""
        theirs = self._sockets.get(visitor, set())
        if socket in theirs:
            theirs.discard(socket)
            self.open -= 1
        if not theirs:
            self._sockets.pop(visitor, None)

    def show(self, shown: ReplyShown) -> None:
        """Show a reply wherever its visitor has a chat open; returns at once."""
        for socket in self._sockets.get(shown.visitor, ()):
            self._go(_answer(socket, shown))

    def close_all(self) -> None:
        """Close all: each browser comes back, and gets what it missed."""
        for sockets in self._sockets.values():
            for socket in sockets:
                self._go(close(socket, LATER, "come back"))

    def _go(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def pieces(text: str) -> Iterator[str]:
    """Yield a text sentence by sentence; together they are the text."""
    return (found[0] for found in PIECE.finditer(text) if found[0])


async def _answer(socket: WebSocket, shown: ReplyShown) -> None:
    said = {"type": "answer", "id": str(shown.reply_id), "at": shown.occurred_at.isoformat()}
    found = list(pieces(shown.text))
    for number, piece in enumerate(found, 1):
        body = said | {"text": piece, "part": number, "done": number == len(found)}
        if not await tell(socket, body):
            return


async def tell(socket: WebSocket, body: dict[str, Any]) -> bool:
    """Send a frame; say whether somebody was there."""
    try:
        await socket.send_json(body)
    except (RuntimeError, WebSocketDisconnect):
        return False  # it closed meanwhile; the history has it
    return True


async def close(socket: WebSocket, code: int, why: str) -> None:
    """Close a socket, which may be closed."""
    try:
        await socket.close(code, why)
    except RuntimeError:
        return  # it was closed already
