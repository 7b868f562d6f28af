"""A stage as it runs: its consumers, and what it does beside them."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from faststream.kafka import KafkaBroker

from schemas.event import Event
from services import wire
from services.policy import Handler, Health, Policy, together
from services.runtime import Runner
from services.telling import Teller


@dataclass
class Stage:
    """Consumers of one group. `starting` and `stopping` are called around them, in order."""

    name: str
    broker: KafkaBroker
    teller: Teller
    group: str
    fetch_wait_ms: int = 500
    runners: list[Runner] = field(default_factory=list)
    starting: list[Callable[[], Awaitable[object] | None]] = field(default_factory=list)
    stopping: list[Callable[[], Awaitable[None] | None]] = field(default_factory=list)
    note: str = ""

    def consumes(self, event: type[Event], handler: Handler, policy: Policy) -> None:
        """Handle the events of one topic."""
        parse = functools.partial(wire.parse, expected=event)
        self.add(Runner(self.name, (event.topic,), self.group, self.teller, parse, handler, policy))

    def add(self, runner: Runner) -> None:
        """Take a consumer in."""
        runner.subscribe(self.broker, self.fetch_wait_ms)
        self.runners.append(runner)

    async def start(self) -> None:
        """Begin; the broker's connection is started by whoever shares it."""
        await asyncio.gather(*(runner.start() for runner in self.runners))
        for begin in self.starting:
            waiting = begin()
            if waiting is not None:
                await waiting

    async def drain(self) -> None:
        """Finish what is in hand and commit."""
        for runner in self.runners:
            await runner.drain()
        for end in self.stopping:
            waiting = end()
            if waiting is not None:
                await waiting

    def health(self) -> Health:
        """Say how it is: its consumers taken together."""
        found = together(self.name, [runner.health for runner in self.runners])
        return replace(found, note=self.note)

    def noted(self, note: str) -> None:
        """Take what people should know although the stage is ready; empty: nothing any more."""
        self.note = note
