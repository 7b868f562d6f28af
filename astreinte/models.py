"""`astreinte models`: the language models there are, which one is asked, and why."""

from __future__ import annotations

import asyncio
import logging
from typing import Annotated, Any

import httpx
import typer
from pydantic import BaseModel
from rich import box
from rich.markup import escape
from rich.table import Table

from ai.llm import Ask, Filled, NoAnswer
from ai.models import Models
from ai.state import state_of
from astreinte import output, running
from astreinte.options import JsonOption, app, fail, settings_of
from services.language_models import models_of

models = typer.Typer(help="The language models.")
app.add_typer(models, name="models")

SYSTEM = "Answer in the language of the question, briefly."
ASK_S = 3.0
GB = 1e9
PRIVACY = {
    "local": "locale : rien ne quitte le réseau privé",
    "allowed": "distante, autorisée : données personnelles masquées",
    "refused": "distante, refusée",
}
BREAKER = {"closed": "fermé", "open": "ouvert", "half-open": "à l'essai"}
REASONS = {
    "named": "nommé dans les réglages",
    "only": "ce que le serveur propose",
    "gpu": "le plus grand qui tient dans {gpu} ({free} Go libres) et répond à temps ({s} s)",
    "cpu": "le plus grand qui tient en mémoire ({free} Go libres) et répond à temps ({s} s)",
    "elsewhere": "le plus grand qui répond à temps ({s} s) ; sa machine n'est pas visible d'ici",
    "embeds": "fait des vecteurs, pas de texte",
    "leaves": "tourne ailleurs, ce qui n'est pas autorisé",
    "memory": "demande {needs} Go, {free} Go sont disponibles",
    "slow": "une réponse prendrait {s} s, la limite est {limit} s",
    "smaller": "un plus grand convient",
    "other": "un autre est nommé dans les réglages",
    "unnamed": "le serveur en propose beaucoup : en nommer un",
}
"""The reasons of `ai/choice.py`, as operators read them."""


class Reply(BaseModel):
    """The form of a trial's answer."""

    reply: str


@models.callback(invoke_without_command=True)
def show(context: typer.Context, json_: JsonOption = False) -> None:
    """Show the language models: what there is, which one is asked, and why."""
    if context.invoked_subcommand:
        return
    found = _of_the_desk() or asyncio.run(_looked())
    if json_:
        output.as_json(found)
    else:
        _print(found)


@models.command("try")
def try_(
    text: Annotated[str, typer.Argument(help="What is asked.", metavar="TEXT")],
    json_: JsonOption = False,
) -> None:
    """Ask one question of the model that is chosen now: its answer, time and tokens."""
    logging.basicConfig(level=logging.CRITICAL)
    try:
        filled = asyncio.run(_tried(text))
    except NoAnswer as why:
        fail(f"no answer: {why}")
    if json_:
        output.as_json(_figures(filled) | {"reply": filled.value.reply})
        return
    output.out.print(filled.value.reply, markup=False)
    output.out.print(
        f"  {filled.model} ({filled.backend}) · {filled.seconds:.1f} s · "
        f"{filled.prompt_tokens} + {filled.answer_tokens} tokens"
        + (f" · coût {filled.cost:.4f}" if filled.cost else ""),
        markup=False,
    )


def _figures(filled: Filled[Reply]) -> dict[str, Any]:
    names = ("model", "backend", "degraded", "prompt_tokens", "answer_tokens", "seconds", "cost")
    return {name: getattr(filled, name) for name in names}


def _of_the_desk() -> dict[str, Any]:
    """Return what the desk of this folder says: it knows its errors and its circuits."""
    here = running.find()
    if here is None:
        return {}
    try:
        answer = httpx.get(f"{here.url}/health/models", timeout=ASK_S, trust_env=False)
        found: dict[str, Any] = answer.raise_for_status().json()
    except (httpx.HTTPError, ValueError):
        return {}
    return found


async def _looked() -> dict[str, Any]:
    found = models_of(settings_of())
    await found.look()
    state = state_of(found)
    await found.close()
    return state


async def _tried(text: str) -> Filled[Reply]:
    found: Models = models_of(settings_of())
    budget_s = sum(route.limits.timeout_s for route in found.routes)
    try:
        return await found.fill(Ask("try", SYSTEM, text, Reply, budget_s=budget_s))
    finally:
        await found.close()


def _print(found: dict[str, Any]) -> None:
    output.out.print(_machine(found["machine"]), markup=False)
    if not found["backends"]:
        output.out.print("Aucun serveur de modèles n'est réglé : les modèles de texte répondent.")
    for each in found["backends"]:
        _print_backend(each)
    if found["answers"] is None:
        output.out.print("\n[bold]Personne ne répond : les réponses viennent des textes types.[/]")


def _machine(machine: dict[str, Any] | None) -> str:
    if machine is None:
        return "Machine : pas encore regardée"
    gpu = machine["gpu"]
    card = f"GPU {gpu['name']}, {gpu['total'] / GB:.0f} Go" if gpu else "aucun GPU"
    free, memory = machine["free"] / GB, machine["memory"] / GB
    return f"Machine : {card} · {free:.1f} Go libres sur {memory:.1f} · {machine['cores']} cœurs"


def _print_backend(each: dict[str, Any]) -> None:
    mark = "[bold red]✗[/]" if each["closed"] else "[green]✓[/]"
    output.out.print(f"\n{mark} [bold]{each['name']}[/]  {escape(each['url'])}")
    output.out.print(f"  {PRIVACY[each['privacy']]} · disjoncteur {BREAKER[each['breaker']]}")
    if each["chosen"]:
        loading = ", en cours de chargement" if each["loading"] else ""
        output.out.print(
            f"  modèle [bold]{escape(each['chosen'])}[/]{loading} : {_why(each['why'])}"
        )
    if each["closed"]:
        output.out.print(f"  fermé : {each['closed']}", markup=False)
    if each["pull"]:
        output.out.print(f"  à faire : {each['pull']}", markup=False)
    if each["price_in"] or each["price_out"]:
        cap = f" sur {each['monthly_cap']:g}" if each["monthly_cap"] else ", sans plafond"
        output.out.print(f"  ce mois : {each['spent']:.2f}{cap}")
    if each["models"]:
        output.out.print(_table(each["models"]))
    for error in each["errors"]:
        output.out.print(f"  {error['at']}  {error['what']}", style="red", markup=False)


def _why(reason: dict[str, Any]) -> str:
    return escape(REASONS[reason["code"]].format(**reason["figures"]))


def _table(rows: list[dict[str, Any]]) -> Table:
    table = Table(box=box.SIMPLE)
    table.add_column("modèle", no_wrap=True)
    for name in ("Go", "réponse (s)"):
        table.add_column(name, justify="right")
    table.add_column("en mémoire")
    table.add_column("constat", overflow="fold")
    for row in rows:
        size = f"{row['size'] / GB:.1f}" if row["size"] else ""
        seconds = "" if row["reply_s"] is None else f"{row['reply_s']:.0f}"
        guessed = "" if row["measured"] or not seconds else " ≈"
        where = ("GPU" if row["on_gpu"] > 0.5 else "oui") if row["loaded"] else ""  # noqa: PLR2004
        mark = "[green]✓[/] " if row["usable"] and row["reason"]["code"] != "smaller" else ""
        table.add_row(
            escape(row["name"]), size, seconds + guessed, where, mark + _why(row["reason"])
        )
    return table
