"""Where alarms of cold rooms leave: a card for a person, sent once and edited as it goes on.

A door is used for one recipient at a time; who is told, when, and how often is dispatch's. Channels
are a matter of the roster: a door more is a class more.
"""

from __future__ import annotations

import asyncio
import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TextIO
from uuid import uuid4

from schemas.vocabulary import Language, Severity


@dataclass(frozen=True)
class Card:
    """What a person is shown of an episode, in that person's language.

    `open`: the episode goes on, so there are buttons. `acknowledged`: somebody looks after it, so
    the button that says so is gone. `kind`: raised, cleared, or a reminder.
    """

    episode_id: str
    unit_id: str
    title: str
    text: str
    short_text: str
    severity: Severity
    language: Language = Language.FR
    open: bool = True
    acknowledged: bool = False
    kind: str = "raised"

    @property
    def urgent(self) -> bool:
        """It goes before others that wait."""
        return self.severity is Severity.CRITICAL


class AlertDoor(Protocol):
    """A way to a person; `to` is the address that the roster gives for it."""

    name: str

    async def send(self, to: str, card: Card) -> str:
        """Show a card, and return the reference under which it is edited.

        Raises
        ------
        Unavailable
            Not now: nothing left. `retry_after_s` says when, where the provider said so.
        Rejected
            Never: no such recipient, or the recipient does not want us.
        OutcomeUnknown
            `gateways.outbound`'s: it may have left.
        """

    async def edit(self, to: str, reference: str, card: Card) -> None:
        """Show another card in the place of the one that `send` returned.

        Raises
        ------
        Unavailable
            Not now; it may be tried again, were it twice: an edit repeated changes nothing.
        Rejected
            Never: the message is gone. A new one has to be sent.
        """

    async def close(self) -> None:
        """Let connections go."""


class LoadedDoor:
    """A door whose library takes seconds to load: in a thread, while all else goes on.

    Parameters
    ----------
    name
        Of the door.
    module
        What takes its time to load.
    make
        Makes the door, once that is loaded.
    """

    def __init__(self, name: str, module: str, make: Callable[[], AlertDoor]) -> None:
        self.name = name
        self._module = module
        self._make = make
        self._loading: asyncio.Task[AlertDoor] | None = None

    def start(self) -> None:
        """Begin to load, so that the first card does not wait for it."""
        self._loading = self._loading or asyncio.create_task(self._load())

    async def _load(self) -> AlertDoor:
        await asyncio.to_thread(importlib.import_module, self._module)
        return self._make()

    async def _door(self) -> AlertDoor:
        self._loading = self._loading or asyncio.create_task(self._load())
        return await asyncio.shield(self._loading)  # whoever gives up leaves it to the next

    async def send(self, to: str, card: Card) -> str:
        """Do as `AlertDoor.send` says."""
        return await (await self._door()).send(to, card)

    async def edit(self, to: str, reference: str, card: Card) -> None:
        """Do as `AlertDoor.edit` says."""
        await (await self._door()).edit(to, reference, card)

    async def close(self) -> None:
        """Let connections go, if there are any."""
        if self._loading and self._loading.done() and not self._loading.exception():
            await self._loading.result().close()


class ConsoleDoor:
    """Alarms are printed: for a desk that is tried out, and for logs."""

    name = "console"

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out

    async def send(self, to: str, card: Card) -> str:
        """Print the card."""
        self._print(to, card)
        return uuid4().hex

    async def edit(self, to: str, reference: str, card: Card) -> None:
        """Print what it says now."""
        del reference
        self._print(to, card)

    async def close(self) -> None:
        """Nothing to do."""

    def _print(self, to: str, card: Card) -> None:
        mark = "●" if card.open else "○"
        body = "\n".join(f"    {line}" for line in card.text.splitlines())
        severity = card.severity.label(card.language)
        print(f"{mark} {card.title} ({severity}) → {to}\n{body}", file=self._out or sys.stdout)
