"""`astreinte units`: what is declared of cold rooms, and what their loggers suggest."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from pydantic import ValidationError
from rich import box
from rich.table import Table

from astreinte import output, running
from astreinte.drafting import draft as drafted
from astreinte.histories import read
from astreinte.options import DatabaseOption, JsonOption, app, existing, fail, settings_of
from refrigeration import normal
from refrigeration.advice import Remark, remarks
from refrigeration.profile import Profile
from refrigeration.replay import summaries
from storage import profiles
from storage.database import Database
from storage.profiles import Kept

T = TypeVar("T")

units = typer.Typer(help="Cold rooms: their profiles.", no_args_is_help=True)
app.add_typer(units, name="units")

LEAST_WINDOWS = 96
"""Of a day: fewer say little of a unit, since its night is missing."""
MAX_FILE_BYTES = 1_048_576

UnitArgument = Annotated[str, typer.Argument(help="The unit's id.", metavar="UNIT")]


@units.command()
def add(
    file: Annotated[list[Path], typer.Argument(help="YAML profiles.")],
    force: Annotated[
        bool, typer.Option("--force", help="Also one that contradicts itself.")
    ] = False,
    database: DatabaseOption = "",
) -> None:
    """Declare units, or change them: from then on their readings are watched."""
    told = [(path, profile_in(path)) for path in file]
    for path, profile in told:
        wrong = [remark for remark in remarks(profile) if remark.wrong]
        _print(wrong)
        if wrong and not force:
            fail(f"{path}: it contradicts itself; mend it, or take --force")
    done = {"new": "ajoutée", "changed": "modifiée", "same": "inchangée"}

    def save(session: Any) -> list[str]:
        now = datetime.now(UTC)
        return [profiles.save(session, each.model_dump(mode="json"), now) for _, each in told]

    for (_, profile), became in zip(told, _with_record(database, save, new=True), strict=True):
        output.out.print(f"{profile.unit_id} : {done[became]}", markup=False)


@units.command(name="list")
def list_(database: DatabaseOption = "", json_: JsonOption = False) -> None:
    """Show the units of the record, also those that only readings named."""
    found = _with_record(database, profiles.every)
    if json_:
        output.as_json([_as_dict(each) for each in found])
        return
    table = Table(title="unités", box=box.SIMPLE)
    for name in ("unité", "nom", "genre", "fluide", "consigne", "capteurs", "astreinte", "état"):
        table.add_column(name, overflow="fold")  # whole, however narrow the terminal
    for each in found:
        table.add_row(each.unit_id, *_cells(each))
    output.out.print(table)


@units.command()
def show(unit: UnitArgument, database: DatabaseOption = "", json_: JsonOption = False) -> None:
    """Show a unit's profile as YAML, as it would be written in a file."""
    found = _one(database, unit)
    if json_:
        output.as_json(_as_dict(found))
        return
    profile = _profile(found)
    typer.echo(profile.model_copy(update={"learned": {}}).write(), nl=False)
    if profile.learned:
        typer.echo(f"# appris : {profile.learned.get('windows', '?')} fenêtres de marche normale")


@units.command()
def check(
    file: Annotated[Path, typer.Argument(help="A YAML profile.")], json_: JsonOption = False
) -> None:
    """Say what contradicts itself in a profile, and what is missing; status 1 for the former."""
    found = remarks(profile_in(file))
    if json_:
        output.as_json([remark._asdict() for remark in found])
    else:
        _print(found)
        if not found:
            output.out.print("Rien à redire.")
    raise typer.Exit(1 if any(remark.wrong for remark in found) else 0)


