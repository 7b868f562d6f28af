"""Makes the coefficients that ship: `python scripts/diagnosis.py --units 120`.

Writes refrigeration/coefficients/normal.json (what is normal for the pool of units) and
refrigeration/coefficients/diagnosis.json (which fault looks how). Only seeds below 1,000 are used.
"""

# ruff: noqa: PLR2004 - what is drawn for training stands where it is drawn
from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

from evaluation.episodes import CAUSES, LEARNED_DAYS, NORMAL, Harm, episode, faulty, samples
from refrigeration import normal as normals
from refrigeration.diagnosis import Diagnoser, damped
from refrigeration.normal import TERMS, Normal, Pool, drivers, observed, scaled, terms
from refrigeration.profile import Profile
from simulation.rooms import history

OUT = Path("refrigeration/coefficients")
CACHE = Path("data/cache/diagnosis")
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
UNLEARNED = 0.25
"""Share of the episodes shown as if nothing of their unit had been learned."""
EPOCHS = 18
RARE = 1.0
"""Added to the logit of normal: in life it is more frequent than among the windows taught."""
LEAST_NOISE = 0.01
"""Of a contact that never moves in normal operation."""


def gather(seeds: range, faults: int) -> list[dict[str, Any]]:
    """Return for each unit its profile, its normal windows and its faulty ones; kept on disk."""
    CACHE.mkdir(parents=True, exist_ok=True)
    found = []
    for seed in seeds:
        kept = CACHE / f"{seed}-{faults}.json"
        if not kept.exists():
            kept.write_text(json.dumps(unit(seed, faults)), "utf-8")
        found.append(json.loads(kept.read_text("utf-8")))
    return found


def unit(seed: int, faults: int) -> dict[str, Any]:
    """Return one unit's windows."""
    rng = np.random.default_rng([seed, 99])
    past = history(seed, LEARNED_DAYS)
    seasons = [
        samples(history(seed, 2, start=past.times[0] + float(days) * 86_400), harm(rng, past))
        for days in (rng.uniform(20, 120), rng.uniform(120, 340))
    ]
    told = []
    for fault in rng.choice(np.array(CAUSES), faults, replace=False):
        severity = float(rng.uniform(0.25, 1.0))
        ramp = float(rng.uniform(0, 43_200)) if rng.uniform() < 0.5 else 0.0
        shown = samples(episode(seed, str(fault), severity, ramp), harm(rng, past))
        told.append([[s.label, s.summary] for s in faulty(shown, severity)[::3]])
    return {
        "seed": seed,
        "profile": past.profile.model_dump(mode="json"),
        "learned": [s.summary for s in samples(past)[24:]],
        "normal": [[s.summary for s in season[8:]] for season in seasons],
        "faulty": told,
    }


def harm(rng: np.random.Generator, past: Any) -> Harm | None:
    """Return what is done to the sensors, of a few episodes."""
    drawn = rng.uniform()
    name = str(rng.choice([n for n in past.columns if n not in {"compressor", "defrost", "door"}]))
    return Harm(lost=name) if drawn < 0.25 else Harm(noisy=name) if drawn < 0.4 else None


