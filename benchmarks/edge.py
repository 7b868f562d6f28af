"""The edge: how long a post takes until Kafka has confirmed the message.

`astreinte run edge` in a process of its own. Posts are due at a steady rate whatever becomes of
them, and a post's time counts from when it was due, so an edge that stalls is not spared. Beside
it, paced and counted alike: a bare route that answers at once, and a raw producer without HTTP.
Text messages come as Twilio posts them: a form with its signature, which is checked.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeVar
from uuid import uuid4

import httpx

from benchmarks import texts
from benchmarks.brokers import Broker
from benchmarks.desk import new_group
from benchmarks.figures import Figure
from benchmarks.messages import inbound_messages
from benchmarks.watched import START_S, Watched, started
from gateways.http import listen
from schemas.printer import InboundMessage
from services import wire

NAME = "edge"
OURS = "edge, Kafka confirming"
TEXTS = "signed texts, Kafka confirming"
RATE = 200
TEXTS_RATE = 500
WARM_UP = 400
CONNECTIONS = 32
FLOOR_P99_MS = 50.0
TEXTS_P99_MS = 100.0
ANSWER_S = 20.0

T = TypeVar("T")
Post = Callable[[InboundMessage], Awaitable[int]]
"""Hands a message in; returns the status, 0 when there was no answer."""


@dataclass
class Paced:
    """What became of posts: their times from due to answered, shortest first."""

    took_ms: list[float] = field(default_factory=list)
    answers: Counter[int] = field(default_factory=Counter)
    cpu_ms: float = 0.0

    def quantile(self, share: float) -> float:
        """Return the time that `share` of the posts do not exceed."""
        times = sorted(self.took_ms)
        return times[min(int(share * len(times)), len(times) - 1)]


async def measure(kafka: str, seconds: float) -> list[Figure]:
    """Measure the bare route, the raw producer, and the edge."""
    broker = Broker(kafka, embedded=False)
    messages = list(islice(inbound_messages(uuid4().hex[:8]), WARM_UP + int(seconds * RATE)))
    async with started("benchmarks.bare") as process:
        url = (await process.line())["url"]
        bare = await _posted(url, process, messages)
    raw = await _produced(broker, messages)
    before = await broker.ends(InboundMessage.topic)
    async with _edge(kafka) as (process, url):
        ours = await _posted(url, process, messages)
        between = await broker.ends(InboundMessage.topic)
        signed = await _posted_texts(url, process, seconds)
    after = await broker.ends(InboundMessage.topic)
    ends = [sum(found.values()) for found in (before, between, after)]
    return [*_figures(ours, bare, raw, ends[1] - ends[0]), *_of_texts(signed, ends[2] - ends[1])]


@asynccontextmanager
async def _edge(kafka: str) -> AsyncIterator[tuple[Watched, str]]:
    with listen("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    env = {"KAFKA_SERVERS": kafka, "KAFKA_GROUP": new_group(), "HTTP_PORT": str(port)}
    env |= {f"TWILIO_{name}": value for name, value in texts.TWILIO.items()}
    named = {f"ASTREINTE_{name}": value for name, value in env.items()}
    async with started("astreinte", "run", "edge", env=named) as process:
        url = f"http://127.0.0.1:{port}"
        await ready(url)
        yield process, url


async def ready(url: str) -> None:
    """Wait until a process says that it is ready."""
    async with asyncio.timeout(START_S), httpx.AsyncClient(trust_env=False) as http:
        while True:
            try:
                if (await http.get(f"{url}/health/ready")).status_code == httpx.codes.OK:
                    return
            except httpx.TransportError:
                await asyncio.sleep(0.1)


async def _posted(url: str, process: Watched, messages: Sequence[InboundMessage]) -> Paced:
    many = httpx.Limits(max_connections=CONNECTIONS)
    client = httpx.AsyncClient(base_url=url, trust_env=False, limits=many, timeout=ANSWER_S)
    async with client as http:

        async def post(message: InboundMessage) -> int:
            try:
                answer = await http.post("/messages", content=wire.body_of(message))
            except httpx.HTTPError:
                return 0
            return answer.status_code

        warm = await _paced(post, messages[:WARM_UP])
        before = process.cpu_s()
        found = await _paced(post, messages[WARM_UP:])
        found.cpu_ms = (process.cpu_s() - before) * 1000 / len(found.took_ms)
        found.answers += warm.answers
    return found


async def _posted_texts(url: str, process: Watched, seconds: float) -> Paced:
    posts = list(islice(texts.requests(), WARM_UP + int(seconds * TEXTS_RATE)))
    async with texts.lines(url, CONNECTIONS) as opened:
        warm = await _paced(opened.post, posts[:WARM_UP], TEXTS_RATE)
        before = process.cpu_s()
        found = await _paced(opened.post, posts[WARM_UP:], TEXTS_RATE)
        found.cpu_ms = (process.cpu_s() - before) * 1000 / len(found.took_ms)
        found.answers += warm.answers
    return found


async def _produced(broker: Broker, messages: Sequence[InboundMessage]) -> Paced:
    async with broker.producer() as producer:

        async def post(message: InboundMessage) -> int:
            key, body = message.key.encode(), wire.body_of(message)
            await producer.send_and_wait(InboundMessage.topic, body, key=key)
            return 202

        await _paced(post, messages[:WARM_UP])
        return await _paced(post, messages[WARM_UP:])


async def _paced(
    post: Callable[[T], Awaitable[int]], messages: Sequence[T], rate: float = RATE
) -> Paced:
    found = Paced()

    async def one(message: T, due: float) -> None:
        status = await post(message)
        found.took_ms.append((time.perf_counter() - due) * 1000)
        found.answers[status] += 1

    began = time.perf_counter()
    async with asyncio.TaskGroup() as under_way:
        for number, message in enumerate(messages):
            due = began + number / rate
            await asyncio.sleep(max(due - time.perf_counter(), 0))
            under_way.create_task(one(message, due))
    return found


def _figures(ours: Paced, bare: Paced, raw: Paced, written: int) -> list[Figure]:
    accepted = ours.answers[httpx.codes.ACCEPTED]
    wrong = ours.answers.total() - accepted
    lost = accepted - written
    return [
        *_column(OURS, ours, FLOOR_P99_MS),
        *_column("bare route", bare),
        *_column("raw producer", raw),
        Figure(NAME, OURS, "not accepted", wrong, "", 0, at_most=True),
        Figure(
            NAME, "edge, Kafka confirming", "accepted and not in Kafka", lost, "", 0, at_most=True
        ),
    ]


def _of_texts(found: Paced, written: int) -> list[Figure]:
    accepted = found.answers[httpx.codes.OK]
    wrong, lost = found.answers.total() - accepted, accepted - written
    return [
        *_column(TEXTS, found, TEXTS_P99_MS, TEXTS_RATE),
        Figure(NAME, TEXTS, "not accepted", wrong, "", 0, at_most=True),
        Figure(NAME, TEXTS, "accepted and not in Kafka", lost, "", 0, at_most=True),
    ]


def _column(
    place: str, found: Paced, floor: float | None = None, rate: float = RATE
) -> list[Figure]:
    shares = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "longest": 1.0}
    times = [
        Figure(
            NAME,
            place,
            name,
            found.quantile(share),
            "ms",
            floor if name == "p99" else None,
            at_most=True,
            beside=f"{len(found.took_ms):,} posts, {rate} a second" if name == "p50" else "",
        )
        for name, share in shares.items()
    ]
    if not found.cpu_ms:
        return times
    return [*times, Figure(NAME, place, "processor time of its process", found.cpu_ms, "ms a post")]
