"""What the commands print: for people, or as JSON for machines."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from astreinte.demonstration import News
from astreinte.process import Summary
from astreinte.story import Told
from gateways.groups import Rewound
from gateways.topics import Shape
from knowledge.wording import load_wording
from refrigeration.quantities import duration
from schemas.vocabulary import Action, Fault, Language, Severity
from services.survey import TopicState
from services.topics import Difference
from simulation.customers import Line

ADJUST = "`astreinte topics create --adjust` le règle ; aucun message n'est effacé."
ADVICE = {
    "missing": "le topic manque ; `astreinte topics create` le crée.",
    "hidden": "l'utilisateur de ASTREINTE_KAFKA_USER n'y a pas droit ; accordez-lui Describe, Read "
    "et Write (kafka-acls.sh).",
    "partitions": "pas assez de partitions, rien ne démarre. Les clés changent de partition quand "
    "leur nombre change : laissez le retard tomber à zéro, arrêtez tout, puis kafka-topics.sh "
    "--alter --topic TOPIC --partitions N, sinon les messages d'une conversation peuvent se "
    "dépasser.",
    "copies": "un broker perdu peut emporter des messages ; kafka-reassign-partitions.sh ajoute "
    "des copies.",
    "retention.ms": "gardé plus longtemps que prévu ; raccourcir efface des messages, donc à la "
    "main : kafka-configs.sh --alter --topic TOPIC --add-config retention.ms=PRÉVU.",
    "auto.create.topics.enable": "un nom mal écrit crée un topic d'une partition ; mettez false "
    "dans la configuration des brokers.",
}
"""What to do about a difference that we leave alone."""


class Printer(Console):
    """A desk goes on when whoever read its output has gone; rich would exit in the middle."""

    def on_broken_pipe(self) -> None:
        """Print into nothing from now on."""
        os.dup2(os.open(os.devnull, os.O_WRONLY), self.file.fileno())


out = Printer(highlight=False, soft_wrap=True)
err = Printer(stderr=True, highlight=False, soft_wrap=True)


def as_json(value: Any) -> None:
    """Print JSON."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def label(action: str, reason: str) -> str:
    """Say an action and its reason in French."""
    return f"{Action(action).fr} ({load_wording().reason(reason, Language.FR)})"


def customer(line: Line) -> None:
    """Print who writes what, shortened."""
    words = " ".join(line.text.split())[:68]
    out.print(f"  [cyan]{line.name} ({line.channel})[/]  « {words}… »", markup=True)


def story_line(told: Told) -> None:
    """Print one line of the story."""
    customer(told.line)
    if told.outcome is None:
        out.print("    [red]aucune réponse[/]")
    else:
        said = label(told.outcome.action, told.outcome.reason)
        sources = f" — {', '.join(told.outcome.sources)}" if told.outcome.sources else ""
        out.print(f"    → {said}{sources} · {told.seconds:.1f} s")


def room_line(news: News, url: str) -> None:
    """Print what became of an alarm of a cold room, and how it is taken on."""
    episode = news.episode
    known = Fault._value2member_map_.get(episode.fault)
    what = f"{news.unit} : {known.fr if isinstance(known, Fault) else episode.fault}"
    if episode.ended_at:
        lasted = duration((episode.ended_at - episode.began_at).total_seconds(), Language.FR)
        out.print(f"  [green]✓ {escape(what)}[/], terminé après {lasted}")
        return
    since = duration((datetime.now(UTC) - episode.began_at).total_seconds(), Language.FR)
    out.print(f"  [bold red]⚠ {escape(what)}[/], {Severity(episode.severity).fr}, depuis {since}")
    out.print(f"    → pour la prendre en charge : {url}/cold-rooms, « Je m'en occupe »")


def trace(page: dict[str, Any]) -> None:
    """Print the road of a message."""
    table = Table(title=f"trace {page['trace_id']} · {page['state']} · {page['total_ms']:.0f} ms")
    for name in ("étape", "depuis (ms)", "durée (ms)", "topic", "décision"):
        table.add_column(name, justify="right" if "ms" in name else "left")
    for step in page["steps"]:
        since, took = f"{step['since_ms']:.0f}", f"{step['took_ms']:.1f}"
        table.add_row(step["stage"], since, took, f"{step['topic']} {step['place']}", step["why"])
    out.print(table)


def topics(states: Sequence[TopicState], *, machine: bool) -> None:
    """Print the topics."""
    if machine:
        as_json([asdict(state) for state in states])
        return
    table = Table(title="topics", box=box.SIMPLE)
    for name in ("topic", "lu par"):
        table.add_column(name, no_wrap=True)
    for name in ("messages", "par minute", "retard", "plus ancien"):
        table.add_column(name, justify="right")
    for state in states:
        oldest = "" if state.oldest_s is None else f"{state.oldest_s:.1f} s"
        counts = (str(n) for n in (state.records, state.last_minute, state.lag))
        table.add_row(state.topic, state.reader, *counts, oldest)
    out.print(table)


def differences(found: Sequence[Difference], *, machine: bool) -> None:
    """Print what is not as the table of topics says, and what to do about it."""
    if machine:
        as_json([asdict(each) | {"fatal": each.fatal} for each in found])
        return
    if not found:
        out.print("Les topics sont tels que prévus.")
        return
    table = Table(title="ce qui diffère", box=box.SIMPLE)
    for name in ("topic", "quoi", "trouvé", "prévu"):
        table.add_column(name, no_wrap=True)
    for each in found:
        table.add_row(each.topic or "(serveur)", each.what, each.found, each.wanted)
    out.print(table)
    for what, each in {each.what: each for each in found}.items():
        advice = ADJUST if each.adjustable else ADVICE[what]
        out.print(f"{what} : {advice}", markup=False)


def created(name: str, shape: Shape) -> None:
    """Print that a topic was made."""
    out.print(f"créé : {name} ({shape.partitions} partitions, {shape.copies} copie(s))")


def rewound(group: str, back: Sequence[Rewound]) -> None:
    """Print from where a group reads again."""
    out.print(f"{group} : {sum(each.was_at - each.now_at for each in back)} message(s) à relire")
    for each in back:
        out.print(f"  {each.topic}/{each.partition} : {each.was_at} → {each.now_at}")


def adjusted(each: Difference) -> None:
    """Print that a configuration was set."""
    out.print(f"réglé : {each.topic} {each.what} {each.found} → {each.wanted}")


def summary(made: Summary, broken: int, *, machine: bool) -> None:
    """Print what became of a file."""
    total = sum(made.actions.values())
    p50, p95 = made.percentile(0.5), made.percentile(0.95)
    if machine:
        as_json(made.as_json() | {"broken": broken})
        return
    table = Table(title=f"{total} messages, p50 {p50:.0f} ms, p95 {p95:.0f} ms")
    table.add_column("issue")
    table.add_column("messages", justify="right")
    table.add_column("part", justify="right")
    for (action, reason), count in made.reasons.most_common():
        table.add_row(label(action, reason), str(count), f"{count / total:.0%}")
    if broken:
        table.add_row("[red]lignes illisibles[/]", str(broken), "")
    out.print(table)
