"""Makes the coefficients that ship: `python -m scripts.diagnosis --units 140`.

Writes refrigeration/coefficients/normal.json (what is normal for the pool of units) and
refrigeration/coefficients/diagnosis.json (which fault looks how). Only seeds below 1,000 are used.
Simulating takes four seconds a unit, once; the rest three minutes.

Every window is taught five times: as its unit's own normal shows it, with a probe or two lost, with
little learned of the unit, with nothing learned, and with nothing learned and a probe lost.
"""

# ruff: noqa: PLR2004 - what is drawn for training stands where it is drawn
from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from evaluation.tally import Stated, Tally
from refrigeration import normal as normals
from refrigeration.diagnosis import Diagnoser, damped
from refrigeration.normal import TERMS, Normal, Pool, terms
from scripts.taught import FEATURES, LEARNED, LOSABLE, NORMAL, Unit, gather, hanging

OUT = Path("refrigeration/coefficients")
CACHE = Path("data/cache/diagnosis")
FEW = (16, 32, 64, 96, 192)
"""Windows that are learned of a unit of which little is."""
EPOCHS = 10
RARE = 1.0
"""Added to the logit of normal: in life it is more frequent than among the windows taught."""
LEAST_NOISE = 0.01
"""Of a contact that never moves in normal operation."""
MOST = 60_000
"""Rows that distances, and diagnoses that leave a class out, are fitted on."""
OWN = ("own", "lost", "few")
"""Ways to show a window in which something of its unit was learned."""


def make_pool(units: Sequence[Unit]) -> dict[str, Any]:
    """Return the pool: of each feature mean weights, spread from unit to unit, noise."""
    body: dict[str, Any] = {}
    for place, name in enumerate(FEATURES):
        rows = [column(unit, place) for unit in units]
        rows = [(basis, values) for basis, values in rows if len(values) > 50]
        if len(rows) >= 5:
            body[name] = pooled(rows)
    return {"source": f"{len(units)} simulated units, seeds below 1,000", "features": body}


def column(unit: Unit, place: int) -> tuple[Any, Any]:
    """Return the terms of the drivers and the values of a feature in a unit's normal windows."""
    rows = unit.rows[unit.of_kind(LEARNED, NORMAL)]
    values, given = unit.values(rows)[:, place], unit.given(rows)
    there = np.isfinite(values) & np.isfinite(given[:, 0])
    if FEATURES[place] == "error_k":
        given[:, 1] = 0
    return terms(np.nan_to_num(given[there])).reshape(-1, TERMS), values[there]


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
    squares = np.concatenate(errors) ** 2
    noise = float(np.sqrt(np.mean(np.minimum(squares, np.quantile(squares, 0.99)))))
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


def table(units: Sequence[Unit]) -> tuple[Any, Any, Any, Any]:
    """Return inputs, labels, units and the way it is shown of all windows."""
    found: list[tuple[Any, ...]] = []
    for unit in units:
        rng = np.random.default_rng([unit.seed, 98])
        taught = unit.taught()
        rows, labels = unit.rows[taught], unit.labels[taught]
        nothing = Normal.generic()
        ways = {
            "own": (unit.normal(), rows),
            "lost": (unit.normal(), less(unit, taught, rng)),
            "few": (unit.normal(int(rng.choice(FEW))), rows),
            "nothing": (nothing, rows),
            "nothing, lost": (nothing, less(unit, taught, rng)),
        }
        for way, (normal, shown) in ways.items():
            inputs = damped(unit.sigmas(normal, shown)).astype(np.float32)
            count = len(labels)
            found.append((inputs, labels, np.full(count, unit.seed), np.full(count, way)))
    return tuple(np.concatenate(parts) for parts in zip(*found, strict=True))  # type: ignore[return-value]


