"""Customers who write, and the gateway that hands their messages in and gives none up.

A conversation's next message is posted once the one before was acknowledged, as a gateway does
that keeps an order; so the order of acknowledgement is known for each conversation.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from benchmarks.messages import texts
from schemas.printer import InboundMessage
from tests.chaos.posts import Posts

CHANNELS = ("chat", "chat", "chat", "chat", "sms", "sms", "sms", "sms", "email", "call")
PATIENCE_S = (0.3, 0.6, 1.0, 2.0)
ANSWER_S = 20.0
AT_ONCE = 32
IMPATIENT = 0.02
"""Share of messages by one-time visitors whose gateway asks once and forgets."""
REPEATED = 0.04
"""Share of acknowledged messages that are handed in again, on purpose."""
REPEATED_AFTER_S = 15.0
SHORT_CHARACTERS = 60


@dataclass
class Post:
    """One attempt to hand a message in. `answer`: the HTTP status, 0 when none came."""

    at: float
    took_s: float
    answer: int
    repeated: bool = False


@dataclass
class Told:
    """A message, and what the edge said to it."""

    name: str
    channel: str
    sender: str
    place: int
    text: str
    posts: list[Post] = field(default_factory=list)
    accepted_at: float = 0.0
    event_id: str = ""
    done: bool = False

    @property
    def state(self) -> str:
        if self.accepted_at:
            return "accepted"
        return "unknown" if self.posts else "not posted"

    def body(self) -> bytes:
        made = {
            "channel": self.channel,
            "external_id": self.name,
            "from": self.sender,
            "text": self.text,
            "received_at": datetime.now(UTC).isoformat(),
        }
        if self.channel == "email":
            made["subject"] = "Imprimante en panne"
        return json.dumps(made).encode()


class Customer:
    """Writes numbered messages over one channel; all of them are one conversation."""

    def __init__(self, number: int, run: str) -> None:
        self.channel = CHANNELS[number % len(CHANNELS)]
        self.sender = {
            "chat": f"visiteur-{run}-{number}",
            "email": f"client{number}@{run}.example",
        }.get(self.channel, f"+336{39_000_000 + number:08d}")
        self.waiting: deque[Told] = deque()
        self.told: list[Told] = []
        self.busy = False


class Load:
    """Posts `rate` messages a second to the edge; what it could not post yet waits its turn."""

    def __init__(self, edge: str, run: str, rate: float, customers: int, seed: int) -> None:
        self._port = int(edge.rpartition(":")[2])
        self._run = run
        self._rate = rate
        self._dice = random.Random(seed)
        self._customers = [Customer(number, run) for number in range(customers)]
        self._up = asyncio.Event()
        self._up.set()
        self._posts = Posts(self._port, AT_ONCE, ANSWER_S)
        self._under_way: set[asyncio.Task[None]] = set()
        # Short ones: on two cores most of a message's cost is embedding it, and speed is not judged.
        self._words = [words for words in texts() if len(words) <= SHORT_CHARACTERS]
        self._numbers = iter(range(10**9))
        self.told: list[Told] = []
        self.refused: list[tuple[str, int]] = []
        self.began_at = self.ended_at = 0.0

    async def run(self, ended: asyncio.Event) -> None:
        """Offer messages until `ended`, then wait until each was acknowledged, or be cancelled."""
        self.began_at = time.time()
        began, number = time.perf_counter(), 0
        try:
            while not ended.is_set():
                due = began + number / self._rate
                await asyncio.sleep(max(due - time.perf_counter(), 0))
                self._offer()
                number += 1
            self.ended_at = time.time()
            while self._under_way:
                await asyncio.wait(self._under_way)
        finally:
            for task in self._under_way:
                task.cancel()
            self._posts.close()

    @property
    def unposted(self) -> int:
        """How many wait for the edge."""
        return sum(not told.done for told in self.told)

    def senders(self) -> Iterator[tuple[str, list[Told]]]:
        """Give each conversation's messages, in the order in which they were handed in."""
        for customer in self._customers:
            yield customer.sender, customer.told

    def _offer(self) -> None:
        number = next(self._numbers)
        if self._dice.random() < IMPATIENT:
            told = self._write("chat", f"passant-{self._run}-{number}", number, 0)
            self._spawn(self._once(told))
            return
        customer = self._dice.choice(self._customers)
        place = len(customer.told)
        told = self._write(customer.channel, customer.sender, number, place)
        customer.told.append(told)
        customer.waiting.append(told)
        if not customer.busy:
            customer.busy = True
            self._spawn(self._in_turn(customer))

    def _write(self, channel: str, sender: str, number: int, place: int) -> Told:
        text = f"{self._dice.choice(self._words)} ({place + 1})"
        told = Told(f"{self._run}-{number}", channel, sender, place, text)
        told.event_id = str(identity(channel, told.name))
        self.told.append(told)
        return told

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _in_turn(self, customer: Customer) -> None:
        while customer.waiting:
            told = customer.waiting[0]
            await self._until_acknowledged(told)
            customer.waiting.popleft()
        customer.busy = False

    async def _until_acknowledged(self, told: Told) -> None:
        body, tries = told.body(), 0
        while True:
            status = await self._post(told, body)
            if told.accepted_at or 400 <= status < 500:
                break
            await asyncio.sleep(PATIENCE_S[min(tries, len(PATIENCE_S) - 1)])
            tries += 1
        told.done = True
        if self._dice.random() < REPEATED:
            self._spawn(self._again(told, body))

    async def _once(self, told: Told) -> None:
        await self._post(told, told.body())
        told.done = True

    async def _again(self, told: Told, body: bytes) -> None:
        await asyncio.sleep(self._dice.uniform(0, REPEATED_AFTER_S))
        await self._post(told, body, repeated=True)

    async def _post(self, told: Told, body: bytes, *, repeated: bool = False) -> int:
        await self._up.wait()
        at, status = time.time(), 0
        try:
            status = await self._posts.post("/messages", body)
        except OSError:  # nobody listens: the edge does not have it
            self._knock()
        told.posts.append(Post(at, time.time() - at, status, repeated))
        if 200 <= status < 300 and not told.accepted_at:
            told.accepted_at = time.time()
        if 400 <= status < 500:
            self.refused.append((told.name, status))
        return status

    def _knock(self) -> None:
        """Have one ask when the edge is there again, instead of all."""
        if self._up.is_set():
            self._up.clear()
            self._spawn(self._until_it_listens())

    async def _until_it_listens(self) -> None:
        while not self._up.is_set():
            await asyncio.sleep(0.1)
            with suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", self._port)
                writer.close()
                self._up.set()


def identity(channel: str, name: str) -> UUID:
    """Return the id that the public contract gives to a message."""
    return InboundMessage.model_validate(
        {
            "channel": channel,
            "external_id": name,
            "customer_ref": "anybody",
            "text": "anything",
            "received_at": "2025-01-01T00:00:00Z",
        }
    ).event_id
