"""The language models there are, in the order in which they are asked.

Ollama first, then a server that speaks OpenAI's API, and where none answers, the caller's
template. What there is is looked at every half a minute, and when a call fails: a model that was
pulled is taken without a restart. Each choice is logged with its reason when it changes.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import Any

from ai.hardware import Machine, machine, memory
from ai.llm import Ask, Busy, Down, Filled, NoAnswer, Shape
from ai.route import Route
from ai.streaming import words

log = logging.getLogger(__name__)

LOOK_S = 30.0
"""How often the servers are looked at."""
GPU_S = 600.0
"""How often this machine's GPU is."""

Told = Callable[[str, Filled[Any] | None], None]
"""Is told how a backend answered: with this, or not at all."""


class Models:
    """Asks the first backend that can answer.

    Parameters
    ----------
    routes
        The backends, the preferred one first.
    told
        Is told of each answer.
    """

    def __init__(self, routes: Sequence[Route], told: Told | None = None) -> None:
        self.routes = list(routes)
        self.machine: Machine | None = None
        self._told = told
        self._looked: float | None = None
        self._measured = 0.0
        self._looking = asyncio.Lock()
        self._again, self._ready = asyncio.Event(), asyncio.Event()
        self._watching: asyncio.Task[None] | None = None

    @property
    def resting(self) -> bool:
        """Nobody can be asked now. Before the first look that is not known."""
        if self._looked is None:
            return not self.routes
        knows = self._watching or not self._is_old()
        return bool(knows) and all(route.closed for route in self.routes)

    def begin(self) -> None:
        """Look and load in the background until `close`, so that no customer waits for it."""
        if self.routes and self._watching is None:
            self._watching = asyncio.create_task(self._watch(), name="language models")

    async def _watch(self) -> None:
        while True:
            self._again.clear()
            try:
                await self.look()
                for route in self.routes:
                    route.warm()
            except Exception:  # a look that fails is no reason never to look again
                log.exception("the language models were not looked at")
            self._ready.set()
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._again.wait()

    async def look(self) -> None:
        """See what there is, and choose."""
        async with self._looking:
            await self._measure()
            await asyncio.gather(*(route.look(self.machine) for route in self.routes))
            self._looked = time.monotonic()

    async def _measure(self) -> None:
        """Look at this machine: at its memory each time, at its GPU, which takes longer, seldom."""
        now = time.monotonic()
        if self.machine is None or now - self._measured > GPU_S:
            self.machine, self._measured = await asyncio.to_thread(machine), now
        else:
            self.machine = replace(self.machine, free=memory()[1])

    def _is_old(self) -> bool:
        return self._looked is None or time.monotonic() - self._looked > LOOK_S

    async def fill(self, ask: Ask[Shape]) -> Filled[Shape]:
        """Return the answer to a question in its shape.

        Raises
        ------
        NoAnswer
            No backend gave one within the budget; what the last one said.
        """
        until = time.monotonic() + ask.budget_s
        await self._informed(ask.budget_s)
        why: NoAnswer = Down("there is no language model")
        for place, route in enumerate(self.routes):
            try:
                filled = await route.fill(ask, until)
            except NoAnswer as error:
                why = self._failed(route, error)
            else:
                filled = replace(filled, degraded=place > 0)
                self._report(route.backend.name, filled)
                return filled
        raise why

    async def stream(self, ask: Ask[Any]) -> AsyncGenerator[str, None]:
        """Yield an answer in free words as they come; its shape is not asked for.

        Another backend is tried as long as nothing was said; then what fails, fails.

        Raises
        ------
        NoAnswer
            As `fill`; after the first words, they are all there is.
        """
        until = time.monotonic() + ask.budget_s
        await self._informed(ask.budget_s)
        why: NoAnswer = Down("there is no language model")
        for route in self.routes:
            said = False
            try:
                async with aclosing(words(route, ask, until)) as told:
                    async for text in told:
                        said = True
                        yield text
            except NoAnswer as error:
                why = self._failed(route, error)
                if said:
                    raise
            else:
                return
        raise why

    async def _informed(self, budget_s: float) -> None:
        """Know what there is: the first question may have to wait for that."""
        try:
            async with asyncio.timeout(budget_s):
                if self._watching:
                    await self._ready.wait()
                elif self._is_old():
                    await self.look()
        except TimeoutError:
            msg = "what there is was not known in time"
            raise Busy(msg) from None

    def _failed(self, route: Route, error: NoAnswer) -> NoAnswer:
        """Look again soon where a server failed; return the error with the server's name."""
        self._report(route.backend.name, None)
        if isinstance(error, Down):
            self._again.set()
        return type(error)(f"{route.backend.name}: {error}")

    def _report(self, backend: str, filled: Filled[Any] | None) -> None:
        if self._told:
            self._told(backend, filled)

    async def close(self) -> None:
        """Stop looking, and hang up."""
        if self._watching:
            self._watching.cancel()
            await asyncio.wait({self._watching})
        for route in self.routes:
            await route.close()
