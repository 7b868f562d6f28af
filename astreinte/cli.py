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
    channels,
    classifying,
    contract,
    database,
    dead,
    diagnosing,
    findings,
    learning,
    looking,
    mails,
    models,
    output,
    parts,
    policy,
    rooms,
    simulating,
    texting,
    topics,
    trying,
    units,
)
from astreinte.demonstration import Demonstration, demonstration, forget
from astreinte.desk import Desk, desk
from astreinte.importing import command as importing
from astreinte.mailbox import UnreadableFile
from astreinte.options import BrokerOption, DatabaseOption, app, settings_of
from astreinte.parts import PARTS
from astreinte.story import play
from gateways.http import PortTaken
from knowledge.articles import InvalidArticle
from schemas.errors import Unavailable
from services import logs, serve
from services.neighbours import Neighbours
from services.settings import Settings, unfit
from storage.engine import WrongDatabase

ALARM_S = 45.0
"""For the alarm of the cold rooms, after the customers' story."""

__all__ = [
    "app",
    "channels",
    "classifying",
    "contract",
    "database",
    "dead",
    "diagnosing",
    "findings",
    "importing",
    "learning",
    "looking",
    "mails",
    "main",
    "models",
    "parts",
    "policy",
    "rooms",
    "simulating",
    "texting",
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
) -> None:
    """Run the whole desk in this process: six stages, edge, console."""
    logs.begin(PARTS, quiet="warning")
    chosen = settings_of(broker, database)
    http = chosen.http.model_copy(
        update={"host": host or chosen.http.host, "port": chosen.http.port if port < 0 else port}
    )
    chosen = chosen.model_copy(update={"http": http})
    raise typer.Exit(asyncio.run(_up(chosen, story=story, once=until_answered)))


async def _up(settings: Settings, *, story: bool, once: bool) -> int:
    began = time.monotonic()
    if story and not once and (settings.mail.out or settings.twilio.sid):
        story = False  # its customers are invented; what answers them would leave for good
        output.out.print("Sans l'histoire d'ouverture : les réponses partiraient vraiment.")
    async with desk(settings, simulated=story) as found:
        kafka = "embarqué" if found.near.embedded else found.near.kafka
        output.out.print(
            f"[bold]Astreinte[/] est prête en {time.monotonic() - began:.1f} s : "
            f"[bold]{found.url}[/]\n"
            f"  Kafka {kafka} · record {found.near.database.engine.url!r} · Ctrl-C pour arrêter"
        )
        if found.replayed:
            output.out.print(f"  {found.replayed} message(s) inachevé(s) repris du journal")
        stop = asyncio.create_task(serve.until_stopped(found.stages))
        telling = asyncio.create_task(_tell(found, once=once)) if story else None
        if once and telling:
            await asyncio.wait({stop, telling}, return_when=asyncio.FIRST_COMPLETED)
            status = telling.result() if telling.done() else 1
        else:
            status = await stop
        ending = [task for task in (stop, telling) if task]
        for task in ending:
            task.cancel()
        await asyncio.wait(ending)
        output.out.print("Arrêt : fin du travail en cours…")
    if story:
        await forget(settings.database.url)
    return status


async def _tell(found: Desk, *, once: bool) -> int:
    """Tell the story; `once`: until customers were answered and an alarm has left, else on."""
    output.out.print(
        "\nUne matinée ordinaire : des clients écrivent, trois chambres froides mesurent."
    )
    async with demonstration(found.near) as rooms:
        watching = asyncio.create_task(_tell_rooms(rooms, found.url))
        try:
            unanswered = await _tell_customers(found)
            if not once:
                await watching
            await asyncio.wait_for(rooms.alarm.wait(), ALARM_S)
        except TimeoutError:
            output.err.print(f"astreinte: no alarm of the cold rooms within {ALARM_S:g} s more")
            return 1
        finally:
            watching.cancel()
    return 1 if unanswered else 0


async def _tell_rooms(rooms: Demonstration, url: str) -> None:
    async for news in rooms.news():
        output.room_line(news, url)


async def _tell_customers(found: Desk) -> int:
    """Return how many were not answered."""
    unanswered = 0
    async for told in play(found):
        output.story_line(told)
        unanswered += told.outcome is None
    output.out.print("À vous : écrivez comme un client dans la page, ou avec `astreinte send`.\n")
    return unanswered


@app.command()
def prepare() -> None:
    """Embed articles and learn from phrases ahead, so that the first start is quick."""
    from services.classify.app import train  # noqa: PLC0415 - heavy, and for this command only
    from services.rag.app import shelve  # noqa: PLC0415

    near = Neighbours(Settings(), "")
    train(near)
    shelve(near)


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