def less(unit: Unit, taught: Any, rng: np.random.Generator) -> Any:
    """Return rows in which one probe, seldom two, is lost: another in each half of a part."""
    there = [name for name in LOSABLE if name in unit.sensors]
    often = np.array([LOSABLE[name] for name in there])
    found = unit.rows[taught].copy()
    for part in np.unique(unit.parts[taught]):
        places = np.flatnonzero(unit.parts[taught] == part)
        for half in (places[::2], places[1::2]):
            count = 1 + int(rng.random() < 0.2)
            for name in rng.choice(there, count, replace=False, p=often / often.sum()):
                found[np.ix_(half, hanging(str(name)))] = np.nan
    return found


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--units", type=int, default=140)
    parser.add_argument("--hidden", type=int, default=96, help="units of the hidden layer")
    parser.add_argument("--cache", type=Path, default=CACHE)
    arguments = parser.parse_args()
    began = time.monotonic()
    units = gather(range(1, arguments.units + 1), arguments.cache)
    print(f"{len(units)} units in {time.monotonic() - began:.0f} s", flush=True)
    OUT.mkdir(exist_ok=True)
    pool = make_pool(units)
    (OUT / "normal.json").write_text(json.dumps(pool, indent=1) + "\n", "utf-8")
    normals.pool.cache_clear()
    names = Pool(pool).names
    if names != FEATURES:
        msg = f"too few units have {set(FEATURES) - set(names)}"
        raise SystemExit(msg)
    inputs, labels, owners, ways = table(units)
    print(f"{len(inputs)} windows in {time.monotonic() - began:.0f} s", flush=True)
    fitted = fit(units, inputs, labels, owners, ways, arguments.hidden)
    known = np.isin(ways, OWN)
    fitted["unknown"]["auroc"] = unknown(
        inputs[known], labels[known], owners[known], ways[known], arguments.hidden
    )
    (OUT / "diagnosis.json").write_text(json.dumps(fitted) + "\n", "utf-8")
    print(f"{time.monotonic() - began:.0f} s")


def classifier(hidden: int, epochs: int = EPOCHS) -> MLPClassifier:
    """Return what is fitted: one hidden layer, little shrunk, for few epochs."""
    warnings.filterwarnings("ignore", category=ConvergenceWarning)
    return MLPClassifier(
        (hidden,),
        alpha=0.3,
        learning_rate_init=2e-3,
        max_iter=epochs,
        batch_size=512,
        random_state=1,
    )


def layers(model: MLPClassifier) -> list[dict[str, Any]]:
    """Return the weights as layers."""
    return [
        {"w": rounded(w), "b": rounded(b)}
        for w, b in zip(model.coefs_, model.intercepts_, strict=True)
    ]


def fit(
    units: Sequence[Unit], inputs: Any, labels: Any, owners: Any, ways: Any, hidden: int
) -> dict[str, Any]:
    """Return the coefficients; the temperature from whole episodes of units left out."""
    classes = (NORMAL, *sorted(set(labels) - {NORMAL}))
    target = np.array([classes.index(label) for label in labels])
    out = owners % 4 == 0
    model = classifier(hidden).fit(inputs[~out], target[~out])
    logits = np.log(model.predict_proba(inputs[out]) + 1e-9)
    own = ways[out] == "own"
    for way in np.unique(ways):
        seen = ways[out] == way
        right = np.mean(logits[seen].argmax(1) == target[out][seen])
        print(f"{way}: {seen.sum()} windows of units left out, {right:.3f} right")
    told(classes, target[out][own], logits[own].argmax(1))
    some = np.random.default_rng(1).permutation(np.flatnonzero(np.isin(ways, OWN)))[:MOST]
    body = {
        "features": FEATURES,
        "classes": classes,
        "unknown": reach(inputs[some], target[some], len(classes), len(FEATURES)),
    }
    left_out = [unit for unit in units if unit.seed % 4 == 0]
    tried = [body | warmed(model, float(t)) for t in np.linspace(0.8, 2, 13)]
    errors = [miscalibrated(Diagnoser(each), left_out) for each in tried]
    best = tried[int(np.argmin(errors))]["temperature"]
    print(f"temperature {best:.2f}, calibration error {min(errors):.3f}", flush=True)
    return body | warmed(classifier(hidden).fit(inputs, target), best)


