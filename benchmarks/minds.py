"""What understanding a message costs: classify, extract and search, 32 messages at once, one core.

CPU time of this process, not time on the clock: other work on the machine disturbs it less. The
messages are the questions of `evaluation/data/printer_queries.yaml`, each met for the first time.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import yaml

from ai.embeddings import Embedder
from ai.passages import PassageIndex, Row
from ai.shelf import vectors_of
from benchmarks.figures import Figure, markdown, say
from knowledge.articles import SHIPPED, load_articles, search_rows
from knowledge.catalogue import load_catalogue
from schemas.printer import CustomerMessage, MessageClassified, MessageReceived
from services.classifiers import read
from services.classify.app import learn
from services.extract.printer import extract
from services.neighbours import Neighbours
from services.settings import Settings

NAME = "minds"
PLACE = "one core"
BATCH = 32
LOOKED_AT = 8
FLOOR_MS = 8.0
QUESTIONS = Path("evaluation/data/printer_queries.yaml")
CACHE = Path("data/cache")
WHEN = datetime(2026, 1, 5, 9, tzinfo=UTC)

T = TypeVar("T")


def measure() -> list[Figure]:
    """Measure each part, and their sum."""
    say(NAME, "classify, extract and search")
    texts = [row["text"] for row in yaml.load(QUESTIONS.read_text("utf-8"), yaml.CSafeLoader)]
    near = Neighbours(Settings(), kafka="")
    handle, index, catalogue = learn(near, None), _index(near.embedder), load_catalogue()
    spent_s: dict[str, float] = {}

    def spend(what: str, work: Callable[[], T]) -> T:
        began = time.process_time()
        result = work()
        spent_s[what] = spent_s.get(what, 0.0) + time.process_time() - began
        return result

    def understand(part: list[str], number: int) -> None:
        events = [_event(text, number + n) for n, text in enumerate(part)]
        told = spend("classify", lambda: asyncio.run(_all(handle(events))))
        found = [MessageClassified.model_validate(events[0]) for events in told]
        spend("extract", lambda: [extract(event, catalogue, WHEN) for event in found])
        vectors = spend("embedding for search", lambda: asyncio.run(near.embedder.embed(part)))
        spend("search", lambda: index.search_many(part, vectors, LOOKED_AT))

    understand(["une question que personne ne pose"] * BATCH, 0)
    spent_s.clear()
    parts = [texts[at : at + BATCH] for at in range(0, len(texts) - BATCH + 1, BATCH)]
    for number, part in enumerate(parts, start=1):
        understand(part, number * BATCH)
    near.embedder.close()
    spent_ms = {what: s * 1e3 / BATCH / len(parts) for what, s in spent_s.items()}
    alone = Embedder()
    began = time.process_time()
    for part in parts:
        alone.compute([read(text) for text in part])
    embedding_ms = (time.process_time() - began) * 1e3 / BATCH / len(parts)
    alone.close()
    total_ms = sum(spent_ms.values())
    return [
        *(Figure(NAME, PLACE, f"{w}, ms a message", ms, "") for w, ms in spent_ms.items()),
        Figure(NAME, PLACE, "of classify: embedding, ms a message", embedding_ms, ""),
        Figure(NAME, PLACE, "all, ms a message", total_ms, "", FLOOR_MS, at_most=True),
    ]


async def _all(told: Awaitable[T]) -> T:
    return await told


def _index(embedder: Embedder) -> PassageIndex:
    rows = [
        Row(place, article.id, text, "", article.brand or "", article.models)
        for article in load_articles(SHIPPED)
        for place, text in enumerate(search_rows(article))
    ]
    index = PassageIndex(embedder.name, embedder.dimension, embedder.fingerprint)
    index.add(rows, vectors_of([row.text for row in rows], embedder, CACHE))
    return index


def _event(text: str, number: int) -> MessageReceived:
    message_id = UUID(int=number)
    message = {
        "message_id": message_id,
        "conversation_id": f"c{number}",
        "customer_id": f"k{number}",
        "channel": "chat",
        "external_id": str(number),
        "sender": "web",
        "text": text,
        "received_at": WHEN,
    }
    return MessageReceived(
        event_id=message_id,
        trace_id=f"{number:032x}",
        occurred_at=WHEN,
        message=CustomerMessage.model_validate(message),
    )


if __name__ == "__main__":
    print(markdown(measure()))
