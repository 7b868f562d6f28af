"""Which fault would explain a window: calibrated probabilities, each with signed evidence.

A multinomial logistic regression on the deviations from the unit's normal: of each feature how far
above, how far below (both damped, so that one wild sensor does not decide alone) and whether it is
missing. Coefficients ship as JSON, fitted on simulated units that no evaluation uses
(`scripts/diagnosis.py`); numpy is all that it needs. A fault that none of the known explains has
a large distance to each of them, or no clear winner: both together say `unknown`.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refrigeration.drift import FOLLOWED
from refrigeration.normal import Deviation, Normal
from refrigeration.profile import Profile
from refrigeration.window import Window
from schemas.frigo import Cause, Contribution
from schemas.vocabulary import Fault

Floats = NDArray[np.float64]
NORMAL = "normal"
NAMED = 3
"""Causes and contributions that are told."""
LEAST_STEADY = 3
"""Steady minutes below which a window is `steady=False`: it says little of pressures."""
STRANGE = 1.5
"""Distance and doubt together from which a fault is rather an unknown one."""
WORTH = 0.2
"""Probability of a fault below which no evidence is worked out."""
ENOUGH = 0.5
"""Probability of a fault from which a window counts as faulty, unless told otherwise."""


@dataclass(frozen=True)
class Diagnosis:
    """What a window says. `score` ranks (0 normal … 1 surely not); `fault` is the best cause."""

    score: float
    fault: Fault | None
    probabilities: Mapping[str, float] = field(default_factory=dict)
    """Of `normal`, of each known fault and of `unknown`; they add up to 1."""
    causes: tuple[Cause, ...] = ()
    distance: float = 0.0
    """To the nearest known state, in units of its own spread: above 1 it fits none."""
    steady: bool = False
    sigmas: Mapping[str, float] = field(default_factory=dict)  # whose drift is followed


def damped(sigmas: Floats) -> Floats:
    """Return inputs of shape (..., 3 x features): above, below, missing (of NaN)."""
    missing = np.isnan(sigmas)
    known = np.where(missing, 0.0, np.clip(sigmas, -60, 60))
    above, below = np.log1p(np.maximum(known, 0)), np.log1p(np.maximum(-known, 0))
    return np.concatenate([above, below, missing.astype(float)], axis=-1)


class Diagnoser:
    """Coefficients, and what they say of a window."""

    def __init__(self, body: Mapping[str, Any]) -> None:
        self.features: tuple[str, ...] = tuple(body["features"])
        self.classes: tuple[str, ...] = tuple(body["classes"])
        self.layers = [(np.array(layer["w"]), np.array(layer["b"])) for layer in body["layers"]]
        self.temperature: float = body["temperature"]
        unknown = body["unknown"]
        self.centres: Floats = np.array(unknown["centres"])
        self.spreads: Floats = np.array(unknown["spreads"])
        self.reach: float = unknown["reach"]
        self.slope: float = unknown["slope"]

    @classmethod
    def shipped(cls) -> Diagnoser:
        """Return the one that ships, read once."""
        return _shipped()

    def logits(self, inputs: Floats) -> Floats:
        """Return one number for each class."""
        found = inputs
        for weights, shift in self.layers[:-1]:
            found = np.maximum(found @ weights + shift, 0.0)
        weights, shift = self.layers[-1]
        return np.asarray(found @ weights + shift)

    def distances(self, inputs: Floats) -> Floats:
        """Return how far inputs are from each class, 1 being the edge of what it has shown."""
        above_below = inputs[..., None, : 2 * len(self.features)]
        missing = inputs[..., None, 2 * len(self.features) :]
        there = 1.0 - np.concatenate([missing, missing], axis=-1)
        gaps = ((above_below - self.centres) / self.spreads) ** 2 * there
        found = np.sqrt(gaps.sum(-1) / np.maximum(there.sum(-1), 1)) / self.reach
        return np.asarray(found)

    def probabilities(self, inputs: Floats) -> Floats:
        """Return calibrated probabilities: the classes in order, then `unknown`."""
        logits = self.logits(inputs) / self.temperature
        logits = logits - logits.max(-1, keepdims=True)
        known = np.exp(logits)
        known /= known.sum(-1, keepdims=True)
        best = known[..., 1:].max(-1) / np.maximum(1 - known[..., 0], 1e-9)
        strange = self.distances(inputs).min(-1) + self.slope * (1 - best) - STRANGE
        unknown = (1 - known[..., 0]) / (1 + np.exp(-np.clip(6 * strange, -30, 30)))
        return np.concatenate([known * (1 - unknown[..., None]), unknown[..., None]], axis=-1)

    def inputs(self, deviations: Mapping[str, Deviation]) -> Floats:
        """Return the inputs of a window's deviations."""
        nothing = Deviation(0.0, 0.0, float("nan"))
        return damped(np.array([deviations.get(n, nothing).sigma for n in self.features]))

    def diagnose(self, profile: Profile, window: Window, normal: Normal | None = None) -> Diagnosis:
        """Return what the window says of its unit.

        Parameters
        ----------
        profile, window
            Of the unit.
        normal
            The unit's own; else what its profile has learned, else the pool's, which is wide.
        """
        summary = window.summary()
        deviations = (normal or _own(profile)).deviations(profile, summary)
        if not deviations:
            return Diagnosis(0.0, None)
        inputs = self.inputs(deviations)
        shares = self.probabilities(inputs)
        names = (*self.classes, Fault.UNKNOWN.value)
        found = {name: float(share) for name, share in zip(names, shares, strict=True)}
        order = sorted((name for name in names if name != NORMAL), key=lambda n: -found[n])
        score = 1.0 - found[NORMAL]
        causes = (
            tuple(self._cause(name, found[name], inputs, deviations) for name in order[:NAMED])
            if score >= WORTH
            else ()
        )
        return Diagnosis(
            score=score,
            fault=Fault(order[0]) if score >= ENOUGH else None,
            probabilities=found,
            causes=causes,
            distance=float(self.distances(inputs).min()),
            steady=window.steady_minutes() >= LEAST_STEADY,
            sigmas={name: deviations[name].sigma for name in FOLLOWED if name in deviations},
        )

    def of_unit(self, normal: Normal) -> Fitted:
        """Return it with a unit's own normal: something that `diagnose(profile, window)`s."""
        return Fitted(self, normal)

    def contributions(self, fault: str, inputs: Floats) -> Floats:
        """Return what each feature adds for a fault, against normal: logits lost without it."""
        count = len(self.features)
        if fault not in self.classes:
            gaps = inputs[: 2 * count]
            return np.asarray(gaps[:count] + gaps[count:])
        place = self.classes.index(fault)
        without = np.repeat(inputs[None], count, axis=0)
        index = np.arange(count)
        without[index, index] = without[index, count + index] = 0.0
        margin = self.logits(np.concatenate([inputs[None], without]))
        gained = margin[:, place] - margin[:, 0]
        return np.asarray(gained[0] - gained[1:])

    def _cause(
        self, name: str, share: float, inputs: Floats, deviations: Mapping[str, Deviation]
    ) -> Cause:
        gains = self.contributions(name, inputs)
        told = [int(place) for place in np.argsort(-gains) if self.features[place] in deviations][
            :NAMED
        ]
        chosen = [self.features[place] for place in told if gains[place] > 0]
        return Cause(
            fault=name,
            probability=min(max(share, 0.0), 1.0),
            evidence=tuple(said(name, deviations[name]) for name in chosen),
            contributions=tuple(
                Contribution(
                    feature=name,
                    value=round(deviations[name].value, 3),
                    normal=round(deviations[name].normal, 3),
                    sigma=round(deviations[name].sigma, 2),
                )
                for name in chosen
            ),
        )


