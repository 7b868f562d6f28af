"""`astreinte knowledge import`: articles, files and pages into what search knows."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from astreinte import output
from astreinte.learning.outcomes import Given, Outcome, Steps
from astreinte.learning.record import hands
from astreinte.learning.sources import named
from astreinte.options import BrokerOption, DatabaseOption, JsonOption, app, fail
from schemas.vocabulary import Language

knowledge = typer.Typer(help="What the desk knows beside the articles that ship.")
app.add_typer(knowledge, name="knowledge")

OUTCOMES = {
    "new": "nouveau",
    "updated": "mis à jour",
    "unchanged": "inchangé",
    "skipped": "écarté",
}
NOT_TOLD = (
    "Kafka does not answer: the desks that run find it in the record by themselves, within seconds"
)

LanguageOption = Annotated[
    Language | None, typer.Option(help="fr or en; else recognised.", metavar="LANGUAGE")
]


@knowledge.callback()
def about() -> None:
    """Teach the desk: articles, PDF files, web pages, solved conversations."""


@knowledge.command(name="import")
def import_(
    path: Annotated[
        list[str],
        typer.Argument(
            help="Articles (YAML), PDF, HTML, Markdown or text files, folders of them, or URLs.",
            metavar="PATH...",
        ),
    ],
    brand: Annotated[
        str, typer.Option(help="The make that they are about; any: all makes; else recognised.")
    ] = "",
    model: Annotated[
        list[str] | None, typer.Option(help="A model that they are about; may be repeated.")
    ] = None,
    language: LanguageOption = None,
    title: Annotated[str, typer.Option(help="Title of a single document.")] = "",
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="Fetch from one's own network too.")
    ] = False,
    broker: BrokerOption = "",
    database: DatabaseOption = "",
    json_: JsonOption = False,
) -> None:
    """Import knowledge; the desks that run find it at once. Twice changes nothing."""
    logging.basicConfig(level=logging.ERROR)
    sources = list(named(path))
    if not sources:
        fail("there is nothing in these folders that could be read")
    if title and len(sources) > 1:
        fail(f"--title is for one document, these are {len(sources)}")
    given = Given(brand, tuple(model or ()), language.value if language else "", title)
    found, told = asyncio.run(_import(sources, given, broker, database, private=allow_private))
    if json_:
        output.as_json([asdict(one) for one in found])
    else:
        _show(found)
    if not told:
        output.err.print(NOT_TOLD, markup=False)
    whole = all(one.outcome != "skipped" and not one.remarks for one in found)
    raise typer.Exit(0 if whole else 1)


async def _import(
    sources: Sequence[str], given: Given, broker: str, database: str, *, private: bool
) -> tuple[list[Outcome], bool]:
    from astreinte.learning.taking import Taking  # noqa: PLC0415 - reads PDF files: half a second

    found = []
    async with hands(broker, database) as (near, crier):
        taking = Taking(near.database, near.embedder, crier, given, private)
        with progress() as shown:
            whole = shown.add_task("documents", total=len(sources))
            parts = shown.add_task("", total=None, visible=False)
            for source in sources:
                found.append(await taking.take(source, _steps(shown, parts, source)))
                shown.advance(whole)
    return found, not crier.failed


def progress() -> Progress:
    """Return how far something is, for people who wait; it leaves nothing behind."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    alone = not output.err.is_terminal
    return Progress(*columns, console=output.err, transient=True, disable=alone)


def _steps(shown: Progress, task: TaskID, source: str) -> Steps:
    name = source.rstrip("/").rpartition("/")[2][:40]

    def say(what: str, done: int, of: int) -> None:
        shown.update(task, description=f"{name} : {what}", completed=done, total=of, visible=True)

    return Steps(
        lambda done, of: say("pages", done, of), lambda done, of: say("passages", done, of)
    )


def _show(found: Sequence[Outcome]) -> None:
    for one in found:
        if one.outcome in {"new", "updated"}:
            size = f"{one.passages} passage(s)" if one.passages else "article"
            size += f", {one.pages} page(s)" if one.pages else ""
            output.out.print(
                f"{OUTCOMES[one.outcome]} : {one.name}  {one.title}  ({size})", markup=False
            )
        for remark in one.remarks:
            output.err.print(f"{one.source}: {remark}", markup=False)
        if one.reason:
            output.err.print(one.reason, style="red", markup=False)
    counts = Counter(one.outcome for one in found)
    told = ", ".join(f"{counts[key]} {word}(s)" for key, word in OUTCOMES.items() if counts[key])
    output.out.print(told, markup=False)
