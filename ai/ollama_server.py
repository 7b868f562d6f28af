"""Ollama, by its own client.

Its traps, met here once for all: no time-out by default, errors of three libraries, a key from
the environment that goes to whichever host is set, proxies, redirects, and images given as text
that are opened as files (nothing but text is ever sent). `num_ctx` is the same in every request:
another one makes Ollama load the model again.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import httpx
from ollama import AsyncClient, ChatResponse, ResponseError
from pydantic import AliasChoices, BaseModel, Field, ValidationError

from ai.addresses import leaves
from ai.llm import Busy, Down, Installed, Piece, Prompt, Unusable

CONNECT_S = 2.0
LOOK_S = 3.0
LOAD_S = 300.0
"""A model from a slow disk into memory; never in a customer's way."""
THINKS_ASIDE = (0, 31, 2)
"""Ollama since which `think: false` and a schema go together; before, the schema was ignored."""
NANO = 1e-9
BUSY = 503


class _Model(BaseModel):
    """A row of /api/tags: its client drops the fields that matter most here."""

    name: str = Field(validation_alias=AliasChoices("name", "model"))
    size: int = 0
    capabilities: list[str] | None = None
    remote_host: str | None = None
    details: dict[str, Any] | None = None


class _Loaded(BaseModel):
    """A row of /api/ps."""

    name: str
    size: int = 0
    size_vram: int = 0


class _Tags(BaseModel):
    models: list[_Model] = []


class _Running(BaseModel):
    models: list[_Loaded] = []


class OllamaServer:
    """A server of Ollama.

    Parameters
    ----------
    url
        Its address.
    context_tokens
        `num_ctx` of every request.
    key
        Sent as a bearer token, to a server behind a door. `OLLAMA_API_KEY` is not read.
    """

    name = "ollama"

    def __init__(self, url: str, *, context_tokens: int = 4096, key: str = "") -> None:
        self.url = url
        self.leaves = leaves(url)
        self._context_tokens = context_tokens
        self._version: tuple[int, ...] = ()
        self._shown: dict[tuple[str, int], list[str] | None] = {}

        def authorize(request: httpx.Request) -> httpx.Request:
            request.headers.pop("authorization", None)  # the environment's
            if key:
                request.headers["authorization"] = f"Bearer {key}"
            return request

        kept: dict[str, Any] = {
            "auth": authorize,
            "trust_env": self.leaves,  # proxies are for what leaves
            "follow_redirects": False,
        }
        timeout = httpx.Timeout(LOAD_S, connect=CONNECT_S)
        self._client = AsyncClient(host=url, timeout=timeout, **kept)
        self._http = httpx.AsyncClient(timeout=httpx.Timeout(LOOK_S, connect=CONNECT_S), **kept)

    async def look(self) -> Sequence[Installed]:
        """Return the models that it has; Down when it does not answer."""
        with _mapped():
            listed = _Tags.model_validate(await self._get("tags")).models
            running = _Running.model_validate(await self._get("ps", {})).models
            version = (await self._get("version", {})).get("version", "")
            able = [await self._abilities(each) for each in listed]
        self._version = tuple(int(part) for part in re.findall(r"\d+", str(version))[:3])
        loaded = {each.name: each for each in running}
        both = zip(listed, able, strict=True)
        return [self._installed(each, can, loaded.get(each.name)) for each, can in both]

    async def _abilities(self, found: _Model) -> list[str] | None:
        """Return what a model can do; an older Ollama tells it of one model at a time."""
        if found.capabilities is not None or found.remote_host:
            return found.capabilities
        which = found.name, found.size
        if which not in self._shown:
            url = f"{self.url.rstrip('/')}/api/show"
            answer = await self._http.post(url, json={"model": found.name})
            shown = answer.json() if answer.is_success else {}
            self._shown[which] = _Model.model_validate(shown | {"name": found.name}).capabilities
        return self._shown[which]

    async def _get(self, what: str, otherwise: dict[str, Any] | None = None) -> Any:
        """Return a page of its API; `otherwise` where it has none, as an old Ollama."""
        answer = await self._http.get(f"{self.url.rstrip('/')}/api/{what}")
        if otherwise is not None and not answer.is_success:
            return otherwise
        answer.raise_for_status()
        return answer.json()

    def _installed(
        self, found: _Model, able: list[str] | None, running: _Loaded | None
    ) -> Installed:
        family = str((found.details or {}).get("family") or "")
        remote = found.remote_host or found.name.endswith(("-cloud", ":cloud"))
        return Installed(
            found.name,
            size=found.size,
            loaded=running is not None,
            on_gpu=running.size_vram / max(running.size, 1) if running else 0.0,
            chats="completion" in able if able is not None else "bert" not in family,
            leaves=self.leaves or bool(remote),
            thinks="thinking" in (able or ()),
        )

    async def load(self, model: Installed, instead_of: str = "") -> None:
        """Have a model in memory, with the options of the requests that will follow."""
        with _mapped():
            if instead_of:  # it would stay for ever
                await self._client.chat(instead_of, [], keep_alive=0)
            await self._client.chat(model.name, [], options=self._options(1), keep_alive=-1)

    async def say(self, model: Installed, prompt: Prompt) -> AsyncGenerator[Piece, None]:
        """Yield the answer as it comes; raises Down, Busy or Unusable."""
        quiet = model.thinks and self._version >= THINKS_ASIDE
        with _mapped():
            told = await self._client.chat(
                model.name,
                prompt.messages,
                format=prompt.schema,
                options=self._options(prompt.max_tokens),
                keep_alive=-1,
                stream=True,
                think=False if quiet else None,
            )
            async for part in told:
                yield self._piece(part)

    def _options(self, max_tokens: int) -> dict[str, float]:
        return {
            "num_ctx": self._context_tokens,
            "num_predict": max_tokens,
            "temperature": 0.2,
            "repeat_penalty": 1.1,
        }

    def _piece(self, part: ChatResponse) -> Piece:
        read, wrote = part.prompt_eval_count or 0, part.eval_count or 0
        if part.done and read + wrote >= self._context_tokens:
            msg = f"prompt and answer were longer than {self._context_tokens} tokens"
            raise Unusable(msg)  # it drops the beginning of the prompt, and says so in its log only
        return Piece(
            text=part.message.content or "",
            thinking=part.message.thinking or "",
            reason=(part.done_reason or "stop") if part.done else "",
            model=part.model or "",
            prompt_tokens=read,
            answer_tokens=wrote,
            prompt_s=(part.prompt_eval_duration or 0) * NANO,
            answer_s=(part.eval_duration or 0) * NANO,
        )

    async def close(self) -> None:
        """Hang up."""
        await self._client.close()  # type: ignore[no-untyped-call]
        await self._http.aclose()


@contextmanager
def _mapped() -> Iterator[None]:
    """Turn whatever the libraries raise into one of the failures; no text of theirs is kept."""
    try:
        yield
    except ResponseError as error:
        kind = Busy if error.status_code == BUSY else Down
        msg = f"ResponseError {error.status_code}"
        raise kind(msg) from None
    except httpx.HTTPStatusError as error:
        msg = f"HTTP {error.response.status_code}"
        raise Down(msg) from None
    except (OSError, httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
        msg = f"{type(error).__name__}"
        raise Down(msg) from None
    except (ValueError, TypeError, AttributeError, ValidationError, RecursionError) as error:
        msg = f"{type(error).__name__}: what answers there does not speak its API"
        raise Down(msg) from None
