"""Which values can be: codes of loggers, ranges of sensors, how fast a thing can really move.

Taken out one by one; the rest of the reading counts. Whether a probe stands still, or all of them
fail together, is for `refrigeration.probes`, which remembers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from refrigeration.measures import CODES, SENSORS
from refrigeration.profile import Profile
from refrigeration.track import Track

OTHERS: Final = (-1e9, 1e9, 1e9)
"""A sensor that only the profile knows: a number, and no code."""
SLACK_S: Final = 30.0
"""A step of half a minute's change is never held against a probe, however quick readings are."""
_NEVER: Final[tuple[Mapping[str, int], Sequence[float], Sequence[float]]] = ({}, (), ())
_BOUNDS: Final = {name: (s.low, s.high, s.per_minute / 60) for name, s in SENSORS.items()}


def plausible(
    profile: Profile,  # noqa: ARG001 - ranges may become the profile's
    track: Track | None,
    values: Mapping[str, float | None],
    at: float,
) -> tuple[dict[str, float], tuple[str, ...]]:
    """Return the values that can be, and the names of those that cannot.

    Parameters
    ----------
    profile
        Of the unit.
    track
        What the unit said before, for the rate of change; without it (in `ingest`) only codes and
        ranges are looked at.
    values
        By our names, in our units; `None` is absent.
    at
        When, in unix seconds.
    """
    good: dict[str, float] = {}
    bad: list[str] = []
    names, last, when = (track.names, track.value, track.at) if track else _NEVER
    for name, value in values.items():
        if value is None:
            continue
        i = names.get(name, -1)
        before = when[i] if i >= 0 else 0.0
        if before and value == last[i]:
            good[name] = value  # it was looked at when it first came
            continue
        low, high, per_second = _BOUNDS.get(name, OTHERS)
        try:
            fits = low <= value <= high and value not in CODES
        except TypeError:
            fits = False
        if fits and before and per_second < 1:
            allowed = per_second * (abs(at - before) + SLACK_S)
            fits = -allowed <= value - last[i] <= allowed
        if fits:
            good[name] = value
        else:
            bad.append(name)
    return good, tuple(bad)