def warmed(model: MLPClassifier, temperature: float) -> dict[str, Any]:
    """Return the layers for a temperature, with normal as frequent as in life."""
    found = layers(model)
    found[-1]["b"][0] = rounded(found[-1]["b"][0] + RARE * temperature)
    return {"layers": found, "temperature": rounded(temperature)}


def miscalibrated(said: Diagnoser, units: Sequence[Unit]) -> float:
    """Return the calibration error over all windows of units, from the onset of a fault on."""
    found = Tally()
    for unit in units:
        rows = np.flatnonzero([unit.kinds[part] != LEARNED for part in unit.parts])
        shares = said.probabilities(damped(unit.sigmas(unit.normal(), unit.rows[rows])))
        names = np.array([*said.classes, "unknown"])[shares.argmax(1)]
        for share, right in zip(shares.max(1), names == unit.labels[rows], strict=True):
            found.stated.append(Stated(float(share), bool(right), seen=True))
    return found.calibration()


def unknown(inputs: Any, labels: Any, owners: Any, ways: Any, hidden: int) -> dict[str, float]:
    """Return for each fault how well its episodes, never taught, rank as strange: AUROC.

    Against the episodes of all other faults, on units left out; by distance and doubt together.
    """
    held = owners % 4 == 0
    rng = np.random.default_rng(1)
    places = np.flatnonzero(held & (labels != NORMAL) & (ways == "own"))
    new = (owners[places][1:] != owners[places][:-1]) | (labels[places][1:] != labels[places][:-1])
    runs = np.split(places, np.flatnonzero(new) + 1)
    found = {}
    for fault in sorted(set(labels) - {NORMAL}):
        classes = (NORMAL, *sorted(set(labels) - {NORMAL, fault}))
        kept = rng.permutation(np.flatnonzero(~held & (labels != fault)))[:MOST]
        target = np.array([classes.index(label) for label in labels[kept]])
        model = classifier(hidden, 8).fit(inputs[kept], target)
        body = reach(inputs[kept], target, len(classes), len(FEATURES))
        said = Diagnoser(
            {"features": FEATURES, "classes": classes, "layers": layers(model), "temperature": 1.0}
            | {"unknown": body}
        )
        strange = np.array([strangeness(said, inputs[run][::3]) for run in runs])
        own = np.array([labels[run[0]] == fault for run in runs])
        found[fault] = rounded((strange[own][:, None] > strange[~own]).mean())
        print(f"unknown {fault}: {found[fault]}", flush=True)
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
    for place, name in enumerate(classes):
        own = target == place
        taken = np.bincount(seen[own & (seen != place)], minlength=len(classes)).argsort()[::-1]
        worst = " ".join(classes[c] for c in taken[:2])
        print(f"  {name:20} n {own.sum():5} recall {np.mean(seen[own] == place):.2f} else {worst}")


def reach(inputs: Any, target: Any, classes: int, features: int) -> dict[str, Any]:
    """Return centres and spreads of the classes, and the distance that 98 % of windows keep."""
    seen = inputs[:, : 2 * features].astype(np.float64)
    there = 1 - np.concatenate([inputs[:, 2 * features :]] * 2, axis=1)
    centres, spreads = np.empty((2, classes, 2 * features))
    nearest = np.full(len(seen), np.inf)
    for place in range(classes):
        own, weight = seen[target == place], there[target == place]
        count = weight.sum(0) + 1e-9
        centres[place] = (own * weight).sum(0) / count
        spreads[place] = np.sqrt(((own - centres[place]) ** 2 * weight).sum(0) / count)
    spreads = np.maximum(spreads, 0.25)
    for place in range(classes):
        gaps = (((seen - centres[place]) / spreads[place]) ** 2 * there).sum(-1)
        nearest = np.minimum(nearest, np.sqrt(gaps / np.maximum(there.sum(-1), 1)))
    return {
        "centres": rounded(centres),
        "spreads": rounded(spreads),
        "reach": rounded(np.quantile(nearest, 0.98)),
        "slope": 1.0,
    }


if __name__ == "__main__":
    main()
