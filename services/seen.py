"""What this process took in lately, so that what comes twice goes no further.

A convenience, not a promise: whoever comes next recognises what is repeated as well.
"""

from __future__ import annotations

from collections import OrderedDict

from schemas.event import Event

KEPT = 50_000


class Seen:
    """Ids of the newest events, each with the object that it came in as."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._ids: OrderedDict[int, int] = OrderedDict()

    def again(self, event: Event) -> bool:
        """Say whether an event came before; the same object is a unit of work that is repeated."""
        name, came_as = event.event_id.int, id(event)
        known = self._ids.get(name)
        if known is not None and known != came_as:
            return True
        self._ids[name] = came_as
        if len(self._ids) > self._kept:
            self._ids.popitem(last=False)
        return False

    async def forget(self) -> None:
        """Forget all: partitions go, and what was not finished is read again."""
        self._ids.clear()
