"""What is asked of a language model, what comes back, and how it may fail.

The doors are `ai/ollama_server.py` and `ai/openai_server.py`; `ai/models.py` chooses between them.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from pydantic import BaseModel

Shape = TypeVar("Shape", bound=BaseModel)

MAX_TOKENS = 400
BYTES_A_TOKEN = 3
"""Of French and English prose; identifiers and emoji take more, which `spare` tokens cover."""
SPARE_TOKENS = 64
"""For the chat template, and for words that are cut smaller than most."""


class NoAnswer(Exception):  # noqa: N818 - a state, met every day
    """The model gave no usable answer in time; the text says why, without the prompt."""


class Down(NoAnswer):
    """The server is not there, failed, or took too long: others would meet the same."""


class Busy(NoAnswer):
    """The server has its hands full, or is loading the model; it is well otherwise."""


class Unusable(NoAnswer):
    """Something was written, and it cannot be used."""


@dataclass(frozen=True)
class Ask(Generic[Shape]):
    """A question to whichever model there is.

    Parameters
    ----------
    purpose
        What it is for, in a word or two: `reply`, `classify`; it is counted, never sent.
    system, user
        What the model is told, and what it is given.
    shape
        The form of the answer; bounds in it are checked here, whatever the server enforces.
    max_tokens
        Of the answer.
    budget_s
        Seconds for all of it: the wait for a turn, every try.
    personal
        The text may hold personal data: it is masked before it leaves this machine.
    names
        People's names in it that the caller knows, from headers or a signature.
    """

    purpose: str
    system: str
    user: str
    shape: type[Shape]
    max_tokens: int = MAX_TOKENS
    budget_s: float = 60.0
    personal: bool = True
    names: tuple[str, ...] = ()

    @property
    def tokens(self) -> int:
        """Of the prompt, guessed from its length."""
        size = len(self.system.encode()) + len(self.user.encode())
        return size // BYTES_A_TOKEN + SPARE_TOKENS


@dataclass(frozen=True)
class Filled(Generic[Shape]):
    """An answer in its shape, and where it came from.

    `degraded`: a backend that is preferred was passed over, or failed at it. `cost` is in the
    currency of the settings.
    """

    value: Shape
    model: str
    backend: str
    degraded: bool = False
    prompt_tokens: int = 0
    answer_tokens: int = 0
    seconds: float = 0.0
    cost: float = 0.0


@dataclass(frozen=True)
class Piece:
    """Some words as they come. The last one counts, and says why it is the last (`reason`)."""

    text: str = ""
    thinking: str = ""
    reason: str = ""
    model: str = ""
    prompt_tokens: int = 0
    answer_tokens: int = 0
    prompt_s: float = 0.0
    answer_s: float = 0.0


@dataclass(frozen=True)
class Prompt:
    """What a backend is given; `schema` is of the answer's JSON, none for free text."""

    system: str
    user: str
    schema: dict[str, Any] | None
    max_tokens: int

    @property
    def messages(self) -> list[dict[str, str]]:
        """As both APIs take them; an empty one would be refused."""
        said = {"system": self.system, "user": self.user}
        return [{"role": role, "content": text} for role, text in said.items() if text]


@dataclass(frozen=True)
class Installed:
    """A model that a server has.

    `size` in bytes, 0 when it is not told; `loaded`: in memory now, `on_gpu` the share of it that
    is on a GPU; `chats`: it writes text, and does not only embed; `leaves`: it runs elsewhere.
    """

    name: str
    size: int = 0
    loaded: bool = False
    on_gpu: float = 0.0
    chats: bool = True
    leaves: bool = False
    thinks: bool = False


class Backend(Protocol):
    """A server of language models."""

    name: str
    url: str
    leaves: bool
    """What it is given leaves this machine and its private network."""

    async def look(self) -> Sequence[Installed]:
        """Return what it has; Down when it does not answer."""
        ...

    async def load(self, model: Installed, instead_of: str = "") -> None:
        """Have a model in memory, in the place of another; Down when that fails."""
        ...

    def say(self, model: Installed, prompt: Prompt) -> AsyncGenerator[Piece, None]:
        """Yield the answer as it comes; raises Down, Busy or Unusable."""
        ...

    async def close(self) -> None:
        """Hang up."""
        ...


def schema_of(shape: type[BaseModel]) -> dict[str, Any]:
    """Return the JSON schema of a shape with every field wanted, and no other.

    A field that may be left out is left out by small models, whatever the prompt says.
    """
    made: dict[str, Any] = _strict(shape.model_json_schema())
    return made


def _strict(node: Any) -> Any:
    if isinstance(node, list):
        return [_strict(each) for each in node]
    if not isinstance(node, dict):
        return node
    made = {key: _strict(value) for key, value in node.items() if key != "default"}
    if isinstance(made.get("properties"), dict):
        made |= {"additionalProperties": False, "required": list(made["properties"])}
    return made
