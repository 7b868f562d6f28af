"""From readings of one unit to what changed: raised, updated, cleared.

`advance` takes readings in event time, `pass_time` says what silence means in wall time; neither
has a clock. All that is remembered is in `Memory`, so a restart between two readings changes
nothing. Readings older than the newest decide nothing (they stay in the record); a clock that was
wrong for ten readings and ten minutes is believed in the end.

`Sample.heard` (optional) is the wall time at which a reading arrived: with it a backlog, worked off
hours late, is not silence, and a reading from the future counts as of its arrival.

An `UPDATED` transition carries the same `episode_id`; its `fault` may be another than `previous`
(the diagnosis found a better cause) and its `parent_id` may have come or gone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from refrigeration import rules
from refrigeration.conditions import BROKEN, CLEAR, HELD, IDLE, Condition
from refrigeration.episodes import Transition, adopted, suspected, told
from refrigeration.features import running
from refrigeration.inference import Diagnoses
from refrigeration.masks import CALLED_K, GRACE_S
from refrigeration.memory import GAPS, LONGEST_S, Memory
from refrigeration.parents import ORDER
from refrigeration.plan import Plan
from refrigeration.plausible import plausible
from refrigeration.profile import Profile
from refrigeration.rules import Verdict, judge
from refrigeration.track import STEP_S
from refrigeration.window import Window
from schemas.vocabulary import Change, Fault

__all__ = ["Memory", "Sample", "Transition", "advance", "due", "pass_time"]

FUTURE_S: Final = 300.0
SKEW_S: Final = 120.0
"""Probes with clocks of their own may be behind one another by so much."""
FRESH_S: Final = 180.0
"""A sensor's value holds for so long, where it is not in every reading."""
SILENCE: Final = (Fault.COMMS, Fault.NO_DATA)
"""Faults of which silence tells."""


class Sample(NamedTuple):
    """One reading of one unit: canonical names, our units; `None` is absent."""

    at: float
    values: Mapping[str, float | None]
    implausible: tuple[str, ...] = ()
    link: str = ""
    heard: float = 0.0


