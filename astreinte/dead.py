"""`astreinte dead`: what no stage could use, back onto the road, or dropped."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, TypeVar

import typer

from astreinte import letters as shown
from astreinte import output, running
from astreinte.choosing import STATES, wanted_of
from astreinte.options import (
    BrokerOption,
    DatabaseOption,
    JsonOption,
    app,
    existing,
    fail,
    settings_of,
)
from services.neighbours import Neighbours
from services.replay import Replay, Verdict
from storage import dead
from storage.database import Database
from storage.tables import DeadLetter

dead_app = typer.Typer(help="Dead letters: what no stage could use.", no_args_is_help=True)
app.add_typer(dead_app, name="dead")

T = TypeVar("T")

MANY = 100
"""Letters from which on one is asked."""
LOOK_EVERY_S = 0.5

Ids = Annotated[list[str] | None, typer.Argument(help="Letters, or how their ids begin.")]
StageOption = Annotated[str, typer.Option(help="Only those of this stage.")]
CauseOption = Annotated[str, typer.Option(help="Only this error, or these words in the reason.")]
TopicOption = Annotated[str, typer.Option(help="Only those that lay in this topic.")]
SinceOption = Annotated[str, typer.Option(help="Not older: 2h, 3d, or a date (ISO 8601).")]
UntilOption = Annotated[str, typer.Option(help="Not younger, likewise.")]
StateOption = Annotated[str, typer.Option(help=f"{', '.join(STATES)}, or all.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


@dead_app.command(name="list")
def list_(
    stage: StageOption = "",
    cause: CauseOption = "",
    topic: TopicOption = "",
    since: SinceOption = "",
    until: UntilOption = "",
    state: StateOption = dead.WAITING,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    database: DatabaseOption = "",
    json_: JsonOption = False,
) -> None:
    """Show dead letters: by stage and cause, then one by one."""
    chosen = wanted_of(None, stage, cause, topic, since, until, state)
    found = asyncio.run(_with_record(database, lambda record: record.read(dead.find, chosen)))
    if json_:
        output.as_json([shown.as_dict(letter) for letter in found[-limit:]])
    else:
        shown.table(found, limit)


@dead_app.command()
def show(
    name: Annotated[str, typer.Argument(help="A letter, or how its id begins.")],
    database: DatabaseOption = "",
    json_: JsonOption = False,
) -> None:
    """Show one letter with its bytes: customers' words are in it."""
    chosen = dead.Wanted(ids=(name,), states=())
    found = asyncio.run(_with_record(database, lambda record: record.read(dead.find, chosen)))
    if len(found) != 1:
        fail(f"{len(found)} letters begin with {name}" if found else f"no dead letter {name}")
    why, _ = Replay.objection(found[0])
    if json_:
        output.as_json(shown.as_dict(found[0], whole=True) | {"objection": why})
    else:
        shown.one(found[0], why)


@dead_app.command()
def replay(
    ids: Ids = None,
    stage: StageOption = "",
    cause: CauseOption = "",
    topic: TopicOption = "",
    since: SinceOption = "",
    until: UntilOption = "",
    state: StateOption = "",
    rate: Annotated[float, typer.Option(min=0.1, max=10_000, help="Letters a second.")] = 50.0,
    wait: Annotated[
        float, typer.Option(min=0, help="Seconds to wait for what becomes of them.")
    ] = 0,
    force: Annotated[
        bool, typer.Option("--force", help="Also those that would die again at once.")
    ] = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    broker: BrokerOption = "",
    database: DatabaseOption = "",
    json_: JsonOption = False,
) -> None:
    """Put dead letters back onto the road. No reply is sent twice by it."""
    chosen = wanted_of(ids, stage, cause, topic, since, until, state)

    async def work(record: Database) -> list[Verdict]:
        found = await record.read(dead.find, chosen)
        if not force:  # what is on its road, or came to its end, needs no second time
            found = [each for each in found if each.state in {dead.WAITING, dead.AGAIN}] or (
                list(found) if ids else []
            )
        _confirm(len(found), "rejouer", asked=not (yes or dry_run))
        if dry_run:
            return [_would(letter, force=force) for letter in found]
        return await _replay(record, found, broker, rate=rate, wait=wait, force=force)

    verdicts = asyncio.run(_with_record(database, work))
    if json_:
        output.as_json([shown.verdict_dict(verdict) for verdict in verdicts])
    else:
        shown.verdicts(verdicts, dry_run=dry_run)
    if not verdicts or any(verdict.outcome in {"refused", dead.AGAIN} for verdict in verdicts):
        raise typer.Exit(1)


