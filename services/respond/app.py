"""Puts respond together."""

from __future__ import annotations

from ai.llm import Ollama
from knowledge.wording import load_wording
from schemas.frigo import AlertGrounded
from schemas.printer import MessageGrounded
from services.neighbours import Neighbours
from services.policy import Policy
from services.respond import handlers
from services.respond.printer import Sender
from services.stage import Stage


async def build(near: Neighbours) -> Stage:
    """Return the stage, ready to start."""
    stage = near.stage("respond")
    asked = near.settings.ollama
    llm = (
        Ollama(
            asked.url,
            asked.model,
            timeout_s=asked.timeout_s,
            parallel=asked.parallel,
            context_tokens=asked.context_tokens,
        )
        if asked.url
        else None
    )
    sender = Sender(near.settings.dispatch.signature, near.settings.dispatch.contact)
    handler = handlers.grounded_messages(llm, load_wording(), sender)
    stage.consumes(MessageGrounded, handler, Policy(batch=1, concurrency=32))
    alerts = handlers.grounded_alerts(llm)
    stage.consumes(AlertGrounded, alerts, Policy(batch=1, concurrency=16))
    return stage
