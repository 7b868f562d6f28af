"""Puts dispatch together."""

from __future__ import annotations

from datetime import timedelta

from gateways.alerts import AlertDoor, ConsoleDoor, LoadedDoor
from gateways.outbound import ConsoleOutbound, FileOutbound, Outbound
from gateways.webhook import WebhookOutbound
from schemas.delivery import DeliveryReported
from schemas.frigo import AlertDrafted, FeedbackGiven
from schemas.printer import ReplyDrafted
from services.clerk import Clerk
from services.courier import Courier
from services.dispatch import handlers, printer
from services.meters import MeteredOutbound
from services.neighbours import Neighbours
from services.on_call import roster_of
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
    take_alarms(stage, near)
    return stage


def take_alarms(stage: Stage, near: Neighbours) -> None:
    """Have the stage tell people of alarms, with its clerk and its courier beside it."""
    settings = near.settings
    clerk = Clerk(near.database, roster_of(settings.roster), settings.alarm)
    doors = alert_doors(settings)
    courier = Courier(near.database, doors, near.teller, clerk.rounds.hurry)
    clerk.sent_off = courier.rounds.hurry
    wait = timedelta(seconds=settings.alarm.group_wait_s)
    drafted = handlers.drafted_alerts(near.database, clerk.rounds, wait)
    stage.consumes(AlertDrafted, drafted, Policy(batch=100))
    feedback = handlers.given_feedback(near.database, clerk.rounds)
    stage.consumes(FeedbackGiven, feedback, Policy(batch=100))
    stage.starting += [door.start for door in doors.values() if isinstance(door, LoadedDoor)]
    stage.starting += [clerk.rounds.start, courier.rounds.start]
    stage.stopping += [clerk.rounds.stop, courier.stop]


def alert_doors(settings: Settings) -> dict[str, AlertDoor]:
    """Return the doors by which alarms leave, by name."""
    doors: list[AlertDoor] = [ConsoleDoor()]
    if settings.telegram.token.get_secret_value():

        def telegram() -> AlertDoor:
            from gateways.telegram import TelegramDoor  # noqa: PLC0415 - it takes seconds

            given = settings.telegram
            return TelegramDoor(given.token.get_secret_value(), given.url, given.timeout_s)

        doors.append(LoadedDoor("telegram", "gateways.telegram", telegram))
    return {door.name: door for door in doors}


def door_of(settings: Settings) -> Outbound:
    """Return the door that the settings name."""
    if settings.dispatch.outbound == "webhook":
        webhook = settings.webhook
        return WebhookOutbound(webhook.url, webhook.secret.get_secret_value(), webhook.timeout_s)
    if settings.dispatch.outbound == "file":
        return FileOutbound(settings.dispatch.file)
    return ConsoleOutbound()
