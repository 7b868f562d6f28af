"""Puts dispatch together."""

from __future__ import annotations

from datetime import timedelta

from gateways.alerts import AlertDoor, ConsoleDoor, LoadedDoor
from gateways.outbound import ConsoleOutbound, FileOutbound, Outbound
from gateways.webhook import WebhookOutbound
from knowledge.wording import load_wording
from schemas.delivery import DeliveryReported
from schemas.frigo import AlertDrafted, FeedbackGiven
from schemas.printer import ReplyDrafted
from schemas.vocabulary import Channel
from services.alert_doors import own_doors
from services.chatting import ChatOutbound
from services.clearance import Rules
from services.clerk import Clerk
from services.courier import Courier
from services.dispatch import handlers, printer
from services.doors import Doors
from services.mail_doors import mail_door
from services.meters import MeteredOutbound
from services.neighbours import Neighbours
from services.on_call import roster_of
from services.policy import Policy
from services.postman import Postman
from services.quiet import quiet_of
from services.settings import Settings
from services.stage import Stage
from services.telegram_chats import telegram_door
from services.text_doors import text_door
from services.texting import BY_TEXT


async def build(near: Neighbours) -> Stage:
    """Return the stage, ready to start, with the postman beside it."""
    stage = near.stage("dispatch")
    await near.database.prepare(near.settings.database.connect_s)
    doors = doors_of(near)
    postman = Postman(
        near.database,
        doors,
        near.teller,
        printer.sent,
        max_attempts=printer.MAX_ATTEMPTS,
        full=near.settings.dispatch.outbox_limit,
    )
    drafted = handlers.drafted_replies(
        near.database, postman, doors.name_for, rules_of(near.settings), near.settings.mail.domain
    )
    reported = handlers.delivery_reports(near.database, postman)
    stage.consumes(ReplyDrafted, drafted, Policy(batch=100))
    stage.consumes(DeliveryReported, reported, Policy(batch=100))
    stage.starting.append(postman.start)
    stage.stopping.append(postman.stop)
    take_alarms(stage, near)
    return stage


def rules_of(settings: Settings) -> Rules:
    """Return the rules by which replies leave."""
    policy = settings.policy
    return Rules(policy, quiet_of(policy), load_wording(), settings.dispatch.signature)


def take_alarms(stage: Stage, near: Neighbours) -> None:
    """Have the stage tell people of alarms, with its clerk and its courier beside it."""
    settings = near.settings
    clerk = Clerk(near.database, roster_of(settings.roster), settings.alarm)
    doors = alert_doors(settings) | own_doors(near)
    courier = Courier(near.database, doors, near.teller, clerk.rounds.hurry)
    clerk.sent_off = courier.rounds.hurry
    clerk.noted = stage.noted
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


def doors_of(near: Neighbours) -> Doors:
    """Return the doors by which replies leave."""
    settings = near.settings
    texts = text_door(settings.twilio, near.database)  # it holds what providers' codes mean
    own: dict[Channel, Outbound | None] = dict.fromkeys(BY_TEXT, texts)
    own[Channel.EMAIL] = mail_door(settings, near.database)
    own[Channel.TELEGRAM] = telegram_door(settings.telegram, near.database)
    if settings.chat.secret.get_secret_value():
        own[Channel.CHAT] = ChatOutbound(near.teller)
    metered = {channel.value: MeteredOutbound(door) for channel, door in own.items() if door}
    return Doors(MeteredOutbound(_usual_door(settings)), metered)


def _usual_door(settings: Settings) -> Outbound:
    if settings.dispatch.outbound == "webhook":
        webhook = settings.webhook
        return WebhookOutbound(webhook.url, webhook.secret.get_secret_value(), webhook.timeout_s)
    if settings.dispatch.outbound == "file":
        return FileOutbound(settings.dispatch.file)
    return ConsoleOutbound()
