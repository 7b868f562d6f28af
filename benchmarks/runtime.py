"""What our runner costs: the same work in a raw aiokafka loop, and through `services.runtime`.

Read, validate, derive one event, publish it with the same headers, wait for all confirmations,
commit. Time runs from the first batch in hand to the last output confirmed, so joining the group
is not in it.
"""

from __future__ import annotations

import asyncio
import functools
import json
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from itertools import cycle, islice
from typing import Any, ClassVar
from uuid import UUID, uuid4, uuid5

from aiokafka import AIOKafkaProducer

from benchmarks.brokers import Broker, Letter, fill
from benchmarks.figures import Figure
from benchmarks.messages import texts
from schemas.event import ASTREINTE, Event
from schemas.findings import Classification
from schemas.printer import CustomerMessage, MessageClassified, MessageReceived
from schemas.vocabulary import Category, Channel, Intent, Language, Priority
from services import wire
from services.policy import Policy
from services.runtime import Runner
from services.telling import Teller

NAME = "runtime"
RECORDS = 20_000
KEYS = 100
BATCH = 500
BYTES = 600
ROUNDS = 3
FLOOR = 0.3
RUN = uuid4().hex[:8]


class Asked(MessageReceived):
    """What is read: a received message in a topic of this run."""

    topic: ClassVar[str] = f"bench.{RUN}.asked"


class Answered(MessageClassified):
    """What is told."""

    topic: ClassVar[str] = f"bench.{RUN}.answered"


SEEN = Classification(
    category=Category.TECHNICAL,
    category_confidence=0.9,
    intent=next(iter(Intent)),
    intent_confidence=0.8,
    priority=next(iter(Priority)),
    priority_confidence=0.7,
    language=Language.FR,
    language_confidence=0.99,
)


async def measure(broker: Broker) -> list[Figure]:
    """Measure raw, ours, raw, ours …, and the raw loop without validation after each pair."""
    await broker.make([Asked.topic, Answered.topic])
    letters = list(map(_asked, range(RECORDS), islice(cycle(texts()), RECORDS)))
    await fill(broker, Asked.topic, letters, KEYS)
    rates: dict[str, list[float]] = {"raw": [], "ours": [], "json": []}
    for _ in range(ROUNDS):
        rates["raw"].append(await _rate(_raw, broker, _derive))
        rates["ours"].append(await _rate(_ours, broker))
        rates["json"].append(await _rate(_raw, broker, _derive_json))
    size = round(statistics.mean(len(body) for _, body, _ in letters))
    return _figures(broker, rates, size)


def _figures(broker: Broker, rates: dict[str, list[float]], size: int) -> list[Figure]:
    raw, ours, bare = (statistics.median(rates[name]) for name in ("raw", "ours", "json"))
    single = "; ".join(f"{name} {', '.join(f'{x:,.0f}' for x in rates[name])}" for name in rates)
    return [
        Figure(NAME, broker.name, "our runner", ours, "records/s", beside=single),
        Figure(NAME, broker.name, "raw aiokafka loop, same work", raw, "records/s"),
        Figure(
            NAME,
            broker.name,
            "our runner ÷ raw loop",
            ours / raw,
            "",
            FLOOR,
            beside=f"{(1 / ours - 1 / raw) * 1e6:.0f} µs a record more; "
            f"{RECORDS:,} records of {size} bytes",
        ),
        Figure(
            NAME,
            broker.name,
            "raw loop, JSON without validation",
            bare,
            "records/s",
            beside="context: what pydantic costs the raw loop",
        ),
    ]


def _asked(number: int, words: str) -> Letter:
    """Return a record of about `BYTES` bytes."""
    now = datetime.now(UTC)
    cause = uuid5(ASTREINTE, f"{RUN}/{number}")
    key = f"c{number % KEYS:020d}"
    event = Asked(
        event_id=cause,
        trace_id=cause.hex,
        occurred_at=now,
        message=CustomerMessage(
            message_id=cause,
            conversation_id=key,
            customer_id=f"k{number % KEYS:020d}",
            channel=Channel.CHAT,
            external_id=str(number),
            sender="visiteur",
            text=words,
            received_at=now,
        ),
    )
    short = BYTES - len(wire.body_of(event))
    message = event.message.model_copy(update={"text": words + " " + "x" * max(short, 0)})
    event = event.model_copy(update={"message": message})
    headers = wire.headers_of(event, "benchmark", 0.0)
    return key.encode(), wire.body_of(event), [(k, v.encode()) for k, v in headers.items()]


# --- the work, once for both -------------------------------------------------------------------

Derive = Callable[[Any], Letter]


def _answer(event: Asked) -> Answered:
    return Answered.after(event, datetime.now(UTC), classification=SEEN)


def _derive(record: Any) -> Letter:
    told = _answer(wire.parse(record, Asked))
    headers = wire.headers_of(told, "benchmark", 0.0)
    return told.key.encode(), wire.body_of(told), [(k, v.encode()) for k, v in headers.items()]


def _derive_json(record: Any) -> Letter:
    body = json.loads(record.value)
    cause = UUID(body["event_id"])
    body |= {
        "event_id": str(uuid5(cause, f"{Answered.topic}/0")),
        "caused_by": str(cause),
        "occurred_at": datetime.now(UTC).isoformat(),
        "classification": {"category": "technical", "category_confidence": 0.9},
    }
    key = body["message"]["conversation_id"].encode()
    return key, json.dumps(body, ensure_ascii=False).encode(), list(record.headers)


# --- the two loops -----------------------------------------------------------------------------

Loop = Callable[..., Awaitable[float]]


async def _rate(loop: Loop, broker: Broker, *options: Any) -> float:
    before = sum((await broker.ends(Answered.topic)).values())
    seconds = await loop(broker, f"bench-{uuid4().hex[:8]}", *options)
    written = sum((await broker.ends(Answered.topic)).values()) - before
    if written != RECORDS:
        msg = f"{written} outputs of {RECORDS} records"
        raise RuntimeError(msg)
    return RECORDS / seconds


async def _raw(broker: Broker, group: str, derive: Derive) -> float:
    done, first = 0, 0.0
    async with (
        broker.producer() as producer,
        broker.consumer(Asked.topic, group_id=group) as source,
    ):
        while done < RECORDS:
            polled = await source.getmany(max_records=BATCH, timeout_ms=500)
            records = [record for part in polled.values() for record in part]
            first = first or (time.perf_counter() if records else 0.0)
            await _publish(producer, [derive(record) for record in records])
            await source.commit()
            done += len(records)
        return time.perf_counter() - first


async def _publish(producer: AIOKafkaProducer, letters: Sequence[Letter]) -> None:
    sent = [
        await producer.send(Answered.topic, body, key=key, headers=headers)
        for key, body, headers in letters
    ]
    await asyncio.gather(*sent)


async def _ours(broker: Broker, group: str) -> float:
    began: list[float] = []

    async def handle(events: Sequence[Asked]) -> list[Sequence[Event]]:
        began.append(time.perf_counter())
        return [(_answer(event),) for event in events]

    async with broker.connected() as connection:
        parse = functools.partial(wire.parse, expected=Asked)
        runner = Runner(
            "benchmark",
            (Asked.topic,),
            group,
            Teller(connection),
            parse,
            handle,
            Policy(batch=BATCH),
        )
        runner.subscribe(connection, broker.fetch_wait_ms)
        await runner.start()
        while runner.health.handled < RECORDS:  # noqa: ASYNC110 - as anybody outside would
            await asyncio.sleep(0.005)
        seconds = time.perf_counter() - began[0]
        await runner.drain()
    return seconds
