"""Windows of simulated units with labels, as matrices kept on disk: what a diagnosis learns from.

Every unit has days of normal operation in several seasons and an episode of each cause. How it
would look had a probe been lost is told by leaving out what hangs on that probe.
"""

# ruff: noqa: PLR2004 - what is drawn for training stands where it is drawn
from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evaluation.episodes import (
    CAUSES,
    LEARNED_DAYS,
    NORMAL,
    Harm,
    Sample,
    episode,
    samples,
)
from refrigeration.features import DIFFERENCES
from refrigeration.normal import (
    AMBIENT_C,
    AMBIENT_K,
    LOGGED,
    ROOM_K,
    Normal,
    drivers,
    learn,
    observed,
)
from refrigeration.profile import Profile
from schemas.vocabulary import Fault
from simulation.rooms import history

FEATURES = (
    "td_k", "approach_k", "superheat_k", "subcooling_k", "discharge_superheat_k", "ratio",
    "sst_c", "sct_c", "discharge_c", "current_a", "power_w", "vibration_mm_s", "air_dt_k",
    "air_off_td_k", "air_flow_m3_h", "liquid_k", "humidity_pct", "voltage_pct", "return_k",
    "product_k", "idle_approach_k", "idle_superheat_k", "idle_air_flow_m3_h", "idle_current_a",
    "idle_sst_c", "error_k", "slope_k_h", "duty_fast", "duty_slow", "starts_h", "door",
    "condenser_fan", "evaporator_fan", "defrost_minutes", "defrost_hours", "since_defrost_h",
    "defrost_current_a", "defrost_sst_c", "rough", "frozen", "bad",
)  # fmt: skip
"""Every feature; the rest of a summary are drivers or raw temperatures."""
KEPT = (*FEATURES, "ambient_c", "room_c")
EVERY, LEARNED = 30, "learned"
"""Minutes between two windows; the kind of the days that a unit's normal is learned from."""
SETTLED_S = 3600.0
DEFROSTED_S = 10 * 3600.0
"""A defrost that fails shows at the next one, not before."""
COME, LEAST = 0.5, 0.12
"""A window is taught as faulty when so much of its fault has come, and so far on the scale."""
LOSABLE = {
    "high_pressure_bar": 3.0, "low_pressure_bar": 3.0, "suction_c": 3.0, "liquid_c": 3.0,
    "ambient_c": 2.0, "discharge_c": 1.5, "current_a": 1.0, "air_off_c": 1.0, "power_w": 1.0,
    "air_flow_m3_h": 1.0, "air_on_c": 0.5, "vibration_mm_s": 0.5, "voltage_v": 0.5,
    "humidity_pct": 0.5, "product_c": 0.5,
}  # fmt: skip
"""Probes that are lost in training, and how often beside one another."""
DIRECT = {
    "low_pressure_bar": ("sst_c", "ratio", "defrost_sst_c"),
    "high_pressure_bar": ("sct_c", "ratio", "discharge_superheat_k"),
    "discharge_c": ("discharge_superheat_k",),
    "current_a": ("defrost_current_a",),
    "voltage_v": ("voltage_pct",),
}
"""What is made of a probe, before differences are taken."""


def hanging(sensor: str) -> list[int]:
    """Return the places in `KEPT` of what cannot be told without a sensor."""
    gone = {sensor, *DIRECT.get(sensor, ())}
    gone |= {name for name, one, other in DIFFERENCES if {one, other} & gone}
    gone |= {f"idle_{name}" for name in gone}
    return [place for place, name in enumerate(KEPT) if name in gone]


