"""A server that behaves as Ollama's documented API does, for as long as a test needs it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

MODELS: tuple[dict[str, Any], ...] = (
    {"name": "nomic-embed-text:latest", "details": {"family": "nomic-bert"}},
    {"name": "gpt-oss:120b-cloud", "details": {"family": "gptoss"}},
    {"name": "qwen3:4b", "details": {"family": "qwen3"}},
)
CUT = b""
"""An answer of which nothing arrives."""


def answer(status: int, body: Any) -> bytes:
    """Return a whole HTTP response; text as it is, anything else as JSON."""
    payload = (body if isinstance(body, str) else json.dumps(body)).encode()
    head = f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\n"
    return f"{head}content-length: {len(payload)}\r\nconnection: close\r\n\r\n".encode() + payload


def says(content: str) -> bytes:
    """Return the answer of /api/chat, not streamed."""
    message = {"role": "assistant", "content": content}
    return answer(200, {"model": "qwen3:4b", "message": message, "done": True})


def replies(text: str) -> bytes:
    """Return the answer of a model that keeps to `format`."""
    return says(json.dumps({"reply": text}))


@dataclass
class FakeOllama:
    """`chat` makes the answer to a request's body; `asked` are the bodies that came."""

    chat: Callable[[dict[str, Any]], bytes] = field(default=lambda _: replies("Bonjour."))
    models: tuple[dict[str, Any], ...] = MODELS
    delay_s: float = 0.0
    asked: list[dict[str, Any]] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request and hang up."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            sizes = [
                line[15:] for line in head.lower().split("\r\n") if line[:15] == "content-length:"
            ]
            body = await reader.readexactly(int(sizes[0])) if sizes else b""
            writer.write(await self._answer(head.split("\r\n")[0], body))
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _answer(self, request: str, body: bytes) -> bytes:
        if request.startswith("GET /api/tags "):
            return answer(
                200, {"models": [entry | {"model": entry["name"]} for entry in self.models]}
            )
        if not request.startswith("POST /api/chat "):
            return answer(404, "404 page not found")
        asked = json.loads(body)
        self.asked.append(asked)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(self.delay_s)
        self.at_once -= 1
        return self.chat(asked)


@asynccontextmanager
async def serving(fake: FakeOllama) -> AsyncIterator[FakeOllama]:
    """Have it answer at `fake.url`."""
    server = await asyncio.start_server(fake.serve, "127.0.0.1", 0)
    fake.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield fake
