"""Serving HTTP beside other work: one listening socket, one server that stops when it is told."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI

MAX_FRAME_BYTES = 32_768
"""Of a WebSocket: eight times the longest message of a chat, in the widest letters."""


class PortTaken(Exception):  # noqa: N818 - said to whoever chose it
    """Somebody listens on that port already."""


def listen(host: str, port: int, chosen_by: str = "--port") -> socket.socket:
    """Take a port, 0 takes any free one; `chosen_by` is said to whoever has to choose another.

    Raises
    ------
    PortTaken
        It is in use, or the address is none of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Only of sockets that say TCP asyncio switches Nagle's algorithm off: without, it would hold
    # the second half of each answer until the first is confirmed, 40 ms later.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        msg = f"{host}:{port} cannot be listened on ({error.strerror})"
        msg += f"; choose another with {chosen_by}"
        raise PortTaken(msg) from None
    return listener


def url_of(listener: socket.socket) -> str:
    """Return where a socket is reached, e.g. `http://127.0.0.1:8080`."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@asynccontextmanager
async def serving(app: FastAPI, listener: socket.socket) -> AsyncIterator[None]:
    """Serve an application; at the end, requests in hand have two seconds.

    `app.state.stopping` is set first, for those that would go on for ever.
    """
    config = uvicorn.Config(
        app,
        log_config=None,
        log_level="warning",
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=2,
        ws="websockets-sansio",
        ws_max_size=MAX_FRAME_BYTES,
        ws_max_queue=4,
        ws_per_message_deflate=False,  # it would cost each open chat 64 KiB and more
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        while not server.started and not task.done():  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.02)
        yield
    finally:
        app.state.stopping = True
        server.should_exit = True
        await task


class _Server(uvicorn.Server):
    """Uvicorn without its signal handlers: stopping is ours, in our order."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone."""
        yield
