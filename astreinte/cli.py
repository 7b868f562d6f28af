"""The command `astreinte`."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Annotated

import httpx
import typer
from pydantic import ValidationError

from ai.embeddings import ModelMissing
from astreinte import (
    contract,
    database,
    dead,
    diagnosing,
    looking,
    output,
    parts,
    rooms,
    simulating,
    topics,
    trying,
    units,
)
from astreinte.desk import desk
from astreinte.importing import command as importing
from astreinte.mailbox import UnreadableFile
from astreinte.options import BrokerOption, DatabaseOption, app, settings_of
from astreinte.parts import PARTS
from astreinte.playing import play as play_rooms
from astreinte.story import play
from gateways.http import PortTaken
from knowledge.articles import SHIPPED, InvalidArticle, load_articles
from schemas.errors import Unavailable
from services import logs, serve
from services.neighbours import Neighbours
from services.settings import Settings, unfit
from storage.engine import WrongDatabase

__all__ = [
    "app",
    "contract",
    "database",
    "dead",
    "diagnosing",
    "importing",
    "looking",
    "main",
    "parts",
    "rooms",
    "simulating",
    "topics",
    "trying",
    "units",
]


@app.command()
def up(
    broker: BrokerOption = "",
    database: DatabaseOption = "",
    host: Annotated[str, typer.Option(help="Address of the console.")] = "",
    port: Annotated[int, typer.Option(help="Port of the console; 0: any free one.")] = -1,
    story: Annotated[bool, typer.Option(help="Open with invented customers who write.")] = True,
    until_answered: Annotated[bool, typer.Option(help="Stop once the story was answered.")] = False,
    rooms: Annotated[
        int, typer.Option(min=0, max=100, help="Simulated cold rooms; the first one leaks.")
    ] = 0,
) -> None:
    """Run the whole desk in this process: six stages, edge, console."""
    logs.begin(PARTS, quiet="warning")
    chosen = settings_of(broker, database)
    http = chosen.http.model_copy(
        update={"host": host or chosen.http.host, "port": chosen.http.port if port < 0 else port}
    )
    chosen = chosen.model_copy(update={"http": http})
    raise typer.Exit(asyncio.run(_up(chosen, story=story, once=until_answered, units=rooms)))


async def _up(settings: Settings, *, story: bool, once: bool, units: int) -> int:
    began = time.monotonic()
    async with desk(settings) as found:
        kafka = "embarqué" if found.near.embedded else found.near.kafka
        output.out.print(
            f"[bold]Astreinte[/] est prête en {time.monotonic() - began:.1f} s : "
            f"[bold]{found.url}[/]\n"
            f"  Kafka {kafka} · record {found.near.database.engine.url!r} · Ctrl-C pour arrêter"
        )
        if found.replayed:
            output.out.print(f"  {found.replayed} message(s) inachevé(s) repris du journal")
        stop = asyncio.create_task(serve.until_stopped(found.stages))
        telling = asyncio.create_task(_tell(found)) if story else None
        playing = asyncio.create_task(play_rooms(found.near, units)) if units else None
        if once and telling:
            await asyncio.wait({stop, telling}, return_when=asyncio.FIRST_COMPLETED)
            status = telling.result() if telling.done() else 1
        else:
            status = await stop
        for task in (stop, telling, playing):
            if task:
                task.cancel()
        output.out.print("Arrêt : fin du travail en cours…")
    return status


async def _tell(found: object) -> int:
    output.out.print("\nUne matinée ordinaire : des clients écrivent.")
    unanswered = 0
    async for told in play(found):  # type: ignore[arg-type]
        output.story_line(told)
        unanswered += told.outcome is None
    output.out.print("À vous : écrivez comme un client dans la page, ou avec `astreinte send`.\n")
    return 1 if unanswered else 0


@app.command()
def prepare() -> None:
    """Embed articles and training phrases ahead, so that the first start is quick."""
    from services.classify.app import train  # noqa: PLC0415 - heavy, and for this command only
    from services.rag.app import make_index  # noqa: PLC0415

    near = Neighbours(Settings(), "")
    train(near)
    make_index(near, load_articles(SHIPPED))


def main() -> None:
    """Run the command; what the user can mend is said in a sentence."""
    try:
        app()
    except ValidationError as error:
        output.err.print(f"astreinte: settings: {unfit(error)}", style="red", markup=False)
        sys.exit(1)
    except (
        Unavailable,
        WrongDatabase,
        PortTaken,
        UnreadableFile,
        InvalidArticle,
        ModelMissing,
        httpx.HTTPError,
    ) as error:
        output.err.print(f"astreinte: {error}", style="red", markup=False)
        sys.exit(1)