class Unit(NamedTuple):
    """All windows of one unit: rows of `KEPT` (NaN: absent), what is true, part by part."""

    seed: int
    profile: Profile
    sensors: tuple[str, ...]
    rows: NDArray[np.float64]
    labels: NDArray[np.str_]
    severities: NDArray[np.float64]
    times: NDArray[np.float64]
    parts: NDArray[np.int64]
    kinds: tuple[str, ...]
    """Of each part: `learned`, `normal`, or a cause and its severity, `leak:0.6`."""

    def of_kind(self, *kinds: str) -> NDArray[np.int64]:
        """Return the rows of parts of a kind."""
        chosen = [part for part, kind in enumerate(self.kinds) if kind in kinds]
        return np.flatnonzero(np.isin(self.parts, chosen))

    def values(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return features of rows as they are compared."""
        found = rows[:, : len(FEATURES)].copy()
        logged = [place for place, name in enumerate(FEATURES) if name in LOGGED]
        found[:, logged] = np.log(np.maximum(found[:, logged], 0) + 0.1)
        return found

    def given(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the drivers of rows, as `refrigeration.normal.drivers` has them."""
        ambient, error = (rows[:, KEPT.index(name)] for name in ("ambient_c", "error_k"))
        set_point = drivers(self.profile, {})[2]
        return np.stack(
            [
                np.clip((ambient - AMBIENT_C) / AMBIENT_K, -4, 4),
                np.clip(error / ROOM_K, -2, 2),
                np.full(len(rows), set_point),
            ],
            axis=-1,
        )

    def sigmas(self, normal: Normal, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the deviations of rows from a normal; NaN where absent."""
        return normal.sigmas(self.values(rows), self.given(rows))[1]

    def normal(self, windows: int | None = None) -> Normal:
        """Return what is learned from the first days, or from their first windows."""
        seen = [
            {n: float(v) for n, v in zip(KEPT, row, strict=True) if np.isfinite(v)}
            for row in self.rows[self.of_kind(LEARNED)[:windows]]
        ]
        return Normal.of(learn(self.profile, seen))

    def taught(self) -> NDArray[np.int64]:
        """Return the rows to learn from: normal ones, and faulty ones once the fault shows."""
        kept = list(self.of_kind(NORMAL))
        for part, kind in enumerate(self.kinds):
            if ":" not in kind:
                continue
            cause, severity = kind.split(":")
            on = np.flatnonzero((self.parts == part) & (self.labels != NORMAL))
            if not len(on):
                continue
            began = self.times[on[0]] + (DEFROSTED_S if cause == Fault.DEFROST else 0.0)
            come = self.severities[on] >= max(COME * float(severity), LEAST)
            kept.extend(on[(self.times[on] >= began + SETTLED_S) & come][::2])
        return np.array(kept)


def gather(seeds: Sequence[int], cache: Path) -> list[Unit]:
    """Return the units of seeds; simulated once, about four seconds each, and kept."""
    cache.mkdir(parents=True, exist_ok=True)
    found = []
    for seed in seeds:
        kept = cache / f"{seed}.npz"
        if not kept.exists():
            np.savez_compressed(kept, **simulated(seed))
        with np.load(kept) as table:
            found.append(_read(seed, table))
    return found


def _read(seed: int, table: Any) -> Unit:
    return Unit(
        seed,
        Profile.model_validate_json(str(table["profile"])),
        tuple(map(str, table["sensors"])),
        table["rows"].astype(np.float64),
        *(table[name] for name in ("labels", "severities", "times", "parts")),
        tuple(map(str, table["kinds"])),
    )


def simulated(seed: int) -> dict[str, Any]:
    """Return one unit's windows as arrays."""
    rng = np.random.default_rng([seed, 99])
    past = history(seed, LEARNED_DAYS)
    parts = [(LEARNED, samples(past)[24:])]
    for days in (rng.uniform(15, 120), rng.uniform(120, 345)):
        later = history(seed, 3.0, start=float(past.times[0]) + float(days) * 86_400)
        parts.append((NORMAL, samples(later, _harm(rng, past), EVERY)[8:]))
    parts.append((NORMAL, samples(history(seed, 1.0), _harm(rng, past))[8:]))
    for cause in CAUSES:
        severity, drawn = float(rng.uniform(0.25, 1)), rng.uniform()
        ramp = None if drawn < 0.4 else 0.0 if drawn < 0.7 else float(rng.uniform(0, 43_200))
        shown = samples(episode(seed, cause, severity, ramp), _harm(rng, past), EVERY)
        parts.append((f"{cause.value}:{severity:.3f}", shown))
    told = [(part, sample) for part, (_, seen) in enumerate(parts) for sample in seen]
    return {
        "profile": np.array(past.profile.model_dump_json()),
        "sensors": np.array(list(past.columns)),
        "kinds": np.array([kind for kind, _ in parts]),
        "rows": np.array([_row(past.profile, sample) for _, sample in told], np.float32),
        "labels": np.array([sample.label for _, sample in told]),
        "severities": np.array([sample.severity for _, sample in told]),
        "times": np.array([sample.at for _, sample in told]),
        "parts": np.array([part for part, _ in told]),
    }


def _row(profile: Profile, sample: Sample) -> list[float]:
    found = observed(profile, sample.summary)
    return [found.get(name, np.nan) for name in KEPT]


def _harm(rng: np.random.Generator, past: Any) -> Harm | None:
    """Return what is done to the sensors, of a few parts: more noise on one."""
    drawn = rng.uniform()
    name = str(rng.choice([n for n in past.columns if n not in {"compressor", "defrost", "door"}]))
    return Harm(noisy=name, decibels=float(rng.uniform(2, 8))) if drawn < 0.15 else None


__all__ = ["FEATURES", "KEPT", "LEARNED", "LOSABLE", "NORMAL", "Unit", "gather", "hanging"]
