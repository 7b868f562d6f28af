"""What is normal for one unit: each feature of its window, by ambient and room temperature.

A unit's own model is a small second-order polynomial in the drivers, drawn towards the pool of
units that ships (`coefficients/normal.json`: mean, spread from unit to unit, noise): with no
history the pool speaks alone and its spread is wide; each day of history narrows it. Deviations
come out in standard deviations that contain what is not known yet, so few days, a season that was
never seen or an ambient probe that is lost make a deviation smaller, never larger.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from refrigeration.profile import Profile

Floats = NDArray[np.float64]
TERMS = 6
"""1, ambient, room, ambient², ambient x room, set-point."""
AMBIENT_C, AMBIENT_K, ROOM_K = 22.0, 10.0, 3.0
"""Middle and scale of the drivers; the room counts from the set-point."""
MINUTES_APART = 15
"""Windows nearer to one another than this tell the same; so do neighbours, by `ALIKE`."""
ALIKE = 6.0
LOGGED = frozenset(
    {
        "ratio",
        "current_a",
        "power_w",
        "vibration_mm_s",
        "air_flow_m3_h",
        "idle_air_flow_m3_h",
        "idle_current_a",
        "starts_h",
        "defrost_hours",
        "defrost_minutes",
        "defrost_current_a",
    }
)
"""Features that differ by factors, not by amounts: taken as log(x + 0.1)."""


class Deviation(NamedTuple):
    """One feature of a window: its value, what would be normal, how many sigma it is away."""

    value: float
    normal: float
    sigma: float


def scaled(name: str, value: float) -> float:
    """Return a feature on the scale on which it is compared."""
    return math.log(max(value, 0.0) + 0.1) if name in LOGGED else value


def unscaled(name: str, value: float) -> float:
    """Return what `scaled` took."""
    return math.exp(min(value, 30.0)) - 0.1 if name in LOGGED else value


def observed(profile: Profile, summary: Mapping[str, float]) -> dict[str, float]:
    """Return the features of a window's summary as they are compared, drivers among them."""
    found = dict(summary)
    set_point = profile.set_point_c
    if set_point is not None and "room_c" in found:
        found["error_k"] = found["room_c"] - set_point
    return found


class Pool:
    """What ships: of every feature the mean model, its spread from unit to unit, its noise."""

    def __init__(self, body: Mapping[str, Any]) -> None:
        self.names: tuple[str, ...] = tuple(body["features"])
        self.place = {name: index for index, name in enumerate(self.names)}
        self.mean: Floats = np.array([body["features"][n]["mean"] for n in self.names])
        self.spread: Floats = np.array([body["features"][n]["spread"] for n in self.names])
        self.noise: Floats = np.array([body["features"][n]["noise"] for n in self.names])

    def weigh(self, profile: Profile, summary: Mapping[str, float]) -> tuple[Floats, Floats]:
        """Return the values of a window in the pool's order (NaN: absent) and its drivers."""
        found = observed(profile, summary)
        values = np.full(len(self.names), np.nan)
        for name, index in self.place.items():
            if name in found:
                values[index] = scaled(name, found[name])
        return values, drivers(profile, found)


@cache
def pool() -> Pool:
    """Return the pool that ships."""
    path = files("refrigeration").joinpath("coefficients", "normal.json")
    return Pool(json.loads(path.read_text("utf-8")))


def drivers(profile: Profile, found: Mapping[str, float]) -> Floats:
    """Return ambient, room and set-point on their scales; NaN where it is not known."""
    ambient = found.get("ambient_c", math.nan)
    set_point = profile.set_point_c
    room = found.get("error_k", math.nan)
    return np.array(
        [
            np.clip((ambient - AMBIENT_C) / AMBIENT_K, -4, 4),
            np.clip(room / ROOM_K, -2, 2),
            0.0 if set_point is None else (set_point + 9) / 12,
        ]
    )


def terms(given: Floats) -> Floats:
    """Return the polynomial's terms of drivers, shape (..., 3) to (..., TERMS)."""
    ambient, room, set_point = given[..., 0], given[..., 1], given[..., 2]
    return np.stack(
        [np.ones_like(ambient), ambient, room, ambient**2, ambient * room, set_point], axis=-1
    )


