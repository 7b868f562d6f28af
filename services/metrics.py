"""What is counted, for Prometheus. Updated once a batch: per message it would cost a third.

FastStream's own middleware halves the throughput of cheap stages and its buckets end at 10 s,
too early for a language model; so these are ours.
"""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)

HANDLED = Counter("astreinte_events_total", "Events handled", ["stage", "outcome"])
DURATION = Histogram(
    "astreinte_unit_seconds", "Time of one unit of work", ["stage"], buckets=BUCKETS_S
)
IN_HAND = Gauge("astreinte_in_hand", "Records taken over and not done", ["stage"])
WAITING_FOR = Gauge("astreinte_waiting", "1 while a stage waits for a neighbour", ["stage"])
