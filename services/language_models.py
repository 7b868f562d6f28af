"""Puts the language models together from the settings."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from ai.addresses import is_loopback
from ai.ledger import Ledger
from ai.limits import Limits
from ai.llm import Filled
from ai.models import Models
from ai.ollama_server import OllamaServer
from ai.openai_server import OpenAIServer
from ai.route import Route
from services import metrics
from services.settings import Settings

KEPT = Path("data")
"""Where what models cost and how quick they are is kept, beside the record of the default."""


def models_of(settings: Settings, folder: Path | None = KEPT) -> Models:
    """Return the models of the settings; `folder` keeps what they cost and how quick they are."""
    ledger = Ledger(folder)
    routes = []
    if (own := settings.ollama).url:
        server = OllamaServer(
            own.url, context_tokens=own.context_tokens, key=own.key.get_secret_value()
        )
        limits = Limits(
            own.model, own.remote, own.timeout_s, own.parallel, own.queue, own.context_tokens
        )
        routes.append(Route(server, limits, ledger, here=is_loopback(own.url)))
    if (other := settings.openai).url:
        names = [name.strip() for name in other.model.split(",") if name.strip()]
        far = OpenAIServer(other.url, names, key=other.key.get_secret_value())
        limits = Limits(
            names[0] if names else "", other.remote, other.timeout_s, other.parallel, other.queue,
            other.context_tokens, other.price_in, other.price_out, other.monthly_cap,
        )  # fmt: skip
        routes.append(Route(far, limits, ledger))
    for route in routes:
        metrics.LLM_CLOSED.labels(route.backend.name).set_function(partial(_closed, route))
    return Models(routes, _count)


def _closed(route: Route) -> float:
    return float(bool(route.closed))


def _count(backend: str, filled: Filled[Any] | None) -> None:
    if filled is None:
        return
    metrics.LLM_TOKENS.labels(backend, "prompt").inc(filled.prompt_tokens)
    metrics.LLM_TOKENS.labels(backend, "answer").inc(filled.answer_tokens)
    metrics.LLM_COST.labels(backend).inc(filled.cost)
