"""The last quarter of an hour of a unit, by the minute: what runs steadily, and what goes slowly.

Readings are gathered into minutes; a minute in which the compressor has run for a while, without
defrost, is steady: only there do superheat and the like mean something. Their means over about a
quarter of an hour of *steady* minutes are kept, not older than two hours, so that a unit that
cycles has a window too. Beside them stand the means at standstill, duty, starts, defrosts and the
slope of the room.

JSON both ways, about 2 kB. Event time only: a reading that is older than the minute at hand is left
out. Fits any interval: a unit that reports every ten minutes has a minute in ten.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping
from sys import intern
from typing import Any

from refrigeration.features import features, running
from refrigeration.means import STALE_S, Means, rough, roughness
from refrigeration.profile import Profile

MINUTE = 60.0
IN_DEFROST = (("defrost_current_a", "current_a"), ("defrost_sst_c", "sst_c"))
"""What is kept of the last defrost: the most of it. The coil's warmth shows in its pressure."""
BAD_KEPT = 20.0
"""Minutes over which implausible readings are averaged."""
ROOMS = 30
"""Minutes over which the slope of the room is taken."""
SETTLE_S = 240.0
"""After a start the pressures still move."""
AFTER_DEFROST_S = 1200.0
SPARSE_S = 900.0
"""Between readings further apart than this nothing is said of what happened between them."""
DAY, HOUR = 86_400.0, 3600.0
AT_REST = ("sct_c", "sst_c", "approach_k", "current_a", "air_flow_m3_h", "superheat_k")
"""Features that say something at standstill: pressures have met, and follow the temperatures."""
FAST, SLOW = 1800.0, 4 * HOUR
"""Times of the averages of duty."""


