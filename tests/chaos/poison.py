"""Records that no stage can use, put straight into topics; each carries its name as its key."""

from __future__ import annotations

import itertools
import random
from contextlib import suppress

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from schemas.topics import FEEDBACK, FRIGO, PRINTER, REPORTS
from tests.chaos.judge import Poison

Headers = list[tuple[str, bytes]]

BODIES: tuple[tuple[bytes, Headers], ...] = (
    (b"{ this is not JSON", []),
    (b"\xff\xfe\x00\x80 not UTF-8", []),
    (b"", []),
    (b'{"event_id": 7}', []),
    (b"[" * 50_000, []),
    (b"{}", [("ce_type", b"astreinte.printer.sent.v1")]),
    (b"{}", [("ce_type", b"\xff\xfe")]),
    (b"{}", [("remark", b"x" * 9_000)]),
)
TOPICS = tuple(event.topic for event in (*PRINTER[:-1], *FRIGO[:-1], *REPORTS, *FEEDBACK))


class Poisoner:
    """Puts poison in, one record at a time, a kind after the other and a topic after the other."""

    def __init__(self, run: str, seed: int) -> None:
        self.put = Poison()
        self._run = run
        self._dice = random.Random(seed)
        self._kinds = itertools.cycle(itertools.product(BODIES, TOPICS))
        self._numbers = itertools.count()

    async def one(self, address: str) -> None:
        """Put one in; when the broker does not confirm it, it may be there or not."""
        key = f"poison-{self._run}-{next(self._numbers)}"
        (body, headers), topic = next(self._kinds)
        producer = AIOKafkaProducer(
            bootstrap_servers=address, acks="all", enable_idempotence=True, request_timeout_ms=5_000
        )
        try:
            with suppress(KafkaError):
                await producer.start()
                self.put.tried.add(key)
                await producer.send_and_wait(topic, body, key=key.encode(), headers=headers)
                self.put.sent.add(key)
        finally:
            await producer.stop()