class Normal:
    """One unit's normal: weights of each feature and what is still uncertain of them."""

    def __init__(
        self, weights: Floats, covariances: Floats, noise: Floats, middle: Floats, windows: int
    ) -> None:
        self.weights, self.covariances, self.noise = weights, covariances, noise
        self.middle, self.windows = middle, windows

    @classmethod
    def generic(cls) -> Normal:
        """Return what is normal for a unit of which nothing was learned."""
        known = pool()
        covariances = np.stack([np.diag(spread**2) for spread in known.spread])
        middle = np.array([0.0, 0.0, 0.0, 1.0, 0.5])
        return cls(known.mean.copy(), covariances, known.noise.copy(), middle, 0)

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Normal:
        """Return the model that `body()` wrote; the generic one of `{}`."""
        if not body:
            return cls.generic()
        known = pool()
        found = cls.generic()
        shared = np.array(body["shared"])
        for name, entry in body["features"].items():
            if name in known.place:
                place = known.place[name]
                found.weights[place] = entry[0]
                found.noise[place] = entry[1]
                found.covariances[place] = _posterior(
                    shared * entry[2], known.spread[place], entry[1]
                )
        found.middle = np.array(body["middle"])
        found.windows = int(body["windows"])
        return found

    def sigmas(self, values: Floats, given: Floats) -> tuple[Floats, Floats]:
        """Return what would be normal, and how many sigma away values are (last axis: features)."""
        lost = np.isnan(given)
        basis = terms(np.where(lost, self.middle[:3], given))
        normal = basis @ self.weights.T
        spread = np.einsum("...i,fij,...j->...f", basis, self.covariances, basis)
        unknown = (self.weights[:, 1:3] * self.middle[3:]) ** 2
        variance = self.noise**2 + spread + lost[..., :2] @ unknown.T
        return normal, (values - normal) / np.sqrt(variance)

    def deviations(self, profile: Profile, summary: Mapping[str, float]) -> dict[str, Deviation]:
        """Return how far each feature of a window is from normal."""
        known = pool()
        values, given = known.weigh(profile, summary)
        normal, sigmas = self.sigmas(values, given)
        return {
            name: Deviation(
                unscaled(name, float(values[place])),
                unscaled(name, float(normal[place])),
                float(sigmas[place]),
            )
            for name, place in known.place.items()
            if not math.isnan(values[place])
        }


def _posterior(information: Floats, spread: Floats, noise: float) -> Floats:
    """Return the covariance of weights after observations, from the spread before them."""
    known = information / noise**2 + np.diag(1 / np.maximum(spread, 1e-3) ** 2)
    return np.asarray(np.linalg.inv(known), np.float64)


def learn(profile: Profile, history: Iterable[Mapping[str, float]]) -> dict[str, Any]:
    """Return a unit's model as JSON (what `Normal.of` takes) from summaries of normal windows.

    Parameters
    ----------
    profile
        Of the unit.
    history
        `Window.summary()` about every `MINUTES_APART` minutes, from days that were normal. A few
        windows that were not are outweighed: what lies beyond three sigma counts for less.
    """
    known = pool()
    rows = [known.weigh(profile, summary) for summary in history]
    if not rows:
        return {}
    values, given = np.stack([row[0] for row in rows]), np.stack([row[1] for row in rows])
    filled = ~np.isnan(given)
    middle = np.array(
        [given[filled[:, i], i].mean() if filled[:, i].any() else 0 for i in range(3)]
    )
    apart = [max(given[filled[:, i], i].std(), 0.1) if filled[:, i].any() else 1 for i in range(2)]
    basis = terms(np.where(filled, given, middle))
    body: dict[str, Any] = {}
    for name, place in known.place.items():
        seen = ~np.isnan(values[:, place])
        if seen.sum() >= 4:  # noqa: PLR2004 - an hour
            body[name] = _fit(
                basis[seen],
                values[seen, place],
                (known.mean[place], known.spread[place], float(known.noise[place])),
                len(rows),
            )
    return {
        "windows": len(rows),
        "middle": [round(float(value), 4) for value in (*middle, *apart)],
        "shared": np.round(basis.T @ basis / ALIKE, 4).tolist(),
        "features": body,
    }


def _fit(basis: Floats, values: Floats, prior: tuple[Floats, Floats, float], total: int) -> Any:
    """Return weights, noise and the share of windows that had the feature."""
    mean, spread, noise = prior
    found = noise
    weights = np.ones(len(values))
    for _ in range(4):
        information = (basis * weights[:, None]).T @ basis / ALIKE
        covariance = _posterior(information, spread, found)
        pull = (basis * weights[:, None]).T @ (values - basis @ mean) / ALIKE / found**2
        estimate = mean + covariance @ pull
        errors = values - basis @ estimate
        count = len(values) / ALIKE
        # the pool's noise counts for six independent windows
        found = float(np.sqrt((6 * noise**2 + (weights * errors**2).sum() / ALIKE) / (6 + count)))
        weights = np.minimum(1.0, 3 * found / np.maximum(np.abs(errors), 1e-9))
    return [[float(f"{w:.5g}") for w in estimate], float(f"{found:.5g}"), len(values) / total]
