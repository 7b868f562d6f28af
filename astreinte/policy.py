"""`astreinte conversation` and `astreinte breaker`: where the machine is silent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer
from rich import box
from rich.markup import escape
from rich.table import Table

from astreinte import output
from astreinte.options import DatabaseOption, JsonOption, app, fail
from astreinte.record import in_record, user
from knowledge.wording import load_wording
from schemas.vocabulary import Language
from storage import breaker as breakers
from storage import permission
from storage.tables import Breaker, Conversation

conversation = typer.Typer(
    help="Conversations in which the machine is silent.", no_args_is_help=True
)
app.add_typer(conversation, name="conversation")
breaker = typer.Typer(help="Whether replies leave by themselves at all.", no_args_is_help=True)
app.add_typer(breaker, name="breaker")

NameArgument = Annotated[str, typer.Argument(help="The conversation.")]
ByOption = Annotated[str, typer.Option(help="Who does it; else who is logged in.")]

WHY = {
    "too_many": "trop de réponses automatiques",
    "failing": "trop d'envois en échec",
    "by_hand": "arrêt demandé",
}


@conversation.command(name="list")
def list_(database: DatabaseOption = "", json_: JsonOption = False) -> None:
    """Show the conversations in which the machine is silent, the longest first."""
    found = in_record(database, permission.silences)
    if json_:
        output.as_json([each.model_dump(mode="json") for each in found])
        return
    table = Table(title="conversations sans réponse automatique", box=box.SIMPLE)
    for name in ("conversation", "depuis", "raison", "par"):
        table.add_column(name)
    for each in found:
        reason = load_wording().reason(each.reason, Language.FR)
        table.add_row(each.conversation_id, _clock(each.since), escape(reason), escape(each.by))
    output.out.print(table)


@conversation.command()
def silence(name: NameArgument, by: ByOption = "", database: DatabaseOption = "") -> None:
    """Have the machine be silent in a conversation: a person answers there."""

    def work(session: Any) -> bool | None:
        if session.get(Conversation, name) is None:
            return None
        return permission.silence(session, name, by or user(), datetime.now(UTC), "by_hand")

    done = in_record(database, work, write=True)
    if done is None:
        fail(f"there is no conversation {name}")
    output.out.print("La machine s'y tait." if done else "La machine s'y taisait déjà.")


@conversation.command()
def release(name: NameArgument, by: ByOption = "", database: DatabaseOption = "") -> None:
    """Let the machine answer again in a conversation."""
    who, now = by or user(), datetime.now(UTC)
    if not in_record(database, permission.release, name, who, now, write=True):
        fail(f"the machine is not silent in {name}")
    output.out.print("La machine y répond de nouveau.")


@breaker.command()
def show(database: DatabaseOption = "", json_: JsonOption = False) -> None:
    """Say whether replies leave by themselves; status 1 while they do not."""
    row = in_record(database, breakers.last)
    is_open = breakers.is_open(row, datetime.now(UTC))
    if json_:
        output.as_json({"open": is_open, "last": row.model_dump(mode="json") if row else None})
    elif row and is_open:
        output.out.print(f"Arrêté depuis {_clock(row.opened_at)} : {_why(row)}. {_end(row)}")
    else:
        output.out.print("Les réponses partent d'elles-mêmes.")
    raise typer.Exit(1 if is_open else 0)


@breaker.command(name="open")
def open_(
    minutes: Annotated[int, typer.Option(min=0, help="For so long; 0: until it is closed.")] = 0,
    by: ByOption = "",
    database: DatabaseOption = "",
) -> None:
    """Have no reply leave by itself: every message is handed over to people."""
    now = datetime.now(UTC)
    until = now + timedelta(minutes=minutes) if minutes else None
    who = by or user()
    row = in_record(database, breakers.open_, "by_hand", who, now, until, write=True)
    output.out.print(f"Plus aucune réponse ne part d'elle-même. {_end(row)}")


@breaker.command()
def close(by: ByOption = "", database: DatabaseOption = "") -> None:
    """Let replies leave by themselves again; what was handed over stays so."""
    if not in_record(database, breakers.close, by or user(), datetime.now(UTC), write=True):
        fail("the breaker is not open")
    output.out.print("Les réponses partent de nouveau d'elles-mêmes.")


def _clock(moment: datetime) -> str:
    return moment.astimezone().strftime("%d/%m %H:%M")


def _why(row: Breaker) -> str:
    return f"{WHY.get(row.reason, row.reason)} ({row.detail})"


def _end(row: Breaker) -> str:
    if row.until:
        return f"Reprise à {row.until.astimezone():%H:%M}, ou par `astreinte breaker close`."
    return "Reprise par `astreinte breaker close`."
