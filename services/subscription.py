"""Topics, consumed through FastStream: whole polls in, offsets out, pause and resume."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import ConsumerStoppedError, KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage

from services.lanes import Lanes, Record

log = logging.getLogger(__name__)

POLL_RECORDS = 500
POLL_MS = 20
"""FastStream sleeps as long again after an empty poll: half of it is the mean wait of a hop."""

ASK_S = 0.5


class Taker(Protocol):
    """Whoever works through the records."""

    async def take_over(self, records: Sequence[Record]) -> None:
        """Accept the records of a poll."""

    async def revoked(self, places: Iterable[TopicPartition]) -> None:
        """Finish and forget; the partitions go to somebody else."""

    def assigned(self, places: Iterable[TopicPartition]) -> None:
        """Note the partitions that came."""

    def unreadable(self, error: Exception) -> None:
        """Stop: the next record cannot even be taken from the wire."""


class Subscription:
    """A consumer of `topics` in `group`, registered with a broker that is not started yet."""

    def __init__(
        self,
        broker: KafkaBroker,
        topics: tuple[str, ...],
        group: str,
        taker: Taker,
        fetch_wait_ms: int,
    ) -> None:
        self._taker = taker
        self._subscriber = broker.subscriber(
            *topics,
            group_id=group,
            batch=True,
            max_records=POLL_RECORDS,
            batch_timeout_ms=POLL_MS,
            fetch_max_wait_ms=fetch_wait_ms,
            auto_offset_reset="earliest",
            ack_policy=AckPolicy.MANUAL,
            parser=_never_raising_parser,
            decoder=_no_decoder,
            listener=_Rebalance(taker),
        )
        self._subscriber(self._take_over)

    async def start(self) -> None:
        """Join the group and consume.

        Not left to FastStream, which starts one after the other: each waits for its group.
        """
        await self._subscriber.start()
        self._poll = self._consumer.getmany
        self._consumer.getmany = self._guarded_poll

    async def _guarded_poll(self, *args: Any, **kwargs: Any) -> Any:
        # A header name that is not UTF-8 makes aiokafka raise at its record again and again, and
        # FastStream ask again at once: nothing is consumed, at full speed, and nobody says so.
        try:
            return await self._poll(*args, **kwargs)
        except (KafkaError, ConsumerStoppedError):
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it will be there again
            self._taker.unreadable(error)
            return {}

    async def stop(self) -> None:
        """Leave the group."""
        await self._subscriber.stop()

    async def _take_over(self, message: KafkaMessage) -> None:
        records: Any = message.raw_message
        await self._taker.take_over(records)

    def pause(self) -> None:
        """Fetch nothing more; the group membership stays."""
        if self._consumer and (assigned := self._consumer.assignment()):
            self._consumer.pause(*assigned)

    def resume(self) -> None:
        """Fetch again."""
        if self._consumer and (paused := self._consumer.paused()):
            self._consumer.resume(*paused)

    async def commit_done(self, lanes: Lanes) -> None:
        """Commit what is done; a failure is no loss: it is read again, and recognised."""
        offsets = lanes.due()
        if not offsets or self._consumer is None:
            return
        try:
            await self._consumer.commit(offsets)
        except KafkaError as error:
            log.warning("offsets not committed (%s)", type(error).__name__)
        else:
            lanes.committed(offsets)

    async def ends(self) -> dict[TopicPartition, tuple[int, int]]:
        """Return, of the partitions held, where reading goes on and where they end.

        Those of which neither is known yet, or of which Kafka says nothing now, are left out.
        """
        if self._consumer is None:
            return {}
        places, paused = self._consumer.assignment(), self._consumer.paused()
        try:
            async with asyncio.timeout(ASK_S):
                ends = await self._consumer.end_offsets(paused) if paused else {}
                ends |= {place: self._consumer.highwater(place) for place in places - paused}
                return {
                    place: (await self._consumer.position(place), end)
                    for place, end in ends.items()
                    if end is not None
                }
        except (KafkaError, AssertionError, TimeoutError):  # a partition may go meanwhile
            return {}

    @property
    def _consumer(self) -> Any:
        return self._subscriber.consumer


class _Rebalance(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka is not typed
    def __init__(self, taker: Taker) -> None:
        self._taker = taker

    async def on_partitions_revoked(self, revoked: list[TopicPartition]) -> None:
        await self._taker.revoked(revoked)

    def on_partitions_assigned(self, assigned: list[TopicPartition]) -> None:
        self._taker.assigned(assigned)


async def _never_raising_parser(records: Any, _original: Any) -> KafkaMessage:
    # FastStream's own parser decodes headers; one that is not UTF-8 loses the whole poll.
    return KafkaMessage(body=b"", raw_message=records, consumer=_NO_CONSUMER)


async def _no_decoder(_message: KafkaMessage) -> bytes:
    return b""


class _NoConsumer:
    """FastStream wants a consumer on each message, to acknowledge with; the lanes do that."""

    async def commit(self) -> None:
        """Do nothing."""

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Do nothing."""


_NO_CONSUMER = _NoConsumer()
