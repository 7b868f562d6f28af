"""The language model, by Ollama: local, optional, never waited for longer than agreed.

A model that does not answer is left alone for a while (a circuit that opens), so that an absent
Ollama costs nothing a message. Measured facts behind the options: one fixed `num_ctx` (another
one reloads the model), always `num_predict`, always a time-out (the client has none).
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from dataclasses import dataclass

import httpx
from ollama import AsyncClient, ResponseError

log = logging.getLogger(__name__)

REST_S = 30.0
"""How long a model that failed is left alone."""
MAX_TOKENS = 400
CONNECT_S = 2.0
_FAILURES = (
    *(OSError, httpx.HTTPError, ResponseError, TimeoutError),
    *(ValueError, TypeError),  # from the client: what answers there does not speak Ollama's API
)


class NoAnswer(Exception):  # noqa: N818 - a state, met every day
    """The model gave no usable answer in time; the text says why, without the prompt."""


@dataclass(frozen=True)
class Answer:
    """What a model wrote, and which."""

    text: str
    model: str


class Ollama:
    """Asks Ollama's chat endpoint for a JSON object with one text.

    Parameters
    ----------
    url
        Its address.
    model
        A name, or nothing for the first local chat model.
    timeout_s
        For one whole answer, loading the model included.
    parallel
        Requests at once.
    context_tokens
        `num_ctx` of every request.
    """

    def __init__(
        self,
        url: str,
        model: str = "",
        *,
        timeout_s: float = 60,
        parallel: int = 1,
        context_tokens: int = 4096,
    ) -> None:
        self._client = AsyncClient(host=url, timeout=httpx.Timeout(timeout_s, connect=CONNECT_S))
        self._model = model
        self._timeout_s = timeout_s
        self._turns = asyncio.Semaphore(parallel)
        self._context_tokens = context_tokens
        self._rests_until = 0.0

    @property
    def resting(self) -> bool:
        """It failed lately and is not asked for now."""
        return time.monotonic() < self._rests_until

    async def write(self, system: str, user: str, field: str = "reply") -> Answer:
        """Return the text of `field` in the model's JSON answer.

        Raises
        ------
        NoAnswer
            It is resting, absent, too slow, or wrote something else.
        """
        if self.resting:
            msg = "resting after a failure"
            raise NoAnswer(msg)
        try:
            async with asyncio.timeout(self._timeout_s), self._turns:
                return await self._ask(system, user, field)
        except NoAnswer:  # it cannot write in the form: waiting for it again would be in vain
            self._rests_until = time.monotonic() + REST_S
            raise
        except _FAILURES as error:
            self._rests_until = time.monotonic() + REST_S
            status = f" {error.status_code}" if isinstance(error, ResponseError) else ""
            msg = f"Ollama: {type(error).__name__}{status}"
            raise NoAnswer(msg) from error

    async def _ask(self, system: str, user: str, field: str) -> Answer:
        model = self._model or await self._first_local()
        schema = {"type": "object", "properties": {field: {"type": "string"}}, "required": [field]}
        response = await self._client.chat(
            model=model,
            messages=[{"role": "system", "content": system}, {"role": "user", "content": user}],
            format=schema,
            options={
                "num_ctx": self._context_tokens,
                "num_predict": MAX_TOKENS,
                "temperature": 0.2,
                "repeat_penalty": 1.1,
            },
            keep_alive=-1,
        )
        try:
            text = json.loads(response.message.content or "")[field]
        except (ValueError, KeyError, TypeError, RecursionError):
            text = None
        if not isinstance(text, str) or not text.strip():
            msg = f"{model} did not answer in the form that was asked for"
            raise NoAnswer(msg)
        return Answer(text.strip(), model)

    async def _first_local(self) -> str:
        """Return the first installed model that runs on this machine and is no embedding model."""
        for entry in (await self._client.list()).models:
            family = (entry.details.family or "") if entry.details else ""
            if entry.model and not entry.model.endswith("-cloud") and "bert" not in family:
                log.info("the language model is %s", entry.model)
                self._model = entry.model
                return entry.model
        msg = "Ollama has no model; 'ollama pull' one"
        raise ConnectionError(msg)
