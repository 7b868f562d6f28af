"""The command `astreinte`."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.progress import Progress

from ai.embeddings import ModelMissing
from astreinte import output, running
from astreinte.desk import PortTaken, desk
from astreinte.mailbox import Broken, UnreadableFile, read
from astreinte.process import Line, Summary, pipeline, process, write_lines
from astreinte.story import play
from console import views
from gateways.kafka import create_topics, missing_topics
from knowledge.articles import SHIPPED, InvalidArticle, load_articles
from schemas.errors import Unavailable
from schemas.printer import InboundMessage
from schemas.topics import STAGES, TOPICS
from schemas.vocabulary import Channel
from services import serve
from services.neighbours import Neighbours
from services.settings import DatabaseSettings, HttpSettings, KafkaSettings, Settings
from services.survey import survey
from storage import roads
from storage.database import Database

app = typer.Typer(
    name="astreinte",
    help="The on-call desk that never sleeps.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

BrokerOption = Annotated[
    str, typer.Option("--broker", help="Kafka's host:port; else the embedded one.")
]
DatabaseOption = Annotated[str, typer.Option("--database", help="SQLAlchemy URL of the record.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]


def _settings(kafka: str = "", database: str = "") -> Settings:
    chosen = Settings()
    changes: dict[str, object] = {}
    if kafka:
        changes["kafka"] = chosen.kafka.model_copy(update={"servers": kafka})
    if database:
        changes["database"] = DatabaseSettings(url=database)
    return chosen.model_copy(update=changes)


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
    logging.basicConfig(
        level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    # Said at every first start of a group, and settled within the second.
    logging.getLogger("aiokafka.consumer.group_coordinator").addFilter(
        lambda line: "GroupCoordinatorNotAvailableError" not in line.getMessage()
    )
    chosen = _settings(broker, database)
    http = chosen.http.model_copy(
        update={"host": host or chosen.http.host, "port": chosen.http.port if port < 0 else port}
    )
    raise typer.Exit(
        asyncio.run(_up(chosen.model_copy(update={"http": http}), story=story, once=until_answered))
    )


async def _up(settings: Settings, *, story: bool, once: bool) -> int:
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
        if once and telling:
            await asyncio.wait({stop, telling}, return_when=asyncio.FIRST_COMPLETED)
            status = telling.result() if telling.done() else 1
        else:
            status = await stop
        for task in (stop, telling):
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
def send(
    text: Annotated[str, typer.Argument(help="What the customer writes.")],
    channel: Annotated[Channel, typer.Option(help="How it comes in.")],
    sender: Annotated[str, typer.Option("--from", help="Address, number or visitor.")],
    subject: Annotated[str, typer.Option(help="Subject of a mail.")] = "",
    url: Annotated[str, typer.Option(help="The desk's address; else the one that runs here.")] = "",
    wait: Annotated[float, typer.Option(help="Seconds to wait for the outcome.")] = 60,
    json_: JsonOption = False,
) -> None:
    """Publish one message and wait for its outcome."""
    here = running.find()
    base = url or (here.url if here else f"http://{HttpSettings().host}:{HttpSettings().port}")
    body = {
        "channel": channel.value,
        "external_id": f"cli-{uuid.uuid4().hex}",
        "from": sender,
        "subject": subject,
        "text": text,
        "received_at": datetime.now(UTC).isoformat(),
    }
    with httpx.Client(base_url=base, timeout=wait + 10, trust_env=False) as client:
        answer = client.post("/messages", json=body)
        if answer.is_error:
            _fail(f"refused ({answer.status_code}): {answer.json().get('detail', '')}")
        page = client.get(
            f"/api/messages/{answer.json()['trace_id']}", params={"wait": min(wait, 60)}
        ).json()
    if json_:
        output.as_json(page)
    else:
        output.trace(page)
        drafted = next(
            (s["event"]["draft"] for s in page["steps"] if s["topic"] == "printer.drafted"), None
        )
        if drafted:
            output.out.print(
                output.label(drafted["action"], drafted["reason"]),
                f"[{drafted['how']}]",
                markup=False,
            )
            output.out.print(drafted["text"], markup=False)
    if page["state"] == "on_the_road":
        _fail(f"no outcome within {wait:g} s; `astreinte trace {page['trace_id']}` says more")


@app.command(name="process")
def process_(
    file: Annotated[
        Path, typer.Argument(help="JSON, JSON Lines, CSV, mbox, .eml or a folder of them.")
    ],
    out: Annotated[Path | None, typer.Option(help="Where the lines go (JSON Lines).")] = None,
    dry_run: Annotated[
        bool, typer.Option(help="Only read the file and say what is in it.")
    ] = False,
    channel: Annotated[Channel, typer.Option(help="For rows that name none.")] = Channel.CHAT,
    broker: BrokerOption = "",
    database: DatabaseOption = "",
    json_: JsonOption = False,
) -> None:
    """Try a file of messages: the real pipeline, nothing sent outward, one line a message."""
    logging.basicConfig(level=logging.ERROR)
    messages: list[InboundMessage] = []
    broken = 0
    for item in read(file, default_channel=channel, now=datetime.now(UTC)):
        if isinstance(item, Broken):
            broken += 1
            output.err.print(f"record {item.number}: {item.reason}", markup=False)
        else:
            messages.append(item)
    if dry_run:
        counts = {name.value: sum(m.channel is name for m in messages) for name in Channel}
        found = {"messages": len(messages), "broken": broken, "channels": counts}
        output.as_json(found)
        return
    if not messages:
        _fail(f"{file} holds no message that can be read")
    lines, summary = asyncio.run(_process(_settings(broker, database), messages))
    if out:
        write_lines(out, lines)
        output.err.print(f"{len(lines)} lines in {out}", markup=False)
    output.summary(summary, broken, machine=json_)


async def _process(
    settings: Settings, messages: list[InboundMessage]
) -> tuple[list[Line], Summary]:
    summary = Summary()
    order = {message.event_id: place for place, message in enumerate(messages)}
    lines: dict[int, Line] = {}
    with Progress(console=output.err, transient=True) as progress:
        task = progress.add_task("messages", total=len(messages))

        def done(message: InboundMessage, line: Line, elapsed_ms: float) -> None:
            lines[order[message.event_id]] = line
            summary.note(line, elapsed_ms)
            progress.advance(task)

        async with pipeline(settings) as near:
            await process(near, messages, done)
    return [lines[place] for place in sorted(lines)], summary


@app.command()
def trace(
    name: Annotated[str, typer.Argument(help="Event, trace or conversation.")],
    database: DatabaseOption = "",
    json_: JsonOption = False,
) -> None:
    """Show what happened to a message: stage, when, how long, what was decided and why."""
    here = running.find()
    record = Database(database or (here.database if here else _settings().database.url))
    page = views.trace_page(asyncio.run(record.read(roads.trace, name)))
    record.close()
    if not page["steps"]:
        _fail(f"nothing is recorded of {name}")
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
        _fail("no desk runs in this folder; name a Kafka with --broker HOST:PORT")
    if create:
        asyncio.run(_create_topics(servers))
    output.topics(asyncio.run(survey(servers, KafkaSettings().group)), machine=json_)


async def _create_topics(servers: str) -> None:
    missing = await missing_topics(servers, [topic.name for topic in TOPICS])
    wanted = {t.name: (t.partitions, t.retention_ms) for t in TOPICS if t.name in missing}
    if wanted:
        await create_topics(servers, wanted)


@app.command()
def stage(
    name: Annotated[str, typer.Argument(help=f"{', '.join(STAGES)} or record.")],
) -> None:
    """Run one stage alone, against the Kafka and the database of the settings."""
    serve.main(name)


@app.command()
def prepare() -> None:
    """Embed articles and training phrases ahead, so that the first start is quick."""
    from services.classify.app import train  # noqa: PLC0415 - heavy, and for this command only
    from services.rag.app import make_index  # noqa: PLC0415

    near = Neighbours(Settings(), "")
    train(near)
    make_index(near, load_articles(SHIPPED))


def _fail(why: str) -> None:
    output.err.print(f"astreinte: {why}", style="red", markup=False)
    raise typer.Exit(1)


def main() -> None:
    """Run the command; what the user can mend is said in a sentence."""
    try:
        app()
    except (
        Unavailable,
        PortTaken,
        UnreadableFile,
        InvalidArticle,
        ModelMissing,
        httpx.HTTPError,
    ) as error:
        output.err.print(f"astreinte: {error}", style="red", markup=False)
        sys.exit(1)
