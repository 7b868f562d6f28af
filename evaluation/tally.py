"""What was said of simulated episodes, counted: alarms, causes, delays, calibration."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from evaluation.episodes import DAY, NORMAL


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


class Stated(NamedTuple):
    """What one window said: the probability of its best state, whether true, whether to be seen."""

    share: float
    right: bool
    seen: bool


@dataclass
class Watched:
    """What became of one history: alarms, and what was stated, for calibration."""

    alarms: list[Raised]
    stated: list[Stated]


@dataclass
class Tally:
    """Episodes and what was said of them."""

    true: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    severities: list[float] = field(default_factory=list)
    delays: list[float] = field(default_factory=list)
    stated: list[Stated] = field(default_factory=list)
    repeats: list[int] = field(default_factory=list)
    """Of each episode that was found, how many alarms there were."""

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
            self.repeats.append(len(after))

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

    def calibration(self, *, seen: bool = False) -> float:
        """Return the expected calibration error of the best state's probability, ten bins.

        With `seen`, of windows that are normal or whose fault has come; else of all.
        """
        kept = [stated for stated in self.stated if stated.seen or not seen]
        share = np.array([stated.share for stated in kept])
        right = np.array([stated.right for stated in kept])
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
            for name in ("true", "said", "severities", "delays", "stated", "repeats")
        )
    )
