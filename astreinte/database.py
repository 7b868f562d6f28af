"""`astreinte database`: the record's schema, up and down, and how the record is."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, TypeVar

import typer
from rich import box
from rich.table import Table
from sqlalchemy import Connection, Engine

from astreinte import output
from astreinte.options import DatabaseOption, JsonOption, app, existing, fail, settings_of
from schemas.errors import Unavailable
from storage import checkup, schema
from storage.checkup import Checkup
from storage.engine import engine_of, explained, shown

T = TypeVar("T")

database = typer.Typer(help="The record: its schema, and how it is.", no_args_is_help=True)
app.add_typer(database, name="database")


@database.command()
def migrate(
    to: Annotated[str, typer.Option(help="Step to go up to.", metavar="STEP")] = schema.HEAD,
    database: DatabaseOption = "",
) -> None:
    """Bring the record to the step that this program needs; the data stay."""
    engine = _engine(database)
    began = time.monotonic()
    before = _patiently(engine, lambda: _step_of(engine))
    if before > to:
        fail(f"step {to} lies behind: use `astreinte database downgrade {to}`, it may lose data")
    _, after = _patiently(engine, lambda: schema.migrate(engine, to))
    where = shown(engine.url)
    if before == after:
        output.out.print(f"{where} : déjà à l'étape {after}")
    else:
        seconds = time.monotonic() - began
        output.out.print(f"{where} : étape {before or '—'} → {after} en {seconds:.1f} s")


@database.command()
def downgrade(
    step: Annotated[str, typer.Argument(help="Step to go back to.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    database: DatabaseOption = "",
) -> None:
    """Take the record back to an older step; says first what is lost, and asks."""
    engine = _engine(database)
    with explained(shown(engine.url)):
        before = _step_of(engine)
        if step >= before:
            fail(f"the record is at step {before or 'none'}: {step} does not lie behind")
        with engine.connect() as connection:
            losses = _losses(connection, before, step)
        output.out.print(f"{shown(engine.url)} : étape {before} → {step}")
        for name, what in losses.items():
            output.out.print(f"  perdu : {name} ({what})")
        if engine.dialect.name == "sqlite":
            output.out.print("  Un fichier SQLite remonte de lui-même au prochain démarrage.")
        if not yes:
            typer.confirm("Continuer ?", abort=True)
        schema.migrate(engine, step)
    output.out.print(f"Étape {step}.")


@database.command()
def check(database: DatabaseOption = "", json_: JsonOption = False) -> None:
    """Say how the record is; status 1, and what to do, when something is wrong."""
    engine = engine_of(existing(database or settings_of().database.url))
    with explained(shown(engine.url)):
        found = checkup.examine(engine)
    if json_:
        output.as_json(asdict(found))
    else:
        _print(shown(engine.url), found)
    for wrong in found.wrong:
        output.err.print(f"astreinte: {wrong}", style="red", markup=False)
    raise typer.Exit(1 if found.wrong else 0)


def _losses(connection: Connection, before: str, step: str) -> dict[str, str]:
    """Return each table that goes, with its rows, and each that loses columns, with these."""
    found: dict[str, str] = {}
    for name, rows in schema.losses(connection, before, step):
        table, _, column = name.partition(".")
        if column:
            found[table] = f"{found[table]}, {column}" if table in found else f"colonnes {column}"
        else:
            found[table] = f"{rows} lignes"
    return found


def _engine(url: str) -> Engine:
    return engine_of(url or settings_of().database.url, answer_s=None)


def _step_of(engine: Engine) -> str:
    with engine.connect() as connection:
        return schema.version_of(connection)


def _patiently(engine: Engine, work: Callable[[], T]) -> T:
    """Wait for a server that does not answer yet, as long as a start does."""
    until = time.monotonic() + settings_of().database.connect_s
    while True:
        try:
            with explained(shown(engine.url)):
                return work()
        except Unavailable:
            if time.monotonic() >= until:
                raise
        time.sleep(1)


def _print(where: str, found: Checkup) -> None:
    access = {None: "inconnu", True: "lecture et écriture", False: "lecture seule"}
    needed = "celle de ce programme" if found.step == schema.HEAD else f"attendue : {schema.HEAD}"
    table = Table(title=where, show_header=False, box=box.SIMPLE)
    table.add_row("serveur", found.server)
    table.add_row("étape", f"{found.step or 'aucune'} ({needed})")
    table.add_row("accès", access[found.writable])
    table.add_row("textes", found.texts)
    table.add_row("mode", found.mode)
    rows = (f"{name} {count}" for name, count in sorted(found.rows.items()) if count)
    table.add_row("lignes (environ)", ", ".join(rows) or "aucune")
    output.out.print(table)