def advance(
    memory: Memory, profile: Profile, sample: Sample, diagnose: Diagnoses | None = None
) -> tuple[Transition, ...]:
    """Take one reading in; return what changed.

    Parameters
    ----------
    memory
        Of the unit; changed in place.
    profile
        Of the unit.
    sample
        One reading; of one unit, they come about in order.
    diagnose
        Asked every ten minutes, or five when there is a suspicion, or fifteen before a unit's
        normal is learned; without it the rules stand alone.
    """
    at, heard, values = sample.at, sample.heard, sample.values
    if heard and at > heard + FUTURE_S:
        at = max(heard, memory.newest)
    memory.heard = max(memory.heard, heard or at)
    if sample.link == "down":
        memory.down = memory.down or max(at, memory.newest)
        memory.changed = True
        return pass_time(memory, profile, max(at, memory.newest))
    if at < memory.newest and not memory.believes(at):
        values = _behind(memory, values, at)
        if not values:
            return ()
        at = memory.newest
    plan = memory.planned(profile)
    lost = _tick(memory, profile, at)
    track = memory.track
    minute = int(at // STEP_S)
    found: tuple[Transition, ...] = ()
    if minute > track.minute:
        _turn(memory, plan, minute, at, diagnose)
    good, bad = plausible(profile, track, values, at)
    track.take(good, at)
    if bad or sample.implausible:
        track.miss((*bad, *sample.implausible), at)
    known: Mapping[str, float] = good
    if len(good) < len(track.names):
        known = track.known(at - max(FRESH_S, memory.cap(profile)))
    memory.changed |= memory.masking.observe(known, at)
    found = _moved(memory, plan, _verdict(memory, plan, known, at), at, lost)
    for transition in found:
        if transition.fault is Fault.POWER and transition.change is Change.CLEARED:
            memory.masking.powered = at
    return found


def pass_time(memory: Memory, profile: Profile, now: float) -> tuple[Transition, ...]:
    """Say what silence until `now` (wall time) means; nothing for a unit never heard."""
    plan = memory.planned(profile)
    verdict = Verdict()
    if memory.down:
        verdict.say(Fault.COMMS, BROKEN, "silence_s", max(0.0, now - memory.down), None)
        verdict.since[Fault.COMMS] = memory.down
    silence, limit = now - memory.heard, memory.silence(profile)
    if memory.heard and silence > limit:
        verdict.say(Fault.NO_DATA, BROKEN, "silence_s", silence, limit)
        verdict.since[Fault.NO_DATA] = memory.heard
    return _moved(memory, plan, verdict, now, 0.0, [f for f in SILENCE if f in verdict.levels])


def due(memory: Memory, profile: Profile) -> float | None:
    """Return when `pass_time` has something to say if nothing is heard; None: nothing more."""
    found = []
    silent = memory.conditions.get(Fault.NO_DATA)
    if memory.heard and (silent is None or not silent.raised):
        found.append(memory.heard + memory.silence(profile) + 0.001)
    cut = memory.conditions.get(Fault.COMMS)
    if memory.down and (cut is None or not cut.raised):
        found.append(memory.down + memory.planned(profile).delays[Fault.COMMS][0])
    return min(found, default=None)


def _behind(
    memory: Memory, values: Mapping[str, float | None], at: float
) -> dict[str, float | None]:
    """Return the values of a late reading that are still news of their sensors."""
    if memory.newest - at > SKEW_S:
        return {}
    names, when = memory.track.names, memory.track.at
    return {
        name: value
        for name, value in values.items()
        if value is not None and (name not in names or when[names[name]] < at)
    }


def _tick(memory: Memory, profile: Profile, at: float) -> float:
    """Move time on; return the seconds since the last reading that are no evidence."""
    step = at - memory.newest if memory.newest else 0.0
    if not memory.newest:
        memory.masking.powered = at - GRACE_S  # it may be pulling down: then it falls
    memory.newest = at
    if memory.late:
        memory.late = []
    memory.down = 0.0
    if step <= 0:
        return 0.0
    lost = max(0.0, step - memory.cap(profile))
    if step <= LONGEST_S:
        memory.gaps = [*memory.gaps[1 - GAPS :], step]
    return lost


def _turn(memory: Memory, plan: Plan, minute: int, at: float, diagnose: Diagnoses | None) -> None:
    """Close a minute: look at the probes, at what masks without a contact, at the causes."""
    track, profile = memory.track, plan.profile
    if not track.minute:
        track.minute = minute
        return
    end = (track.minute + 1) * STEP_S
    memory.changed |= memory.probes.check(profile, track, end, memory.usual(profile))
    means = track.turn(minute)
    air = rules.room(means)
    called = air is not None and plan.set_point is not None and air > plan.set_point + CALLED_K
    memory.changed |= memory.masking.infer(
        profile.masks, track, end, runs=running(means), called=called
    )
    if diagnose is not None and means:
        if memory.window is None:
            memory.window = Window()
        memory.window.whole(profile, end - STEP_S / 2, means)
        if memory.suspicion.waits(minute + plan.turn, learned=bool(profile.learned)):
            return
        memory.suspicion.take(diagnose.diagnose(profile, memory.window), at)


def _verdict(memory: Memory, plan: Plan, known: Mapping[str, float], at: float) -> Verdict:
    masking, conditions = memory.masking, memory.conditions
    before = (masking.hidden, masking.powered, masking.spoilt)
    standing = {f for f, c in conditions.items() if c.state != IDLE} if conditions else NOTHING
    verdict = judge(plan, masking, known, at, standing, memory.track)
    probes = memory.probes
    if probes.sick or probes.fading or probes.bus:
        rules.probes(verdict, probes, memory.track)
    if before != (masking.hidden, masking.powered, masking.spoilt):
        memory.changed = True
    return verdict


NOTHING: Final[frozenset[Fault]] = frozenset()


def _moved(
    memory: Memory,
    plan: Plan,
    verdict: Verdict,
    at: float,
    lost: float,
    only: list[Fault] | None = None,
) -> tuple[Transition, ...]:
    """Let every condition take its step, causes before symptoms; then what was diagnosed."""
    conditions, levels = memory.conditions, verdict.levels
    suspicion = memory.suspicion
    diagnosed = only is None and suspicion.at > 0
    if not conditions and not levels and not diagnosed:
        return ()
    faults = conditions.keys() | levels.keys() if only is None else only
    found: list[Transition] = []
    for fault in sorted(faults, key=ORDER.__getitem__):
        change = _step(memory, plan, fault, verdict, at, lost)
        if change is not None:
            found.append(told(memory, plan, fault, change, at, verdict.evidence.get(fault, ())))
    if diagnosed:
        found.extend(suspected(memory, plan, at, lost))
    if found or any(condition.raised for condition in memory.standing().values()):
        found.extend(adopted(memory, plan, at))
    return tuple(found)


def _step(
    memory: Memory, plan: Plan, fault: Fault, verdict: Verdict, at: float, lost: float
) -> Change | None:
    level = verdict.levels.get(fault, CLEAR)
    condition, suspicion = memory.conditions.get(fault), memory.suspicion
    if level == BROKEN and fault is suspicion.fault and suspicion.condition.raised:
        level = HELD if condition and condition.raised else CLEAR  # it is told already
    if condition is None:
        if level != BROKEN:
            return None
        condition = memory.conditions[fault] = Condition()
    before = condition.state
    condition.lost += lost
    change = condition.step(level, at, *plan.delays[fault], verdict.since.get(fault))
    if condition.state != before or (lost and condition.state != IDLE):
        memory.changed = True
    if change is None and condition.state == IDLE and condition.stale(at):
        del memory.conditions[fault]
    return change