class Window:
    """What `Diagnoser` looks at. `add` readings in order; `summary` says what they amount to."""

    __slots__ = ("at", "minute", "probes", "rooms", "slow", "standing", "steady", "sums")

    def __init__(self) -> None:
        self.at = 0.0
        self.minute = -1
        self.probes: dict[str, list[float]] = {}
        self.sums: dict[str, list[float]] = {}
        self.steady = Means()
        self.standing = Means()
        self.rooms = array("d")  # at, value, at, value …: of ten thousand units
        self.slow: dict[str, float] = {}

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Window:
        """Return the window that `body()` wrote; an empty one of `{}`."""
        found = cls()
        if body:
            found.at, found.minute = body["at"], body["minute"]
            found.probes = {intern(name): list(seen) for name, seen in body["probes"].items()}
            found.sums = {name: list(pair) for name, pair in body["sums"].items()}
            found.steady = Means(*body["steady"])
            found.standing = Means(*body["standing"])
            found.rooms = array("d", body["rooms"])
            found.slow = {intern(name): value for name, value in body["slow"].items()}
        return found

    def body(self) -> dict[str, Any]:
        """Return the window as JSON."""
        return {
            "at": self.at,
            "minute": self.minute,
            "probes": {n: [round(value, 3) for value in seen] for n, seen in self.probes.items()},
            "sums": self.sums,
            "steady": self.steady.body(),
            "standing": self.standing.body(),
            "rooms": [round(number, 2) for number in self.rooms],
            "slow": {name: round(value, 5) for name, value in self.slow.items()},
        }

    def add(self, profile: Profile, at: float, values: Mapping[str, float]) -> bool:
        """Take a reading in; say whether it closed a minute (then a diagnosis may have changed)."""
        minute = int(at // MINUTE)
        if minute < self.minute:
            return False
        closed = minute > self.minute >= 0 and bool(self.sums)
        if closed:
            self.flush(profile)
        self.minute = minute
        sums = self.sums
        for name, value in values.items():
            pair = sums.get(name)
            if pair is None:
                sums[name] = [value, 1]
            else:
                pair[0] += value
                pair[1] += 1
        return closed

    def flush(self, profile: Profile) -> None:
        """Close the minute at hand: no more of it will come."""
        if self.sums:
            means = {name: total / count for name, (total, count) in self.sums.items()}
            self.sums = {}
            self._close(profile, means)

    def whole(self, profile: Profile, at: float, means: Mapping[str, float]) -> None:
        """Take the means of a whole minute in."""
        minute = int(at // MINUTE)
        if minute >= self.minute:
            self.flush(profile)
            self.minute = minute
            self._close(profile, means)

    def _close(self, profile: Profile, means: Mapping[str, float]) -> None:
        at = (self.minute + 1) * MINUTE
        step = at - self.at if self.at else MINUTE
        self.at = at
        slow = self.slow
        on = running(means)
        found = features(profile, means)
        for name in ("temperature_c", "ambient_c", "suction_c", "liquid_c", "product_c"):
            if name in means:
                found[name] = means[name]
        self._defrost(at, means, found)
        if step <= SPARSE_S:
            self._average(step, on=on, means=means)
        if on is not None:
            was = slow.get("on", -1.0)
            if was != float(on):
                slow["on"], slow["turned"] = float(on), at - step
        self._room(at, means)
        share = 1 / BAD_KEPT
        bad = any(name not in means for name in self.probes)
        slow["bad"] = slow.get("bad", 0.0) * (1 - share) + share * bad
        rough(self.probes, means)
        since = at - slow.get("turned", at - SETTLE_S)
        calm = at - slow.get("defrosted", -math.inf) > AFTER_DEFROST_S
        settled = since >= SETTLE_S and calm
        if on is not False and settled:
            self.steady.add(at, found)
        elif on is False and since >= SETTLE_S:
            self.standing.add(at, {name: found[name] for name in AT_REST if name in found})
        slow["calm"] = float(calm)

    def _defrost(self, at: float, means: Mapping[str, float], found: Mapping[str, float]) -> None:
        slow = self.slow
        if "defrost" not in means:
            return
        if means["defrost"] > 0.5:  # noqa: PLR2004 - a contact
            slow.setdefault("defrost_from", at - MINUTE)
            slow["defrosted"] = at
            slow["defrost_minutes"] = (at - slow["defrost_from"]) / MINUTE
            for name, source in IN_DEFROST:
                if source in found:
                    fresh = slow["defrost_minutes"] <= 1 or name not in slow
                    slow[name] = found[source] if fresh else max(slow[name], found[source])
        elif "defrost_from" in slow:
            began = slow.pop("defrost_from")
            if "defrost_began" in slow:
                slow["defrost_hours"] = (began - slow["defrost_began"]) / HOUR
            slow["defrost_began"] = began

    def _average(self, step: float, *, on: bool | None, means: Mapping[str, float]) -> None:
        slow = self.slow
        if on is not None:
            for name, time in (("duty_fast", FAST), ("duty_slow", SLOW)):
                share = 1 - math.exp(-step / time)
                slow[name] = slow.get(name, float(on)) + share * (on - slow.get(name, float(on)))
            started = on and slow.get("on") == 0.0
            keep = math.exp(-step / SLOW)
            slow["starts_h"] = slow.get("starts_h", 0.0) * keep + started * HOUR / SLOW
        if "door" in means:
            share = 1 - math.exp(-step / FAST)
            slow["door"] = slow.get("door", 0.0) + share * (means["door"] - slow.get("door", 0.0))

    def _room(self, at: float, means: Mapping[str, float]) -> None:
        if "temperature_c" in means:
            self.rooms.extend((at, means["temperature_c"]))
        while self.rooms and (len(self.rooms) > 2 * ROOMS or at - self.rooms[0] > 2 * FAST):
            del self.rooms[:2]

    def _course(self) -> list[tuple[float, float]]:
        return list(zip(self.rooms[::2], self.rooms[1::2], strict=True))

    def steady_minutes(self) -> int:
        """Return how many steady minutes the means are of; 0 when they are stale."""
        return self.steady.count if self.at - self.steady.at <= STALE_S else 0

    def summary(self) -> dict[str, float]:
        """Return the features of the window; what cannot be told is absent.

        Means over the steady minutes by their names; of standstill with `idle_` before them; slow
        ones: `duty_fast`, `duty_slow` (shares), `starts_h`, `door`, `slope_k_h`, `room_c`,
        `defrost_minutes`, `defrost_hours`, `since_defrost_h`; of the probes `rough` (the roughest,
        log of usual noise), `frozen` (log of minutes), `bad` (share of minutes with one that is
        implausible or missing).
        """
        found = dict(self.steady.values) if self.steady_minutes() else {}
        if self.at - self.standing.at <= STALE_S:
            found.update((f"idle_{n}", v) for n, v in self.standing.values.items())
        slow = self.slow
        for name in (
            "duty_fast",
            "duty_slow",
            "starts_h",
            "door",
            "defrost_minutes",
            "defrost_hours",
            *(name for name, _ in IN_DEFROST),
            "on",
        ):
            if name in slow:
                found[name] = slow[name]
        if "defrosted" in slow:
            found["since_defrost_h"] = min((self.at - slow["defrosted"]) / HOUR, 48.0)
        found.update(roughness(self.probes))
        found["bad"] = slow.get("bad", 0.0)
        if course := self._course():
            found["room_c"] = sum(value for _, value in course) / len(course)
            found["slope_k_h"] = _slope(course)
        return found


def _slope(points: list[tuple[float, float]]) -> float:
    """Return K per hour by least squares."""
    if len(points) < 5 or points[-1][0] - points[0][0] < 4 * MINUTE:  # noqa: PLR2004
        return 0.0
    count = len(points)
    middle = sum(at for at, _ in points) / count
    level = sum(value for _, value in points) / count
    spread = sum((at - middle) ** 2 for at, _ in points)
    return sum((at - middle) * (value - level) for at, value in points) / spread * HOUR
