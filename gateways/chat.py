"""The chat of a site: a WebSocket for its widget, over which messages come in and answers go out.

One JSON object a frame. The browser says `hello` with its token first, and gets `welcome` with what
was said so far; `message` with an id of its own is `accepted` once it cannot be lost, and one that
comes twice is one message. `answer` brings a reply, in pieces of a sentence. A browser that
reconnects gets the history again: ids tell it what it has.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, WebSocket, WebSocketDisconnect
from fastapi.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import from_json

from gateways.app import Accept, Publish
from gateways.chats import LATER, POLICY, Chats, close, tell
from gateways.visitors import Visitors
from schemas.errors import Rejected, Unavailable, reason_of
from schemas.printer import InboundMessage
from schemas.vocabulary import Channel

MAX_CHARACTERS = 4_000
"""Of a message: twenty times a long one; a browser cuts there too."""
HELLO_S = 10.0
LISTENING_S = 10.0
"""For Kafka: without it no answer would be heard, and the browser comes back by itself."""
IMPATIENT = 20
"""Frames refused in a row after which a socket is closed."""


@dataclass(frozen=True)
class Said:
    """Something that was said in a chat; `who`: visitor or desk."""

    id: str
    who: Literal["visitor", "desk"]
    text: str
    at: str


class _Frame(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _Hello(_Frame):
    type: Literal["hello"]
    token: str = Field(max_length=2_000)


class _Message(_Frame):
    type: Literal["message"]
    id: str = Field(pattern=r"^[A-Za-z0-9_-]{8,64}$")
    text: str = Field(min_length=1, max_length=MAX_CHARACTERS)
    page: str = Field(default="", max_length=500)


FILES = {"/chat": "page.html", "/chat/page.css": "page.css", "/chat/widget.js": "widget.js"}
WIDGET = Path(__file__).parent / "widget"

History = Callable[[str], Awaitable[Sequence[Said]]]


@dataclass(frozen=True)
class ChatDesk:
    """What the chat's routes need.

    `listening`: returns once answers are heard; `history`: what was said with a visitor, oldest
    first; `origins`: sites that may show the widget, beside our own.
    """

    visitors: Visitors
    chats: Chats
    publish: Publish
    accept: Accept
    history: History
    listening: Callable[[], Awaitable[None]]
    origins: Sequence[str] = ()

    def allows(self, origin: str, host: str) -> bool:
        """Say whether a page of that origin may chat; programs that are no browsers have none."""
        site = origin.lower().rstrip("/")
        return not site or site in self.origins or urlsplit(site).netloc == host.lower()


def chat(desk: ChatDesk) -> APIRouter:
    """Return the chat's routes."""
    router = APIRouter()
    for path, name in FILES.items():
        router.add_api_route(path, _file(name), include_in_schema=False)

    @router.post("/chat/session", summary="Become a visitor of the chat")
    async def begin(request: Request) -> Response:
        origin = request.headers.get("origin", "")
        if not desk.allows(origin, request.headers.get("host", "")):
            return PlainTextResponse("this site is not among ASTREINTE_CHAT_ORIGINS", 403)
        token = desk.visitors.welcome(request.client.host if request.client else "")
        headers = {"Access-Control-Allow-Origin": origin, "Vary": "Origin"} if origin else {}
        if token is None:
            return PlainTextResponse("too many", 429, headers | {"Retry-After": "60"})
        return JSONResponse({"token": token}, headers=headers | {"Cache-Control": "no-store"})

    @router.websocket("/chat/socket")
    async def talk(socket: WebSocket) -> None:
        headers = socket.headers
        if not desk.allows(headers.get("origin", ""), headers.get("host", "")):
            await socket.close(POLICY)
            return
        await socket.accept()
        if desk.chats.full:
            await close(socket, LATER, "too many chats are open")
            return
        try:
            visitor = await _hello(desk, socket)
        except (Rejected, ValidationError, ValueError, TimeoutError) as why:
            said = str(why)[:100] if isinstance(why, Rejected) else "no hello"
            await close(socket, POLICY, said)
            return
        except WebSocketDisconnect:
            return
        await _serve(desk, socket, visitor)

    return router


def _file(name: str) -> Callable[[], Awaitable[FileResponse]]:
    async def send() -> FileResponse:
        return FileResponse(WIDGET / name, headers={"Cache-Control": "no-cache"})

    return send


async def _hello(desk: ChatDesk, socket: WebSocket) -> str:
    async with asyncio.timeout(HELLO_S):
        first = await socket.receive_text()
    return desk.visitors.read(_Hello.model_validate(from_json(first)).token)


async def _serve(desk: ChatDesk, socket: WebSocket, visitor: str) -> None:
    desk.chats.add(visitor, socket)  # before the history is read: nothing falls in between
    try:
        async with asyncio.timeout(LISTENING_S):
            await desk.listening()
        said = [asdict(each) for each in await desk.history(visitor)]
        if await tell(socket, {"type": "welcome", "visitor": visitor, "history": said}):
            await _listen(desk, socket, visitor)
    except (Unavailable, TimeoutError):
        await close(socket, LATER, "the record or Kafka does not answer")
    except WebSocketDisconnect:
        pass  # they left
    finally:
        desk.chats.remove(visitor, socket)


async def _listen(desk: ChatDesk, socket: WebSocket, visitor: str) -> None:
    refused = 0
    while refused < IMPATIENT:
        raw = await socket.receive_text()
        answer = await _take(desk, visitor, raw)
        refused = 0 if answer["type"] == "accepted" else refused + 1
        if not await tell(socket, answer):
            return
    await close(socket, POLICY, "too much that cannot be taken")


async def _take(desk: ChatDesk, visitor: str, raw: str) -> dict[str, Any]:
    try:
        said = _Message.model_validate(from_json(raw))
    except ValidationError as error:
        return {"type": "refused", "reason": reason_of(error)}
    except ValueError:
        return {"type": "refused", "reason": "no JSON"}
    wait_s = desk.visitors.may_speak(visitor)
    if wait_s:
        return {"type": "later", "id": said.id, "retry_s": round(wait_s)}
    return {"id": said.id} | await _hand_in(desk, visitor, said)


async def _hand_in(desk: ChatDesk, visitor: str, said: _Message) -> dict[str, Any]:
    try:
        message = inbound(visitor, said.id, said.text, said.page)
        if await desk.accept(message):
            await desk.publish(message)
    except ValidationError as error:
        return {"type": "refused", "reason": reason_of(error)}
    except Rejected as error:
        return {"type": "refused", "reason": str(error)}
    except Unavailable:
        return {"type": "later", "retry_s": 5}
    return {"type": "accepted", "at": message.received_at.isoformat()}


def inbound(visitor: str, name: str, text: str, page: str) -> InboundMessage:
    """Return a visitor's message; its id is theirs, so that one sent twice is one."""
    return InboundMessage.model_validate(
        {
            "channel": Channel.CHAT.value,
            "external_id": f"{visitor}:{name}",
            "from": visitor,
            "to": " ".join(page.split())[:500] or None,
            "text": text,
            "received_at": datetime.now(UTC),
        }
    )
