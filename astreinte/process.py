"""A file of messages through the real pipeline, sending nothing outward."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from astreinte.desk import broker
from schemas.printer import InboundMessage, ReplyDrafted
from schemas.topics import STAGES
from services.neighbours import Neighbours
from services.serve import running
from services.settings import DatabaseSettings, Settings
from storage import roads
from storage.tables import Recorded

AT_ONCE = 64
CHARACTERS_AT_ONCE = 300_000
LOOK_EVERY_S = 0.05
SILENCE_S = 180.0
"""Without any outcome for so long, the rest counts as unanswered: a model may take a minute."""

Line = dict[str, Any]
Done = Callable[[InboundMessage, Line, float], None]


@dataclass
class Summary:
    """What became of a file."""

    actions: Counter[str] = field(default_factory=Counter)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    elapsed_ms: list[float] = field(default_factory=list)

    def note(self, line: Line, elapsed_ms: float) -> None:
        """Count a line."""
        self.actions[line["action"]] += 1
        self.reasons[line["action"], line["reason"]] += 1
        self.elapsed_ms.append(elapsed_ms)

    def percentile(self, share: float) -> float:
        """Return a percentile of the time from message to outcome, in milliseconds."""
        ordered = sorted(self.elapsed_ms)
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)] if ordered else 0.0

    def as_json(self) -> dict[str, Any]:
        """Return it for machines."""
        return {
            "messages": sum(self.actions.values()),
            "actions": dict(self.actions),
            "reasons": {f"{action}/{reason}": n for (action, reason), n in self.reasons.items()},
            "p50_ms": round(self.percentile(0.5), 1),
            "p95_ms": round(self.percentile(0.95), 1),
        }


@asynccontextmanager
async def pipeline(settings: Settings, *, keep: bool = False) -> AsyncIterator[Neighbours]:
    """Have a pipeline: the Kafka of the settings, or an embedded one of our own.

    The latter has a record that is thrown away, or with `keep` that of the settings.
    """
    if settings.kafka.servers:
        async with Neighbours(settings, settings.kafka.servers) as near:
            await near.connect()
            try:
                yield near
            finally:
                await near.broker.stop()
        return
    with tempfile.TemporaryDirectory(prefix="astreinte-") as folder, broker(settings) as (kafka, _):
        url = f"sqlite:///{folder}/trial.db"
        thrown_away = {"database": DatabaseSettings(url=url)}
        tried = settings if keep else settings.model_copy(update=thrown_away)
        async with (
            Neighbours(tried, kafka, embedded=True) as near,
            running(near, [*STAGES, "record"]),
        ):
            yield near


def as_trial(message: InboundMessage, run: str) -> InboundMessage:
    """Return the message as one of a trial, unknown to the record whatever was tried before."""
    body = message.model_dump(by_alias=True)
    name = f"{run}:{message.external_id}"
    if len(name) > 255:  # noqa: PLR2004 - what the contract takes
        name = f"{run}:{message.event_id}"
    return InboundMessage.model_validate(body | {"external_id": name, "trial": True})


async def process(
    near: Neighbours,
    messages: Iterable[InboundMessage],
    done: Done,
    *,
    as_they_are: bool = False,
) -> None:
    """Send messages through; call `done` with each, its line and its milliseconds, as they end.

    `as_they_are`: the record knows them, and their roads are to end there.
    """
    waiting: dict[str, InboundMessage] = {}
    run = uuid4().hex[:8]
    source = iter(messages)
    silent_since = asyncio.get_running_loop().time()
    while True:
        fresh = list(_next(source, waiting.values()))
        if fresh:
            trials = fresh if as_they_are else [as_trial(message, run) for message in fresh]
            await near.teller.tell(trials, "process")
            waiting |= {str(t.event_id): m for t, m in zip(trials, fresh, strict=True)}
        if not waiting:
            return
        ended = await near.database.read(roads.ended, list(waiting))
        for name in ended:
            message = waiting.pop(name)
            steps = await near.database.read(roads.trace, name)
            done(message, *outcome(message, steps))
        now = asyncio.get_running_loop().time()
        silent_since = now if ended or fresh else silent_since
        if now - silent_since > SILENCE_S:
            for message in waiting.values():
                done(message, _unanswered(message, "no_outcome"), SILENCE_S * 1000)
            return
        if not ended:
            await asyncio.sleep(LOOK_EVERY_S)


def _next(
    source: Iterator[InboundMessage], waiting: Iterable[InboundMessage]
) -> Iterator[InboundMessage]:
    """Give messages until as many are under way as the embedded broker keeps for sure."""
    under_way = [len(message.text) for message in waiting]
    while len(under_way) < AT_ONCE and sum(under_way) < CHARACTERS_AT_ONCE:
        message = next(source, None)
        if message is None:
            return
        under_way.append(len(message.text))
        yield message


def outcome(message: InboundMessage, steps: Sequence[Recorded]) -> tuple[Line, float]:
    """Return the line of a message whose road has ended, and its milliseconds."""
    elapsed = (steps[-1].occurred_at - steps[0].occurred_at).total_seconds() * 1000
    drafted = next((step for step in steps if step.topic == ReplyDrafted.topic), None)
    if drafted is None:
        return _unanswered(message, "dead_letter"), elapsed
    event = ReplyDrafted.model_validate_json(drafted.body)
    seen, draft = event.classification, event.draft
    extracted: dict[str, str] = {}
    for found in event.findings:
        extracted.setdefault(found.kind, found.value)
    line = {
        "external_id": message.external_id,
        "channel": message.channel.value,
        "language": seen.language.value,
        "category": seen.category.value,
        "intent": seen.intent.value,
        "priority": seen.priority.value,
        "confidence": seen.category_confidence,
        "extracted": extracted,
        "passages": [{"article": p.article, "score": p.score} for p in event.passages],
        "action": draft.action.value,
        "reason": draft.reason,
        "reply": draft.text,
        "how": draft.how,
        "ms": {step.stage: step.took_ms for step in steps if step.stage in STAGES},
    }
    return line, elapsed


def _unanswered(message: InboundMessage, reason: str) -> Line:
    """Return the line of a message without an outcome: a person has to look at it."""
    unknown = dict.fromkeys(("language", "category", "intent", "priority", "confidence"))
    return {
        "external_id": message.external_id,
        "channel": message.channel.value,
        **unknown,
        "extracted": {},
        "passages": [],
        "action": "handoff",
        "reason": reason,
        "reply": "",
        "how": "",
        "ms": {},
    }


def write_lines(path: Path, lines: Iterable[Line]) -> None:
    """Write JSON Lines, whole or not at all."""
    temporary = path.with_name(path.name + ".part")
    with temporary.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    temporary.replace(path)
