"""A stage of its own for a test: events, topics, a runner, and a look at what came of them."""

from __future__ import annotations

import asyncio
import ctypes
import functools
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar
from uuid import uuid4, uuid5

import confluent_kafka
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from confluent_kafka import Producer

from gateways.kafka import Cluster, connection
from schemas.event import ASTREINTE, Event
from services import wire
from services.policy import Policy
from services.runtime import Runner
from services.telling import Teller
from tests.conftest import create_topics, until

PARTITIONS = 4
NOW = "2025-02-01T08:30:00Z"


class Asked(Event):
    """What the stage under test takes."""

    topic: ClassVar[str] = ""

    who: str
    number: int
    words: str = ""

    @property
    def key(self) -> str:
        return self.who


class Answered(Asked):
    """What it tells."""

    topic: ClassVar[str] = ""


def _produce(address: str, topic: str, partition: int, header: bytes) -> None:
    [library] = Path(confluent_kafka.__path__[0] + ".libs").glob("librdkafka-*.so*")
    native = ctypes.CDLL(str(library))
    owner = Producer({"bootstrap.servers": address})
    client = ctypes.c_void_p.from_address(id(owner) + object.__basicsize__).value
    native.rd_kafka_headers_new.restype = ctypes.c_void_p
    headers = ctypes.c_void_p(native.rd_kafka_headers_new(ctypes.c_size_t(1)))
    native.rd_kafka_header_add(
        headers, header, ctypes.c_ssize_t(len(header)), b"v", ctypes.c_ssize_t(1)
    )
    # Tagged arguments, see `rd_kafka_vtype_t`: topic, partition, value, headers, end.
    failed = native.rd_kafka_producev(
        ctypes.c_void_p(client),
        *(1, ctypes.c_char_p(topic.encode())),
        *(3, ctypes.c_int32(partition)),
        *(4, ctypes.c_char_p(b"{}"), ctypes.c_size_t(2)),
        *(10, headers),
        0,
    )
    assert not failed
    assert owner.flush(10) == 0


Answer = Callable[[Sequence[Any]], Any]


