"""A unit in hand: what is remembered of it, and the row that keeps it."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from refrigeration import detector
from refrigeration.memory import Memory
from refrigeration.profile import Profile
from schemas.readings import Measures


@dataclass(slots=True)
class Room:
    """A unit: its memory, the version that it was read or written at, what may not be told yet."""

    memory: Memory
    version: int
    untold: list[dict[str, Any]] = field(default_factory=list)
    written_at: float = field(default_factory=time.monotonic)
    touched: bool = False

    def values(self) -> Measures:
        """Return what its sensors said last."""
        known = self.memory.track.known(0.0)
        others = {name: known.pop(name) for name in [*known] if name not in Measures.model_fields}
        return Measures(**known, others=others)

    def row(self, name: str, profile: Profile | None) -> dict[str, Any]:
        """Return what `storage.units.remember` writes."""
        due = detector.due(self.memory, profile) if profile else None
        if self.untold:  # whoever takes over has something to tell, whether a reading comes or not
            due = time.time()
        newest = self.memory.newest
        return {
            "unit": name,
            "seen": self.version,
            "new_state": self.memory.body(),
            "new_untold": self.untold,
            "new_due_at": datetime.fromtimestamp(due, UTC) if due else None,
            "new_read_at": datetime.fromtimestamp(newest, UTC) if newest else None,
        }

    def struck_out(self, events: Collection[str]) -> bool:
        """Forget events that were told; say whether there were any."""
        left = [body for body in self.untold if body["event_id"] not in events]
        found, self.untold = len(left) < len(self.untold), left
        return found
