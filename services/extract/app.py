"""Puts extract together."""

from __future__ import annotations

from knowledge.catalogue import load_catalogue
from schemas.frigo import UnitStateChanged
from schemas.printer import MessageClassified
from services.extract import handlers
from services.neighbours import Neighbours
from services.policy import Policy
from services.stage import Stage


async def build(near: Neighbours) -> Stage:
    """Return the stage, ready to start."""
    stage = near.stage("extract")
    await near.database.prepare(near.settings.database.connect_s)
    handler = handlers.classified_messages(load_catalogue(), near.database)
    stage.consumes(MessageClassified, handler, Policy(batch=50))
    stage.consumes(UnitStateChanged, handlers.changed_units(), Policy(batch=50))
    return stage
