"""The bridge: fetches what nobody hands in. Readings from MQTT, pressed buttons from Telegram."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from gateways.mqtt import Broker, MqttBridge
from gateways.rules import Rules
from schemas.errors import Unavailable, reason_of
from schemas.event import Event
from schemas.frigo import FeedbackGiven, InboundReading
from services import metrics, tracing
from services.neighbours import Neighbours
from services.on_call import roster_of
from services.policy import Health
from services.settings import Settings
from services.settings_frigo import MqttSettings, TelegramSettings
from services.stage import Stage
from services.telegram_chats import customers_of
from services.telephone import recordings_of

if TYPE_CHECKING:  # loading aiogram takes seconds, and most desks have no Telegram
    from gateways.imap import ImapBridge
    from gateways.presses import Presses

log = logging.getLogger(__name__)

NAME = "bridge"


@dataclass
class BridgeStage(Stage):
    """A stage without consumers: its work comes from elsewhere, and never ends by itself."""

    mqtt: MqttBridge | None = None
    mails: ImapBridge | None = None
    works: list[Callable[[], Coroutine[Any, Any, None]]] = field(default_factory=list)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def health(self) -> Health:
        """Say whether it is connected, and what it has carried."""
        ended = next((task for task in self.tasks if task.done() and not task.cancelled()), None)
        found = Health(NAME, assigned=len(self.tasks))
        found.stopped = f"it ended: {ended.exception()!r}"[:200] if ended else ""
        for taken in (each.taken for each in (self.mqtt, self.mails) if each):
            found.waiting_for = found.waiting_for or taken.waiting_for
            moments = filter(None, (found.last_progress, taken.last))
            found.last_progress = max(moments, default=None)
            found.handled, found.dead = found.handled + taken.done, found.dead + taken.refused
        return found

    def begin(self) -> None:
        """Begin all its works."""
        self.tasks += [asyncio.create_task(work()) for work in self.works]

    async def end(self) -> None:
        """Stop the work; what was not confirmed comes again."""
        for task in self.tasks:
            task.cancel()
        for task in self.tasks:
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await task


def has_work(settings: Settings) -> bool:
    """Say whether there is anything to fetch."""
    token = settings.telegram.token.get_secret_value()
    return bool(settings.mqtt.url or token or settings.voice.model or settings.imap.host)


async def build_bridge(near: Neighbours) -> BridgeStage:
    """Return the bridge, ready to start.

    Raises
    ------
    Unavailable
        A file of the settings is wrong.
    """
    settings = near.settings
    if not has_work(settings):
        log.warning(
            "nothing to bridge: set ASTREINTE_MQTT_URL, ASTREINTE_IMAP_HOST or _TELEGRAM_TOKEN"
        )
    plain = near.stage(NAME)
    stage = BridgeStage(plain.name, plain.broker, plain.teller, plain.group)
    if settings.mqtt.url:
        stage.mqtt = _mqtt(near, settings.mqtt)
    if settings.imap.host:
        from services.fetching import imap_bridge  # noqa: PLC0415 - where a mailbox is set

        await near.database.prepare(settings.database.connect_s)
        stage.mails = imap_bridge(near, NAME, _count)
    if settings.telegram.token.get_secret_value():
        # Loading aiogram takes seconds: in a thread, so that meanwhile the process says how it is.
        await asyncio.to_thread(importlib.import_module, "gateways.presses")
        presses = presses_of(near, NAME)
        stage.works.append(lambda: _hear(presses, settings.telegram))
        stage.stopping.append(presses.close)
    parts = (recordings_of(near), stage.mqtt, stage.mails)
    stage.works += [part.run for part in parts if part]
    stage.starting.append(stage.begin)
    stage.stopping.insert(0, stage.end)
    return stage


def presses_of(near: Neighbours, source: str) -> Presses:
    """Return what takes the buttons of Telegram in.

    Raises
    ------
    Unavailable
        The roster is wrong.
    """
    from gateways.presses import Presses  # noqa: PLC0415 - loads aiogram, where a token is set
    from gateways.telegram import TelegramDoor  # noqa: PLC0415

    telegram = near.settings.telegram
    door = TelegramDoor(telegram.token.get_secret_value(), telegram.url, telegram.timeout_s)

    async def publish(event: FeedbackGiven) -> None:
        await _tell(near, [event], source)

    try:
        roster = roster_of(near.settings.roster)
    except ValueError as error:
        msg = f"ASTREINTE_ROSTER_FILE: {error}"
        raise Unavailable(msg) from None
    return Presses(door, roster, publish, customers_of(near, door, roster, source))


async def _hear(presses: Presses, settings: TelegramSettings) -> None:
    """Ask Telegram for buttons; or tell it where the edge is, and leave the rest to that."""
    if not settings.callback_url:
        await presses.poll()
    await presses.announce(settings.callback_url, settings.secret.get_secret_value())
    await asyncio.Event().wait()


def _mqtt(near: Neighbours, settings: MqttSettings) -> MqttBridge:
    broker = Broker(
        settings.url,
        settings.client_id,
        settings.user,
        settings.password.get_secret_value(),
        settings.ca,
    )
    _ = broker.trust  # a file that holds no certificate is said at the start
    try:
        simple = Rules.simple(settings.topic, settings.status_topic)
        rules = Rules.load(settings.rules) if settings.rules else simple
    except ValueError as error:
        why = reason_of(error) if isinstance(error, ValidationError) else str(error)
        msg = f"ASTREINTE_MQTT_RULES: {why}" if settings.rules else f"ASTREINTE_MQTT_TOPIC: {why}"
        raise Unavailable(msg) from None

    async def publish(readings: Sequence[InboundReading]) -> None:
        await _tell(near, readings, NAME)

    return MqttBridge(broker, rules, publish, settings.max_bytes, _count)


async def _tell(near: Neighbours, events: Sequence[Event], source: str) -> None:
    await near.teller.tell(events, source)
    tracing.told(source, events)


def _count(done: int, refused: int) -> None:
    metrics.HANDLED.labels(NAME, "done").inc(done)
    metrics.HANDLED.labels(NAME, "dead").inc(refused)
