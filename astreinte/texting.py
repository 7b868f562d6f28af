"""`astreinte sms`: what a text message would be, and in how many segments it is paid for."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from astreinte import output
from astreinte.options import JsonOption, app
from knowledge.segments import ADVISED, LONGEST, in_plain_letters, segments


@app.command()
def sms(
    text: Annotated[str, typer.Argument(help="What is to be sent.", metavar="TEXT")],
    json_: JsonOption = False,
) -> None:
    """Show a text as it would be sent, and its segments; status 1 when it is too long."""
    made = in_plain_letters(text)
    found, before = segments(made), segments(text)
    too_long = len(made) > LONGEST
    if json_:
        output.as_json({"text": made} | asdict(found) | {"as_written": asdict(before)})
        raise typer.Exit(int(too_long))
    output.out.print(made, markup=False)
    spared = f" au lieu de {before.count}" if before.count > found.count else ""
    output.out.print(
        f"[bold]{found.count} segment(s)[/]{spared} · {found.encoding} · {found.places} places"
    )
    if too_long:
        output.out.print(f"[red]{len(made)} caractères : {LONGEST} au plus sont acceptés.[/]")
    elif len(made) > ADVISED:
        output.out.print(f"{len(made)} caractères : mieux vaut {ADVISED} au plus.")
    raise typer.Exit(int(too_long))
