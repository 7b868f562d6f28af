"""What a bridge's reading means: which sensors, in our units of measure, and when. Pure."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import uuid5

from refrigeration.measures import BY_ALIAS, CODES, SCALES, SENSORS, plain
from refrigeration.profile import Profile
from schemas.frigo import InboundReading, ReadingReceived

AHEAD = timedelta(minutes=5)
"""A bridge's clock may be so far ahead of ours; beyond it our own time counts."""
MAX_OTHERS = 200
MOST = sys.float_info.max
_INDEX = f"{ReadingReceived.topic}/0"


class Meaning(NamedTuple):
    """What a bridge's sensor is here, how its values become ours, and which of them can be."""

    name: str
    factor: float
    offset: float
    low: float
    high: float
    ours: bool
    """It has a place of its own in `Measures`."""


NOTHING = Meaning("", 1.0, 0.0, 0.0, 0.0, ours=False)


class Names:
    """What the bridge of a unit calls its sensors. Without a profile: what all bridges call them.

    Keeps what it worked out, so that a reading costs a look-up for each of its values.
    """

    def __init__(self, profile: Profile | None) -> None:
        self.profile = profile
        self._sources: dict[str, str] = {}
        self._scales: dict[str, tuple[float, float]] = {}
        for name, sensor in (profile.sensors if profile else {}).items():
            self._sources[plain(sensor.source or name)] = name
            unit = sensor.unit
            if sensor.gauge:  # `bar` and `psi` that are meant above the atmosphere's
                unit = {"": "barg", "bar": "barg", "psi": "psig"}.get(unit, unit)
            if unit in SCALES:
                self._scales[name] = SCALES[unit]
        self._found: dict[str, Meaning] = {}

    def of(self, source: str) -> Meaning:
        """Return what a bridge's sensor is; without a name: it is none of the unit's."""
        known = self._found.get(source)
        if known is None:
            known = self._meaning(source)
            if len(self._found) < MAX_OTHERS:
                self._found[source] = known
        return known

    def _meaning(self, source: str) -> Meaning:
        bare = plain(source)
        name = self._sources.get(bare) or BY_ALIAS.get(bare, "")
        if not name and self.profile is None:
            name = bare[:80]
        if not name:
            return NOTHING
        sensor = SENSORS.get(name)
        low, high = (sensor.low, sensor.high) if sensor else (-MOST, MOST)
        return Meaning(name, *self._scales.get(name, (1.0, 0.0)), low, high, ours=bool(sensor))


def receive(event: InboundReading, names: Names, now: datetime) -> ReadingReceived:
    """Say what was measured, and which of it cannot be."""
    found: dict[str, Any] = {}
    others: dict[str, float] = {}
    implausible = {names.of(source).name or source[:80] for source in event.unreadable}
    of = names.of
    for source, raw in event.measures.items():
        name, factor, offset, low, high, ours = of(source)
        if raw is None or not name:
            continue
        value = raw * factor + offset
        if raw in CODES or not low <= value <= high:
            implausible.add(name)
        else:
            (found if ours else others).setdefault(name, value)
    found["others"] = others
    ahead = event.measured_at - now
    why = "unité non déclarée" if names.profile is None else ""
    if ahead > AHEAD:
        minutes = int(ahead.total_seconds() // 60)
        why = f"horloge en avance de {minutes} min : l'heure de réception compte"
    # As `ReadingReceived.after` would, but by name: it costs a third.
    return ReadingReceived(
        event_id=uuid5(event.event_id, _INDEX),
        trace_id=event.trace_id,
        caused_by=event.event_id,
        occurred_at=now,
        why=why,
        unit_id=event.unit_id,
        measured_at=now if ahead > AHEAD else event.measured_at,
        values=found,  # checked as `Measures` in one go
        implausible=tuple(sorted(implausible)),
        source=event.source,
        link=event.link,
        unknown_unit=names.profile is None,
    )
