"""`astreinte findings`: what people say of what was found in a message."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from astreinte import output
from astreinte.options import DatabaseOption, app, fail
from astreinte.record import in_record, user
from knowledge.extraction.corrections import Correction
from schemas.vocabulary import FindingKind
from storage import devices

LONGEST = 255

findings = typer.Typer(help="What people say of what was found in messages.", no_args_is_help=True)
app.add_typer(findings, name="findings")

MessageArgument = Annotated[
    str, typer.Argument(help="The message, or a conversation: its newest message.")
]
KindArgument = Annotated[FindingKind, typer.Argument(help="What it is.")]
ByOption = Annotated[str, typer.Option(help="Who says so; else who is logged in.")]


@findings.command()
def correct(
    message: MessageArgument,
    kind: KindArgument,
    value: Annotated[str, typer.Argument(help="What is right.")],
    instead_of: Annotated[str, typer.Option(help="What was found and is not right.")] = "",
    called: Annotated[str, typer.Option(help="How the customer calls it, as in the message.")] = "",
    by: ByOption = "",
    database: DatabaseOption = "",
) -> None:
    """Say what is right: instead of something, to confirm it, or to add it."""
    _remember(message, kind, (instead_of, value, called), by, database)


@findings.command()
def remove(
    message: MessageArgument,
    kind: KindArgument,
    value: Annotated[str, typer.Argument(help="What was found and is not there.")],
    by: ByOption = "",
    database: DatabaseOption = "",
) -> None:
    """Say that something is not there at all: « B12 » is a room and no code."""
    _remember(message, kind, (value, "", ""), by, database)


def _remember(
    name: str, kind: FindingKind, said: tuple[str, str, str], by: str, database: str
) -> None:
    old, value, words = (" ".join(each.split()) for each in said)
    if not (old or value):
        fail("nothing is said: the value is empty")
    if max(map(len, (old, value, words))) > LONGEST:
        fail(f"a value of more than {LONGEST} characters")
    now = datetime.now(UTC)

    def work(session: Any) -> bool | None:
        message = devices.message_named(session, name)
        if message is None:
            return None
        correction = Correction(message.conversation_id, kind.value, old, value, words)
        return devices.correct(session, message, correction, (by or user())[:80], now)

    done = in_record(database, work, write=True)
    if done is None:
        fail(f"there is no message or conversation {name}")
    output.out.print("Retenu." if done else "Déjà retenu.")
