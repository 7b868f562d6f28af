"""Puts dispatch together."""

from __future__ import annotations

from gateways.outbound import ConsoleOutbound, FileOutbound, Outbound
from schemas.printer import ReplyDrafted
from services.dispatch import handlers, printer
from services.neighbours import Neighbours
from services.policy import Policy
from services.postman import Postman
from services.settings import DispatchSettings
from services.stage import Stage


async def build(near: Neighbours) -> Stage:
    """Return the stage, ready to start, with the postman beside it."""
    stage = near.stage("dispatch")
    await near.database.prepare(near.settings.database.connect_s)
    door = door_of(near.settings.dispatch)
    postman = Postman(
        near.database,
        door,
        near.teller,
        printer.sent,
        max_attempts=printer.MAX_ATTEMPTS,
        alone=near.embedded,
    )
    handler = handlers.drafted_replies(near.database, postman, door.name)
    stage.consumes(ReplyDrafted, handler, Policy(batch=100))
    stage.starting.append(postman.start)
    stage.stopping.append(postman.stop)
    return stage


def door_of(settings: DispatchSettings) -> Outbound:
    """Return the door that the settings name."""
    return FileOutbound(settings.file) if settings.outbound == "file" else ConsoleOutbound()
