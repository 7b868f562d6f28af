"""How far a runner is behind, and whether it goes on: in its health and in its metrics.

Looked at once a second, from what the consumer knows anyway. Only paused partitions are asked
about: nothing is fetched from them, so nothing is heard of their end.
"""

from __future__ import annotations

import logging
import time

from aiokafka import TopicPartition
from prometheus_client import Gauge

from schemas.errors import Rejected
from services import metrics, wire
from services.lanes import Lanes, Record
from services.policy import Health, Policy
from services.subscription import Subscription

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
IDLE_LIMIT_S = 30.0
"""With records to read and none in hand, for so long, a consumer is not reading any more."""


class Progress:
    """Keeps a runner's health and metrics.

    Parameters
    ----------
    health
        What is kept up to date.
    topics
        What the runner consumes.
    policy
        A unit that takes longer than its time-out, and a margin, hangs.
    """

    def __init__(self, health: Health, topics: tuple[str, ...], policy: Policy) -> None:
        self.health = health
        self._topics = topics
        self._policy = policy
        self._looked_at = 0.0
        self._ends: dict[TopicPartition, tuple[int, int]] = {}
        self._moved_at = time.monotonic()
        self._counted = -1
        self._in_hand = _Share(metrics.IN_HAND.labels(health.stage))
        self._done = metrics.HANDLED.labels(health.stage, "done")
        self._dead = metrics.HANDLED.labels(health.stage, "dead")
        self._duration = metrics.DURATION.labels(health.stage)
        self._waiting = _Share(metrics.WAITING_FOR.labels(health.stage))
        self._partitions = _Share(metrics.PARTITIONS.labels(health.stage))

    def took_over(self, count: int) -> None:
        """Note how many records are in hand."""
        self.health.in_hand = count
        self._in_hand.set(count)

    def finished(self, seconds: float) -> None:
        """Note that a unit of work is done, and what it took."""
        self._duration.observe(seconds)

    def done(self, count: int) -> None:
        """Note events that were handled."""
        self.health.handled += count
        self._done.inc(count)

    def fails(self, record: Record, error: BaseException) -> None:
        """Say that a record cannot be handled: as a verdict, or as a bug of ours with its trace."""
        place = f"{record.topic}/{record.partition}/{record.offset}"
        known = {"trace_id": wire.trace_of(record)}
        if isinstance(error, Rejected):
            log.warning("%s rejects %s: %s", self.health.stage, place, error, extra=known)
        else:
            log.error("%s failed on %s", self.health.stage, place, exc_info=error, extra=known)

    def buried(self, error: BaseException) -> None:
        """Note a dead letter."""
        self.health.dead += 1
        self._dead.inc()
        metrics.DEAD.labels(self.health.stage, type(error).__name__).inc()

    def waits(self, why: str) -> None:
        """Note what is waited for; nothing: no more."""
        self.health.waiting_for = why
        self._waiting.set(bool(why))

    def ended(self) -> None:
        """Note that nothing is held any more: what was not done belongs to somebody else."""
        self.took_over(0)
        self.waits("")
        self._show(dict.fromkeys(self._topics, 0), {})

    async def look(self, lanes: Lanes, subscription: Subscription) -> None:
        """Measure lag and age, and notice when nothing moves; at most once a second."""
        now = time.monotonic()
        if now - self._looked_at < LOOK_EVERY_S:
            return
        self._looked_at = now
        lag = dict.fromkeys(self._topics, 0)
        since: dict[str, int] = {}
        found = await subscription.ends()
        self._ends = self._ends if found is None else found
        for place, (read, end) in self._ends.items():
            oldest = lanes.oldest(place)
            lag[place.topic] += max(end - (oldest.offset if oldest else read), 0)
            if oldest:
                since[place.topic] = min(since.get(place.topic, oldest.at_ms), oldest.at_ms)
        self._show(lag, since)
        self._notice(now)

    def _show(self, lag: dict[str, int], since: dict[str, int]) -> None:
        stage, now_ms = self.health.stage, time.time() * 1000
        self.health.lag = sum(lag.values())
        self._partitions.set(self.health.assigned or 0)
        for topic, records in lag.items():
            metrics.LAG.labels(stage, topic).set(records)
            age_ms = max(now_ms - since[topic], 0) if topic in since else 0
            metrics.OLDEST.labels(stage, topic).set(age_ms / 1000)

    def _notice(self, now: float) -> None:
        """Say that it is stalled when there is something to do and nothing gets done."""
        counted = self.health.handled + self.health.dead
        busy = self.health.lag and self.health.assigned and not self.health.waiting_for
        if counted != self._counted or not busy:
            self._counted, self._moved_at = counted, now
        limit = IDLE_LIMIT_S + (self._policy.unit_timeout_s if self.health.in_hand else 0)
        silent = now - self._moved_at
        why = f"nothing done for {silent:.0f} s, with {self.health.lag} records to do"
        self.health.stalled = why if silent > limit else ""


class _Share:
    """One runner's part of a number that all runners of its stage make up together."""

    def __init__(self, gauge: Gauge) -> None:
        self._gauge = gauge
        self._value = 0

    def set(self, value: int) -> None:
        self._gauge.inc(value - self._value)
        self._value = value
