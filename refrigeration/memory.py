"""Everything that is known of a unit: JSON both ways, exactly, at most 20 kB."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from typing import Any, Final

from refrigeration.conditions import Condition
from refrigeration.inference import Suspicion
from refrigeration.masks import Masking
from refrigeration.means import Means
from refrigeration.plan import Plan
from refrigeration.probes import Probes
from refrigeration.profile import Profile
from refrigeration.track import Track
from refrigeration.window import Window
from schemas.vocabulary import Fault

_NUMBERS: Final = ("newest", "heard", "down")
_LISTS: Final = ("gaps", "late")
GAPS: Final = 3
LATE_READINGS: Final = 10
LATE_S: Final = 600.0
LONGEST_S: Final = 3600.0
"""A longer gap is a break, not the habit of a unit."""


class Memory:
    """The detector's memory of one unit.

    Attributes
    ----------
    changed
        Something that decides (a timer, an alarm, a mask) moved since `body()` was last written.
    newest
        The newest measured time that decided anything.
    heard
        When something was last heard: measured time, or arrival where `Sample.heard` says it.
    gaps
        The last three intervals between readings, in seconds.
    down
        Since when the bridge is said to be down; 0: it is not.
    late
        Readings in a row that came late and grew: how many, the first, the last; or nothing.
    """

    __slots__ = (
        "changed",
        "conditions",
        "masking",
        "plan",
        "probes",
        "suspicion",
        "track",
        "window",
        *_LISTS,
        *_NUMBERS,
    )

    def __init__(self) -> None:
        self.changed = False
        self.newest = 0.0
        self.heard = 0.0
        self.down = 0.0
        self.gaps: list[float] = []
        self.late: list[float] = []
        self.conditions: dict[Fault, Condition] = {}
        self.masking = Masking()
        self.probes = Probes()
        self.suspicion = Suspicion()
        self.track = Track()
        self.window: Window | None = None
        self.plan: Plan | None = None

    def planned(self, profile: Profile) -> Plan:
        """Return the profile, made ready; made anew when the profile is another."""
        plan = self.plan
        if plan is None or plan.profile is not profile:
            self.plan = plan = Plan(profile)
        return plan

    def silence(self, profile: Profile) -> float:
        """Return how long nothing may be heard, in seconds: by profile, or by the unit's habit."""
        return max(profile.silent_s, 2.5 * max(self.gaps, default=0.0))

    def usual(self, profile: Profile) -> float:
        """Return the usual time between readings, in seconds."""
        return sorted(self.gaps)[len(self.gaps) // 2] if self.gaps else profile.interval_s

    def cap(self, profile: Profile) -> float:
        """Return the longest gap between two readings that is still evidence, in seconds."""
        return max(3 * self.usual(profile), 2 * profile.interval_s, 120.0)

    def standing(self) -> dict[Fault, Condition]:
        """Return the conditions, with the one that was diagnosed under the fault it was told as."""
        suspicion = self.suspicion
        if suspicion.fault is None or not suspicion.condition.raised:
            return self.conditions
        return {**self.conditions, suspicion.fault: suspicion.condition}

    def believes(self, at: float) -> bool:
        """Whether a late reading is one too many: then it was the newest whose clock was wrong."""
        late = self.late
        if late and at > late[2]:
            late[0] += 1
            late[2] = at
        else:
            self.late = late = [1, at, at]
        if late[0] < LATE_READINGS or at - late[1] < LATE_S:
            return False
        self.rewind(at)
        return True

    def rewind(self, at: float) -> None:
        """Let nothing have happened after `at`: the clock was wrong."""
        self.newest = at
        self.track.rewind(at)
        self.masking.rewind(at)
        self.suspicion.rewind(at)
        for condition in self.conditions.values():
            condition.rewind(at)
        self.window = None
        self.changed = True

    def body(self) -> dict[str, Any]:
        """Return all as JSON, and note that it was written."""
        self.changed = False
        return {
            **{name: getattr(self, name) for name in _NUMBERS},
            **{name: list(getattr(self, name)) for name in _LISTS},
            "conditions": {fault.value: c.body() for fault, c in self.conditions.items()},
            "masking": self.masking.body(),
            "probes": self.probes.body(),
            "suspicion": self.suspicion.body(),
            "track": self.track.body(),
            "window": _exactly(self.window),
        }

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Memory:
        """Return what `body` was made of; of `{}`, the memory of a new unit."""
        memory = cls()
        if not body:
            return memory
        for name in _NUMBERS:
            setattr(memory, name, body[name])
        for name in _LISTS:
            setattr(memory, name, list(body[name]))
        for fault, condition in body["conditions"].items():
            memory.conditions[Fault(fault)] = Condition.of(condition)
        memory.masking = Masking.of(body["masking"])
        memory.probes = Probes.of(body["probes"])
        memory.suspicion = Suspicion.of(body["suspicion"])
        memory.track = Track.of(body["track"])
        memory.window = Window.of(body["window"]) if body["window"] else None
        return memory


def _exactly(window: Window | None) -> dict[str, Any]:
    """Return a window as `Window.of` takes it; `Window.body` rounds, and a restart would show."""
    if window is None:
        return {}
    return {name: _copy(getattr(window, name)) for name in Window.__slots__}


def _copy(part: Any) -> Any:
    if isinstance(part, Means):
        return [part.at, part.count, dict(part.values)]
    if isinstance(part, dict):
        return {name: _copy(value) for name, value in part.items()}
    return [_copy(value) for value in part] if isinstance(part, list | tuple | array) else part
