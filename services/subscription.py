"""Topics, consumed through FastStream: whole polls in, offsets out, pause and resume."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import (
    ConsumerStoppedError,
    GroupAuthorizationFailedError,
    KafkaError,
    TopicAuthorizationFailedError,
)
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage

from schemas.errors import Unavailable
from services.lanes import Lanes, Record

log = logging.getLogger(__name__)

POLL_RECORDS = 500
POLL_MS = 20
"""FastStream sleeps as long again after an empty poll: half of it is the mean wait of a hop."""

FETCH_BYTES = 4 * 2**20
FETCH_PARTITION_BYTES = 2**18
"""Of one answer, and of each partition in it; what is longer comes alone. A lag is read ahead as
far as they let it: with aiokafka's own 50 MiB and 1 MiB the record, with its 60 partitions, grew
from 130 to 290 MiB with what waited for it; with these it needs 170 MiB, and no more time."""

SESSION_MS = 6_000
"""For so long a member that was killed keeps its partitions: the least that a broker allows unless
told otherwise (`group.min.session.timeout.ms`). Measured on Apache Kafka 4.4, from SIGKILL to the
first record of a successor: 6.0 to 6.6 s, and 10.0 s with aiokafka's own 10 s; after SIGTERM about
one second. With static membership it were 0.1 s; but every process would need a name of its own,
and aiokafka does not understand what a member is told whose name was taken (FENCED_INSTANCE_ID)."""
HEARTBEAT_MS = 1_000
"""With its next heartbeat a member hears that others come or go."""
REBALANCE_MS = 12_000
"""For members to finish what is in hand when partitions move: more than `Policy.drain_s`, or others
would begin before they have ended; less than a request may take, for joining is one request."""
POLL_GAP_MS = 60_000
"""Polls go on while handlers work or wait; without any for so long, others take the partitions."""
JOINS = 4
"""Tries to join a group."""
REFUSALS = 3
"""Errors of polls in a row, five seconds apart. What passes by itself is no error there."""

ASK_S = 0.5


class Taker(Protocol):
    """Whoever works through the records."""

    async def take_over(self, records: Sequence[Record]) -> None:
        """Accept the records of a poll."""

    async def revoked(self, places: Iterable[TopicPartition]) -> None:
        """Finish and forget; the partitions go to somebody else."""

    def assigned(self, places: Iterable[TopicPartition]) -> None:
        """Note the partitions that came."""

    def cannot_go_on(self, why: str) -> None:
        """Stop: nothing more can be taken from these topics."""


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
            fetch_max_bytes=FETCH_BYTES,
            max_partition_fetch_bytes=FETCH_PARTITION_BYTES,
            auto_offset_reset="earliest",
            session_timeout_ms=SESSION_MS,
            heartbeat_interval_ms=HEARTBEAT_MS,
            rebalance_timeout_ms=REBALANCE_MS,
            max_poll_interval_ms=POLL_GAP_MS,
            ack_policy=AckPolicy.MANUAL,
            parser=_never_raising_parser,
            decoder=_no_decoder,
            listener=_Rebalance(taker),
        )
        self._subscriber(self._take_over)
        self._refusals = 0

    async def start(self) -> None:
        """Join the group and consume.

        Not left to FastStream, which starts one after the other: each waits for its group.

        Raises
        ------
        Unavailable
            Kafka went away meanwhile, or does not let us read.
        """
        try:
            await self._join()
        except KafkaError as error:
            raise Unavailable(_refusal(error)) from None
        self._poll = self._consumer.getmany
        self._consumer.getmany = self._guarded_poll

    async def _join(self) -> None:
        for left in reversed(range(JOINS)):
            try:
                await self._subscriber.start()
            except KafkaError as error:
                # The embedded broker refuses a member whose word crosses another one's coming; what
                # aiokafka does not expect of a group has no type of its own.
                if type(error) is not KafkaError or not left:
                    raise
                await self._subscriber.stop()
            else:
                return

    async def _guarded_poll(self, *args: Any, **kwargs: Any) -> Any:
        # A header name that is not UTF-8 makes aiokafka raise at its record again and again, and
        # FastStream ask again at once: nothing is consumed, at full speed, and nobody says so.
        try:
            found = await self._poll(*args, **kwargs)
        except ConsumerStoppedError:
            raise
        except KafkaError as error:
            # FastStream would ask every five seconds for ever, and say nothing either.
            self._refusals += 1
            if self._refusals >= REFUSALS:
                self._taker.cannot_go_on(_refusal(error))
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it will be there again
            self._taker.cannot_go_on(f"a record cannot be read ({type(error).__name__})")
            return {}
        self._refusals = 0
        return found

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

    async def ends(self) -> dict[TopicPartition, tuple[int, int]] | None:
        """Return, of the partitions held, where reading goes on and where they end.

        Those of which neither is known yet are left out. Nothing: Kafka does not answer now.
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
            return None

    @property
    def _consumer(self) -> Any:
        return self._subscriber.consumer


def _refusal(error: KafkaError) -> str:
    why = type(error).__name__
    if isinstance(error, GroupAuthorizationFailedError | TopicAuthorizationFailedError):
        why += ": the user needs Read on the group and on its topics (ACL)"
    return f"Kafka lets it read nothing ({why})"


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
