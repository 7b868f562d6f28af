"""Which records may be worked on now, and below which offset all is done.

A lane is the records of one key of one partition, in order. One unit of work at a time holds a
lane; different lanes go side by side. The watermark of a partition is the offset below which
every record is done: what may be committed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from aiokafka import ConsumerRecord, TopicPartition

Record: TypeAlias = "ConsumerRecord[bytes, bytes]"
Lane = tuple[str, int, bytes | int]


class Open(NamedTuple):
    """A record that is not done, and when it was published."""

    offset: int
    at_ms: int


@dataclass
class _Partition:
    """Offsets taken over and not yet below the watermark, in order."""

    open: deque[Open] = field(default_factory=deque)
    done: set[int] = field(default_factory=set)
    watermark: int | None = None
    committed: int | None = None

    def finish(self, offset: int) -> None:
        self.done.add(offset)
        while self.open and self.open[0].offset in self.done:
            self.done.remove(self.open[0].offset)
            self.watermark = self.open.popleft().offset + 1


class Lanes:
    """Records waiting and in flight. Not thread-safe; every method takes constant time a record."""

    def __init__(self) -> None:
        self._partitions: dict[TopicPartition, _Partition] = {}
        self._waiting: dict[Lane, deque[Record]] = {}
        self._ready: deque[Lane] = deque()
        self._held: set[Lane] = set()
        self.waiting = 0
        self.in_flight = 0

    def add(self, records: Iterable[Record]) -> None:
        """Take records over, in the order of their offsets."""
        for record in records:
            place = TopicPartition(record.topic, record.partition)
            entry = Open(record.offset, record.timestamp)
            self._partitions.setdefault(place, _Partition()).open.append(entry)
            lane = _lane(record)
            queue = self._waiting.get(lane)
            if queue is None:
                self._waiting[lane] = deque((record,))
                if lane not in self._held:
                    self._ready.append(lane)
            else:
                queue.append(record)
            self.waiting += 1

    def take(self, limit: int) -> list[Record]:
        """Return up to `limit` records of lanes that nobody holds, and hold these lanes."""
        unit: list[Record] = []
        while self._ready and len(unit) < limit:
            lane = self._ready.popleft()
            queue = self._waiting[lane]
            while queue and len(unit) < limit:
                unit.append(queue.popleft())
            if not queue:
                del self._waiting[lane]
            self._held.add(lane)
        self.waiting -= len(unit)
        self.in_flight += len(unit)
        return unit

    def finish(self, unit: Iterable[Record]) -> None:
        """Mark the records of a unit as done and let go of their lanes."""
        for record in unit:
            partition = self._partitions.get(TopicPartition(record.topic, record.partition))
            if partition:
                partition.finish(record.offset)
            self.in_flight -= 1
            self._release(_lane(record))

    def abandon(self, unit: Iterable[Record]) -> None:
        """Let go of a unit that was not done: it stays above the watermark and is read again."""
        for record in unit:
            self.in_flight -= 1
            self._release(_lane(record))

    def _release(self, lane: Lane) -> None:
        if lane in self._held:
            self._held.remove(lane)
            if lane in self._waiting:
                self._ready.append(lane)

    def oldest(self, place: TopicPartition) -> Open | None:
        """Return the first record of a partition that is not done, or nothing."""
        partition = self._partitions.get(place)
        return partition.open[0] if partition and partition.open else None

    def due(self) -> dict[TopicPartition, int]:
        """Return the offsets that moved since they were last committed."""
        return {
            place: partition.watermark
            for place, partition in self._partitions.items()
            if partition.watermark is not None and partition.watermark != partition.committed
        }

    def committed(self, offsets: dict[TopicPartition, int]) -> None:
        """Remember what was committed."""
        for place, offset in offsets.items():
            if place in self._partitions:
                self._partitions[place].committed = offset

    def drop(self, places: Iterable[TopicPartition]) -> None:
        """Forget revoked partitions: what waits there belongs to somebody else now."""
        gone = {(place.topic, place.partition) for place in places}
        for place in places:
            self._partitions.pop(place, None)
        for lane in [lane for lane in self._waiting if lane[:2] in gone]:
            self.waiting -= len(self._waiting.pop(lane))
        # A lane that stayed in line would stand there twice once its partition comes back.
        self._ready = deque(lane for lane in self._ready if lane[:2] not in gone)


def _lane(record: Record) -> Lane:
    # Without a key there is no order to keep: each record is a lane of its own.
    return record.topic, record.partition, record.key if record.key is not None else record.offset
