"""The profiles of units, at hand in this process and asked for anew every few seconds."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from pydantic import ValidationError

from refrigeration.profile import Profile
from storage import units
from storage.database import Database
from storage.units import Declared

log = logging.getLogger(__name__)

EVERY_S = 3.0
OVERLAP = timedelta(seconds=30)
"""Asked for again: what was written by a slower transaction, or by a clock that is behind."""
MAX_MET = 10_000
"""Units that only readings named, of one process: more of them are a mistake, or mischief."""


class Profiles:
    """Knows every unit of the record, but for profiles that were changed by hand and do not fit."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._profiles: dict[str, Profile] = {}
        self._seen: dict[str, datetime | None] = {}
        self._asked_at = 0.0
        self._since: datetime | None = None
        self._met = 0

    async def fresh(self) -> None:
        """Ask for what changed, if the last answer is older than a few seconds.

        Raises
        ------
        Unavailable
            The record does not answer, and never has.
        """
        now = time.monotonic()
        if self._asked_at and now - self._asked_at < EVERY_S:
            return
        asked = datetime.now(UTC)
        for found in await self._database.read(units.changed_since, self._since):
            self._take(found)
        self._asked_at, self._since = now, asked - OVERLAP

    def _take(self, found: Declared) -> None:
        if found.unit_id in self._seen and self._seen[found.unit_id] == found.profile_at:
            return
        self._seen[found.unit_id] = found.profile_at
        self._profiles.pop(found.unit_id, None)
        if found.profile:
            try:
                self._profiles[found.unit_id] = Profile.model_validate(found.profile)
            except ValidationError as error:
                problems = error.errors(include_url=False, include_input=False)
                where = ", ".join(".".join(map(str, each["loc"])) for each in problems[:5])
                log.error("profile of %s does not fit: %s", found.unit_id, where)  # noqa: TRY400

    def get(self, unit_id: str) -> Profile | None:
        """Return a unit's profile, or nothing for one that nobody declared."""
        return self._profiles.get(unit_id)

    async def meet(self, names: Collection[str]) -> None:
        """Have units that nobody knows written down, so that people see them."""
        new = [name for name in names if name not in self._seen]
        if not new or self._met >= MAX_MET:
            return
        await self._database.write(units.meet, new, datetime.now(UTC))
        self._met += len(new)
        self._seen |= dict.fromkeys(new)
        if self._met >= MAX_MET:
            log.error("%d units that nobody declared: no more of them are written down", self._met)
