"""What a bridge's reading means: which sensors, in our units of measure, and when. Pure."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from uuid import uuid5

from refrigeration.measures import BY_ALIAS, CODES, SCALES, SENSORS, converted, plain
from refrigeration.profile import Profile
from schemas.frigo import InboundReading, Measures, ReadingReceived

AHEAD = timedelta(minutes=5)
"""A bridge's clock may be so far ahead of ours; beyond it our own time counts."""
MAX_OTHERS = 200
_INDEX = f"{ReadingReceived.topic}/0"


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
                self._scales[name] = (
                    converted(1.0, unit) - converted(0.0, unit),
                    converted(0.0, unit),
                )
        self._found: dict[str, str] = {}

    def of(self, source: str) -> str:
        """Return our name of a bridge's sensor; nothing: it is none of the unit's."""
        known = self._found.get(source)
        if known is None:
            bare = plain(source)
            known = self._sources.get(bare) or BY_ALIAS.get(bare, "")
            if not known and self.profile is None:
                known = bare[:80]
            if len(self._found) < MAX_OTHERS:
                self._found[source] = known
        return known

    def value(self, name: str, value: float) -> float:
        """Return a value in our unit of measure."""
        scale = self._scales.get(name)
        return value * scale[0] + scale[1] if scale else value


def receive(event: InboundReading, names: Names, now: datetime) -> ReadingReceived:
    """Say what was measured, and which of it cannot be."""
    found: dict[str, float] = {}
    others: dict[str, float] = {}
    implausible = {names.of(source) or source[:80] for source in event.unreadable}
    for source, raw in event.measures.items():
        name = names.of(source)
        if raw is None or not name:
            continue
        value = names.value(name, raw)
        sensor = SENSORS.get(name)
        if raw in CODES or not math.isfinite(value):
            implausible.add(name)
        elif sensor is None:
            others.setdefault(name, value)
        elif sensor.low <= value <= sensor.high:
            found.setdefault(name, value)
        else:
            implausible.add(name)
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
        values=Measures.model_validate({**found, "others": others}),
        implausible=tuple(sorted(implausible)),
        source=event.source,
        link=event.link,
        unknown_unit=names.profile is None,
    )
