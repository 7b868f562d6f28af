"""Any server that speaks OpenAI's API: vLLM, llama.cpp, llama-cpp-python, OpenRouter, Ollama's own.

By OpenAI's client, loaded only where such a server is set. Its own retries, its time-out of ten
minutes, its variables (`OPENAI_API_KEY`, `OPENAI_ORG_ID` …) and redirects are not used. How much
of a schema a server takes is found out: the whole, as a JSON object with a schema, or in words.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ai.addresses import leaves
from ai.llm import Busy, Down, Installed, NoAnswer, Piece, Prompt, Unusable

if TYPE_CHECKING:
    import httpx2
    from openai import AsyncOpenAI

CONNECT_S = 2.0
CONNECT_FAR_S = 10.0
READ_S = 300.0
LOOK_S = 5.0
FORMS = ("json_schema", "json_object", "words")
"""How an answer's form is asked for, the strictest first."""
REFUSED = (400, 422)
FAILED = 500
"""So llama-cpp-python answers to a way that it does not know; of one that it took, it means it."""
UNLISTED = (404, 405, 501)
"""So servers answer that keep no list of their models: a name will do there."""
BUSY = (429, 503)


class FormRefused(NoAnswer):
    """The server does not take this way of asking for a form."""


class OpenAIServer:
    """A server that speaks OpenAI's chat API.

    Parameters
    ----------
    url
        Its address with the path before `/chat/completions`, often `/v1`.
    models
        Names to ask for. Several are OpenRouter's list: the next is asked when one is not there.
    key
        Its API key.
    """

    name = "openai"

    def __init__(self, url: str, models: Sequence[str] = (), *, key: str = "") -> None:
        self.url = url
        self.leaves = leaves(url)
        self._models = tuple(models)
        self._key = key
        self._form = 0
        self._form_taken = False
        self._made: AsyncOpenAI | None = None

    @property
    def _client(self) -> AsyncOpenAI:
        if self._made is None:
            import httpx2  # noqa: PLC0415 - heavy, and for those only who set such a server
            from openai import AsyncOpenAI, DefaultAsyncHttpxClient  # noqa: PLC0415

            timeout = httpx2.Timeout(READ_S, connect=CONNECT_FAR_S if self.leaves else CONNECT_S)
            self._made = AsyncOpenAI(
                base_url=self.url,
                api_key=self._key or "none",
                max_retries=0,
                http_client=DefaultAsyncHttpxClient(
                    timeout=timeout,
                    trust_env=self.leaves,  # proxies are for what leaves
                    follow_redirects=False,
                    event_hooks={"request": [self._say_no_more]},
                ),
            )
        return self._made

    async def _say_no_more(self, request: httpx2.Request) -> None:
        """Take out what the library says of the environment and of this machine."""
        for name in list(request.headers):
            if name.startswith(UNSAID):
                del request.headers[name]
        if self._key:
            request.headers["authorization"] = f"Bearer {self._key}"

    async def look(self) -> Sequence[Installed]:
        """Return the models that are named, or those that a server of a few offers.

        Raises
        ------
        Down
            It does not answer.
        """
        await asyncio.to_thread(import_module, "openai")  # a second, which nobody else waits for
        try:
            with _mapped(UNLISTED if self._models else ()):
                listed = [each.id async for each in self._client.models.list(timeout=LOOK_S)]
        except FormRefused:  # it has no such list
            listed = []
        names = self._models[:1] or listed
        return [Installed(name, leaves=self.leaves) for name in names]

    async def load(self, model: Installed, instead_of: str = "") -> None:
        """Nothing: these servers load their models by themselves."""

    async def say(self, model: Installed, prompt: Prompt) -> AsyncGenerator[Piece, None]:
        """Yield the answer as it comes; raises Down, Busy or Unusable."""
        for form in range(self._form, len(FORMS) if prompt.schema else self._form + 1):
            try:
                async with aclosing(self._say(model, prompt, FORMS[form])) as told:
                    async for piece in told:
                        yield piece
                        self._form, self._form_taken = form, True
            except FormRefused:
                continue
            else:
                return
        msg = "the question is refused"
        raise Unusable(msg)

    async def _say(
        self, model: Installed, prompt: Prompt, form: str
    ) -> AsyncGenerator[Piece, None]:
        asked: dict[str, Any] = {
            "model": model.name,
            "messages": _messages(prompt, form),
            "max_tokens": prompt.max_tokens,
            "temperature": 0.2,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        if prompt.schema is not None and form in FORMATS:
            asked["response_format"] = FORMATS[form](prompt.schema)
        if len(self._models) > 1:
            asked["extra_body"] = {"models": list(self._models)}
        last = Piece()
        unsure = not self._form_taken and "response_format" in asked
        with _mapped((*REFUSED, FAILED) if unsure else REFUSED):
            stream = await self._client.chat.completions.create(**asked)
            async with stream:
                async for chunk in stream:
                    piece = _piece(chunk, last)
                    if piece.text or piece.thinking:
                        yield Piece(text=piece.text, thinking=piece.thinking)
                    last = piece
        if last == Piece():  # so llama-cpp-python ends a stream whose question was too long
            msg = "it said nothing"
            raise Unusable(msg)
        if last.reason:
            yield Piece(
                reason=last.reason,
                model=last.model,
                prompt_tokens=last.prompt_tokens,
                answer_tokens=last.answer_tokens,
            )

    async def close(self) -> None:
        """Hang up."""
        if self._made is not None:
            await self._made.close()


UNSAID = ("authorization", "openai-", "x-stainless-")

FORMATS: dict[str, Any] = {
    "json_schema": lambda schema: {
        "type": "json_schema",
        "json_schema": {"name": "answer", "schema": schema, "strict": True},
    },
    "json_object": lambda schema: {"type": "json_object", "schema": schema},  # llama-cpp-python
}


def _messages(prompt: Prompt, form: str) -> list[dict[str, str]]:
    """Return the messages; the form in words too, where the server may not hold to it."""
    messages = prompt.messages
    if prompt.schema is not None and form != FORMS[0]:
        wanted = json.dumps(prompt.schema, ensure_ascii=False)
        messages[0]["content"] += f"\n\nAnswer with JSON only, by this schema: {wanted}"
    return messages


def _piece(chunk: Any, before: Piece) -> Piece:
    """Return what a chunk says; the reason and the counts come in different ones."""
    choice = chunk.choices[0] if chunk.choices else None
    delta, usage = choice.delta if choice else None, chunk.usage
    thought = getattr(delta, "reasoning_content", None) or getattr(delta, "reasoning", None)
    return Piece(
        text=(delta.content if delta else None) or "",
        thinking=thought or "",
        reason=(choice.finish_reason if choice else None) or before.reason,
        model=chunk.model or before.model,
        prompt_tokens=usage.prompt_tokens if usage else before.prompt_tokens,
        answer_tokens=usage.completion_tokens if usage else before.answer_tokens,
    )


@contextmanager
def _mapped(refused: Sequence[int] = REFUSED) -> Iterator[None]:
    """Turn whatever the library raises into one of the failures; no text of it is kept."""
    import httpx2  # noqa: PLC0415
    import openai  # noqa: PLC0415

    try:
        yield
    except NoAnswer:
        raise
    except openai.APIStatusError as error:
        kinds: dict[int, type[NoAnswer]] = dict.fromkeys(refused, FormRefused)
        kinds |= dict.fromkeys(BUSY, Busy)
        msg = f"HTTP {error.status_code}"
        raise kinds.get(error.status_code, Down)(msg) from None
    except (openai.OpenAIError, httpx2.HTTPError, OSError) as error:
        msg = f"{type(error).__name__}"
        raise Down(msg) from None
    except (ValueError, TypeError, AttributeError, LookupError, RecursionError) as error:
        msg = f"{type(error).__name__}: what answers there does not speak it"
        raise Unusable(msg) from None
