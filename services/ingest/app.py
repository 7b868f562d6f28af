"""Puts ingest together."""

from __future__ import annotations

from schemas.frigo import InboundReading
from schemas.printer import InboundMessage
from services.ingest import handlers
from services.ingest.printer import Ours
from services.neighbours import Neighbours
from services.policy import Policy
from services.seen import Seen
from services.stage import Stage


async def build(near: Neighbours) -> Stage:
    """Return the stage, ready to start."""
    stage = near.stage("ingest")
    await near.database.prepare(near.settings.database.connect_s)
    mail = near.settings.mail
    ours = Ours(mail.ours, mail.secret.get_secret_value())
    messages = handlers.inbound_messages(near.database, ours)
    stage.consumes(InboundMessage, messages, Policy(batch=100))
    seen = Seen()
    readings = handlers.inbound_readings(near.profiles, seen)
    stage.consumes(InboundReading, readings, Policy(batch=500, let_go=seen.forget))
    return stage
