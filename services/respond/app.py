"""Puts respond together."""

from __future__ import annotations

from knowledge.wording import load_wording
from schemas.frigo import AlertGrounded
from schemas.printer import MessageGrounded
from services.neighbours import Neighbours
from services.policy import Policy
from services.replies import Sender
from services.respond import handlers
from services.stage import Stage


async def build(near: Neighbours) -> Stage:
    """Return the stage, ready to start."""
    stage = near.stage("respond")
    sender = Sender(near.settings.dispatch.signature, near.settings.dispatch.contact)
    handler = handlers.grounded_messages(near.models, load_wording(), sender)
    stage.consumes(MessageGrounded, handler, Policy(batch=1, concurrency=32))
    alerts = handlers.grounded_alerts(near.models)
    stage.consumes(AlertGrounded, alerts, Policy(batch=1, concurrency=16))
    return stage
