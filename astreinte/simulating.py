"""`astreinte simulate`: invented customers write to a desk, wherever it runs.

The rooms that send are in `astreinte.rooms`.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Annotated

import httpx
import typer

from astreinte import output, running
from astreinte.options import app, fail
from services.settings import HttpSettings
from simulation.customers import STORY, as_request

simulating = typer.Typer()
app.add_typer(simulating, name="simulate")


@simulating.callback(invoke_without_command=True)
def simulate(
    context: typer.Context,
    url: Annotated[str, typer.Option(help="The edge's; else the desk that runs here.")] = "",
    every: Annotated[float, typer.Option(min=0, help="Again, so many seconds later; 0: once.")] = 0,
) -> None:
    """Have invented customers write to an edge, as a gateway would hand their messages in."""
    if context.invoked_subcommand:
        return
    here = running.find()
    base = url or (here.url if here else f"http://{HttpSettings().host}:{HttpSettings().port}")
    with httpx.Client(base_url=base, timeout=30, trust_env=False) as client:
        while True:
            refused = _write_all(client)
            if not every:
                break
            time.sleep(every)
    if refused:
        fail(f"{refused} message(s) were not taken")


def _write_all(client: httpx.Client) -> int:
    """Hand the story's messages in once; return how many were not taken."""
    run = datetime.now(UTC).strftime("%Y%m%d%H%M%S%f")
    refused = 0
    for number, line in enumerate(STORY, 1):
        time.sleep(line.after_s)
        output.customer(line)
        try:
            answer = client.post("/messages", json=as_request(line, number, run))
        except httpx.TransportError as error:
            said, taken = f"aucune réponse : {error}", False
        else:
            taken = answer.is_success
            said = f"refusé ({answer.status_code}) : {answer.text[:200]}"
            if taken:
                said = f"pris en charge · trace {answer.json()['trace_id']}"
        output.out.print(f"    → {said}", markup=False)
        refused += not taken
    return refused
