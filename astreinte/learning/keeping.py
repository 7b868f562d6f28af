"""`astreinte knowledge remove, export, index`: what is kept of it, and how."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
import yaml

from astreinte import output
from astreinte.learning.command import NOT_TOLD, knowledge
from astreinte.learning.record import hands
from astreinte.learning.showing import NameArgument
from astreinte.options import BrokerOption, DatabaseOption, fail
from knowledge.articles import SHIPPED, Article, load_articles
from schemas.vocabulary import Language
from services.embedding import digest_of, texts_kept
from storage import documents


@knowledge.command()
def remove(
    names: Annotated[
        list[str], typer.Argument(help="Ids of articles or documents.", metavar="NAMES...")
    ],
    broker: BrokerOption = "",
    database: DatabaseOption = "",
) -> None:
    """Remove what the record knows; an article that ships under that id is found again."""
    gone, told = asyncio.run(_remove(names, broker, database))
    for name in gone:
        output.out.print(f"retiré : {name}", markup=False)
    if not told:
        output.err.print(NOT_TOLD, markup=False)
    shipped = {article.id for article in load_articles(SHIPPED)}
    for name in [name for name in names if name not in gone]:
        why = "ships: write an article of that id instead" if name in shipped else "is not known"
        output.err.print(f"{name}: {why}", style="red", markup=False)
    raise typer.Exit(0 if len(gone) == len(names) else 1)


async def _remove(names: list[str], broker: str, database: str) -> tuple[list[str], bool]:
    gone = []
    async with hands(broker, database) as (near, crier):
        for name in names:
            texts = await texts_kept(near.database, [name])
            done = await near.database.write(documents.remove, name, datetime.now(UTC))
            if done:
                forgotten = [digest_of(text) for text in texts]
                await near.database.write(documents.forget_vectors, forgotten)
                await crier.tell([done])
                gone.append(name)
    return gone, not crier.failed


@knowledge.command()
def export(name: NameArgument, database: DatabaseOption = "") -> None:
    """Print an article as YAML, to change it and import it again."""
    body = asyncio.run(_body(name, database))
    if body is None:
        shipped = {article.id: article for article in load_articles(SHIPPED)}
        if name not in shipped:
            fail(f"no article is known under {name}")
        body = shipped[name].model_dump(mode="json")
    told = {key: body[key] for key in Article.model_fields if body.get(key)}
    typer.echo(yaml.safe_dump(told, allow_unicode=True, sort_keys=False, width=100), nl=False)
    for language in Language:
        if language.value not in told:
            sys.stderr.write(f"astreinte: it has no {language.value}: write that too\n")


async def _body(name: str, database: str) -> dict[str, Any] | None:
    async with hands(database=database) as (near, _):
        found = await near.database.read(documents.articles, [name])
    return dict(json.loads(found[0].body)) if found and found[0].in_use else None


@knowledge.command()
def index(database: DatabaseOption = "") -> None:
    """Embed all that the record knows; after a change of the model, so that starts are quick."""
    asyncio.run(_index(database))


async def _index(database: str) -> None:
    from astreinte.learning.searching import opened  # noqa: PLC0415 - loads the index

    async with hands(database=database) as (near, _):
        library = await opened(near)
    pieces, model = len(library.pieces), near.embedder.name
    output.out.print(f"{pieces} articles et passages, vecteurs de {model}", markup=False)
