"""Puts dispatch together."""

from __future__ import annotations

from gateways.outbound import ConsoleOutbound, FileOutbound, Outbound
from gateways.webhook import WebhookOutbound
from schemas.delivery import DeliveryReported
from schemas.printer import ReplyDrafted
from services.dispatch import handlers, printer
from services.meters import MeteredOutbound
from services.neighbours import Neighbours
from services.policy import Policy
from services.postman import Postman
from services.settings import Settings
from services.stage import Stage


async def build(near: Neighbours) -> Stage:
    """Return the stage, ready to start, with the postman beside it."""
    stage = near.stage("dispatch")
    await near.database.prepare(near.settings.database.connect_s)
    door = MeteredOutbound(door_of(near.settings))
    postman = Postman(
        near.database,
        door,
        near.teller,
        printer.sent,
        max_attempts=printer.MAX_ATTEMPTS,
        full=near.settings.dispatch.outbox_limit,
    )
    drafted = handlers.drafted_replies(near.database, postman, door.name)
    reported = handlers.delivery_reports(near.database, postman)
    stage.consumes(ReplyDrafted, drafted, Policy(batch=100))
    stage.consumes(DeliveryReported, reported, Policy(batch=100))
    stage.starting.append(postman.start)
    stage.stopping.append(postman.stop)
    return stage


def door_of(settings: Settings) -> Outbound:
    """Return the door that the settings name."""
    if settings.dispatch.outbound == "webhook":
        webhook = settings.webhook
        return WebhookOutbound(webhook.url, webhook.secret.get_secret_value(), webhook.timeout_s)
    if settings.dispatch.outbound == "file":
        return FileOutbound(settings.dispatch.file)
    return ConsoleOutbound()
