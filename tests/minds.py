"""Language models for a test, put together as a desk does it."""

from __future__ import annotations

from typing import Any

from ai.ledger import Ledger
from ai.limits import Limits
from ai.models import Models
from ai.ollama_server import OllamaServer
from ai.route import Route


def asking(url: str, model: str = "", *, ledger: Ledger | None = None, **limits: Any) -> Models:
    """Ask the Ollama at `url`, of which nothing is known: it is looked at by the first question."""
    own = Limits(model, **limits)
    server = OllamaServer(url, context_tokens=own.context_tokens)
    return Models([Route(server, own, ledger or Ledger())])
