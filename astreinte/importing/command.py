"""`astreinte import`: what people have already, into the record; and a trial of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from typing import Annotated

import typer
from rich.progress import Progress

from astreinte import output, running
from astreinte.importing.bringing import Bringing, gather
from astreinte.importing.reading import read
from astreinte.importing.report import Report
from astreinte.importing.rows import Shelf
from astreinte.learning.telling import telling
from astreinte.options import BrokerOption, DatabaseOption, JsonOption, app, settings_of
from astreinte.process import Line, Summary, pipeline, process
from astreinte.running import Running
from schemas.printer import InboundMessage
from services.neighbours import Neighbours
from services.settings import Settings
from storage import documents
from storage.database import Database
from storage.imports.messages import put_on_the_road


class Which(StrEnum):
    """Whose messages are tried."""

    NONE = "none"
    OPEN = "open"
    ALL = "all"


@app.command(name="import")
def import_(
    path: Annotated[
        list[str],
        typer.Argument(
            help="SQL dumps, JSON, CSV, mails, folders of them, or an old database's URL.",
            metavar="PATH...",
        ),
    ],
    origin: Annotated[
        str, typer.Option(help="Name of the export; else told by its shape.", metavar="NAME")
    ] = "",
    dry_run: Annotated[bool, typer.Option(help="Only read, and say what could be used.")] = False,
    process_: Annotated[
        Which, typer.Option("--process", help="Try the messages of open tickets, or of all.")
    ] = Which.NONE,
    broker: BrokerOption = "",
    database: DatabaseOption = "",
    json_: JsonOption = False,
) -> None:
    """Bring customers, tickets, knowledge and mail into the record; twice changes nothing."""
    logging.basicConfig(level=logging.ERROR)
    here = running.find()
    target = database or (here.database if here and not broker else "")
    settings = settings_of(broker, target)
    beside = here if here and here.database == settings.database.url and not broker else None
    report, shelf = Report(), Shelf()
    with Progress(console=output.err, transient=True) as progress:
        task = progress.add_task("lecture", total=None)
        for source in path:
            gather(read(source), shelf, report, origin[:80])
        progress.update(task, description="import", total=sum(shelf.counts.values()))
        advance = partial(progress.advance, task)
        bringing = Bringing(shelf, report, None, advance)
        asyncio.run(_bring(settings, beside, bringing, dry_run=dry_run))
    origins = {name for _, name in shelf.counts}
    shelf.close()
    told = report.as_json()
    if not json_:
        report.show()
    if report.used and process_ is not Which.NONE and not dry_run:
        summary = asyncio.run(_try(settings, beside, origins, process_))
        told["trial"] = summary.as_json()
        if not json_ and summary.actions:
            output.summary(summary, 0, machine=False)
        elif not json_:
            output.out.print("Aucun message à essayer : ils l'ont été, ou leurs tickets sont clos.")
    if json_:
        output.as_json(told)
    raise typer.Exit(0 if report.used else 1)


async def _bring(
    settings: Settings, beside: Running | None, bringing: Bringing, *, dry_run: bool
) -> None:
    if dry_run:
        await bringing.run()
        return
    began = datetime.now(UTC)
    async with _record(settings) as bringing.database:
        await bringing.run()
        changes = await bringing.database.read(documents.changed, began, [])
    if changes:
        async with telling(settings, beside) as crier:  # untold, desks find them within seconds
            await crier.tell(changes)


@asynccontextmanager
async def _record(settings: Settings) -> AsyncIterator[Database]:
    database = Database(settings.database.url)
    try:
        await database.prepare(settings.database.connect_s)
        yield database
    finally:
        database.close()


async def _try(
    settings: Settings, beside: Running | None, origins: set[str], which: Which
) -> Summary:
    take = partial(put_on_the_road, origins=origins, only_open=which is Which.OPEN)
    async with _record(settings) as database:
        messages = await database.write(take)
    summary = Summary()
    if not messages:
        return summary
    with Progress(console=output.err, transient=True) as progress:
        task = progress.add_task("essai", total=len(messages))

        def done(_: InboundMessage, line: Line, elapsed_ms: float) -> None:
            summary.note(line, elapsed_ms)
            progress.advance(task)

        async with _road(settings, beside) as near:
            await process(near, messages, done, as_they_are=True)
    return summary


@asynccontextmanager
async def _road(settings: Settings, beside: Running | None) -> AsyncIterator[Neighbours]:
    """Have a road: that of the desk that runs here, of the settings, or one of our own."""
    if beside is None:
        async with pipeline(settings, keep=True) as near:
            yield near
        return
    async with Neighbours(settings, beside.kafka, embedded=beside.embedded) as near:
        await near.connect()
        try:
            yield near
        finally:
            await near.broker.stop()