class Road:
    """Topics `asked-x`, `answered-x`, `dead.x` on a broker, and what is needed to use them."""

    def __init__(self, address: str, name: str = "") -> None:
        self.name = name or f"t{uuid4().hex[:8]}"
        self.address = address
        self.cluster = Cluster(address)
        self.group = f"{self.name}.group"
        self.asked = self._typed(Asked, f"asked-{self.name}")
        self.answered = self._typed(Answered, f"answered-{self.name}")
        self.dead = f"dead.{self.name}"
        self.runners: list[Runner] = []

    @staticmethod
    def _typed(kind: type[Event], name: str) -> Any:
        return type(
            kind.__name__, (kind,), {"topic": name, "__annotations__": {"topic": ClassVar[str]}}
        )

    async def build(self, *, create: bool) -> None:
        names = (self.asked.topic, self.answered.topic, self.dead)
        if create:
            await create_topics(self.address, dict.fromkeys(names, PARTITIONS))
        self.producer = AIOKafkaProducer(
            bootstrap_servers=self.address, max_request_size=1 << 22, linger_ms=0
        )
        await self.producer.start()
        for name in names:  # the embedded broker makes a topic when it is asked about it
            await self.producer.partitions_for(name)

    async def close(self) -> None:
        for runner in self.runners:
            await runner.drain()
        await self.producer.stop()

    # --- what comes in -----------------------------------------------------------------------

    def event(self, number: int, who: str = "", **fields: Any) -> Any:
        who = who or f"k{number}"
        identity = uuid5(ASTREINTE, f"{self.name}/{number}/{who}")
        return self.asked(
            event_id=identity,
            trace_id=identity.hex,
            occurred_at=NOW,
            who=who,
            number=number,
            **fields,
        )

    async def ask(self, *events: Event) -> None:
        """Publish events under their keys."""
        await asyncio.gather(
            *[
                await self.producer.send(e.topic, wire.body_of(e), key=e.key.encode())
                for e in events
            ]
        )

    async def put(
        self,
        value: bytes | None,
        key: bytes | None = b"k",
        headers: Sequence[tuple[str, bytes | None]] = (),
        partition: int = 0,
    ) -> None:
        """Publish any bytes into a partition."""
        await self.producer.send_and_wait(
            self.asked.topic, value, key=key, headers=list(headers), partition=partition
        )

    async def put_with_header_name(self, name: bytes, partition: int = 0) -> None:
        """Publish a record with such a header, which takes the C library: Python's encode names."""
        await asyncio.to_thread(_produce, self.address, self.asked.topic, partition, name)

    async def put_event(self, number: int, who: str = "k", **rest: Any) -> None:
        """Publish a good event into a partition."""
        await self.put(wire.body_of(self.event(number, who)), who.encode(), **rest)

    # --- what works --------------------------------------------------------------------------

    @asynccontextmanager
    async def running(self, handle: Answer, **policy: Any) -> AsyncIterator[Runner]:
        """Have a runner of the group; at the end it drains."""
        broker = connection(self.cluster)
        await broker.connect()
        runner = Runner(
            self.name,
            (self.asked.topic,),
            self.group,
            Teller(broker),
            functools.partial(wire.parse, expected=self.asked),
            handle,
            Policy(**policy),
        )
        runner.subscribe(broker, fetch_wait_ms=20)
        # A member that left or died is forgotten soon.
        runner._subscription._subscriber._connection_args |= {
            "session_timeout_ms": 1_500,
            "heartbeat_interval_ms": 300,
        }
        try:
            await runner.start()
            await until(lambda: runner.health.assigned or runner.health.stopped)
            yield runner
        finally:
            await runner.drain()
            await broker.stop()

    def answer(self, event: Any, **fields: Any) -> tuple[Any]:
        return (self.answered.after(event, event.occurred_at, **fields),)

    async def answers(self, events: Sequence[Any]) -> list[tuple[Any]]:
        """Handle events in the plainest way."""
        return [self.answer(event) for event in events]

    # --- what came of it ---------------------------------------------------------------------

    async def read(self, topic: str) -> list[ConsumerRecord]:
        """Return all records of a topic, in the order of partition and offset."""
        places = [TopicPartition(topic, number) for number in range(PARTITIONS)]
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.address,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=20,
            max_partition_fetch_bytes=1 << 23,
        )
        await consumer.start()
        try:
            consumer.assign(places)
            ends = await consumer.end_offsets(places)
            found: list[ConsumerRecord] = []
            for place in places:
                while await consumer.position(place) < ends[place]:
                    found += (await consumer.getmany(place, timeout_ms=200)).get(place, [])
            return found
        finally:
            await consumer.stop()

    async def dead_letters(self) -> list[tuple[ConsumerRecord, dict[str, str]]]:
        """Return the dead letters with their headers as text."""
        records = await self.read(self.dead)
        return [(each, {k: v.decode() for k, v in each.headers}) for each in records]

    async def told(self) -> list[int]:
        """Return the numbers of all answers, as often as they were told."""
        records = await self.read(self.answered.topic)
        return sorted(self.answered.model_validate_json(each.value).number for each in records)

    async def committed(self) -> dict[int, int]:
        """Return partition to committed offset, where there is one."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.address, group_id=self.group, enable_auto_commit=False
        )
        await consumer.start()
        try:
            places = [TopicPartition(self.asked.topic, number) for number in range(PARTITIONS)]
            consumer.assign(places)
            found = {place.partition: await consumer.committed(place) for place in places}
        finally:
            await consumer.stop()
        return {partition: offset for partition, offset in found.items() if offset}

    async def ends(self) -> dict[int, int]:
        """Return partition to end of the topic, where there is anything."""
        places = [TopicPartition(self.asked.topic, number) for number in range(PARTITIONS)]
        consumer = AIOKafkaConsumer(bootstrap_servers=self.address)
        await consumer.start()
        try:
            found = await consumer.end_offsets(places)
        finally:
            await consumer.stop()
        return {place.partition: offset for place, offset in found.items() if offset}
