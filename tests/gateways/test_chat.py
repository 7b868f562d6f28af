"""The chat's WebSocket, on a real server, with a real client: what each frame leads to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import jwt
import pytest
from fastapi import FastAPI
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from gateways.chat import HELLO_S, MAX_CHARACTERS, ChatDesk, Said, chat
from gateways.chats import LATER, POLICY, Chats, pieces
from gateways.http import MAX_FRAME_BYTES, listen, serving, url_of
from gateways.visitors import SESSIONS_PER_MINUTE, Visitors
from schemas.delivery import ReplyShown
from schemas.errors import Rejected, Unavailable
from schemas.printer import InboundMessage
from tests.conftest import until

SECRET = "s" * 32


class Site:
    """A desk behind the chat: takes messages, may be down, knows what was said."""

    def __init__(self, per_minute: int = 100, limit: int = 50) -> None:
        self.taken: list[InboundMessage] = []
        self.down = self.deaf = False
        self.said: list[Said] = []
        self.chats = Chats(limit)
        self.visitors = Visitors(SECRET, per_minute)
        self.url = ""

    @property
    def desk(self) -> ChatDesk:
        return ChatDesk(
            self.visitors, self.chats, self._publish, self._accept, self._history, self._listen,
            ("https://www.exemple.example",),
        )  # fmt: skip

    async def _publish(self, message: InboundMessage) -> None:
        if self.down:
            msg = "Kafka does not confirm"
            raise Unavailable(msg)
        self.taken.append(message)

    async def _accept(self, message: InboundMessage) -> bool:
        return message.event_id not in {each.event_id for each in self.taken}

    async def _history(self, visitor: str) -> list[Said]:
        return self.said

    async def _listen(self) -> None:
        if self.deaf:
            await asyncio.Event().wait()

    def token(self) -> str:
        return self.visitors.welcome(uuid4().hex) or ""

    def socket(self, **headers: str) -> Any:
        return connect(
            self.url.replace("http", "ws") + "/chat/socket", additional_headers=headers, proxy=None
        )

    @asynccontextmanager
    async def talking(self, token: str = "") -> AsyncIterator[ClientConnection]:
        async with self.socket() as socket:
            await socket.send(json.dumps({"type": "hello", "token": token or self.token()}))
            yield socket


@asynccontextmanager
async def open_site(site: Site) -> AsyncIterator[Site]:
    app = FastAPI()
    app.include_router(chat(site.desk))
    listener = listen("127.0.0.1", 0)
    site.url = url_of(listener)
    async with serving(app, listener):
        yield site


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with open_site(Site()) as made:
        yield made


async def hear(socket: ClientConnection) -> dict[str, Any]:
    return dict(json.loads(await asyncio.wait_for(socket.recv(), 5)))


async def say(socket: ClientConnection, text: str, name: str = "") -> dict[str, Any]:
    body = {"type": "message", "id": name or uuid4().hex, "text": text}
    await socket.send(json.dumps(body))
    return await hear(socket)


def shown(visitor: str, text: str) -> ReplyShown:
    return ReplyShown(
        event_id=uuid4(), trace_id=uuid4().hex, occurred_at=datetime.now(UTC),
        reply_id=UUID(int=7), conversation_id="c1", visitor=visitor, text=text,
    )  # fmt: skip


async def test_a_message_is_accepted_once_it_cannot_be_lost_and_told_twice_it_is_one(site: Site):
    async with site.talking() as socket:
        assert (await hear(socket))["type"] == "welcome"
        site.down = True
        assert (await say(socket, "bonjour", "message-1"))["type"] == "later"
        site.down = False
        assert (await say(socket, "bonjour", "message-1"))["type"] == "accepted"
        assert (await say(socket, "bonjour", "message-1"))["type"] == "accepted"
    [message] = site.taken
    assert (message.channel, message.text) == ("chat", "bonjour")
    assert message.sender
    assert message.external_id == f"{message.sender}:message-1"


async def test_an_answer_reaches_all_windows_of_its_visitor_and_no_other(site: Site):
    token = site.token()
    visitor = site.visitors.read(token)
    async with site.talking(token) as one, site.talking(token) as two, site.talking() as other:
        for socket in (one, two, other):
            await hear(socket)
        text = "Bonjour. Ouvrez le capot !\nEst-ce que le voyant clignote ?"
        site.chats.show(shown(visitor, text))
        for socket in (one, two):
            frames = []
            while not (frames and frames[-1]["done"]):
                frames.append(await hear(socket))
            assert "".join(frame["text"] for frame in frames) == text
            assert [frame["part"] for frame in frames] == [1, 2, 3]
            assert {frame["id"] for frame in frames} == {str(UUID(int=7))}
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(other.recv(), 0.1)


async def test_whoever_comes_back_gets_what_was_said(site: Site):
    site.said = [Said("a", "visitor", "bonjour", "2025-01-01"), Said("b", "desk", "oui ?", "2025")]
    async with site.talking() as socket:
        welcome = await hear(socket)
    assert [(each["id"], each["who"]) for each in welcome["history"]] == [
        ("a", "visitor"),
        ("b", "desk"),
    ]


async def test_chats_that_may_have_missed_something_are_asked_to_come_back(site: Site):
    async with site.talking() as socket:
        await hear(socket)
        site.chats.close_all()
        with pytest.raises(ConnectionClosed):
            await socket.recv()
        assert socket.close_code == LATER
    await until(lambda: site.chats.open == 0)


# --- who may -------------------------------------------------------------------------------------


def forged() -> dict[str, str]:
    claims = {"sub": "w-1", "aud": "chat", "exp": datetime.now(UTC) + timedelta(days=1)}
    lapsed = claims | {"exp": datetime.now(UTC) - timedelta(seconds=1)}
    return {
        "none": "", "words": "abc", "long": "a" * 2_001,
        "another key": jwt.encode(claims, "x" * 32, "HS256"),
        "no signature": jwt.encode(claims, None, "none"),
        "lapsed": jwt.encode(lapsed, SECRET, "HS256"),
        "for others": jwt.encode(claims | {"aud": "console"}, SECRET, "HS256"),
        "for ever": jwt.encode({"sub": "w-1", "aud": "chat"}, SECRET, "HS256"),
        "nobody's": jwt.encode({"aud": "chat", "exp": claims["exp"]}, SECRET, "HS256"),
    }  # fmt: skip


@pytest.mark.parametrize("which", forged())
async def test_a_token_that_is_not_ours_is_shown_the_door(site: Site, which: str):
    async with site.socket() as socket:
        await socket.send(json.dumps({"type": "hello", "token": forged()[which]}))
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(socket.recv(), 5)
        assert socket.close_code == POLICY
    assert site.chats.open == 0


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://www.exemple.example", True),
        ("https://WWW.exemple.example", True),
        ("https://evil.example", False),
        ("https://www.exemple.example.evil.example", False),
        ("null", False),
    ],
)
async def test_only_known_sites_may_show_the_chat(site: Site, origin: str, allowed: bool):
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(f"{site.url}/chat/session", headers={"Origin": origin})
    assert answer.is_success is allowed
    if allowed:
        assert answer.headers["Access-Control-Allow-Origin"] == origin
        assert site.visitors.read(answer.json()["token"]).startswith("w-")
    if not allowed:
        with pytest.raises(InvalidStatus, match="403"):
            await site.socket(Origin=origin)
        return
    async with site.socket(Origin=origin) as socket:
        await socket.send(json.dumps({"type": "hello", "token": site.token()}))
        assert (await hear(socket))["type"] == "welcome"


async def test_visitors_that_a_script_makes_are_too_many_soon(site: Site):
    async with httpx.AsyncClient(trust_env=False) as client:
        codes = [
            (await client.post(f"{site.url}/chat/session")).status_code
            for _ in range(SESSIONS_PER_MINUTE + 1)
        ]
    assert codes[0] == 200
    assert codes[-1] == 429


async def test_more_sockets_than_allowed_are_asked_to_come_back():
    async with open_site(Site(limit=1)) as site, site.talking() as socket:
        await hear(socket)
        async with site.socket() as second:
            with pytest.raises(ConnectionClosed):
                await second.recv()
            assert second.close_code == LATER


# --- hostile input -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "frame",
    [
        "", "{", "[]", "null", '"message"', '{"type":"message"}',
        '{"type":"message","id":"x","text":"kurz"}',
        '{"type":"message","id":"12345678","text":""}',
        '{"type":"message","id":"12345678","text":["a"]}',
        '{"type":"message","id":"../../etc","text":"a"}',
        '{"type":"message","id":"12345678","text":"\\u0000"}',
        '{"type":"message","id":"12345678","text":"' + "a" * (MAX_CHARACTERS + 1) + '"}',
        '{"type":"hello","token":"x"}',
        "[" * 5_000,
        '{"type":"message","id":"12345678","text":"\\ud800"}',
    ],
    ids=range(15),
)  # fmt: skip
async def test_a_frame_that_is_no_message_is_refused_and_the_next_one_taken(site: Site, frame: str):
    async with site.talking() as socket:
        await hear(socket)
        await socket.send(frame)
        assert (await hear(socket))["type"] == "refused"
        assert (await say(socket, "bonjour"))["type"] == "accepted"


async def test_a_giant_frame_ends_the_chat_without_being_read(site: Site):
    async with site.talking() as socket:
        await hear(socket)
        await socket.send("a" * (MAX_FRAME_BYTES + 1))
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(socket.recv(), 5)
        assert socket.close_code == 1009
    await until(lambda: site.chats.open == 0)


async def test_a_flood_is_slowed_down_then_ended():
    async with open_site(Site(per_minute=3)) as site, site.talking() as socket:
        await hear(socket)
        kinds = []
        with pytest.raises(ConnectionClosed):
            while len(kinds) < 100:
                kinds.append((await say(socket, "encore"))["type"])
        assert kinds[:3] == ["accepted"] * 3
        assert set(kinds[3:]) == {"later"}
        assert len(kinds) < 30
        assert socket.close_code == POLICY
    assert len(site.taken) == 3


async def test_whoever_says_nothing_is_not_waited_for(site: Site, monkeypatch: pytest.MonkeyPatch):
    assert HELLO_S <= 30
    monkeypatch.setattr("gateways.chat.HELLO_S", 0.1)
    async with site.socket() as socket:
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(socket.recv(), 5)
        assert socket.close_code == POLICY


async def test_a_chat_that_cannot_hear_answers_is_asked_to_come_back(
    site: Site, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("gateways.chat.LISTENING_S", 0.1)
    site.deaf = True
    async with site.talking() as socket:
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(socket.recv(), 5)
        assert socket.close_code == LATER
    await until(lambda: site.chats.open == 0)


@pytest.mark.parametrize("text", ["", "a", "a. b", "Oui ! Non ?\n\nFin", "…", " . ", "a" * 4000])
def test_the_pieces_of_an_answer_are_the_answer(text: str):
    assert "".join(pieces(text)) == text


def test_a_token_is_read_back_and_a_stranger_is_refused():
    visitors = Visitors(SECRET, 5)
    token = visitors.welcome("127.0.0.1") or ""
    assert visitors.read(token).startswith("w-")
    with pytest.raises(Rejected, match="not ours"):
        Visitors("t" * 32, 5).read(token)
