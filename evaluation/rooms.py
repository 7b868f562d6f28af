"""The shipped detector on simulated cold rooms that it has never seen: episodes and false alarms.

A unit is watched as the product does it: a diagnosis every ten minutes, averaged by `Suspicion`,
raised after its on-delay. Rules (limits, door, power, probes) are not counted here: this is what
diagnosis alone finds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from evaluation.episodes import (
    CAUSES,
    DAY,
    LEARNED_DAYS,
    NORMAL,
    ONSET_S,
    Harm,
    episode,
    learned,
    readings,
)
from refrigeration.diagnosis import Diagnoser, Fitted
from refrigeration.inference import DOUBT, GONE, OFF_S, SUSPECT, Suspicion
from refrigeration.normal import Normal
from refrigeration.window import Window
from simulation.rooms import History, history

EVERY = 10
"""Minutes between two diagnoses, as of a unit without a suspicion."""
MILD, MIDDLE, GRAVE = 0.35, 0.6, 0.9
FIRST_SEED = 100_000


@dataclass
class Raised:
    """One alarm of diagnosis: when, for how long, the cause by its average."""

    at: float
    until: float = float("inf")
    shares: dict[str, float] = field(default_factory=dict)

    @property
    def cause(self) -> str:
        """The likeliest cause while it stood."""
        faults = {name: share for name, share in self.shares.items() if name != NORMAL}
        return max(faults, key=lambda name: faults[name])


@dataclass
class Watched:
    """What became of one history: alarms, and pairs of stated and true for calibration."""

    alarms: list[Raised]
    stated: list[tuple[float, bool]]


def watch(found: History, fitted: Fitted, harm: Harm | None = None) -> Watched:
    """Return the alarms of a history."""
    window, suspicion = Window(), Suspicion()
    alarms: list[Raised] = []
    standing: Raised | None = None
    since = below = None
    stated: list[tuple[float, bool]] = []
    truth = dict(zip(found.times.tolist(), found.label.tolist(), strict=True))
    for at, values in readings(found, harm):
        if not window.add(found.profile, at, values) or window.minute % EVERY:
            continue
        said = fitted.diagnose(found.profile, window)
        if not said.probabilities:
            continue
        suspicion.take(said, at)
        best = max(said.probabilities, key=lambda name: said.probabilities[name])
        stated.append((said.probabilities[best], best == truth[at]))
        score = suspicion.score
        since = (since or at) if score >= (SUSPECT if since is None else DOUBT) else None
        below = (below or at) if score < GONE else None
        if standing is None and since is not None and at - since >= suspicion.on_s:
            standing = Raised(at)
            alarms.append(standing)
        if standing is not None:
            for name, share in suspicion.shares.items():
                standing.shares[name] = standing.shares.get(name, 0.0) + share
            if below is not None and at - below >= OFF_S:
                standing.until, standing = at, None
    return Watched(alarms, stated)


@dataclass
class Tally:
    """Episodes and what was said of them."""

    true: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    severities: list[float] = field(default_factory=list)
    delays: list[float] = field(default_factory=list)
    stated: list[tuple[float, bool]] = field(default_factory=list)

    def add(self, true: str, severity: float, seen: Watched, onset: float) -> None:
        """Take an episode in: its alarm is the one that stood longest after the onset."""
        after = [a for a in seen.alarms if a.until > onset]
        chosen = max(
            after, key=lambda a: min(a.until, onset + 2 * DAY) - max(a.at, onset), default=None
        )
        self.true.append(true)
        self.said.append(chosen.cause if chosen else NORMAL)
        self.severities.append(severity)
        self.stated.extend(seen.stated)
        if chosen:
            self.delays.append(max(chosen.at - onset, 0.0) / 3600)

    def f1(self, least: float = 0.0, most: float = 1.0) -> float:
        """Return the macro-F1 over the causes."""
        kept = [
            (t, s)
            for t, s, v in zip(self.true, self.said, self.severities, strict=True)
            if least <= v <= most
        ]
        found = []
        for cause in sorted({t for t, _ in kept}):
            hit = sum(t == s == cause for t, s in kept)
            wrong = sum((t == cause) != (s == cause) for t, s in kept)
            found.append(2 * hit / max(2 * hit + wrong, 1))
        return float(np.mean(found)) if found else float("nan")

    def detected(self) -> float:
        """Return the share of episodes that raised an alarm."""
        return float(np.mean([said != NORMAL for said in self.said]))

    def wrong(self) -> float:
        """Return the share of wrong causes among what was detected."""
        seen = [t != s for t, s in zip(self.true, self.said, strict=True) if s != NORMAL]
        return float(np.mean(seen)) if seen else float("nan")

    def calibration(self) -> float:
        """Return the expected calibration error of the best class's probability, ten bins."""
        share = np.array([p for p, _ in self.stated])
        right = np.array([r for _, r in self.stated])
        places = np.minimum((share * 10).astype(int), 9)
        return float(
            sum(
                abs(share[places == b].mean() - right[places == b].mean()) * np.mean(places == b)
                for b in range(10)
                if (places == b).any()
            )
        )


def joined(tallies: list[Tally]) -> Tally:
    """Return several tallies as one."""
    return Tally(
        *(
            [entry for tally in tallies for entry in getattr(tally, name)]
            for name in ("true", "said", "severities", "delays", "stated")
        )
    )


def units(count: int, first: int = FIRST_SEED) -> list[int]:
    """Return the seeds of hidden units."""
    return list(range(first, first + count))


def episodes(
    seeds: list[int],
    harm: Callable[[History], Harm | None] = lambda _: None,
    days: float = LEARNED_DAYS,
) -> Tally:
    """Return what is said of every cause on every unit, severities in turn."""
    tally = Tally()
    shipped = Diagnoser.shipped()
    for seed in seeds:
        _, normal, _ = learned(seed, days)
        fitted = shipped.of_unit(normal if days else Normal.generic())
        for place, cause in enumerate(CAUSES):
            severity = (MILD, MIDDLE, GRAVE)[(place + seed) % 3]
            shown = episode(seed, cause, severity)
            seen = watch(shown, fitted, harm(shown))
            tally.add(cause.value, severity, seen, float(shown.times[0]) + ONSET_S)
    return tally


def false_alarms(seeds: list[int], days: float) -> tuple[int, float]:
    """Return alarms in normal operation, and over how many unit-months."""
    shipped = Diagnoser.shipped()
    count = 0
    for seed in seeds:
        _, normal, past = learned(seed)
        start = float(past.times[0]) + (30 + seed % 5 * 60) * DAY
        shown = history(seed, days, start=start)
        count += len(watch(shown, shipped.of_unit(normal)).alarms)
    return count, len(seeds) * days / 30.4