@dataclass(frozen=True)
class Fitted:
    """A diagnoser with the normal of one unit."""

    diagnoser: Diagnoser
    normal: Normal

    def diagnose(self, profile: Profile, window: Window) -> Diagnosis:
        """Return what the window says of this unit."""
        return self.diagnoser.diagnose(profile, window, self.normal)


UNITS = {"k": "K", "c": "°C", "a": "A", "w": "W", "pct": "%", "h": "h"}


def said(feature: str, found: Deviation) -> str:
    """Return one signed sentence part: `subcooling_k +5.0 K (+4.1 sigma)`."""
    unit = UNITS.get(feature.rsplit("_", 1)[-1], "")
    unit = "K" if unit == "°C" else unit
    gap = f"{found.value - found.normal:+.2f}".rstrip("0").rstrip(".")
    return f"{feature} {gap} {unit}".rstrip() + f" ({found.sigma:+.1f} sigma)"


def together(found: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the probabilities of several windows of one episode: their mean."""
    names = sorted({name for shares in found for name in shares})
    return {name: sum(s.get(name, 0.0) for s in found) / max(len(found), 1) for name in names}


@cache
def _shipped() -> Diagnoser:
    path = files("refrigeration").joinpath("coefficients", "diagnosis.json")
    return Diagnoser(json.loads(path.read_text("utf-8")))


@cache
def _generic() -> Normal:
    return Normal.generic()


_owned: OrderedDict[str, tuple[Mapping[str, Any], Normal]] = OrderedDict()
OWNED_AT_ONCE = 2_000
"""Units whose own normal is kept ready (14 kB each); of others it is made when it is needed."""


def _own(profile: Profile) -> Normal:
    """Return what the unit's profile has learned; the pool's normal when it has nothing."""
    if not profile.learned:
        return _generic()
    found = _owned.get(profile.unit_id)
    if found is None or found[0] is not profile.learned:
        _owned[profile.unit_id] = found = (profile.learned, Normal.of(profile.learned))
        if len(_owned) > OWNED_AT_ONCE:
            _owned.popitem(last=False)
    return found[1]
