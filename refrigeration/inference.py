"""From the diagnosis of each minute to an episode: by probability, and by how long it lasts.

Probabilities are averaged over about ten minutes. What is likely to be wrong is raised after an
on-delay that is the shorter the surer it is; which cause it is, is the likeliest of the average.
One episode at a time: a better cause found later updates it, with another fault and the same
identity.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from sys import intern
from typing import Any, Final, Protocol

from pydantic import TypeAdapter
from pydantic_core import from_json

from refrigeration.conditions import BROKEN, CLEAR, HELD, NEAR, Condition
from refrigeration.drift import Drift
from refrigeration.profile import Profile
from refrigeration.window import Window
from schemas.frigo import Cause
from schemas.vocabulary import Fault

AVERAGE_S: Final = 600.0
SUSPECT: Final = 0.70
"""Average probability of any fault: an episode is pending."""
DOUBT: Final = 0.55
GONE: Final = 0.25
SURE: Final = 0.95
SLOW_S: Final = 3600.0
"""On-delay when barely suspect."""
QUICK_S: Final = 600.0
"""On-delay when sure."""
OFF_S: Final = 3 * 3600.0
"""Off-delay: what comes and goes with the compressor's cycles is one episode, not one a cycle."""
UNLEARNED: Final = 0.90
"""Of a unit whose normal was not learned, deviations are from all others: `SUSPECT` is higher,"""
PATIENCE: Final = 4.0
"""and the on-delay so many times longer."""
WARM_S: Final = 4 * 3600.0
"""Averages of a window that has just begun say nothing."""
BETTER: Final = 0.3
"""So much likelier, another cause takes over: a known one, twice in an episode at most."""
AGAIN_S: Final = 3600.0
REFINED: Final = 2
CALM_MINUTES, ALERT_MINUTES, UNLEARNED_MINUTES = 10, 5, 15
"""Between diagnoses, without and with a suspicion, or before anything is learned: 0.4 ms each."""
NORMAL: Final = "normal"
STALE_S: Final = 1800.0
"""Without a new diagnosis for so long the opinion is nobody's."""
SMALL: Final = 0.005
_CAUSES: Final = TypeAdapter(tuple[Cause, ...])


class Found(Protocol):
    """What is used of a `Diagnosis`."""

    @property
    def probabilities(self) -> Mapping[str, float]:
        """Of `normal`, of each fault, of `unknown`; empty when nothing can be said."""

    @property
    def causes(self) -> tuple[Cause, ...]:
        """Ranked, with evidence."""

    @property
    def sigmas(self) -> Mapping[str, float]:
        """Deviations whose drift is followed."""


class Diagnoses(Protocol):
    """A `refrigeration.diagnosis.Diagnoser`, or what stands for one."""

    def diagnose(self, profile: Profile, window: Window) -> Found:
        """Return what the window says."""


