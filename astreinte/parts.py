"""`astreinte run`: parts of the desk in a process of their own."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Annotated

import typer

from astreinte.faces import FACES, face
from astreinte.options import app
from services import logs, serve

PARTS = (*serve.RUNNING, *FACES)


def _known(parts: list[str]) -> list[str]:
    for name in parts:
        if name not in PARTS:
            msg = f"no part {name!r}; there are: {', '.join(PARTS)}"
            raise typer.BadParameter(msg)
    return parts


@app.command()
def run(
    part: Annotated[
        list[str], typer.Argument(help=", ".join(PARTS), metavar="PART...", callback=_known)
    ],
) -> None:
    """Run parts of the desk in this process, against the Kafka and the database of the settings."""
    chosen = [name for name in PARTS if name in part]
    logs.begin(chosen)
    faces = [name for name in FACES if name in part]
    status = asyncio.run(serve.run(chosen, partial(face, parts=faces) if faces else None))
    raise typer.Exit(status)
