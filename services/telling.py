"""Publishing: events, and letters that died. Returns once the broker has confirmed.

What goes to one partition by the dozen goes as batches of our own, each confirmed as a whole: a
future for every record, and FastStream's way to it, cost a fifth of a cold room's reading. What is
less goes record by record, and shares its request with what others tell meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError
from aiokafka.partitioner import murmur2
from aiokafka.producer.message_accumulator import BatchBuilder
from faststream.exceptions import IncorrectState
from faststream.kafka import KafkaBroker

from schemas.errors import Rejected, Unavailable
from schemas.event import Event
from services import wire
from services.lanes import Record

CUT_BYTES = 8_192
"""Off a letter that its own headers made larger than the broker takes: ours are far smaller."""
DOZEN = 12
LARGE_BYTES = 1 << 17
"""Half of a batch; a letter that may be larger than the broker takes is none of a dozen."""
KEYS = 1 << 17


class Letter(NamedTuple):
    """A record to be written."""

    topic: str
    key: bytes | None
    body: bytes
    headers: list[tuple[str, bytes]]


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
                _letter(
                    event.topic,
                    event.key.encode(),
                    wire.body_of(event),
                    wire.headers_of(event, source, took_ms),
                )
                for event in events
            ]
        )

    async def bury(self, stage: str, record: Record, headers: wire.Headers) -> None:
        """Publish a dead letter: the original bytes and key, cut where headers leave no room."""
        body = record.value or b""
        try:
            await self._send([_letter(f"dead.{stage}", record.key, body, headers)])
        except Rejected:
            headers = {name: headers[name] for name in headers if name.startswith("dead_")}
            kept = body[: max(len(body) - CUT_BYTES, 0)]
            headers["dead_cut"] = str(len(body) - len(kept))
            await self._send([_letter(f"dead.{stage}", record.key, kept, headers)])

    async def put_back(
        self, topic: str, key: bytes | None, body: bytes, headers: wire.Headers
    ) -> None:
        """Publish a dead letter's bytes in the topic where they died. Raises as `tell`."""
        await self._send([_letter(topic, key, body, headers)])

    @property
    def _producer(self) -> AIOKafkaProducer:
        made: Any = self._broker.config.producer
        return made._producer.producer  # noqa: SLF001 - FastStream hands it out nowhere

    async def _send(self, letters: Sequence[Letter]) -> None:
        if not letters:
            return
        try:
            async with asyncio.timeout(self._confirm_s):
                producer = self._producer
                places = await _sorted(producer, letters)
                await asyncio.gather(*(_post(producer, *place, places[place]) for place in places))
        except MessageSizeTooLargeError as error:
            msg = "larger than the broker takes"
            raise Rejected(msg) from error
        except IncorrectState as error:
            msg = "Kafka is not connected"
            raise Unavailable(msg) from error
        except (KafkaError, TimeoutError, OSError) as error:
            msg = f"Kafka does not confirm ({type(error).__name__})"
            raise Unavailable(msg) from error


Place = tuple[str, int | None]
"""Topic and partition; without a key, any."""


def _letter(topic: str, key: bytes | None, body: bytes, headers: wire.Headers) -> Letter:
    return Letter(topic, key, body, [(name, value.encode()) for name, value in headers.items()])


async def _sorted(
    producer: AIOKafkaProducer, letters: Sequence[Letter]
) -> dict[Place, list[Letter]]:
    """Return the letters of each partition, in their order."""
    counts = {
        topic: len(await producer.partitions_for(topic))
        for topic in {letter.topic for letter in letters}
    }
    places: dict[Place, list[Letter]] = {}
    for letter in letters:
        partition = None if letter.key is None else _hash(letter.key) % counts[letter.topic]
        places.setdefault((letter.topic, partition), []).append(letter)
    return places


@lru_cache(maxsize=KEYS)
def _hash(key: bytes) -> int:
    """Return what Kafka's own partitioner makes of a key; pure Python, so it is remembered."""
    return int(murmur2(key)) & 0x7FFFFFFF


async def _post(
    producer: AIOKafkaProducer, topic: str, partition: int | None, letters: Sequence[Letter]
) -> None:
    """Write the letters of one partition; return once they are confirmed."""
    if (
        partition is None
        or len(letters) < DOZEN
        or max(len(letter.body) for letter in letters) > LARGE_BYTES
    ):
        sent = [
            await producer.send(topic, each.body, each.key, partition, headers=each.headers)
            for each in letters
        ]
    else:
        sent = [
            await producer.send_batch(batch, topic, partition=partition)
            for batch in _batches(producer, letters)
        ]
    await asyncio.gather(*sent)


def _batches(producer: AIOKafkaProducer, letters: Sequence[Letter]) -> Iterator[BatchBuilder]:
    batch = producer.create_batch()
    for letter in letters:
        if not _taken(batch, letter):
            yield batch
            batch = producer.create_batch()
            _taken(batch, letter)  # an empty one takes any
    yield batch


def _taken(batch: BatchBuilder, letter: Letter) -> bool:
    found = batch.append(timestamp=None, key=letter.key, value=letter.body, headers=letter.headers)
    return found is not None
