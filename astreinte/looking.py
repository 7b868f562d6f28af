"""`astreinte trace`: what happened to a message."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated

import typer

from astreinte import output, running
from astreinte.options import DatabaseOption, JsonOption, app, existing, fail, settings_of
from console import views
from storage import roads
from storage.database import Database
from storage.tables import Recorded


@app.command()
def trace(
    name: Annotated[str, typer.Argument(help="Event, trace or conversation.")],
    database: DatabaseOption = "",
    json_: JsonOption = False,
) -> None:
    """Show what happened to a message: stage, when, how long, what was decided and why."""
    here = running.find()
    url = database or (here.database if here else settings_of().database.url)
    page = views.trace_page(asyncio.run(_trace(existing(url), name)))
    if not page["steps"]:
        fail(f"nothing is recorded of {name}")
    if json_:
        output.as_json(page)
    else:
        output.trace(page)


async def _trace(url: str, name: str) -> Sequence[Recorded]:
    record = Database(url)
    try:
        await record.prepare()
        return await record.read(roads.trace, name)
    finally:
        record.close()
