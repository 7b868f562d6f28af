"""`astreinte trace`: what happened to a message."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import make_url

from astreinte import output, running
from astreinte.options import DatabaseOption, JsonOption, app, fail, settings_of
from console import views
from storage import roads
from storage.database import Database


@app.command()
def trace(
    name: Annotated[str, typer.Argument(help="Event, trace or conversation.")],
    database: DatabaseOption = "",
    json_: JsonOption = False,
) -> None:
    """Show what happened to a message: stage, when, how long, what was decided and why."""
    here = running.find()
    url = database or (here.database if here else settings_of().database.url)
    file = make_url(url).database if url.startswith("sqlite") else None
    if file and not Path(file).exists():
        fail(f"there is no record at {file}: no desk has run in this folder")
    record = Database(url)
    page = views.trace_page(asyncio.run(record.read(roads.trace, name)))
    record.close()
    if not page["steps"]:
        fail(f"nothing is recorded of {name}")
    if json_:
        output.as_json(page)
    else:
        output.trace(page)
