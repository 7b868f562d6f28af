"""`astreinte asyncapi`: the contract of the topics, for whoever writes programs beside this one."""

from __future__ import annotations

import typer
import yaml

from astreinte import output
from astreinte.options import JsonOption, app
from services import contract


@app.command()
def asyncapi(json_: JsonOption = False) -> None:
    """Print the contract of the topics: an AsyncAPI 3.0 document, as YAML."""
    document = contract.document()
    if json_:
        output.as_json(document)
    else:
        typer.echo(yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=100))