@units.command()
def learn(
    unit: UnitArgument,
    file: Annotated[Path, typer.Argument(help="CSV of days that were normal.")],
    database: DatabaseOption = "",
) -> None:
    """Learn what is normal for a unit from its logger's export of good days."""
    kept = _one(database, unit)
    profile = _profile(kept)
    try:
        history = read(file, profile).history
    except (OSError, ValueError) as error:
        fail(str(error))
    found = normal.learn(profile, summaries(profile, history, len(history)))
    windows = int(found.get("windows", 0))
    if windows < LEAST_WINDOWS or not found["features"]:
        hours = windows * normal.MINUTES_APART / 60
        fail(f"{file}: {hours:.0f} hours are too few, a day is the least; three days are good")

    def save(session: Any) -> str:
        body = profile.model_copy(update={"learned": found}).model_dump(mode="json")
        return profiles.save(session, body, datetime.now(UTC))

    _with_record(database, save)
    output.out.print(
        f"{unit} : {windows} fenêtres, {len(found['features'])} grandeurs apprises", markup=False
    )


@units.command()
def draft(
    file: Annotated[Path, typer.Argument(help="A logger's export (CSV).")],
    unit: Annotated[str, typer.Option(help="The unit's id; else the file's name.")] = "",
    name: Annotated[str, typer.Option(help="What people call it; else the file's name.")] = "",
    out: Annotated[Path | None, typer.Option(help="Write the YAML there.")] = None,
) -> None:
    """Propose a profile from a logger's export: columns, units, interval, set-point, limits."""
    try:
        found = drafted(file, unit, name)
    except (OSError, ValueError) as error:
        fail(str(error))
    if out is None:
        typer.echo(found.write(), nl=False)
        return
    if out.exists():
        fail(f"{out} is there already")
    out.write_text(found.write(), "utf-8")
    for note in found.notes:
        output.out.print(f"  {note}", markup=False)
    output.out.print(f"→ {out} ; relisez-le, puis `astreinte units check {out}`", markup=False)


def profile_in(path: Path) -> Profile:
    """Return the profile of a file; what is wrong with it is said, and ends the command."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            fail(f"{path}: larger than {MAX_FILE_BYTES} bytes")
        return Profile.read(path)
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_input=False)
        said = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'profile'}: {e['msg']}" for e in wrong)
        fail(f"{path}: {said}")
    except (OSError, ValueError, RecursionError) as error:
        fail(f"{path}: {error}" if str(path) not in str(error) else str(error))


def _with_record(url: str, work: Callable[[Any], T], *, new: bool = False) -> T:
    here = running.find()
    chosen = url or (here.database if here else settings_of().database.url)
    record = Database(chosen if new else existing(chosen))

    async def run() -> T:
        await record.prepare(settings_of().database.connect_s)
        return await record.write(work)

    try:
        return asyncio.run(run())
    finally:
        record.close()


def _one(database: str, unit: str) -> Kept:
    found = _with_record(database, lambda session: profiles.one(session, unit))
    if found is None or not found.declared:
        fail(f"no unit {unit} is declared: `astreinte units add FILE` does it")
    return found


def _profile(kept: Kept) -> Profile:
    try:
        return Profile.model_validate(kept.profile)
    except ValidationError as error:
        fail(f"the profile of {kept.unit_id} does not fit: {error.error_count()} field(s)")


def _as_dict(kept: Kept) -> dict[str, Any]:
    read_at = kept.read_at.isoformat() if kept.read_at else None
    return {"unit_id": kept.unit_id, "declared": kept.declared, "read_at": read_at} | {
        "profile": kept.profile
    }


def _cells(kept: Kept) -> tuple[str, ...]:
    body = kept.profile
    point = body.get("set_point_c")
    learned = (body.get("learned") or {}).get("windows")
    state = f"appris ({learned})" if learned else "déclarée" if kept.declared else "non déclarée"
    return (
        str(body.get("name", "")),
        str(body.get("kind", "")),
        str(body.get("refrigerant", "")),
        "" if point is None else f"{point:g} °C",
        str(len(body.get("sensors") or {})),
        ", ".join(body.get("on_call") or ()),
        state,
    )


def _print(found: Sequence[Remark]) -> None:
    for remark in found:
        style = "red" if remark.wrong else "yellow"
        output.out.print("contradiction" if remark.wrong else "à compléter", style=style, end=" : ")
        output.out.print(remark.text, markup=False)
