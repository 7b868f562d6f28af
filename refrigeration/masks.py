"""When the limits of the room stay silent: defrost, door, pull-down; and what ends the silence.

The names are those of controllers: tAO on-delay, dAO after a defrost, PAO after power-up, tdO door
open, OAO after the door. Each mask has a ceiling: a defrost or a door that lasts longer is a fault
of its own, a pull-down has to go on falling, and no sum of masks hides a broken limit for longer
than one full defrost would.

Units without a contact: a compressor that stops while the room is above its set-point is taken for
a defrost, and a room that warms quickly while it runs for an open door; both only mask, for no
longer than the real ones may.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from refrigeration.profile import Masks
from refrigeration.track import Track

MINUTE: Final = 60.0
ON: Final = 0.5
"""A contact above it is on."""
DOOR_K_MIN: Final = 0.4
"""Air that warms so quickly against a running compressor comes through the door."""
CALLED_K: Final = 0.5
"""So far above the set-point a thermostat does not end its call."""
DEFROSTS_APART_S: Final = 3 * 3600.0
FALLING_K_H: Final = 1.0
"""A pull-down falls by so much; less is no pull-down, and is told."""
GRACE_S: Final = 1800.0
"""After power came back, until a compressor has restarted and cools."""
BACK: Final = 20
"""Minutes over which the fall is taken."""
LEAST: Final = 8


class Masking:
    """Since when what runs that hides limits; event times, 0: not."""

    __slots__ = (
        "closed",
        "covered",
        "defrost",
        "door",
        "falling",
        "guessed",
        "hidden",
        "powered",
        "ran",
        "spoilt",
        "thawed",
    )

    def __init__(self) -> None:
        self.defrost = 0.0  # a defrost began
        self.guessed = 0.0  # so it seems, without a contact
        self.thawed = 0.0  # the last one ended
        self.door = 0.0  # the door opened
        self.closed = 0.0  # it closed, or warm air came in where there is no contact
        self.powered = 0.0  # power came back: pull-down
        self.hidden = 0.0  # a broken limit is hidden since
        self.covered = 0.0  # some mask or other holds without a break since
        self.falling = 0.0  # K per hour
        self.spoilt = 0.0  # 1: this defrost became too warm, and hides nothing any more
        self.ran = 0.0  # 1: the compressor ran when last looked at

    def observe(self, known: Mapping[str, float], at: float) -> bool:
        """Note what contacts say began or ended; return whether anything did."""
        moved = False
        on = known.get("defrost")
        if on is not None and (on > ON) != (self.defrost > 0):
            self.defrost, self.thawed = (at, self.thawed) if on > ON else (0.0, at)
            self.spoilt = self.spoilt if self.thawed == at else 0.0
            moved = True
        is_open = known.get("door")
        if is_open is not None and (is_open > ON) != (self.door > 0):
            self.door, self.closed = (at, self.closed) if is_open > ON else (0.0, at)
            moved = True
        return moved

    def infer(
        self,
        masks: Masks,
        track: Track,
        at: float,
        *,
        runs: bool | None,
        called: bool,
    ) -> bool:
        """Note what the last minutes look like, where no contact tells; once a minute.

        Parameters
        ----------
        masks, track
            Of the unit.
        at
            Now, in unix seconds.
        runs
            Whether the compressor does; `None`: nobody knows.
        called
            The room is warmer than its thermostat wants it.
        """
        if self.powered:
            self.falling = _fall(track.minutes("temperature_c", BACK))
        before = (self.closed, self.guessed, self.thawed)
        if runs and "door" not in track.names and not self.defrost and not self.guessed:
            first, _, last = track.minutes("temperature_c", 3)
            if (last - first) / 2 > DOOR_K_MIN:  # NaN is no rise
                self.closed = at
        if "defrost" not in track.names and runs is not None:
            self._guess(masks, at, runs=runs, called=called)
            self.ran = float(runs)
        return before != (self.closed, self.guessed, self.thawed)

    def _guess(self, masks: Masks, at: float, *, runs: bool, called: bool) -> None:
        if self.guessed:
            if runs or at - self.guessed > masks.max_defrost * MINUTE:
                self.guessed, self.thawed = 0.0, at
        elif self.ran and not runs and called and at - self.thawed > DEFROSTS_APART_S:
            self.guessed = at

    def masked(self, masks: Masks, at: float) -> bool:
        """Whether the upper limit of the room is to stay silent now."""
        if self.spoilt:
            pass
        elif self.defrost:
            if at - self.defrost <= masks.max_defrost * MINUTE:
                return True
        elif self.guessed or (self.thawed and at - self.thawed < masks.dAO * MINUTE):
            return True
        if self.door:
            if at - self.door <= masks.tdO * MINUTE:
                return True
        elif self.closed and at - self.closed < masks.OAO * MINUTE:
            return True
        return self._pulls_down(masks, at)

    def _pulls_down(self, masks: Masks, at: float) -> bool:
        since = at - self.powered
        if not self.powered or since >= masks.PAO * MINUTE:
            return False
        return since < GRACE_S or self.falling >= FALLING_K_H

    def ajar(self, masks: Masks, at: float, *, warm: bool) -> bool:
        """Whether the door is open for too long: twice `tdO` while the room does not mind."""
        patience = masks.tdO * MINUTE * (1 if warm else 2)
        return bool(self.door) and at - self.door >= patience

    def hides(self, masks: Masks, at: float) -> bool:
        """Whether a broken limit is hidden; not for longer than the ceiling."""
        if not self.masked(masks, at):
            return False
        if not self.hidden:
            self.hidden = at
        ceiling = masks.max_defrost + masks.dAO
        if self._pulls_down(masks, at):
            ceiling = max(ceiling, masks.PAO)
        return at - self.hidden <= ceiling * MINUTE

    def covers(self, masks: Masks, at: float) -> bool:
        """Whether other limits are to stay silent now; not for longer than the ceiling."""
        if not self.masked(masks, at):
            self.covered = 0.0
            return False
        if not self.covered:
            self.covered = at
        return at - self.covered <= (masks.max_defrost + masks.dAO) * MINUTE

    def inside(self) -> None:
        """Note that the room is within its limit: nothing is hidden, a pull-down is over."""
        self.hidden = self.powered = 0.0

    def rewind(self, at: float) -> None:
        """Let nothing have begun after `at`."""
        for name in (
            "defrost",
            "guessed",
            "thawed",
            "door",
            "closed",
            "powered",
            "hidden",
            "covered",
        ):
            setattr(self, name, min(getattr(self, name), at))

    def body(self) -> dict[str, float]:
        """Return all as JSON."""
        return {name: value for name in self.__slots__ if (value := getattr(self, name))}

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Masking:
        """Return what `body` was made of."""
        masking = cls()
        for name, value in body.items():
            setattr(masking, name, value)
        return masking


def _fall(minutes: list[float]) -> float:
    """Return by how much the room falls, K per hour: its last three minutes against the first."""
    there = [(i, value) for i, value in enumerate(minutes) if not math.isnan(value)]
    if len(there) < LEAST or there[-1][0] - there[0][0] < LEAST:
        return 0.0
    early, late = there[:3], there[-3:]
    apart = sum(i for i, _ in late) - sum(i for i, _ in early)
    return (sum(v for _, v in early) - sum(v for _, v in late)) / apart * 60
