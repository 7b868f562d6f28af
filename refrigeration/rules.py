"""What one reading says by rules that are certain: limits, contacts, the supply, the probes.

Each rule gives a level (see `refrigeration.conditions`); a fault that no rule names is clear.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from refrigeration.conditions import BROKEN, HELD, NEAR
from refrigeration.features import IDLE_A, running
from refrigeration.masks import MINUTE, ON, Masking
from refrigeration.plan import Gate, Limit, Plan
from refrigeration.probes import FADING, SHARE, Probes
from refrigeration.track import Track
from schemas.frigo import Contribution
from schemas.vocabulary import Fault

NOISE_K: Final = 0.3
"""So far inside a limit of the air is still noise of a probe: the on-delay goes on."""
CALLED_K: Final = 2.0
"""So far above the set-point any thermostat calls for cold."""
MACHINE: Final = frozenset({Fault.COMPRESSOR_STOPPED, Fault.EVAPORATOR_FAN, Fault.THERMOSTAT})
"""Faults of which nothing can be said during a defrost."""
BLIND_S: Final = 86_400.0
"""For so long an alarm stands though its sensor is gone; then it is the sensor's fault alone."""

Evidence = dict[Fault, list[Contribution]]


class Verdict:
    """The levels of one reading, the numbers behind them, when a condition really began."""

    __slots__ = ("evidence", "levels", "since")

    def __init__(self) -> None:
        self.levels: dict[Fault, int] = {}
        self.evidence: Evidence = {}
        self.since: dict[Fault, float] = {}

    def say(
        self, fault: Fault, level: int, feature: str, value: float, limit: float | None
    ) -> None:
        """Take a level; of two for one fault the higher stands."""
        if level > self.levels.get(fault, -1):
            self.levels[fault] = level
        if level == BROKEN:
            # It is checked where it leaves; here it is made at every reading of a broken limit.
            found = Contribution.model_construct(
                feature=feature[:40], value=value, normal=limit, sigma=None
            )
            self.evidence.setdefault(fault, []).append(found)

    def limit(self, rule: Limit, value: float, near: float) -> None:
        """Hold a value against a limit."""
        beyond = value - rule.limit if rule.above else rule.limit - value
        if beyond > 0:
            self.say(rule.fault, BROKEN, rule.sensor, value, rule.limit)
        elif beyond > -rule.differential:
            level = NEAR if beyond > -near else HELD
            self.say(rule.fault, level, rule.sensor, value, rule.limit)


def judge(
    plan: Plan,
    masking: Masking,
    known: Mapping[str, float],
    at: float,
    standing: frozenset[Fault] | set[Fault],
    track: Track,
) -> Verdict:
    """Return what the known values say at `at`; `standing`: faults that are not idle."""
    verdict = Verdict()
    runs = running(known)
    air = _room(verdict, plan, masking, known, at, standing, track)
    if plan.limits:
        _limits(verdict, plan, masking, known, at, standing, track, runs=runs)
    if masking.defrost:
        _defrost(verdict, plan, masking, air, at)
    if masking.door:
        _door(verdict, plan, masking, air, at)
    if runs is None or masking.defrost or masking.guessed:
        for fault in MACHINE & standing:
            verdict.levels[fault] = HELD  # nothing can be said
    else:
        _machine(verdict, plan, known, air, runs=runs)
        fan = known.get("evaporator_fan", 1.0)
        if fan <= ON:  # many stop with the compressor, and while the door is open
            level = BROKEN if runs and not masking.door else NEAR
            verdict.say(Fault.EVAPORATOR_FAN, level, "evaporator_fan", fan, 1.0)
    return verdict


def probes(verdict: Verdict, found: Probes, track: Track) -> None:
    """Add what the probes themselves say."""
    if found.bus > FADING:
        verdict.say(Fault.COMMS, BROKEN if found.bus > SHARE else HELD, "probes", found.bus, 0.0)
    for name in found.sick:
        verdict.say(Fault.SENSOR, BROKEN, name, track.value[track.names[name]], None)
    if found.fading:
        verdict.say(Fault.SENSOR, HELD, "", 0.0, None)


def room(known: Mapping[str, float]) -> float | None:
    """Return the temperature of the room's air: its probe's, or the air onto the evaporator."""
    found = known.get("temperature_c")
    return known.get("air_on_c") if found is None else found


