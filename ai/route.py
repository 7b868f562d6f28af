"""One backend as it is used: its model, its limits, its turns, its circuit, its price."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from ai.breaker import Breaker
from ai.choice import Terms, Weighed, chosen, weighed
from ai.hardware import Machine
from ai.hearing import Said, bare, hear
from ai.ledger import Ledger
from ai.limits import Limits, Turns
from ai.llm import (
    Ask,
    Backend,
    Busy,
    Down,
    Filled,
    NoAnswer,
    Piece,
    Shape,
    Unusable,
    schema_of,
)
from ai.loading import Loading
from ai.masking import masked

log = logging.getLogger(__name__)

USUALLY = 0.5
"""Of the tokens that an answer may have, those that it usually has."""


@dataclass
class Route:
    """Asks one backend, within its limits.

    `here` tells whether it runs on this machine, whose GPU and memory then count.
    """

    backend: Backend
    limits: Limits
    ledger: Ledger
    here: bool = False
    breaker: Breaker = field(default_factory=Breaker)
    models: list[Weighed] = field(default_factory=list)
    answers: bool = False
    loading: Loading = field(default_factory=Loading)
    _why: str = "not looked at"
    _asked: str = ""
    _said: str | None = None

    def __post_init__(self) -> None:
        self._turns = Turns(self.limits.parallel, self.limits.queue)

    @property
    def choice(self) -> Weighed | None:
        """The model that is asked."""
        return chosen(self.models)

    @property
    def closed(self) -> str:
        """Why nothing is asked now; empty when it may be."""
        if self.choice is None:
            return "no usable model" if self.answers else self._why
        if not self.breaker.lets_through:
            return "resting after a failure"
        cap = self.limits.monthly_cap
        if cap and self.ledger.spent(self.backend.name) >= cap:
            return "its monthly cap is spent"
        return ""

    async def look(self, machine: Machine | None) -> None:
        """See what the server has, and choose again."""
        if self.backend.leaves and not self.limits.remote:
            self._why = "outside the private network, which is not allowed"
        else:
            await self._look(machine)
        self._tell()

    async def _look(self, machine: Machine | None) -> None:
        before, limits = self.choice, self.limits
        try:
            found = await self.backend.look()
        except NoAnswer as error:
            if self.answers or not self.breaker.troubles:
                self.breaker.note(error)
            self.answers, self.models, self._why = False, [], f"no answer ({error})"
            return
        self.answers = True
        terms = Terms(
            limits.model, limits.remote, limits.timeout_s,
            machine if self.here else None,
            self.ledger.speeds(),
            before.model.name if before else "",
        )  # fmt: skip
        self.models = weighed(found, terms)

    def _tell(self) -> None:
        """Log what is asked, or why nothing is, when that is new."""
        name = self.choice.model.name if self.choice else ""
        if name == self._said:
            return
        if self.choice:
            log.info("%s: %s is asked: %s", self.backend.name, name, self.choice.reason)
        elif self._said:
            log.warning("%s: nothing is asked any more: %s", self.backend.name, self.closed)
        else:
            log.info("%s: nothing is asked: %s", self.backend.name, self.closed)
        self._said = name

    def warm(self) -> None:
        """Have the chosen model loaded, beside everything else."""
        choice = self.choice
        if choice and not (choice.model.loaded or choice.model.leaves or self.loading.going):
            self.loading.begin(self._load(choice))

    async def _load(self, choice: Weighed) -> None:
        began, name = time.monotonic(), choice.model.name
        others = [each.model.name for each in self.models if each.model.loaded]
        try:
            await self.backend.load(choice.model, self._asked if self._asked in others else "")
        except NoAnswer as error:
            self.breaker.note(error)
            self.breaker.failed()
            log.warning("%s: %s was not loaded: %s", self.backend.name, name, error)
        else:
            took, self._asked = time.monotonic() - began, name
            log.info("%s: %s is in memory after %.1f s", self.backend.name, name, took)

    async def close(self) -> None:
        """Stop loading, and hang up."""
        await self.loading.stop()
        await self.backend.close()

    async def fill(self, ask: Ask[Shape], until: float) -> Filled[Shape]:
        """Return the answer in its shape before the time `until` (of the monotonic clock).

        Raises
        ------
        NoAnswer
            Down, Busy or Unusable; the breaker has been told.
        """
        began = time.monotonic()
        async with self.asking(ask, until) as choice:
            said, value = await self._ask(ask, choice)
        return self._counted(choice, value, said, time.monotonic() - began)

    @asynccontextmanager
    async def asking(self, ask: Ask[Any], until: float) -> AsyncIterator[Weighed]:
        """Give the model for one question: in its turn, loaded, judged by what becomes of it.

        Raises
        ------
        NoAnswer
            It cannot be asked, or the block failed; the time `until` counts as a failure.
        """
        self._open(ask, until)
        async with self._turns.turn(until):
            choice = self._open(ask, until)  # whoever was before may have met a failure
            async with self._judged(until - time.monotonic()):
                self.breaker.began()
                await self.loading.wait()
                yield choice

    def _open(self, ask: Ask[Any], until: float) -> Weighed:
        """Return the model, if it may be asked now and there is time enough."""
        choice, left = self.choice, until - time.monotonic()
        if choice is None or self.closed:
            raise Busy(self.closed)
        if ask.tokens + ask.max_tokens > self.limits.context_tokens:
            msg = f"the question is too long for {self.limits.context_tokens} tokens"
            raise Unusable(msg)
        expected_s = choice.seconds(ask.tokens, ask.max_tokens * USUALLY)
        if expected_s > left:
            msg = f"an answer would take {expected_s:.0f} s, and {max(left, 0):.0f} s are left"
            raise Busy(msg)
        return choice

    @asynccontextmanager
    async def _judged(self, left: float) -> AsyncIterator[None]:
        """Bound the time, and tell the breaker how it ended."""
        whole = min(left, self.limits.timeout_s)
        try:
            async with asyncio.timeout(whole):
                yield
        except TimeoutError:
            late = Down(f"no answer within {whole:.3g} s")
            self.breaker.note(late)
            if whole < self.limits.timeout_s / 2:  # a short budget says little of the server
                self.breaker.disappointed()
            else:
                self.breaker.failed()
            raise late from None
        except Down as error:
            self.breaker.note(error)
            self.breaker.failed()
            raise
        except Unusable as error:
            self.breaker.note(error)
            self.breaker.disappointed()
            raise
        except BaseException:
            self.breaker.left()
            raise
        self.breaker.succeeded()

    async def _ask(self, ask: Ask[Shape], choice: Weighed) -> tuple[Said, Shape]:
        mask, prompt = masked(ask, schema_of(ask.shape), leaves=choice.model.leaves)
        said, billed = None, Piece(prompt_tokens=ask.tokens)
        try:
            said = await hear(self.backend.say(choice.model, prompt), ask.max_tokens)
            billed = said.last
        finally:
            self.pay(billed)  # useless ones are billed too
        try:
            value = ask.shape.model_validate_json(bare(said.text))
            return said, mask.shown(value) if mask else value
        except (ValidationError, ValueError, RecursionError):
            msg = f"{choice.model.name} did not answer in the form that was asked for"
            raise Unusable(msg) from None

    def pay(self, last: Piece) -> None:
        """Count what an answer cost, by its last piece."""
        self.ledger.pay(self.backend.name, self.limits.cost(last))

    def _counted(self, choice: Weighed, value: Shape, said: Said, seconds: float) -> Filled[Shape]:
        last = said.last
        read, written = (last.prompt_tokens, last.prompt_s), (last.answer_tokens, last.answer_s)
        self.ledger.measure(choice.model.name, read, written)
        return Filled(
            value,
            model=last.model or choice.model.name,
            backend=self.backend.name,
            prompt_tokens=last.prompt_tokens,
            answer_tokens=last.answer_tokens,
            seconds=seconds,
            cost=self.limits.cost(last),
        )
