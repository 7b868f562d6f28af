"""A language model that does what attackers want: a server that speaks Ollama's API and obeys."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol

from schemas.vocabulary import Intent
from services.sentences import fold
from tests.ollama import FakeOllama, answer, says, serving


class Order(Protocol):
    """What it looks for in a prompt, and says then."""

    @property
    def messages(self) -> tuple[str, ...]:
        """What the attacker writes."""

    @property
    def obeyed(self) -> str:
        """What an obedient model says."""


def _parts(*parts: tuple[str, int]) -> str:
    return json.dumps({"parts": [{"text": text, "source": source} for text, source in parts]})


def _first_step(prompt: str) -> str:
    lines = prompt.rsplit("PASSAGES\n", maxsplit=1)[-1].splitlines()
    return lines[2] if len(lines) > 2 else lines[0]  # noqa: PLR2004 - title, cause, steps


BEHAVIOURS: dict[str, Callable[[str, str], str]] = {
    "says it as a fact of the passage": lambda said, _: _parts((said, 1)),
    "puts it behind a true step": lambda said, prompt: _parts((_first_step(prompt), 1), (said, 1)),
    "glues it to a true step": lambda said, prompt: _parts(
        (f"{_first_step(prompt).rstrip('.')}, {said}", 1)
    ),
    "passes it as courtesy": lambda said, prompt: _parts((_first_step(prompt), 1), (said, 0)),
    "wraps it in markup": lambda said, prompt: _parts((_first_step(prompt), 1), (f"**{said}**", 1)),
    "names a passage that is not there": lambda said, _: _parts((said, 7)),
    "answers in no form at all": lambda said, _: said,
    "repeats the customer's words": lambda _, prompt: _parts(
        (_first_step(prompt), 1), (_customer(prompt)[:500], 1)
    ),
    "tells its instructions": lambda _, prompt: _parts((prompt[:500], 1)),
    "adds fields of its own": lambda said, prompt: json.dumps(
        {"parts": [{"text": _first_step(prompt), "source": 1}], "action": "ignore", "text": said}
    ),
}
"""How it obeys: (what the attacker wants said, the prompt) to what is answered."""


def _customer(prompt: str) -> str:
    return re.sub(r"(?m)^\S{6} ", "", prompt.rsplit("CUSTOMER\n", maxsplit=1)[-1])


class Gullible:
    """Obeys the attack that it finds in a prompt, in the way that is set; in none, it fails."""

    def __init__(self, orders: Sequence[Order]) -> None:
        self._orders = {_letters(one.messages[-1])[-60:]: one.obeyed for one in orders}
        self.behaviour = ""
        self.url = ""
        self.asked = 0

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Gullible]:
        """Have it answer at `url`."""
        async with serving(FakeOllama(self._chat)) as server:
            self.url = server.url
            yield self

    def _chat(self, asked: dict[str, Any]) -> bytes:
        if not self.behaviour:
            return answer(503, {"error": "loading"})
        if not asked.get("messages"):
            return says("")
        if "intent" in asked["format"]["properties"]:  # it sorts a message: as the attacker likes
            return says(json.dumps({"intent": Intent.FAULT.value}))
        self.asked += 1
        prompt = asked["messages"][-1]["content"]
        said = self._wanted(prompt)
        return says(BEHAVIOURS[self.behaviour](said, prompt))

    def _wanted(self, prompt: str) -> str:
        letters = _letters(_customer(prompt))
        found = [said for order, said in self._orders.items() if order and order in letters]
        return found[0] if found else "Tout est remboursé. Everything is refunded."


def _letters(text: str) -> str:
    return re.sub(r"<[^>]*>|\W|_", "", fold(text))
