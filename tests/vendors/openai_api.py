"""A server that speaks OpenAI's chat API, as llama.cpp, vLLM and OpenRouter do, each in its way.

`takes` are the kinds of `response_format` that it knows: llama-cpp-python refuses `json_schema`
with 400, others ignore or refuse what they do not know. `mood` makes it misbehave.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from tests.vendors.ollama import filled

MOODS = ("cut", "error", "html", "empty", "no count", "no reason", "length", "thinks", "hang")


class OpenAIAPI:
    """The server's state; `asked` are the bodies that came, `heads` their headers."""

    def __init__(self, models: tuple[str, ...] = ("tiny",)) -> None:
        self.models = models
        self.takes: tuple[str, ...] = ("json_schema", "json_object")
        self.says: Callable[[dict[str, Any]], str] = self.in_form
        self.mood = ""
        self.listed = True
        self.billed = ""
        self.asked: list[dict[str, Any]] = []
        self.heads: list[dict[str, str]] = []
        self.url = ""

    async def list(self, request: web.Request) -> web.Response:
        """Answer GET /models."""
        if not self.listed:
            return web.Response(status=404)
        self.heads.append(dict(request.headers))
        rows = [{"id": name, "object": "model", "owned_by": "me"} for name in self.models]
        return web.json_response({"object": "list", "data": rows})

    async def complete(self, request: web.Request) -> web.StreamResponse:
        """Answer POST /chat/completions, streamed."""
        asked = await request.json()
        self.asked.append(asked)
        self.heads.append(dict(request.headers))
        form = asked.get("response_format", {}).get("type")
        if self.mood.isdecimal() or (form and form not in self.takes):
            error = {"error": {"message": "prompt: secret", "type": "invalid_request_error"}}
            return web.json_response(error, status=int(self.mood or 400))
        if self.mood == "html":
            return web.Response(text="<html>please log in</html>", content_type="text/html")
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b": PROCESSING\n\n")  # OpenRouter's way to keep a line open
        text = "" if self.mood == "empty" else self.says(asked)
        for start in range(0, len(text), 4):
            await self._event(response, asked, text[start : start + 4])
            if start and self.mood in {"cut", "hang", "error"}:
                return await self._break_off(request, response)
        if self.mood != "no reason":
            reason = "length" if self.mood == "length" else "stop"
            await self._event(response, asked, None, reason)
        if asked.get("stream_options", {}).get("include_usage") and self.mood != "no count":
            counts = {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150}
            model = self.billed or asked["model"]
            await self._write(response, {"model": model, "choices": [], "usage": counts})
        await response.write(b"data: [DONE]\n\n")
        return response

    async def _event(
        self, response: web.StreamResponse, asked: Any, text: str | None, reason: str | None = None
    ) -> None:
        delta = {} if text is None else {"content": text}
        if self.mood == "thinks" and text:
            delta = {"reasoning_content": text}
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        await self._write(response, {"model": self.billed or asked["model"], "choices": [choice]})

    async def _write(self, response: web.StreamResponse, event: dict[str, Any]) -> None:
        known = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "tiny"}
        await response.write(b"data: " + json.dumps(known | event).encode() + b"\n\n")

    async def _break_off(
        self, request: web.Request, response: web.StreamResponse
    ) -> web.StreamResponse:
        if self.mood == "hang":
            await asyncio.sleep(600)
        if self.mood == "error":
            await response.write(b'data: {"error": {"message": "secret", "code": 502}}\n\n')
        elif request.transport:
            await response.write(b'data: {"id": "1", "choi')
            request.transport.close()
        return response

    @staticmethod
    def in_form(asked: dict[str, Any]) -> str:
        """Fill the schema in that was asked for, wherever it stands."""
        form = asked.get("response_format", {})
        schema = form.get("schema") or form.get("json_schema", {}).get("schema")
        if not schema:  # in words
            said = asked["messages"][0]["content"]
            schema = json.loads(said[said.index("{") :]) if "{" in said else None
        return json.dumps(filled(schema, schema)) if schema else "Bonjour."


@asynccontextmanager
async def serving(api: OpenAIAPI) -> AsyncIterator[OpenAIAPI]:
    """Serve on loopback, at `api.url`."""
    app = web.Application()
    app.router.add_get("/v1/models", api.list)
    app.router.add_post("/v1/chat/completions", api.complete)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, taken = runner.addresses[0][:2]
    api.url = f"http://{host}:{taken}/v1"
    try:
        yield api
    finally:
        await runner.cleanup()
