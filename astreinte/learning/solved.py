"""`astreinte knowledge solved`: what people answered before becomes something to search in."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import asdict
from datetime import UTC, datetime
from hashlib import sha256
from typing import Annotated, Any
from uuid import uuid5

import typer

from astreinte import output
from astreinte.learning.command import NOT_TOLD, OUTCOMES, knowledge, progress
from astreinte.learning.nameless import nameless
from astreinte.learning.outcomes import Outcome
from astreinte.learning.record import Hands, hands
from astreinte.options import BrokerOption, DatabaseOption, JsonOption
from schemas.event import ASTREINTE
from storage import documents, solved
from storage.solved import Solved

PAGE = 200
AT_ONCE = 32
LEAST_QUESTION, LEAST_ANSWER = 3, 8
"""Words; with fewer, a question is « merci » and an answer « c'est fait »."""
MACHINES = {"system", "auto", "automatic", "ai", "bot", "llm", "machine", "template"}
"""How exports call an answer that no person wrote."""
TITLE, QUESTION, ANSWER = 90, 300, 1_500
"""Characters that are kept."""


@knowledge.command(name="solved")
def solved_(
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Only those that ended since that day."),
    ] = None,
    approve: Annotated[
        bool, typer.Option("--approve", help="Let replies rest on them alone: you read them.")
    ] = False,
    broker: BrokerOption = "",
    database: DatabaseOption = "",
    json_: JsonOption = False,
) -> None:
    """Learn from closed conversations that a person answered; personal data is masked.

    Without `--approve` they only stand beside articles and documents. What was removed once is
    not learned again.
    """
    start = since.replace(tzinfo=UTC) if since else None
    found, told = asyncio.run(_learn(start, broker, database, approved=approve))
    if json_:
        output.as_json([asdict(one) for one in found])
    else:
        counts = Counter(one.outcome for one in found)
        said = ", ".join(
            f"{counts[key]} {word}(s)" for key, word in OUTCOMES.items() if counts[key]
        )
        output.out.print(said or "aucune conversation close à laquelle une personne a répondu")
    if not told:
        output.err.print(NOT_TOLD, markup=False)


async def _learn(
    since: datetime | None, broker: str, database: str, *, approved: bool
) -> tuple[list[Outcome], bool]:
    found = []
    async with hands(broker, database) as having:
        with progress() as shown:
            task = shown.add_task("conversations", total=None)
            async for one in _closed(having, since):
                found.append(await _take(having, one, approved=approved))
                shown.advance(task)
    return found, not having.crier.failed


async def _closed(having: Hands, since: datetime | None) -> AsyncIterator[Solved]:
    after = ""
    while names := await having.near.database.read(solved.closed, since, after, PAGE):
        for one in await having.near.database.read(solved.solved, names):
            yield one
        after = names[-1]


async def _take(having: Hands, one: Solved, *, approved: bool) -> Outcome:
    from astreinte.learning.taking import pieces_of  # noqa: PLC0415 - see `command`
    from services.embedding import embed_missing, texts_of  # noqa: PLC0415

    row, passage = as_document(one, approved=approved)
    name = row["document_id"]
    if reason := why_not(one, passage):
        return Outcome(one.conversation_id, "skipped", reason=reason)
    database = having.near.database
    (before,) = await database.read(documents.documents, [name]) or (None,)
    if before and not before[0].in_use:
        return Outcome(one.conversation_id, "skipped", name, reason="it was removed")
    if before and before[0].digest == row["digest"]:
        return Outcome(one.conversation_id, "unchanged", name)
    texts = texts_of(pieces_of(row, [passage]))
    await embed_missing(database, having.near.embedder, texts, AT_ONCE)
    done = await database.write(documents.put, row, [passage], datetime.now(UTC))
    await having.crier.tell([done])
    outcome = "updated" if before else "new"
    return Outcome(one.conversation_id, outcome, name, row["title"], passages=1)


def why_not(one: Solved, passage: dict[str, Any]) -> str:
    """Say why a conversation teaches nothing; empty: it does."""
    if MACHINES & set(one.by.lower().split()):
        return "no person answered it"
    if len(one.question.split()) < LEAST_QUESTION or len(passage["text"].split()) < LEAST_ANSWER:
        return "too few words"
    return ""


def as_document(one: Solved, *, approved: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a conversation as a document of one passage, without anybody's name."""
    from astreinte.learning.recognising import language_of, make_of  # noqa: PLC0415 - see `command`

    question = nameless(one.question, one.names)[:QUESTION].strip()
    answer = nameless(one.answer, one.names)[:ANSWER].strip()
    subject = nameless(one.subject, one.names)[:TITLE].strip()
    brand, models = make_of(f"{subject}\n{question}", question)
    passage = {"heading": question, "text": answer, "page": 0}
    row = {
        "document_id": f"s{uuid5(ASTREINTE, f'solved {one.conversation_id}').hex[:20]}",
        "kind": "conversation",
        "source": one.conversation_id,
        "title": subject or question[:TITLE],
        "language": language_of(f"{question}\n{answer}"),
        "brand": brand,
        "models": models,
        "pages": 0,
        "approved": approved,
    }
    digest = sha256(f"{sorted(row.items())} {passage}".encode()).hexdigest()
    return row | {"digest": digest}, passage
