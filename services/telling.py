"""Publishing: events, and letters that died. Returns once the broker has confirmed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from aiokafka.errors import KafkaError, MessageSizeTooLargeError
from faststream.exceptions import IncorrectState
from faststream.kafka import KafkaBroker

from schemas.errors import Rejected, Unavailable
from schemas.event import Event
from services import wire
from services.lanes import Record

CUT_BYTES = 8_192
"""Off a letter that its own headers made larger than the broker takes: ours are far smaller."""


class Teller:
    """Publishes over one broker connection."""

    def __init__(self, broker: KafkaBroker, confirm_s: float = 30.0) -> None:
        self._broker = broker
        self._confirm_s = confirm_s

    async def tell(self, events: Sequence[Event], source: str, took_ms: float = 0.0) -> None:
        """Publish events, each in its topic under its key, and wait until all are confirmed.

        Raises
        ------
        Unavailable
            The broker did not confirm all of them. Telling again is harmless: same ids.
        Rejected
            An event is larger than the broker takes.
        """
        await self._send(
            [
                (
                    event.topic,
                    event.key.encode(),
                    wire.body_of(event),
                    wire.headers_of(event, source, took_ms),
                    event.trace_id,
                )
                for event in events
            ]
        )

    async def bury(self, stage: str, record: Record, headers: wire.Headers) -> None:
        """Publish a dead letter: the original bytes and key, cut where headers leave no room."""
        body = record.value or b""
        try:
            await self._send([(f"dead.{stage}", record.key, body, headers, "")])
        except Rejected:
            headers = {name: headers[name] for name in headers if name.startswith("dead_")}
            kept = body[: max(len(body) - CUT_BYTES, 0)]
            headers["dead_cut"] = str(len(body) - len(kept))
            await self._send([(f"dead.{stage}", record.key, kept, headers, "")])

    async def put_back(
        self, topic: str, key: bytes | None, body: bytes, headers: wire.Headers
    ) -> None:
        """Publish a dead letter's bytes in the topic where they died. Raises as `tell`."""
        await self._send([(topic, key, body, headers, "")])

    async def _send(
        self, letters: list[tuple[str, bytes | None, bytes, wire.Headers, str]]
    ) -> None:
        if not letters:
            return
        try:
            async with asyncio.timeout(self._confirm_s):
                await asyncio.gather(
                    *[
                        await self._broker.publish(
                            body,
                            topic=topic,
                            key=key,
                            headers=headers,
                            correlation_id=trace,
                            no_confirm=True,
                        )
                        for topic, key, body, headers, trace in letters
                    ]
                )
        except MessageSizeTooLargeError as error:
            msg = "larger than the broker takes"
            raise Rejected(msg) from error
        except IncorrectState as error:
            msg = "Kafka is not connected"
            raise Unavailable(msg) from error
        except (KafkaError, TimeoutError, OSError) as error:
            msg = f"Kafka does not confirm ({type(error).__name__})"
            raise Unavailable(msg) from error
