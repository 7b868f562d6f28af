"""`astreinte simulate frigo`: simulated cold rooms send their readings to a Kafka."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from astreinte import output, running
from astreinte.options import BrokerOption, DatabaseOption, existing, fail, settings_of
from astreinte.playing import declare_in
from astreinte.simulating import simulating
from refrigeration.profile import Kind
from schemas.event import Event
from schemas.vocabulary import Fault
from services.neighbours import Neighbours
from simulation.fleet import Fleet, Plan, drive
from simulation.rooms import CAUSES
from storage.database import Database

HOUR_S = 3600.0


@simulating.command()
def frigo(
    fault: Annotated[
        list[str] | None, typer.Option(help="A cause; given again, the next unit has it.")
    ] = None,
    units: Annotated[int, typer.Option(min=1, max=10_000, help="How many units.")] = 3,
    kind: Annotated[str, typer.Option(help="Of all units; else drawn by the seed.")] = "",
    severity: Annotated[float, typer.Option(min=0, max=1, help="Of the faults.")] = 0.7,
    onset: Annotated[float, typer.Option(min=0, help="Hours from the start to the faults.")] = 1,
    step: Annotated[float, typer.Option(min=1, max=3600, help="Seconds between readings.")] = 60,
    speed: Annotated[float, typer.Option(min=0.01, help="So many times as quick as real.")] = 1,
    back: Annotated[float, typer.Option(min=0, help="Hours before now at which it starts.")] = 0,
    start: Annotated[str, typer.Option(help="Moment at which it starts, instead.")] = "",
    cycles: Annotated[int, typer.Option(min=0, help="Readings of each unit; 0: for ever.")] = 0,
    seed: Annotated[int, typer.Option(min=0, help="Of the first unit; the next has one more.")] = 1,
    profiles: Annotated[
        Path | None, typer.Option(help="Write each unit's profile into this folder.")
    ] = None,
    declare: Annotated[
        bool,
        typer.Option(help="Write the profiles into the record, so that the units are watched."),
    ] = True,
    broker: BrokerOption = "",
    database: DatabaseOption = "",
) -> None:
    """Have simulated cold rooms send their readings, as a bridge would."""
    plan = Plan(
        units=units,
        seed=seed,
        kind=_kind(kind),
        faults=tuple(_fault(name) for name in fault or ()),
        severity=severity,
        onset_s=onset * HOUR_S,
        step_s=step,
        speed=speed,
        cycles=cycles,
    )
    fleet = Fleet(plan, _start(start, back, speed))
    if profiles:
        profiles.mkdir(parents=True, exist_ok=True)
        for unit in fleet.units:
            (profiles / f"{unit.unit_id}.yaml").write_text(unit.profile.write(), "utf-8")
    output.out.print(
        f"{units} chambre(s) froide(s) simulée(s), graine {seed} ; Ctrl-C pour arrêter"
    )
    told = asyncio.run(_drive(fleet, broker, _record(database) if declare else ""))
    output.out.print(f"{told} mesure(s) publiée(s)")


def _record(database: str) -> str:
    """Return the record of the desk that runs here, else that of the settings."""
    here = running.find()
    return existing(database or (here.database if here else settings_of().database.url))


async def _drive(fleet: Fleet, broker: str, record: str) -> int:
    here = running.find()
    settings = settings_of(broker)
    embedded = bool(here and here.embedded and not settings.kafka.servers)
    address = settings.kafka.servers or (here.kafka if here else "")
    if not address:
        fail("no desk runs in this folder; name a Kafka with --broker HOST:PORT")
    async with Neighbours(settings, address, embedded=embedded) as near:
        await near.connect()
        if record:
            database = Database(record)
            await declare_in(database, [unit.profile for unit in fleet.units])
            database.close()

        async def publish(events: Sequence[Event]) -> None:
            await near.teller.tell(events, "simulator")

        try:
            return await drive(fleet, publish)
        finally:
            await near.broker.stop()


def _kind(name: str) -> Kind | None:
    try:
        return Kind(name) if name else None
    except ValueError:
        fail(f"no kind {name!r}; there are {', '.join(Kind)}")


def _fault(name: str) -> Fault:
    if name not in CAUSES:
        fail(f"{name!r} cannot be injected; there are {', '.join(CAUSES)}")
    return Fault(name)


def _start(start: str, back: float, speed: float) -> float:
    """Return when the units' time begins: what is quicker than real begins in the past."""
    if start:
        try:
            moment = datetime.fromisoformat(start)
        except ValueError:
            fail(f"--start {start!r} is no moment; write 2026-06-01T08:00:00Z")
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    past = back or (24.0 if speed > 1 else 0.0)
    return time.time() // 60 * 60 - past * HOUR_S
