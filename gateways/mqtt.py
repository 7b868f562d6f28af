"""Readings from an MQTT broker: a session that lasts, and a message confirmed once Kafka has it.

QoS 1 with `clean_session` off: what comes while the bridge is away waits at the broker, and what
was not confirmed comes again. aiomqtt confirms a message when it arrives; told not to, paho below
it leaves that to us. A message handed in twice is one event, where it says when it was measured.
"""

from __future__ import annotations

import asyncio
import logging
import random
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from aiomqtt import Client, Message, MqttError
from aiomqtt.exceptions import MqttConnectError

from gateways.rules import Rules
from schemas.errors import Rejected, Unavailable
from schemas.frigo import InboundReading

log = logging.getLogger(__name__)

AT_ONCE = 500
"""Messages that are put into Kafka together."""
WAITING = 10_000
"""Messages in memory; of QoS 1 the broker sends far fewer before they are confirmed."""
AGAIN_S = (0.5, 1.0, 2.0, 5.0, 15.0, 30.0)
KEEPALIVE_S = 20
CONNECT_S = 10.0
REFUSED = 0x80
"""A broker's answer to a subscription that it does not allow."""
PORTS = {"mqtt": 1883, "mqtts": 8883}

Publish = Callable[[Sequence[InboundReading]], Awaitable[None]]
"""Puts readings on the road; returns when Kafka has confirmed all of them."""


@dataclass(frozen=True)
class Broker:
    """Where an MQTT broker is, and how one gets in. `url`: mqtt://host:port, or mqtts for TLS."""

    url: str
    client_id: str
    user: str = ""
    password: str = field(default="", repr=False)
    ca: Path | None = None

    @property
    def trust(self) -> ssl.SSLContext | None:
        """The authorities that are trusted, with TLS.

        Raises
        ------
        Unavailable
            There is no certificate in the file.
        """
        if not self.url.startswith("mqtts:"):
            return None
        try:
            return ssl.create_default_context(cafile=self.ca)
        except OSError as error:
            why = error.strerror or "no certificate in it"
            msg = f"ASTREINTE_MQTT_CA: {self.ca} is not a PEM file of certificates ({why})"
            raise Unavailable(msg) from None

    def client(self) -> Client:
        """Return a client, not connected yet."""
        where = urlsplit(self.url)
        found = Client(
            where.hostname or "",
            where.port or PORTS[where.scheme],
            identifier=self.client_id,
            username=self.user or None,
            password=self.password or None,
            clean_session=False,
            keepalive=KEEPALIVE_S,
            timeout=CONNECT_S,
            tls_context=self.trust,
            max_queued_incoming_messages=WAITING,
            logger=log,
        )
        found._client.manual_ack_set(True)  # noqa: FBT003, SLF001 - aiomqtt has no word for it
        return found


@dataclass
class Taken:
    """What the bridge has done, for its health and metrics."""

    done: int = 0
    refused: int = 0
    waiting_for: str = "MQTT"
    last: datetime | None = None


class MqttBridge:
    """Carries messages of a broker to Kafka. `count`: hears how many were taken and refused."""

    def __init__(
        self,
        broker: Broker,
        rules: Rules,
        publish: Publish,
        max_bytes: int = 65_536,
        count: Callable[[int, int], None] = lambda _done, _refused: None,
    ) -> None:
        self._broker = broker
        self._rules = rules
        self._publish = publish
        self._max_bytes = max_bytes
        self._count = count
        self.taken = Taken()

    async def run(self) -> None:
        """Carry messages for ever; whatever the broker or Kafka do is waited out."""
        failures = 0
        while True:
            before = self.taken.done
            try:
                await self._connected()
            except MqttConnectError as error:
                why = f"the MQTT broker lets us not in ({error})"
            except MqttError as error:
                why = f"the MQTT broker is away ({error})"
            failures = 0 if self.taken.done > before else failures + 1
            wait_s = AGAIN_S[min(failures, len(AGAIN_S)) - 1] * random.uniform(0.7, 1.3)  # noqa: S311
            self.taken.waiting_for = "MQTT"
            log.warning("%s; again in %.1f s", why, wait_s)
            await asyncio.sleep(wait_s)

    async def _connected(self) -> None:
        async with self._broker.client() as client:
            for topic in self._rules.subscriptions:
                granted = await client.subscribe(topic, qos=1)
                if any(
                    (each if isinstance(each, int) else each.value) >= REFUSED for each in granted
                ):
                    msg = f"it does not let us subscribe to {topic}"
                    raise MqttError(msg)
            self.taken.waiting_for = ""
            log.info("reading %s", ", ".join(self._rules.subscriptions))
            messages = client.messages
            async for message in messages:
                batch = [message]
                while len(messages) and len(batch) < AT_ONCE:
                    batch.append(await anext(messages))
                await self._carry(client, batch)

    async def _carry(self, client: Client, batch: Sequence[Message]) -> None:
        """Put messages into Kafka, then confirm them in the order in which they came."""
        readings, refused = self._read(batch)
        await self._persist(readings)
        for message in batch:
            if message.qos:
                client._client.ack(message.mid, message.qos)  # noqa: SLF001 - as above
        done = len(batch) - refused
        self.taken.done += done
        self.taken.refused += refused
        self.taken.last = datetime.now(UTC)
        self._count(done, refused)

    def _read(self, batch: Sequence[Message]) -> tuple[list[InboundReading], int]:
        now = datetime.now(UTC)
        readings: list[InboundReading] = []
        refused = 0
        for message in batch:
            payload = bytes(message.payload)
            why = f"{len(payload)} bytes, {self._max_bytes} are taken"
            if len(payload) <= self._max_bytes:
                try:
                    readings += self._rules.read(message.topic.value, payload, now)
                    continue
                except Rejected as error:
                    why = str(error)
            refused += 1
            log.warning("refused a message of %.200r: %s", message.topic.value, why)
        return readings, refused

    async def _persist(self, readings: Sequence[InboundReading]) -> None:
        """Publish, again until Kafka has confirmed: meanwhile the broker keeps what follows."""
        failures = 0
        while readings:
            try:
                await self._publish(readings)
            except Unavailable as error:
                wait_s = AGAIN_S[min(failures, len(AGAIN_S) - 1)]
                failures += 1
                self.taken.waiting_for = "Kafka"
                log.warning("%s; again in %g s", error, wait_s)
                await asyncio.sleep(wait_s)
            else:
                self.taken.waiting_for = ""
                return
