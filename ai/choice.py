"""Which of the models that a server has is asked, and why: rules, no door.

The largest that fits: into the GPU where there is one, else twice its size into 60 % of the free
memory, with an answer expected in time. The figures were measured with llama.cpp on two cores of
an AMD EPYC and random weights of real shapes (0.5 to 7 billion parameters, 4 bits): memory is
twice the file, and speed goes with its inverse. What Ollama counts corrects them on this machine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ai.hardware import Machine
from ai.llm import Installed

PROMPT_TOKENS, ANSWER_TOKENS = 1_000, 150
"""A question with three articles, and its reply."""
READ_A_CORE = 34e9
"""Bytes of weights times tokens of a prompt, per second and core."""
WRITTEN = 24e9
"""The same of an answer: memory is its bound, so cores do not count."""
GPU_FACTOR = 10
"""A GPU against two cores; a cautious guess until it is measured."""
SHARE, ROOM = 0.6, 2.0
"""Of the free memory; of a model's file."""
GPU_ROOM = 1.2
MOSTLY = 0.9
"""Of a model on the GPU; below it, the processor sets the pace."""
MANY = 5
"""Models of unknown size that are more than this are a catalogue: one of them must be named."""
LARGE_GPU = 10 * 10**9
"""From here on, a larger model is proposed to whoever has none."""
GB = 1e9


@dataclass(frozen=True)
class Speed:
    """Tokens a second."""

    read: float
    written: float

    def scaled(self, factor: float) -> Speed:
        """Return the speed of a model that is `factor` times quicker."""
        return Speed(self.read * factor, self.written * factor)

    def seconds(self, prompt: float = PROMPT_TOKENS, answer: float = ANSWER_TOKENS) -> float:
        """Return how long so many tokens take; by default, those of a usual reply."""
        return prompt / self.read + answer / self.written


@dataclass(frozen=True)
class Reason:
    """Why a model was chosen, or not: a code, with the figures of its sentence."""

    code: str
    figures: Mapping[str, str]

    def __str__(self) -> str:
        return ENGLISH[self.code].format(**self.figures)


ENGLISH = {
    "named": "it is named in the settings",
    "only": "it is what the server offers",
    "gpu": "the largest that fits into the GPU ({gpu}, {free} GB free) and answers in time ({s} s)",
    "cpu": "the largest that fits into memory ({free} GB free) and answers in time ({s} s)",
    "elsewhere": "the largest that answers in time ({s} s); its machine is not ours to see",
    "embeds": "it makes embeddings, no text",
    "leaves": "it runs on other machines, which is not allowed",
    "memory": "it needs {needs} GB, of which {free} GB are free",
    "slow": "a reply would take {s} s, and {limit} s is the limit",
    "smaller": "a larger one fits",
    "other": "another one is named in the settings",
    "unnamed": "several are offered there: name one",
}
"""A reason's sentence, for logs; the command line says it in French."""


@dataclass(frozen=True)
class Weighed:
    """A model of a server, and what was found of it; `usable` ones fit.

    `speed` is expected, or, `measured`, that of answers before.
    """

    model: Installed
    reason: Reason
    usable: bool
    speed: Speed | None = None
    measured: bool = False

    def seconds(self, prompt: float, answer: float) -> float:
        """Return how long so many tokens will take; 0 where that was never measured."""
        return self.speed.seconds(prompt, answer) if self.speed and self.measured else 0.0


@dataclass(frozen=True)
class Terms:
    """What a choice depends on.

    `named`: the model of the settings; `remote`: text may leave; `limit_s`: for one answer;
    `machine`: where the server runs, None: another one; `speeds`: measured, by model;
    `current`: the model in use; `freed`: bytes that models in memory would make room for.
    """

    named: str = ""
    remote: bool = False
    limit_s: float = 60.0
    machine: Machine | None = None
    speeds: Mapping[str, Speed] | None = None
    current: str = ""
    freed: int = 0
    freed_on_gpu: int = 0
    many: bool = False


