"""A visitor writes in the chat and is answered in it; who comes back misses nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx
import pytest
from pydantic import SecretStr
from websockets.asyncio.client import ClientConnection, connect

from astreinte.faces import face
from gateways.http import listen, serving, url_of
from schemas.topics import STAGES
from services.neighbours import Neighbours
from services.serve import running
from services.settings_chat import ChatSettings

QUESTION = "Bonjour, notre Lexmark C750 affiche « Prêt Hex » et imprime des chiffres. Que faire ?"


@asynccontextmanager
async def site(near: Neighbours) -> AsyncIterator[str]:
    listener = listen("127.0.0.1", 0)
    async with serving(face(near, list, ["edge"]), listener):
        yield url_of(listener)


@asynccontextmanager
async def talking(url: str, token: str) -> AsyncIterator[tuple[ClientConnection, dict[str, Any]]]:
    async with connect(url.replace("http", "ws") + "/chat/socket", proxy=None) as socket:
        await socket.send(json.dumps({"type": "hello", "token": token}))
        yield socket, await hear(socket)


async def hear(socket: ClientConnection) -> dict[str, Any]:
    return dict(json.loads(await asyncio.wait_for(socket.recv(), 20)))


@pytest.fixture
async def near_chat(quick: None, near: Neighbours) -> Neighbours:
    chat = ChatSettings(secret=SecretStr("s" * 32))
    near.settings = near.settings.model_copy(update={"chat": chat})
    return near


async def test_a_visitor_is_answered_in_the_chat_and_finds_all_again_when_they_come_back(
    near_chat: Neighbours,
) -> None:
    async with running(near_chat, [*STAGES, "record"]), site(near_chat) as url:
        async with httpx.AsyncClient(trust_env=False) as client:
            token = (await client.post(f"{url}/chat/session")).json()["token"]
        name = uuid4().hex
        async with talking(url, token) as (socket, welcome):
            assert welcome["history"] == []
            await socket.send(json.dumps({"type": "message", "id": name, "text": QUESTION}))
            assert (await hear(socket))["type"] == "accepted"
            frames = [await hear(socket)]
            while not frames[-1]["done"]:
                frames.append(await hear(socket))
        answer = "".join(frame["text"] for frame in frames)
        assert "Source : Lexmark C750" in answer
        async with talking(url, token) as (_, welcome):
            said = [(each["id"], each["who"], each["text"]) for each in welcome["history"]]
        assert said == [(name, "visitor", QUESTION), (frames[0]["id"], "desk", answer)]
        async with httpx.AsyncClient(trust_env=False) as client:
            other = (await client.post(f"{url}/chat/session")).json()["token"]
        async with talking(url, other) as (_, welcome):
            assert welcome["history"] == []
