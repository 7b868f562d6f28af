# ruff: noqa: C408 - names of columns
"""An invented water chiller: 27 operating conditions, eight states, ten-second rows.

Not the physics of a real one: columns that depend on drivers by curved functions, with noise, a
transient at the start of each condition, and faults as small shifts in sigma, as tests of real
chillers show them (weak ones are as large as the noise).
"""

from __future__ import annotations

import numpy as np

from refrigeration.history import History

NAMES = (
    "TEI",
    "TEO",
    "TCI",
    "TCO",
    "FWE",
    "FWC",
    "kW",
    "PRE",
    "PRC",
    "T_suc",
    "TRC_sub",
    "TR_dis",
    "TO",
    "TEA",
    "TCA",
)
FAULTS = {
    "condenser_fouling": {"TCA": 1.6, "PRC": 0.9, "kW": 0.5, "TRC_sub": 0.3},
    "less_condenser_water": {"FWC": -18.0, "TCO": 4.1, "PRC": 0.8},
    "less_evaporator_water": {"FWE": -24.0, "TEI": 2.7, "kW": -1.0},
    "leak": {"TRC_sub": -1.3, "T_suc": 0.9, "TEA": 1.0, "TR_dis": 0.6},
    "overcharge": {"TRC_sub": 2.2, "TCA": 1.6, "PRC": 0.9},
    "non_condensables": {"TCA": 7.4, "TRC_sub": 5.0, "PRC": 4.0, "TR_dis": 1.7, "kW": 1.3},
    "excess_oil": {"TO": 1.6, "TR_dis": -0.6, "T_suc": 0.5},
}
NOISE = dict(
    zip(
        NAMES,
        (0.06, 0.05, 0.06, 0.06, 1.2, 1.5, 0.9, 0.4, 0.9, 0.15, 0.12, 0.3, 0.3, 0.06, 0.07),
        strict=True,
    )
)
STEP_S = 10.0


def run(seed: int, state: str, rows: int = 60, level: float = 1.0) -> History:
    """Return one run of a state through all conditions, in order of time."""
    rng = np.random.default_rng([seed, *state.encode()])
    blocks, groups = [], []
    for number in range(27):
        evaporator, condenser, load = (
            (4.4, 7.2, 10.0)[number % 3],
            (16.0, 21.0, 28.0)[number // 3 % 3],
            (0.35, 0.6, 0.95)[number // 9],
        )
        own = np.random.default_rng([number, 1]).normal(size=len(NAMES)) * 0.5
        blocks.append(
            _condition(rng, (evaporator, condenser, load), own, FAULTS.get(state, {}), rows, level)
        )
        groups += [f"c{number}"] * rows
    start = {"normal": 0}.get(state, 1 + list(FAULTS).index(state) if state in FAULTS else 0) * 1e6
    return History(
        start + STEP_S * np.arange(27 * rows),
        NAMES,
        np.concatenate(blocks),
        (state,) * 27 * rows,
        tuple(groups),
    )


def _condition(rng, drivers, own, effect, rows, level):
    te, tc, load = drivers
    te, tc, load = (
        te + rng.normal() * 0.2,
        tc + rng.normal() * 0.3,
        load * (1 + 0.04 * rng.normal()),
    )
    lift = tc - te + 6 + 5 * load
    truth = dict(
        TEI=te + 5.5 * load,
        TEO=te,
        TCI=tc,
        TCO=tc + 6.2 * load * (1 + 0.004 * lift),
        FWE=216.0,
        FWC=270.0,
        kW=60 * load * (0.4 + 0.02 * lift) + 8 + 6 * load**2,
        PRE=50 + 1.9 * (te - 1.5 - 2 * load) + 0.02 * te**2,
        PRC=52 + 2.6 * (tc + 5 * load) + 0.03 * (tc - 20) ** 2,
        T_suc=te - 0.5 - load + 0.4 * load**2,
        TRC_sub=3 + 4 * load - 0.05 * lift,
        TR_dis=35 + 0.9 * lift + 6 * (1 - load) ** 2,
        TO=42 + 0.3 * lift + 3 * load,
        TEA=1.2 + 2.4 * load + 0.5 * load**2,
        TCA=1.0 + 2.9 * load + 0.3 * load**2,
    )
    settle = 1 - 0.25 * np.exp(-np.arange(rows) / (rows / 12))
    sigma = np.array([NOISE[n] for n in NAMES])
    mean = np.array([truth[n] for n in NAMES]) + own * sigma * 0.6
    mean = mean + np.array([effect.get(n, 0.0) for n in NAMES]) * sigma * level
    slow = np.cumsum(rng.normal(size=(rows, len(NAMES))) * sigma * 0.03, axis=0)
    return (
        mean * np.where(np.isin(NAMES, ("FWE", "FWC")), 1.0, settle[:, None])
        + slow
        + rng.normal(size=(rows, len(NAMES))) * sigma
    )


def joined(*histories: History) -> History:
    """Return histories one after the other."""
    return History(
        np.concatenate([h.at for h in histories]),
        NAMES,
        np.concatenate([h.values for h in histories]),
        sum((h.labels for h in histories), ()),
        sum((h.groups for h in histories), ()),
    )