def weighed(models: Sequence[Installed], terms: Terms) -> list[Weighed]:
    """Return every model with why it fits or not, the one to ask first."""
    terms = replace(
        terms,
        freed=sum(int(each.size * (1 - each.on_gpu)) for each in models if each.loaded),
        many=len(models) > MANY,
        freed_on_gpu=sum(int(each.size * each.on_gpu) for each in models if each.loaded),
    )
    found = [_weigh(each, terms) for each in models]
    fitting = [each for each in found if each.usable]
    best = max(fitting, key=lambda each: _rank(each, terms), default=None)
    rest = [
        replace(each, reason=Reason("smaller", {})) if each.usable else each
        for each in found
        if each is not best
    ]
    return [best, *rest] if best else rest


def chosen(ranked: Sequence[Weighed]) -> Weighed | None:
    """Return the model to ask, or none."""
    return ranked[0] if ranked and ranked[0].usable else None


def _rank(each: Weighed, terms: Terms) -> tuple[bool, int, bool]:
    """Compare: what runs here before what leaves; the larger one; of equals, the one in use."""
    return not each.model.leaves, each.model.size, each.model.name == terms.current


def _weigh(model: Installed, terms: Terms) -> Weighed:
    if objection := _objection(model, terms):
        return Weighed(model, objection, usable=False)
    if model.leaves or not model.size:
        return Weighed(model, Reason("named" if terms.named else "only", {}), usable=True)
    speed, measured = speed_of(model, terms), model.name in (terms.speeds or {})
    seconds, objection = speed.seconds(), None
    if not terms.named:
        objection = _too_large(model, terms)
        if objection is None and seconds > terms.limit_s:
            figures = {"s": f"{seconds:.0f}", "limit": f"{terms.limit_s:.0f}"}
            objection = Reason("slow", figures)
    reason = objection or _praise(model, terms, seconds)
    return Weighed(model, reason, usable=objection is None, speed=speed, measured=measured)


def _objection(model: Installed, terms: Terms) -> Reason | None:
    """Return what speaks against a model whatever its size."""
    named = terms.named and is_named(model.name, terms.named)
    objections = {
        "other": terms.named and not named,
        "embeds": not model.chats,
        "leaves": model.leaves and not terms.remote,
        "unnamed": terms.many and not named and not model.size,
    }
    return next((Reason(code, {}) for code, holds in objections.items() if holds), None)


def is_named(name: str, wanted: str) -> bool:
    """Tell whether a model is the one of the settings; `:latest` may be left out."""
    return wanted in {name, name.removesuffix(":latest")}


def _on_gpu(model: Installed, terms: Terms) -> bool:
    if model.loaded:
        return model.on_gpu > MOSTLY
    gpu = terms.machine.gpu if terms.machine else None
    return gpu is not None and model.size * GPU_ROOM <= min(
        gpu.free + terms.freed_on_gpu, gpu.total
    )


def _too_large(model: Installed, terms: Terms) -> Reason | None:
    """Return why it does not fit; what is in memory already has its place."""
    here = terms.machine
    if model.loaded or here is None or not here.free or _on_gpu(model, terms):
        return None
    free, needs = SHARE * min(here.free + terms.freed, here.memory or here.free), ROOM * model.size
    if needs <= free:
        return None
    return Reason("memory", {"needs": f"{needs / GB:.1f}", "free": f"{free / GB:.1f}"})


def _praise(model: Installed, terms: Terms, seconds: float) -> Reason:
    s = f"{seconds:.0f}"
    if terms.named:
        return Reason("named", {})
    if terms.machine is None:
        return Reason("elsewhere", {"s": s})
    gpu = terms.machine.gpu
    if gpu and _on_gpu(model, terms):
        return Reason("gpu", {"gpu": gpu.name, "free": f"{gpu.free / GB:.1f}", "s": s})
    return Reason("cpu", {"free": f"{terms.machine.free / GB:.1f}", "s": s})


def speed_of(model: Installed, terms: Terms) -> Speed:
    """Return how quick a model is: measured, or as such models usually are."""
    measured = terms.speeds or {}
    if model.name in measured:
        return measured[model.name]
    cores = terms.machine.cores if terms.machine else 2
    usual = Speed(READ_A_CORE * cores / model.size, WRITTEN / model.size)
    return usual.scaled(GPU_FACTOR) if _on_gpu(model, terms) else usual


def proposal(machine: Machine | None) -> str:
    """Return a model to pull for a machine: multilingual, and free to use (Apache 2.0)."""
    gpu = machine.gpu if machine else None
    if gpu is None:
        return "qwen3:1.7b"
    return "qwen3:8b" if gpu.total > LARGE_GPU else "qwen3:4b"