def make_pool(units: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the pool: of each feature mean weights, spread from unit to unit, noise."""
    body: dict[str, Any] = {}
    for name in FEATURES:
        rows = [column(unit, name) for unit in units]
        rows = [(basis, values) for basis, values in rows if len(values) > 50]
        if len(rows) < 5:
            continue
        body[name] = pooled(rows)
    return {"source": f"{len(units)} simulated units, seeds below 1,000", "features": body}


def column(unit: dict[str, Any], name: str) -> tuple[Any, Any]:
    """Return the terms of the drivers and the values of a feature in a unit's normal windows."""
    profile = Profile.model_validate(unit["profile"])
    seen = [
        observed(profile, s)
        for s in (*unit["learned"], *(s for season in unit["normal"] for s in season))
    ]
    seen = [s for s in seen if name in s and "ambient_c" in s]
    if not seen:
        return np.empty((0, TERMS)), np.empty(0)
    given = np.stack([drivers(profile, s) for s in seen])
    if name == "error_k":
        given[:, 1] = 0
    return terms(np.nan_to_num(given)), np.array([scaled(name, s[name]) for s in seen])


def pooled(rows: list[tuple[Any, Any]]) -> dict[str, Any]:
    """Return mean weights by a regression within and between units, robust to outliers."""
    basis, values = (np.concatenate(parts) for parts in zip(*rows, strict=True))
    ridge = np.diag([1e-6, 1, 1, 5, 5, 1]) * len(values) * 1e-3
    weight = np.ones(len(values))
    for _ in range(4):
        mean = np.linalg.solve(
            (basis * weight[:, None]).T @ basis + ridge, (basis * weight[:, None]).T @ values
        )
        gap = np.abs(values - basis @ mean)
        weight = np.minimum(1, 3 * np.median(gap) / np.maximum(gap, 1e-9))
    own, errors = [], []
    for one, value in rows:
        left = value - one @ mean
        gram = one.T @ one + np.diag([1e-3, 3, 3, 30, 30, 1e6]) * 6
        found = np.linalg.solve(gram, one.T @ left)
        own.append(found)
        errors.append(left - one @ found)
    noise = float(
        np.sqrt(
            np.mean(
                np.minimum(
                    np.concatenate(errors) ** 2, np.quantile(np.concatenate(errors) ** 2, 0.99)
                )
            )
        )
    )
    spread = np.maximum(
        np.std(own, axis=0), np.array([0.3, 0.2, 0.2, 0.1, 0.1, 0.0]) * noise + 1e-3
    )
    spread[5] = 1e-3
    return {
        "mean": rounded(mean),
        "spread": rounded(spread),
        "noise": float(f"{max(noise, LEAST_NOISE):.4g}"),
    }


def rounded(values: Any) -> Any:
    """Return numbers as JSON of four figures."""
    if np.ndim(values) > 0:
        return [rounded(value) for value in values]
    return float(f"{float(values):.4g}")


def table(units: list[dict[str, Any]], names: tuple[str, ...]) -> tuple[Any, Any, Any]:
    """Return inputs, labels and units of all windows."""
    inputs, labels, owners = [], [], []
    for unit_ in units:
        profile = Profile.model_validate(unit_["profile"])
        own = Normal.of(normals.learn(profile, unit_["learned"]))
        generic = Normal.generic()
        rng = np.random.default_rng([unit_["seed"], 98])
        parts = [[(NORMAL, s) for s in season] for season in unit_["normal"]]
        for part in (*parts, *unit_["faulty"]):
            model = generic if rng.uniform() < UNLEARNED else own
            for label, summary in part:
                found = model.deviations(profile, summary)
                inputs.append([found[n].sigma if n in found else np.nan for n in names])
                labels.append(label)
                owners.append(unit_["seed"])
    return damped(np.array(inputs)), np.array(labels), np.array(owners)


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--units", type=int, default=40)
    parser.add_argument("--faults", type=int, default=10)
    parser.add_argument("--hidden", type=int, default=64, help="units of one layer; 0: none")
    arguments = parser.parse_args()
    began = time.monotonic()
    units = gather(range(1, arguments.units + 1), arguments.faults)
    print(f"{len(units)} units in {time.monotonic() - began:.0f} s")
    OUT.mkdir(exist_ok=True)
    pool = make_pool(units)
    (OUT / "normal.json").write_text(json.dumps(pool, indent=1) + "\n", "utf-8")
    normals.pool.cache_clear()
    names = Pool(pool).names
    inputs, labels, owners = table(units, names)
    fitted = fit(inputs, labels, owners, names, arguments.hidden)
    fitted["unknown"]["auroc"] = unknown(inputs, labels, owners, names)
    (OUT / "diagnosis.json").write_text(json.dumps(fitted) + "\n", "utf-8")


def classifier(hidden: int) -> Any:
    """Return what is fitted: a regression, or one hidden layer before it."""
    if hidden:
        return MLPClassifier(
            (hidden,),
            alpha=1.0,
            learning_rate_init=2e-3,
            max_iter=EPOCHS,
            batch_size=256,
            random_state=1,
        )
    return LogisticRegression(C=0.3, max_iter=200)


def layers(model: Any) -> list[dict[str, Any]]:
    """Return the weights of either as layers."""
    if isinstance(model, MLPClassifier):
        return [
            {"w": rounded(w), "b": rounded(b)}
            for w, b in zip(model.coefs_, model.intercepts_, strict=True)
        ]
    return [{"w": rounded(model.coef_.T), "b": rounded(model.intercept_)}]


def fit(
    inputs: Any, labels: Any, owners: Any, names: tuple[str, ...], hidden: int
) -> dict[str, Any]:
    """Return the coefficients; temperature and reach from units left out."""
    classes = (NORMAL, *sorted(set(labels) - {NORMAL}))
    target = np.array([classes.index(label) for label in labels])
    out = owners % 4 == 0
    model = classifier(hidden).fit(inputs[~out], target[~out])
    logits = np.log(model.predict_proba(inputs[out]) + 1e-9)
    best = min(np.linspace(0.6, 4, 35), key=lambda t: loss(logits / t, target[out]))
    told(classes, target[out], logits.argmax(1))
    print(f"temperature {best:.2f}", flush=True)
    model = classifier(hidden).fit(inputs, target)
    fitted = layers(model)
    fitted[-1]["b"][0] += RARE * best
    return {
        "features": names,
        "classes": classes,
        "layers": fitted,
        "temperature": rounded(best),
        "unknown": reach(inputs, target, len(classes), len(names)),
    }


def unknown(inputs: Any, labels: Any, owners: Any, names: tuple[str, ...]) -> dict[str, float]:
    """Return for each fault how well its episodes, never taught, rank as strange: AUROC.

    Against the episodes of all other faults, on units left out; by distance and doubt together.
    """
    held = owners % 4 == 0
    rng = np.random.default_rng(1)
    places = np.flatnonzero(held & (labels != NORMAL))
    new = (np.diff(places) > 1) | (labels[places][1:] != labels[places][:-1])
    runs = np.split(places, np.flatnonzero(new) + 1)
    found = {}
    for fault in sorted(set(labels) - {NORMAL}):
        classes = (NORMAL, *sorted(set(labels) - {NORMAL, fault}))
        kept = rng.permutation(np.flatnonzero(~held & (labels != fault)))[:8000]
        target = np.array([classes.index(label) for label in labels[kept]])
        model = classifier(64).set_params(max_iter=8).fit(inputs[kept], target)
        body = reach(inputs[kept], target, len(classes), len(names))
        said = Diagnoser(
            {"features": names, "classes": classes, "layers": layers(model), "temperature": 1.0}
            | {"unknown": body}
        )
        strange = np.array([strangeness(said, inputs[run][::3]) for run in runs])
        own = np.array([labels[run[0]] == fault for run in runs])
        above = (strange[own][:, None] > strange[~own]).mean()
        found[fault] = rounded(above)
    return found


def strangeness(said: Diagnoser, inputs: Any) -> float:
    """Return distance and doubt of an episode's windows."""
    logits = said.logits(inputs)
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    mean = (shares / shares.sum(axis=1, keepdims=True)).mean(axis=0)
    best = mean[1:].max() / max(1 - mean[0], 1e-9)
    return float(said.distances(inputs).min(axis=1).mean() + 1 - best)


def told(classes: tuple[str, ...], target: Any, seen: Any) -> None:
    """Print how often each state is recognised in units left out, and what it is taken for."""
    print(f"windows {len(target)}, right {np.mean(seen == target):.3f}")
    for place, name in enumerate(classes):
        own = target == place
        taken = np.bincount(seen[own & (seen != place)], minlength=len(classes)).argsort()[::-1]
        worst = " ".join(classes[c] for c in taken[:2])
        print(f"  {name:20} n {own.sum():5} recall {np.mean(seen[own] == place):.2f} else {worst}")


def reach(inputs: Any, target: Any, classes: int, features: int) -> dict[str, Any]:
    """Return centres and spreads of the classes, and the distance that 98 % of windows keep."""
    seen = inputs[:, : 2 * features]
    there = 1 - np.concatenate([inputs[:, 2 * features :]] * 2, axis=1)
    count = [there[target == c].sum(0) + 1e-9 for c in range(classes)]
    centres = np.stack([(seen * there)[target == c].sum(0) / count[c] for c in range(classes)])
    spreads = np.stack(
        [
            np.sqrt((((seen - centres[c]) ** 2 * there)[target == c]).sum(0) / count[c])
            for c in range(classes)
        ]
    )
    spreads = np.maximum(spreads, 0.25)
    gaps = (((seen[:, None] - centres) / spreads) ** 2 * there[:, None]).sum(-1) / np.maximum(
        there.sum(-1), 1
    )[:, None]
    nearest = np.sqrt(gaps.min(1))
    return {
        "centres": rounded(centres),
        "spreads": rounded(spreads),
        "reach": rounded(np.quantile(nearest, 0.98)),
        "slope": 1.0,
    }


def loss(logits: Any, target: Any) -> float:
    """Return the mean negative logarithm of the right class's share."""
    return float(
        np.mean(np.logaddexp.reduce(logits, axis=1) - logits[np.arange(len(target)), target])
    )


if __name__ == "__main__":
    main()
