"""What is told of an episode: its identity, evidence, parent, and the course of the last hours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from typing import Final

from refrigeration.conditions import ACTIVE, IDLE, Condition, episode
from refrigeration.inference import OFF_S, PATIENCE
from refrigeration.memory import Memory
from refrigeration.parents import parent
from refrigeration.plan import MINUTE, Plan
from refrigeration.track import SIZE, STEP_S, Track
from schemas.frigo import Cause, Contribution, Series
from schemas.vocabulary import Change, Fault

COURSES: Final = (
    "temperature_c",
    "product_c",
    "low_pressure_bar",
    "high_pressure_bar",
    "current_a",
    "discharge_c",
    "ambient_c",
    "air_off_c",
    "air_flow_m3_h",
    "voltage_v",
    "humidity_pct",
)
"""Sensors whose course travels with a transition, beside those of its evidence."""
OVERRULES: Final = (
    Fault.POWER,
    Fault.COMMS,
    Fault.COMPRESSOR_STOPPED,
    Fault.DEFROST,
    Fault.DOOR,
)
"""While one of them stands, what the features look like is its consequence,"""
AFTER_S: Final = 3600.0
"""and for so long after."""


@dataclass(frozen=True)
class Transition:
    """How an episode moved.

    Attributes
    ----------
    change, fault, episode_id
        What; the identity follows from unit, fault and `since`, so it is the same when repeated.
    since, at
        When the condition began, and when it moved; unix seconds.
    previous
        The fault of the episode before; `None` when it is raised.
    causes
        Ranked, with signed evidence.
    courses
        Means of minutes, the last one ends at `at`.
    parent_id
        The episode that explains this one; empty: it stands alone.
    """

    change: Change
    fault: Fault
    episode_id: str
    since: float
    at: float
    previous: Fault | None
    causes: tuple[Cause, ...]
    courses: tuple[Series, ...]
    parent_id: str


def told(
    memory: Memory,
    plan: Plan,
    fault: Fault,
    change: Change,
    at: float,
    evidence: Sequence[Contribution] = (),
) -> Transition:
    """Return the transition of a rule's condition."""
    cause = Cause(
        fault=fault.value,
        probability=1.0,
        contributions=tuple(Contribution(**given.__dict__) for given in evidence),
    )
    return _transition(memory, plan, memory.conditions[fault], fault, change, at, (cause,))


def suspected(memory: Memory, plan: Plan, at: float, lost: float) -> list[Transition]:
    """Let the episode that was diagnosed take its step."""
    suspicion, standing = memory.suspicion, memory.conditions
    condition = suspicion.condition
    learned = bool(plan.profile.learned)
    if condition.state == IDLE and not suspicion.pends(learned=learned):
        return []  # as at nearly every reading
    overruling = OVERRULES if condition.raised else (*OVERRULES, suspicion.best())
    explained = any(
        fault in standing and standing[fault].stands(at, AFTER_S) for fault in overruling
    )
    before = condition.state
    condition.lost += lost
    level = suspicion.level(at, explained=explained, learned=learned)
    on_s = suspicion.on_s * (1 if learned else PATIENCE)
    change = condition.step(level, at, on_s, OFF_S)
    memory.changed |= condition.state != before
    if change is Change.RAISED:
        suspicion.tell(suspicion.best(), at)
    fault = suspicion.fault
    if fault is None:
        return []
    if change is not None:
        moved = [_transition(memory, plan, condition, fault, change, at, suspicion.ranked())]
        if change is Change.CLEARED:
            suspicion.fault = None
        return moved
    better = suspicion.better(at) if condition.state == ACTIVE else None
    if better is None or (better in standing and standing[better].raised):
        return []
    suspicion.tell(better, at)
    memory.changed = True
    update = _transition(
        memory, plan, condition, better, Change.UPDATED, at, suspicion.ranked(), fault
    )
    return [update]


def adopted(memory: Memory, plan: Plan, at: float) -> list[Transition]:
    """Tell of alarms whose explanation came or went."""
    found = []
    standing = memory.standing()
    for fault, condition in standing.items():
        if condition.state != ACTIVE:
            continue
        cause = parent(standing, fault)
        if cause == condition.parent_id or _lingers(standing, plan, condition, cause, at):
            continue
        condition.parent_id = cause
        memory.changed = True
        causes: tuple[Cause, ...] = (Cause(fault=fault.value, probability=1.0),)
        if condition is memory.suspicion.condition:
            causes = memory.suspicion.ranked()
        found.append(_transition(memory, plan, condition, fault, Change.UPDATED, at, causes, fault))
    return found


def _lingers(
    standing: Mapping[Fault, Condition], plan: Plan, condition: Condition, cause: str, at: float
) -> bool:
    """Whether the cause went so shortly ago that it still explains; a newer one takes over."""
    known = {each.episode_id: each for each in standing.values()}
    gone, newer = known.get(condition.parent_id), known.get(cause)
    if gone is None or gone.raised or at - gone.left >= plan.profile.masks.PAO * MINUTE:
        return False
    return newer is None or newer.raises[-1] <= gone.left


def _transition(
    memory: Memory,
    plan: Plan,
    condition: Condition,
    fault: Fault,
    change: Change,
    at: float,
    causes: tuple[Cause, ...],
    previous: Fault | None = None,
) -> Transition:
    if change is Change.RAISED:
        condition.episode_id = episode(plan.profile.unit_id, fault, condition.since)
        condition.parent_id = parent(memory.standing(), fault)
    elif change is Change.CLEARED:
        previous = fault
        at = max(at, condition.raises[-1])  # a backlog ends a silence of later wall time
    named = [each.feature for cause in causes[:1] for each in cause.contributions]
    return Transition(
        change=change,
        fault=fault,
        episode_id=condition.episode_id,
        since=condition.since,
        at=at,
        previous=previous,
        causes=causes,
        courses=courses(memory.track, named),
        parent_id=condition.parent_id,
    )


def courses(track: Track, named: Sequence[str]) -> tuple[Series, ...]:
    """Return the minutes of what matters, the evidence's sensors first."""
    found = []
    for name in dict.fromkeys((*named, *COURSES)):
        if name not in track.names:
            continue
        minutes = track.minutes(name, SIZE)
        values = [None if isnan(value) else round(value, 3) for value in minutes]
        first = next((i for i, value in enumerate(values) if value is not None), SIZE)
        if first < SIZE:
            found.append(Series(feature=name[:40], step_s=STEP_S, values=tuple(values[first:])))
    return tuple(found)
