"""`astreinte channels`: is each channel that is set complete, signed, and let in."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict

import typer
from rich import box
from rich.markup import escape
from rich.table import Table

from astreinte import output
from astreinte.alarm_checks import alarms
from astreinte.finding import Finding
from astreinte.mail_checks import mail_in, mail_out
from astreinte.options import JsonOption, app, settings_of
from astreinte.telegram_checks import telegram
from astreinte.twilio_checks import twilio
from services.settings import Settings

channels = typer.Typer(help="The channels by which customers write.")
app.add_typer(channels, name="channels")


Check = Callable[[Settings], AsyncIterator[Finding]]
CHECKS: list[Check] = [mail_in, mail_out, twilio, telegram, alarms]
"""One function for each vendor; it finds nothing where the vendor is not set."""


@channels.callback()
def about() -> None:
    """Look after the channels by which customers write."""


@channels.command()
def check(json_: JsonOption = False) -> None:
    """Check each channel that is set; status 1 when a check fails."""
    logging.basicConfig(level=logging.CRITICAL)
    found = asyncio.run(_all(settings_of()))
    if json_:
        output.as_json([asdict(each) for each in found])
    else:
        _show(found)
    raise typer.Exit(0 if all(each.good for each in found) else 1)


async def _all(settings: Settings) -> list[Finding]:
    return [finding for each in CHECKS async for finding in each(settings)]


def _show(found: list[Finding]) -> None:
    if not found:
        output.out.print("Aucun canal de fournisseur n'est réglé (docs/channels.md).")
        return
    table = Table(title="canaux", box=box.SIMPLE)
    for name in ("canal", "contrôle", "", "constat"):
        table.add_column(name, overflow="fold")
    for each in found:
        mark = "[green]✓[/]" if each.good else "[bold red]✗[/]"
        table.add_row(each.channel, escape(each.what), mark, escape(each.detail))
    output.out.print(table)
