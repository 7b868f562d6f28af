"""`astreinte send` and `astreinte process`: messages of one's own, and what becomes of them."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.progress import Progress

from astreinte import output, running
from astreinte.mailbox import Broken, read
from astreinte.options import BrokerOption, DatabaseOption, JsonOption, app, fail, settings_of
from astreinte.process import Line, Summary, pipeline, process, write_lines
from schemas.printer import InboundMessage
from schemas.vocabulary import Channel
from services import logs
from services.settings import HttpSettings, Settings


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
            fail(f"refused ({answer.status_code}): {answer.json().get('detail', '')}")
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
        fail(f"no outcome within {wait:g} s; `astreinte trace {page['trace_id']}` says more")


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
    logs.begin(["process"], quiet="error")
    if out and (out.is_dir() or not out.parent.is_dir()):
        fail(f"{out} cannot be written: it is a folder, or there is none to hold it")
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
        fail(f"{file} holds no message that can be read")
    lines, summary = asyncio.run(_process(settings_of(broker, database), messages))
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