class Suspicion:
    """What the diagnoses of the last minutes amount to."""

    __slots__ = (
        "at",
        "began",
        "condition",
        "drift",
        "fault",
        "refined",
        "said",
        "shares",
        "times",
    )

    def __init__(self) -> None:
        self.at = 0.0  # of the last diagnosis
        self.shares: dict[str, float] = {}
        self.condition = Condition()
        self.fault: Fault | None = None  # that was told
        self.refined = 0.0  # when it was told, or told better
        self.times = 0  # how often it was told better
        self.began = 0.0  # the first diagnosis
        self.said = b"[]"  # the causes of the last diagnosis, as JSON: a fifth of the objects
        self.drift = Drift()

    def waits(self, minute: int, *, learned: bool) -> bool:
        """Whether this minute is not one for a diagnosis."""
        every = ALERT_MINUTES if self.score >= GONE else CALM_MINUTES
        return minute % (every if learned else UNLEARNED_MINUTES) != 0

    def take(self, found: Found, at: float) -> None:
        """Average a diagnosis in."""
        if not found.probabilities:
            return
        step = at - self.at if self.at else 60.0
        self.began = self.began or at
        weight = 1 - math.exp(-min(step, STALE_S) / AVERAGE_S)
        self.at = at
        self.drift.take(found.sigmas, at)
        self.said = _CAUSES.dump_json(found.causes)
        shares = self.shares or {NORMAL: 1.0}
        names = shares.keys() | found.probabilities.keys()
        mixed = {
            name: (was := shares.get(name, 0.0))
            + weight * (found.probabilities.get(name, 0.0) - was)
            for name in sorted(names)
        }
        self.shares = {name: share for name, share in mixed.items() if share > SMALL}

    @property
    def score(self) -> float:
        """The average probability that anything is wrong."""
        return 1.0 - self.shares.get(NORMAL, 0.0) if self.shares else 0.0

    def level(self, at: float, *, explained: bool, learned: bool = True) -> int:
        """Return the level of the episode.

        Parameters
        ----------
        at
            Now, in unix seconds.
        explained
            A stronger alarm stands for the unit.
        learned
            What is normal for this unit was learned.
        """
        if not self.shares:
            return CLEAR
        score = self.score
        if explained or at - self.at > STALE_S or at - self.began < WARM_S:
            return HELD
        if self.pends(learned=learned):
            return BROKEN
        return NEAR if score >= DOUBT else HELD if score >= GONE else CLEAR

    def pends(self, *, learned: bool) -> bool:
        """Whether the average alone makes an episode pending."""
        return self.score >= (SUSPECT if learned else UNLEARNED)

    @property
    def on_s(self) -> float:
        """The on-delay: the surer, the shorter."""
        sure = (self.score - SUSPECT) / (SURE - SUSPECT)
        return SLOW_S + (QUICK_S - SLOW_S) * min(1.0, max(0.0, sure))

    def best(self) -> Fault:
        """Return the likeliest fault of the average."""
        faults = {name: share for name, share in self.shares.items() if name != NORMAL}
        best = max(faults, key=lambda name: (faults[name], name), default=Fault.UNKNOWN.value)
        return Fault(best)

    def better(self, at: float) -> Fault | None:
        """Return the cause that should take over from the one told, if any."""
        if self.fault is None or self.times >= REFINED or at - self.refined < AGAIN_S:
            return None
        best = self.best()
        gain = self.shares.get(best.value, 0.0) - self.shares.get(self.fault.value, 0.0)
        fits = best not in {self.fault, Fault.UNKNOWN} and gain > BETTER
        return best if fits else None

    def tell(self, fault: Fault, at: float) -> None:
        """Note under which fault the episode is told now."""
        self.times = 0 if self.fault is None else self.times + 1
        self.fault, self.refined = fault, at

    def ranked(self) -> tuple[Cause, ...]:
        """Return the causes by their averages, with the evidence of the last diagnosis."""
        known = {cause.fault: cause for cause in _CAUSES.validate_json(self.said)}
        order = sorted((n for n in self.shares if n != NORMAL), key=lambda n: -self.shares[n])
        ranked = [
            known.get(name, Cause(fault=name, probability=0.0)).model_copy(
                update={"probability": min(1.0, self.shares[name])}
            )
            for name in order[:3]
        ]
        drifted = self.drift.found() if ranked else None
        if drifted is not None:
            evidence = (*ranked[0].evidence, drifted.said())
            ranked[0] = ranked[0].model_copy(update={"evidence": evidence})
        return tuple(ranked)

    def rewind(self, at: float) -> None:
        """Let nothing have begun after `at`."""
        self.at, self.refined = min(self.at, at), min(self.refined, at)
        self.began = min(self.began, at)
        self.condition.rewind(at)

    def body(self) -> dict[str, Any]:
        """Return all as JSON."""
        if not self.at:
            return {}
        return {
            "at": self.at,
            "shares": self.shares,
            "condition": self.condition.body(),
            "fault": self.fault and self.fault.value,
            "refined": self.refined,
            "times": self.times,
            "began": self.began,
            "causes": from_json(self.said),
            "drift": self.drift.body(),
        }

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Suspicion:
        """Return what `body` was made of."""
        suspicion = cls()
        if body:
            suspicion.at, suspicion.refined = body["at"], body["refined"]
            suspicion.times, suspicion.began = body["times"], body["began"]
            suspicion.shares = {intern(name): share for name, share in body["shares"].items()}
            suspicion.condition = Condition.of(body["condition"])
            suspicion.fault = Fault(body["fault"]) if body["fault"] else None
            suspicion.drift = Drift.of(body.get("drift", {}))
            suspicion.said = _CAUSES.dump_json(_CAUSES.validate_python(body["causes"]))
        return suspicion
