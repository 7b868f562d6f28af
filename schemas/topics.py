"""The table of topics: what travels where, for how long, in how many partitions."""

from __future__ import annotations

from dataclasses import dataclass

from schemas import delivery, frigo, knowledge, printer
from schemas.event import Event

STAGES = ("ingest", "classify", "extract", "rag", "respond", "dispatch")
"""The six stages, in the order in which both flows walk through them."""

PARTITIONS = 4
"""As the embedded broker makes them; a real server may have more, never fewer."""

DAY_MS = 86_400_000


@dataclass(frozen=True)
class Topic:
    """One topic: `event` is what travels in it, or nothing for dead letters (any bytes).

    `partitions` is the least. `compacted`: of each key the newest is kept, for ever, whatever
    `retention_ms` says.
    """

    name: str
    event: type[Event] | None
    key: str
    retention_ms: int
    partitions: int = PARTITIONS
    compacted: bool = False


PRINTER: tuple[type[Event], ...] = (
    printer.InboundMessage,
    printer.MessageReceived,
    printer.MessageClassified,
    printer.MessageExtracted,
    printer.MessageGrounded,
    printer.ReplyDrafted,
    printer.ReplySent,
)
FRIGO: tuple[type[Event], ...] = (
    frigo.InboundReading,
    frigo.ReadingReceived,
    frigo.UnitStateChanged,
    frigo.EvidenceGathered,
    frigo.AlertGrounded,
    frigo.AlertDrafted,
    frigo.AlertSent,
)

REPORTS: tuple[type[Event], ...] = (delivery.DeliveryReported,)
"""What providers report; dispatch takes it."""
SHOWN: tuple[type[Event], ...] = (delivery.ReplyShown,)
"""What open chats show; every edge listens."""
FEEDBACK: tuple[type[Event], ...] = (frigo.FeedbackGiven,)
"""What people say of what the desk did; dispatch takes it."""
KNOWLEDGE: tuple[type[Event], ...] = (knowledge.KnowledgeChanged,)
"""What the desk learned or forgot; every rag listens."""

TOPICS: tuple[Topic, ...] = (
    Topic(PRINTER[0].topic, PRINTER[0], "channel and sender", 7 * DAY_MS),
    *(Topic(event.topic, event, "conversation", 7 * DAY_MS) for event in PRINTER[1:]),
    *(Topic(event.topic, event, "reply", 7 * DAY_MS) for event in REPORTS),
    *(Topic(event.topic, event, "visitor", DAY_MS) for event in SHOWN),
    *(Topic(event.topic, event, "unit", 7 * DAY_MS) for event in FRIGO),
    *(Topic(event.topic, event, "unit", 30 * DAY_MS) for event in FEEDBACK),
    *(Topic(event.topic, event, "article or document", 0, compacted=True) for event in KNOWLEDGE),
    *(Topic(f"dead.{stage}", None, "as it was", 30 * DAY_MS) for stage in STAGES),
    Topic("dead.record", None, "as it was", 30 * DAY_MS),
)
