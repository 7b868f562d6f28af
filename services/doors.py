"""The doors by which replies leave: each channel has its own, or the desk's common one."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from gateways.outbound import Outbound
from schemas.errors import Unavailable


class Doors:
    """All doors of a desk.

    `usual` serves every channel that `by_channel` names no other for.
    """

    def __init__(self, usual: Outbound, by_channel: Mapping[str, Outbound] | None = None) -> None:
        self._usual = usual
        self._by_channel = dict(by_channel or {})
        self._by_name = {door.name: door for door in (usual, *self._by_channel.values())}
        self._places = {
            name: asyncio.Semaphore(door.at_once) for name, door in self._by_name.items()
        }

    def name_for(self, channel: str) -> str:
        """Return the name of the door by which a channel's replies leave."""
        return self._by_channel.get(channel, self._usual).name

    @property
    def names(self) -> tuple[str, ...]:
        """All of them, the usual one first."""
        return tuple(self._by_name)

    def __getitem__(self, name: str) -> Outbound:
        """Return a door by its name.

        Raises
        ------
        Unavailable
            The settings have none of that name.
        """
        door = self._by_name.get(name)
        if door is None:
            msg = f"there is no door {name!r} any more: was a setting taken away?"
            raise Unavailable(msg)
        return door

    def place(self, name: str) -> asyncio.Semaphore:
        """Return what bounds the letters of a door side by side."""
        return self._places.get(name) or asyncio.Semaphore(1)

    async def close(self) -> None:
        """Let all connections go."""
        for door in self._by_name.values():
            await door.close()
