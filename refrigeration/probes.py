"""Which probes are sick: implausible again and again, gone, or standing still; by the minute.

Several at once are no coincidence but their common cause: the bus or the bridge. So is a bridge
that repeats one reading for hours.
"""

from __future__ import annotations

import math
from typing import Any, Final

from refrigeration.measures import SENSORS
from refrigeration.profile import Profile
from refrigeration.track import CONTACTS, Track

SHARE: Final = 0.5
"""Of the recent past: more of it implausible is a fault."""
FADING: Final = 0.1
MEMORY_S: Final = 600.0
"""Time of the average: a probe that fails for good is found after seven minutes."""
WEIGHT: Final = 0.25
"""Of one minute at most: with slow readings three bad ones are needed."""
CALM_S: Final = 300.0
COMMON: Final = 3
"""So many probes, and half of all: their cause is common."""
GONE_S: Final = 900.0
FORGOTTEN_S: Final = 7 * 86_400.0
STUCK_S: Final = 7200.0
"""Not one of several sensors moved for so long, though readings come: the bridge repeats itself."""
COARSE: Final = 4.0
"""A probe that reads in halves of a degree may stand still for so many times longer."""


class Probes:
    """Sick sensors, and whether they are sick together."""

    __slots__ = ("at", "bus", "fading", "sick")

    def __init__(self) -> None:
        self.sick: tuple[str, ...] = ()
        self.fading = False
        self.bus = 0.0  # share of the recent past in which they failed together
        self.at = 0.0  # of the last look

    def check(self, profile: Profile, track: Track, at: float, usual_s: float) -> bool:
        """Look at the minute that ends, before `Track.turn`; return whether a verdict moved.

        Where nothing is wrong, every fifth minute is enough.

        Parameters
        ----------
        profile, track
            Of the unit.
        at
            When, in unix seconds.
        usual_s
            The usual time between readings.
        """
        calm = not self.fading and not self.bus and 0 <= at - self.at < CALM_S
        if calm and not any(track.misses):
            return False
        step = min(max(at - self.at, 60.0), 3 * max(usual_s, 60.0)) if self.at else 60.0
        self.at = at
        before = (self.sick, self.fading, self.bus > SHARE, self.bus > FADING)
        gone_s = max(GONE_S, 5 * usual_s)
        bad = {
            name: _share(track, name, i, at, gone_s)
            for name, i in track.names.items()
            if name not in CONTACTS
        }
        failing = sum(share > SHARE for share in bad.values())
        stuck = len(bad) > 1 and all(
            track.counts[i] and at - track.moved[i] > STUCK_S
            for name, i in track.names.items()
            if name not in CONTACTS
        )
        if not (stuck or self.fading or self.bus or any(bad.values())):
            return False
        together = stuck or (failing >= COMMON and 2 * failing >= len(bad))
        weight = min(WEIGHT, 1 - math.exp(-step / MEMORY_S))
        self.bus += weight * (together - self.bus)
        if self.bus < FADING / 10:
            self.bus = 0.0
        for name, share in bad.items():
            i = track.names[name]
            track.bad[i] += weight * ((0.0 if together else share) - track.bad[i])
        known = track.names.items()
        self.sick = tuple(name for name, i in known if track.bad[i] > SHARE)
        self.fading = any(track.bad[i] > FADING for _, i in known)
        for name in [n for n, i in known if _forgotten(profile, track, n, i, at)]:
            track.forget(name)
        return before != (self.sick, self.fading, self.bus > SHARE, self.bus > FADING)

    def body(self) -> list[Any]:
        """Return all as JSON."""
        return [list(self.sick), self.fading, self.bus, self.at]

    @classmethod
    def of(cls, body: list[Any]) -> Probes:
        """Return what `body` was made of."""
        probes = cls()
        sick, probes.fading, probes.bus, probes.at = body
        probes.sick = tuple(sick)
        return probes


def _share(track: Track, name: str, i: int, at: float, gone_s: float) -> float:
    """Return which share of its readings in this minute was no measurement."""
    good, bad = track.counts[i], track.misses[i]
    if not good and not bad:
        return float(bool(track.at[i]) and at - track.at[i] > gone_s)
    frozen_s = SENSORS[name].frozen_s if name in SENSORS else 0.0
    if frozen_s:
        if (track.value[i] * 2).is_integer():
            frozen_s *= COARSE
        if at - track.moved[i] > frozen_s:
            return 1.0
    return bad / (good + bad)


def _forgotten(profile: Profile, track: Track, name: str, i: int, at: float) -> bool:
    heard = track.at[i] or track.moved[i]
    return name not in profile.sensors and at - heard > FORGOTTEN_S
