"""Open chats: what a thousand of them take of memory, and how soon an answer is in its window.

`astreinte run edge` in a process of its own. Each chat has a visitor of its own, who said hello and
got an empty history. Replies are shown by the door of dispatch, in this process; an answer's time
runs from the door's turn until its first words have come out of its WebSocket.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from uuid import UUID, uuid4

from websockets.asyncio.client import ClientConnection, connect

from benchmarks.desk import new_group
from benchmarks.edge import ready
from benchmarks.figures import Figure, say
from benchmarks.places import Place
from benchmarks.watched import started
from gateways.http import listen
from gateways.kafka import Cluster, connection
from gateways.outbound import Letter
from gateways.visitors import Visitors
from services.chatting import ChatOutbound
from services.telling import Teller

NAME = "chats"
OPEN = 1_000
ANSWERS, EVERY_S = 200, 0.05
AT_ONCE = 50
MIB, LATE_MS = 300.0, 100.0
TEXT = "Bonjour. Ouvrez le capot avant, retirez la feuille, puis refermez. Est-ce mieux ?"


async def measure(places: Sequence[Place]) -> list[Figure]:
    """Measure in each place that has an Apache Kafka."""
    figures: list[Figure] = []
    for place in places:
        if place.kafka:
            say(NAME, place.name)
            figures += await _measure(place)
    return figures


async def _measure(place: Place) -> list[Figure]:
    secret = secrets.token_hex(16)
    visitors = Visitors(secret, 12)
    with listen("127.0.0.1", 0) as free, place.record() as url:
        port = free.getsockname()[1]
        free.close()
        env = {
            "ASTREINTE_KAFKA_SERVERS": place.kafka,
            "ASTREINTE_KAFKA_GROUP": new_group(),
            "ASTREINTE_HTTP_PORT": str(port),
            "ASTREINTE_DATABASE_URL": url,
            "ASTREINTE_CHAT_SECRET": secret,
        }
        async with (
            started("astreinte", "run", "edge", env=env) as process,
            AsyncExitStack() as all_,
        ):
            await ready(f"http://127.0.0.1:{port}")
            warm = await _opened(all_, port, visitors, 1)
            before = process.memory_mib()
            chats = await _opened(all_, port, visitors, OPEN)
            grown = process.memory_mib()
            times = sorted(await _answered(place, [*warm, *chats]))
    where = f"{OPEN:,} chats, {place.name}"
    return [
        Figure(NAME, where, "memory of the edge", grown, "MiB", MIB, at_most=True,
               beside=f"{(grown - before) / OPEN * 1024:.3g} kB a chat"),
        Figure(NAME, where, "door to window, p50", times[len(times) // 2], "ms"),
        Figure(NAME, where, "door to window, p99", times[int(len(times) * 0.99)], "ms",
               LATE_MS, at_most=True, beside=f"{len(times)} answers, {1 / EVERY_S:.0f} a second"),
    ]  # fmt: skip


Chat = tuple[str, ClientConnection]


async def _opened(all_: AsyncExitStack, port: int, visitors: Visitors, count: int) -> list[Chat]:
    places = asyncio.Semaphore(AT_ONCE)

    async def one() -> Chat:
        async with places:
            token = visitors.welcome(uuid4().hex) or ""
            socket = await connect(
                f"ws://127.0.0.1:{port}/chat/socket", proxy=None, compression=None, open_timeout=60
            )
            all_.push_async_callback(socket.close)
            await socket.send(json.dumps({"type": "hello", "token": token}))
            await socket.recv()
            return visitors.read(token), socket

    return list(await asyncio.gather(*(one() for _ in range(count))))


async def _answered(place: Place, chats: Sequence[Chat]) -> list[float]:
    broker = connection(Cluster(place.kafka))
    await broker.connect()
    door, times = ChatOutbound(Teller(broker)), []

    async def one(visitor: str, socket: ClientConnection) -> None:
        began = time.perf_counter()
        reply = str(UUID(int=secrets.randbits(128)))
        await door.send(Letter(reply, "chat", visitor, "", TEXT, conversation_id="c1"))
        while json.loads(await socket.recv())["id"] != reply:
            continue
        times.append((time.perf_counter() - began) * 1000)

    try:
        async with asyncio.timeout(60), asyncio.TaskGroup() as under_way:
            for number in range(ANSWERS):
                under_way.create_task(one(*chats[number * 5 % len(chats)]))
                await asyncio.sleep(EVERY_S)
    finally:
        await broker.stop()
    return times