@dead_app.command()
def drop(
    ids: Ids = None,
    stage: StageOption = "",
    cause: CauseOption = "",
    topic: TopicOption = "",
    since: SinceOption = "",
    until: UntilOption = "",
    dry_run: DryRun = False,
    yes: Yes = False,
    database: DatabaseOption = "",
) -> None:
    """Set dead letters aside for good. Their bytes stay in the record."""
    chosen = wanted_of(ids, stage, cause, topic, since, until, "")

    async def work(record: Database) -> Sequence[DeadLetter]:
        found = [
            each
            for each in await record.read(dead.find, chosen)
            if each.state in {dead.WAITING, dead.AGAIN}
        ]
        _confirm(len(found), "écarter", asked=not (yes or dry_run))
        for letter in () if dry_run else found:
            await record.write(dead.end, letter.dead_id, dead.DROPPED, datetime.now(UTC))
        return found

    found = asyncio.run(_with_record(database, work))
    shown.dropped(found, dry_run=dry_run)
    if not found:
        raise typer.Exit(1)


async def _with_record(url: str, work: Callable[[Database], Awaitable[T]]) -> T:
    here = running.find()
    chosen = url or (here.database if here else settings_of().database.url)
    record = Database(existing(chosen))
    try:
        await record.prepare()
        return await work(record)
    finally:
        record.close()


def _confirm(count: int, what: str, *, asked: bool) -> None:
    if asked and count > MANY:
        typer.confirm(f"{what} {count} lettres ?", abort=True)


def _would(letter: DeadLetter, *, force: bool) -> Verdict:
    why, _ = Replay.objection(letter)
    refused = bool(why) and (not force or bool(letter.cut_bytes) or not letter.topic)
    return Verdict(letter, "refused" if refused else "replayed", why)


async def _replay(
    record: Database,
    found: Sequence[DeadLetter],
    broker: str,
    *,
    rate: float,
    wait: float,
    force: bool,
) -> list[Verdict]:
    here = running.find()
    settings = settings_of(broker)
    servers = settings.kafka.servers or (here.kafka if here else "")
    if not servers:
        fail("no desk runs in this folder; name a Kafka with --broker HOST:PORT")
    verdicts: list[Verdict] = []
    embedded = not settings.kafka.servers and bool(here and here.embedded)
    async with Neighbours(settings, servers, embedded=embedded) as near:
        await near.connect()
        try:
            again = Replay(record, near.teller, force=force)
            verdicts.extend([verdict async for verdict in again.all(found, rate)])
        finally:
            await near.broker.stop()
    return await _fates(record, verdicts, wait)


async def _fates(record: Database, verdicts: list[Verdict], wait: float) -> list[Verdict]:
    """Wait for what becomes of the replayed ones."""
    clock = asyncio.get_running_loop().time
    until = clock() + wait
    while True:
        names = [v.letter.dead_id for v in verdicts if v.outcome == dead.REPLAYED]
        states = {letter.dead_id: letter for letter in await record.read(dead.named, names)}
        verdicts = [
            Verdict(letter, letter.state, v.why) if (letter := states.get(v.letter.dead_id)) else v
            for v in verdicts
        ]
        still = Counter(verdict.outcome for verdict in verdicts)[dead.REPLAYED]
        if not still or clock() >= until:
            return verdicts
        await asyncio.sleep(LOOK_EVERY_S)
