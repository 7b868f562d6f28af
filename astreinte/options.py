"""What all commands share: the application, options, settings, and how one gives up."""

from __future__ import annotations

from typing import Annotated, NoReturn

import typer
from pydantic_settings import BaseSettings

from astreinte import output
from services.settings import DatabaseSettings, KafkaSettings, Settings
from storage.engine import file_of

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


def settings_of(kafka: str = "", database: str = "") -> Settings:
    """Return the settings of the environment, with the command's own on top."""
    chosen: dict[str, BaseSettings] = {}
    if kafka:
        chosen["kafka"] = KafkaSettings(servers=kafka)
    if database:
        chosen["database"] = DatabaseSettings(url=database)
    return Settings.model_validate(chosen)


def fail(why: str) -> NoReturn:
    """Say why in a sentence and end with status 1."""
    output.err.print(f"astreinte: {why}", style="red", markup=False)
    raise typer.Exit(1)


def existing(url: str) -> str:
    """Return a record's URL; a file that is not there is said, instead of made by looking."""
    file = file_of(url)
    if file and not file.exists():
        fail(f"there is no record at {file}: no desk has run in this folder")
    return url
