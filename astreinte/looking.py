"""`astreinte trace` and `astreinte topics`: what happened, and what waits."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import make_url

from astreinte import output, running
from astreinte.options import BrokerOption, DatabaseOption, JsonOption, app, fail, settings_of
from console import views
from gateways.kafka import create_topics, missing_topics
from schemas.topics import TOPICS
from services.settings import KafkaSettings
from services.survey import survey
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


@app.command()
def topics(
    broker: BrokerOption = "",
    create: Annotated[
        bool, typer.Option("--create", help="Make the topics that are missing.")
    ] = False,
    json_: JsonOption = False,
) -> None:
    """Show the topics: rate, lag, and since when the oldest message waits."""
    logging.basicConfig(level=logging.CRITICAL)
    here = running.find()
    servers = broker or KafkaSettings().servers or (here.kafka if here else "")
    if not servers:
        fail("no desk runs in this folder; name a Kafka with --broker HOST:PORT")
    if create:
        asyncio.run(_create_topics(servers))
    output.topics(asyncio.run(survey(servers, KafkaSettings().group)), machine=json_)


async def _create_topics(servers: str) -> None:
    missing = await missing_topics(servers, [topic.name for topic in TOPICS])
    wanted = {t.name: (t.partitions, t.retention_ms) for t in TOPICS if t.name in missing}
    if wanted:
        await create_topics(servers, wanted)
