"""Dead letters, back onto the road: the same bytes, to the same topic, at a bounded rate.

Nothing is sent twice by it: ids derive from their cause, so a road that is walked again meets
the rows of its first time.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from aiokafka import ConsumerRecord

from schemas.errors import Rejected, Unavailable
from schemas.event import Event
from schemas.topics import TOPICS
from services import record, wire
from services.lanes import Record
from services.steps import read_step
from services.telling import Teller
from storage import dead
from storage.database import Database
from storage.tables import DeadLetter

EVENT_OF = {topic.name: topic.event for topic in TOPICS if topic.event}


@dataclass(frozen=True)
class Verdict:
    """What was done with a letter: `replayed`, `served`, `again`, `refused`; and why."""

    letter: DeadLetter
    outcome: str
    why: str = ""


class Replay:
    """Replays letters of one record. `force`: also those that would die again at once."""

    def __init__(self, database: Database, teller: Teller, *, force: bool = False) -> None:
        self._database = database
        self._teller = teller
        self._force = force

    async def all(self, letters: Sequence[DeadLetter], per_second: float) -> AsyncIterator[Verdict]:
        """Replay letters one after the other, so many a second; yield what was done with each.

        Raises
        ------
        Unavailable
            Kafka or the database does not answer. The letter at hand waits again.
        """
        clock = asyncio.get_running_loop().time
        due = clock()
        for letter in letters:
            await asyncio.sleep(max(due - clock(), 0))
            due = max(due, clock() - 1) + 1 / per_second
            yield await self.one(letter)

    async def one(self, letter: DeadLetter) -> Verdict:
        """Replay a letter. Raises as `all`."""
        why, event = self.objection(letter)
        if why and (letter.cut_bytes or not letter.topic or not self._force):
            return Verdict(letter, "refused", why)
        if letter.stage == "record":
            return await self._recorded(letter)
        trace_id, message_id = _road(letter, event)
        now = datetime.now(UTC)
        if not await self._database.write(dead.reopen, letter, now, trace_id, message_id):
            return Verdict(letter, "refused", "somebody else replays it")
        headers = clean(letter.headers) | {"dead_replay": letter.dead_id}
        try:
            await self._teller.put_back(letter.topic, letter.record_key, letter.body, headers)
        except (Unavailable, Rejected):
            await self._database.write(dead.end, letter.dead_id, letter.state, now)
            raise
        return Verdict(letter, "replayed")

    @staticmethod
    def objection(letter: DeadLetter) -> tuple[str, Event | None]:
        """Say why a letter would die again at once (or nothing), and the event that it holds."""
        if letter.cut_bytes:
            return f"{letter.cut_bytes} of its bytes were cut off when it died", None
        expected = EVENT_OF.get(letter.topic)
        if expected is None:
            return f"no topic of ours: {letter.topic or 'none'}", None
        if letter.stage == "record":
            return "", None
        try:
            return "", wire.parse(original(letter), expected)
        except Rejected as error:
            return str(error), None

    async def _recorded(self, letter: DeadLetter) -> Verdict:
        """Write down what the record could not: its stage has handled it long since."""
        now = datetime.now(UTC)
        try:
            step = read_step(original(letter))
            await self._database.write(record.keep, [step], now)
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it choked on, it does so still
            await self._database.write(dead.end, letter.dead_id, dead.AGAIN, now)
            return Verdict(letter, dead.AGAIN, type(error).__name__)
        await self._database.write(dead.end, letter.dead_id, dead.SERVED, now)
        return Verdict(letter, dead.SERVED)


def clean(headers: dict[str, str]) -> dict[str, str]:
    """Return the headers that a record had before it died."""
    return {name: value for name, value in headers.items() if not name.startswith("dead_")}


def original(letter: DeadLetter) -> Record:
    """Return the record that died, as it lay in its topic."""
    partition, _, offset = letter.place.partition("/")
    headers = tuple((name, value.encode()) for name, value in clean(letter.headers).items())
    return ConsumerRecord(
        topic=letter.topic,
        partition=int(partition or 0),
        offset=int(offset or 0),
        timestamp=int(letter.headers.get("dead_written") or letter.died_at.timestamp() * 1000),
        timestamp_type=0,
        key=letter.record_key,
        value=letter.body,
        checksum=None,
        serialized_key_size=len(letter.record_key or b""),
        serialized_value_size=len(letter.body),
        headers=headers,
    )


def _road(letter: DeadLetter, event: Event | None) -> tuple[str, str]:
    """Return trace and message of a letter; what was unreadable has them once it can be read."""
    if event is None:
        return letter.trace_id, letter.message_id
    body = json.loads(event.model_dump_json(by_alias=True))
    message = body.get("message_id") or (body.get("message") or {}).get("message_id")
    return event.trace_id, message or str(event.event_id)