def _room(
    verdict: Verdict,
    plan: Plan,
    masking: Masking,
    known: Mapping[str, float],
    at: float,
    standing: frozenset[Fault] | set[Fault],
    track: Track,
) -> float | None:
    air = room(known)
    if air is None:
        for fault in (Fault.HIGH_TEMPERATURE, Fault.LOW_TEMPERATURE):
            if fault in standing and _heard(track, "temperature_c", at):
                verdict.levels[fault] = NEAR
        return None
    high, low = plan.high_rule, plan.low_rule
    if high is not None and air > high.limit - high.differential:
        if air <= high.limit - min(NOISE_K, high.differential / 4):
            masking.inside()
            verdict.limit(high, air, 0.0)
        elif masking.hides(plan.profile.masks, at):
            verdict.levels[Fault.HIGH_TEMPERATURE] = HELD
        else:
            verdict.limit(high, air, NOISE_K)
    elif masking.hidden or masking.powered:
        masking.inside()
    if low is not None and air < low.limit + low.differential:
        verdict.limit(low, air, min(NOISE_K, low.differential / 4))
    return air


def _limits(
    verdict: Verdict,
    plan: Plan,
    masking: Masking,
    known: Mapping[str, float],
    at: float,
    standing: frozenset[Fault] | set[Fault],
    track: Track,
    *,
    runs: bool | None,
) -> None:
    masks = plan.profile.masks
    closed = Gate.ALWAYS
    if masking.covers(masks, at):
        closed = Gate.NO_DEFROST if masking.defrost or masking.guessed else Gate.UNMASKED
    for rule in plan.limits:
        value = known.get(rule.sensor)
        hidden = closed and rule.gate >= closed
        if value is None or hidden or (rule.running and runs is not True):
            # Nothing can be said: an alarm stays as it is.
            if rule.fault in standing and _heard(track, rule.sensor, at):
                verdict.levels[rule.fault] = max(NEAR, verdict.levels.get(rule.fault, NEAR))
        else:
            verdict.limit(rule, value, rule.differential / 4)


def _heard(track: Track, sensor: str, at: float) -> bool:
    i = track.names.get(sensor, -1)
    return i >= 0 and bool(track.at[i]) and at - track.at[i] < BLIND_S


def _defrost(verdict: Verdict, plan: Plan, masking: Masking, air: float | None, at: float) -> None:
    masks = plan.profile.masks
    lasted = (at - masking.defrost) / MINUTE
    if lasted > masks.max_defrost:
        verdict.say(Fault.DEFROST, BROKEN, "defrost_min", lasted, masks.max_defrost)
    elif air is not None and masks.max_defrost_c is not None and air > masks.max_defrost_c:
        masking.spoilt = 1.0
        verdict.say(Fault.DEFROST, BROKEN, "temperature_c", air, masks.max_defrost_c)
    else:
        verdict.say(Fault.DEFROST, HELD, "", 0.0, None)


def _door(verdict: Verdict, plan: Plan, masking: Masking, air: float | None, at: float) -> None:
    high = plan.high_rule
    warm = air is None or high is None or air > high.limit - high.differential
    level = BROKEN if masking.ajar(plan.profile.masks, at, warm=warm) else HELD
    verdict.say(Fault.DOOR, level, "door_min", (at - masking.door) / MINUTE, 0.0)
    verdict.since[Fault.DOOR] = masking.door


def _machine(
    verdict: Verdict, plan: Plan, known: Mapping[str, float], air: float | None, *, runs: bool
) -> None:
    if not runs:
        if known.get("compressor", 0.0) > ON:
            amperes = known.get("current_a", 0.0)
            verdict.say(Fault.COMPRESSOR_STOPPED, BROKEN, "current_a", amperes, IDLE_A)
        elif air is not None and plan.set_point is not None:
            called = plan.set_point + max(CALLED_K, plan.differential)
            if air > called:
                verdict.say(Fault.COMPRESSOR_STOPPED, BROKEN, "temperature_c", air, called)
        return
    low = plan.low_rule
    if air is not None and low is not None and air < low.limit:
        verdict.say(Fault.THERMOSTAT, BROKEN, "temperature_c", air, low.limit)
