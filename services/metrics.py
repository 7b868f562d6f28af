"""What is counted, for Prometheus: every name, once. docs/how-to/watching.md says what they mean.

Updated once a unit or once a second: per message it would cost a third. FastStream's own
middleware halves the throughput of cheap stages, knows no lag, and its buckets end at 10 s, too
early for a language model; so these are ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version

from prometheus_client import Counter, Gauge, Histogram, Info, disable_created_metrics

# Since when each counter counts: a third of all lines, read by nobody.
disable_created_metrics()  # type: ignore[no-untyped-call]

BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)

HANDLED = Counter("astreinte_events_total", "Events handled", ["stage", "outcome"])
DEAD = Counter("astreinte_dead_letters_total", "Dead letters, by their error", ["stage", "error"])
DURATION = Histogram(
    "astreinte_unit_seconds", "Time of one unit of work", ["stage"], buckets=BUCKETS_S
)
IN_HAND = Gauge("astreinte_in_hand", "Records taken over and not done", ["stage"])
WAITING_FOR = Gauge("astreinte_waiting", "Consumers that wait for a neighbour", ["stage"])
PARTITIONS = Gauge("astreinte_partitions", "Partitions that this process holds", ["stage"])
LAG = Gauge(
    "astreinte_lag",
    "Records not done of the partitions held here",
    ["stage", "topic"],
)
OLDEST = Gauge(
    "astreinte_oldest_seconds",
    "Age of the oldest record that is not done",
    ["stage", "topic"],
)

OUTBOX_ROWS = Gauge("astreinte_outbox_rows", "Replies that have not left, by status", ["status"])
OUTBOX_OLDEST = Gauge("astreinte_outbox_oldest_seconds", "Age of the oldest of them")
WAITS = ("queued", "sending", "doubtful")

VERDICTS = Counter(
    "astreinte_drafts_total", "Drafts, by what dispatch did with them", ["outcome", "reason"]
)
BREAKER = Gauge("astreinte_breaker_open", "1 while no reply leaves by itself")

PROVIDER_CALLS = Counter(
    "astreinte_provider_calls_total", "Replies given to a provider", ["provider", "outcome"]
)
PROVIDER_DURATION = Histogram(
    "astreinte_provider_seconds", "Time of such a call", ["provider"], buckets=BUCKETS_S
)
LLM_CALLS = Counter(
    "astreinte_llm_calls_total", "Questions to a language model", ["backend", "outcome"]
)
LLM_DURATION = Histogram(
    "astreinte_llm_seconds", "Time of such a question", ["backend"], buckets=BUCKETS_S
)
LLM_TOKENS = Counter(
    "astreinte_llm_tokens_total", "Tokens of questions and answers", ["backend", "kind"]
)
LLM_CLOSED = Gauge(
    "astreinte_llm_closed",
    "1 while a server of models is not asked: no answer, no model, resting, or over its cap",
    ["backend"],
)
LLM_COST = Counter("astreinte_llm_cost_total", "What they cost, by the settings", ["backend"])
EDGE_REQUESTS = Counter("astreinte_edge_requests_total", "Requests to the edge", ["code"])
EDGE_DURATION = Histogram("astreinte_edge_seconds", "Time of such a request", buckets=BUCKETS_S)
DATABASE_DURATION = Histogram(
    "astreinte_database_seconds", "Time of a transaction", ["kind"], buckets=BUCKETS_S
)

BUILD = Info("astreinte_build", "What runs")
BUILD.info({"version": version("astreinte")})


def transaction(kind: str, seconds: float) -> None:
    """Count a transaction of the record: `read` or `write`."""
    DATABASE_DURATION.labels(kind).observe(seconds)


def outbox(by_status: Mapping[str, int], oldest: datetime | None) -> None:
    """Show how many replies have not left, and since when the oldest waits."""
    for status in WAITS:
        OUTBOX_ROWS.labels(status).set(by_status.get(status, 0))
    waits = (datetime.now(UTC) - oldest).total_seconds() if oldest else 0
    OUTBOX_OLDEST.set(max(waits, 0))  # what is due later does not wait yet
