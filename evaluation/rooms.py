"""The shipped detector on simulated cold rooms that it has never seen: episodes and false alarms.

A unit is watched as the product does it: a diagnosis every ten minutes, averaged by `Suspicion`,
raised and cleared by its `Condition`. Rules (limits, door, power, probes) are not counted here:
this is what diagnosis alone finds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.episodes import (
    CAUSES,
    DAY,
    LEARNED_DAYS,
    NORMAL,
    ONSET_S,
    Harm,
    Sample,
    episode,
    learned,
    samples,
)
from evaluation.tally import Raised, Stated, Tally, Watched
from refrigeration.diagnosis import Diagnoser, Diagnosis, damped
from refrigeration.history import Floats
from refrigeration.inference import OFF_S, PATIENCE, Suspicion
from refrigeration.normal import Normal, pool
from refrigeration.profile import Profile
from schemas.vocabulary import Change
from simulation.rooms import History, history

EVERY = 10
"""Minutes between two diagnoses, as of a unit without a suspicion."""
MILD, MIDDLE, GRAVE = 0.35, 0.6, 0.9
FIRST_SEED = 100_000
COME, COME_S = 1 / 3, 3600.0
"""A fault is there for all to see, at the earliest, when so much of it has come and so long ago."""


def shares_of(
    diagnoser: Diagnoser, profile: Profile, normal: Normal, told: Sequence[Sample]
) -> Floats:
    """Return what `Diagnoser.diagnose` would say of windows: classes in order, then unknown."""
    known = pool()
    rows = [known.weigh(profile, sample.summary) for sample in told]
    values, given = (np.stack(parts) for parts in zip(*rows, strict=True))
    sigmas = normal.sigmas(values, given)[1]
    places = [known.place[name] for name in diagnoser.features]
    return diagnoser.probabilities(damped(sigmas[:, places]))


def watch(
    told: Sequence[Sample], severity: float, profile: Profile, normal: Normal, *, taught: bool
) -> Watched:
    """Return the alarms of the windows of a history.

    Parameters
    ----------
    told
        Its windows, one every ten minutes.
    severity
        That its fault comes to; 0: there is none.
    profile, normal
        Of the unit.
    taught
        The normal is the unit's own: `Suspicion` is less patient then.
    """
    diagnoser = Diagnoser.shipped()
    names = (*diagnoser.classes, "unknown")
    suspicion, alarms, stated = Suspicion(), list[Raised](), list[Stated]()
    onset = next((sample.at for sample in told if sample.label != NORMAL), np.inf)
    for sample, shares in zip(told, shares_of(diagnoser, profile, normal, told), strict=True):
        at, best = sample.at, int(shares.argmax())
        come = sample.severity >= COME * severity and at - onset > COME_S
        seen = sample.label == NORMAL or come
        stated.append(Stated(float(shares[best]), names[best] == sample.label, seen))
        suspicion.take(Diagnosis(0.0, None, dict(zip(names, shares.tolist(), strict=True))), at)
        level = suspicion.level(at, explained=False, learned=taught)
        on_s = suspicion.on_s * (1 if taught else PATIENCE)
        change = suspicion.condition.step(level, at, on_s, OFF_S)
        if change is Change.RAISED:
            alarms.append(Raised(at))
        elif change is Change.CLEARED:
            alarms[-1].until = at
        if suspicion.condition.raised:
            total = alarms[-1].shares
            for name, share in suspicion.shares.items():
                total[name] = total.get(name, 0.0) + share
    return Watched(alarms, stated)


def units(count: int, first: int = FIRST_SEED) -> list[int]:
    """Return the seeds of hidden units."""
    return list(range(first, first + count))


@dataclass(frozen=True)
class Shown:
    """Every cause on one unit, as windows; what was learned of it before."""

    seed: int
    profile: Profile
    normal: Normal
    shown: tuple[History, ...]
    severities: tuple[float, ...]
    told: tuple[list[Sample], ...]

    def harmed(self, harm: Callable[[int, History], Harm | None]) -> Shown:
        """Return the same with harm done to the sensors."""
        told = tuple(samples(one, harm(self.seed, one), EVERY) for one in self.shown)
        return Shown(self.seed, self.profile, self.normal, self.shown, self.severities, told)

    def tally(self, *, taught: bool = True) -> Tally:
        """Return what is said of it; without `taught`, as if nothing were known of the unit."""
        found = Tally()
        normal = self.normal if taught else Normal.generic()
        for cause, shown, told, severity in zip(
            CAUSES, self.shown, self.told, self.severities, strict=True
        ):
            seen = watch(told, severity, self.profile, normal, taught=taught)
            found.add(cause.value, severity, seen, float(shown.times[0]) + ONSET_S)
        return found


def show(seed: int) -> Shown:
    """Return a unit on which every cause comes, severities in turn."""
    profile, normal, _ = learned(seed, LEARNED_DAYS)
    severities = tuple((MILD, MIDDLE, GRAVE)[(i + seed) % 3] for i in range(len(CAUSES)))
    shown = tuple(
        episode(seed, cause, severity) for cause, severity in zip(CAUSES, severities, strict=True)
    )
    told = tuple(samples(one, None, EVERY) for one in shown)
    return Shown(seed, profile, normal, shown, severities, told)


def false_alarms(seeds: list[int], days: float) -> tuple[int, float]:
    """Return alarms in normal operation, and over how many unit-months."""
    count = 0
    for seed in seeds:
        profile, normal, past = learned(seed)
        start = float(past.times[0]) + (30 + seed % 5 * 60) * DAY
        told = samples(history(seed, days, start=start), None, EVERY)
        count += len(watch(told, 0.0, profile, normal, taught=True).alarms)
    return count, len(seeds) * days / 30.4
