"""Detection without labels on public series: SKAB by its protocol, NAB by its own rule.

The data are not shipped: SKAB is GPL-3.0, NAB MIT; without them the tables stay out.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from astreinte.histories import read
from refrigeration.history import Floats
from refrigeration.profile import Kind, Profile
from refrigeration.replay import by_wandering

DATA = Path("../shared/data/frigo")
TRAINED_ROWS = 400
"""Of each SKAB file, as its benchmark does."""
SENSORS = (
    "Accelerometer1RMS",
    "Accelerometer2RMS",
    "Current",
    "Pressure",
    "Temperature",
    "Thermocouple",
    "Voltage",
    "Volume Flow RateRMS",
)


def skab(folders: Sequence[str]) -> tuple[float, float, float]:
    """Return F1, false and missed alarm rates over all rows of all files, as its leaderboard."""
    counts = np.zeros(4)
    loop = Profile(unit_id="skab", name="skab", kind=Kind.OTHER, interval_s=1, sensors=_sensors())
    for folder in folders:
        for path in sorted((DATA / "skab/data" / folder).glob("*.csv")):
            said = by_wandering(read(path, loop).history, TRAINED_ROWS).is_fault
            lines = path.read_text("utf-8").splitlines()
            place = lines[0].split(";").index("anomaly")
            true = np.array([float(line.split(";")[place]) > 0 for line in lines[1:]])
            counts += [
                (said & true).sum(),
                (said & ~true).sum(),
                (~said & true).sum(),
                (~said & ~true).sum(),
            ]
    tp, fp, fn, tn = counts
    return tp / (tp + (fp + fn) / 2), 100 * fp / (fp + tn), 100 * fn / (fn + tp)


def _sensors() -> dict[str, dict[str, str]]:
    return {name: {} for name in SENSORS}


SERIES = ("ambient_temperature_system_failure", "machine_temperature_system_failure")
PROBATION = 0.15
WEIGHTS = {
    "standard": (1.0, 0.11, 1.0),
    "few false": (1.0, 0.22, 1.0),
    "few missed": (1.0, 0.11, 2.0),
}
"""Of true, false and missed detections, NAB's three profiles."""


def nab(name: str) -> dict[str, float]:
    """Return the score of one series by NAB's rule: 0 says nothing, 100 is perfect."""
    path = DATA / "nab/data/realKnownCause" / f"{name}.csv"
    rows = [line.split(",") for line in path.read_text("utf-8").splitlines()[1:]]
    times = [datetime.fromisoformat(row[0]).replace(tzinfo=UTC) for row in rows]
    values = np.array([[float(row[1])] for row in rows])
    windows = json.loads((DATA / "nab/labels/combined_windows.json").read_text("utf-8"))
    spans = [
        tuple(times.index(datetime.fromisoformat(end).replace(tzinfo=UTC)) for end in span)
        for span in windows[f"realKnownCause/{name}.csv"]
    ]
    probation = int(min(PROBATION * len(values), PROBATION * 5000))
    said = onsets(values, probation)
    return {kind: scored(said, spans, len(values), weights) for kind, weights in WEIGHTS.items()}


def onsets(values: Floats, probation: int) -> list[int]:
    """Return the rows at which an alarm begins, after the probation that is taken as normal."""
    from refrigeration.history import History  # noqa: PLC0415

    shown = History(300.0 * np.arange(len(values), dtype=np.float64), ("value",), values)
    alarms = by_wandering(shown, probation).is_fault
    return [i for i in range(probation, len(values)) if alarms[i] and not alarms[i - 1]]


def scored(
    said: list[int], spans: list[tuple[int, ...]], count: int, weights: tuple[float, float, float]
) -> float:
    """Return the normalised score: NAB's scaled sigmoid, the first detection of a window counts."""
    right, wrong, missed = weights
    total = 0.0
    caught: dict[int, float] = {}
    for row in said:
        inside = next((k for k, (a, b) in enumerate(spans) if a <= row <= b), None)
        if inside is not None:
            start, end = spans[inside]
            gain = right * _sigmoid(-(end - row + 1) / (end - start + 1)) / _sigmoid(-1.0)
            caught[inside] = max(caught.get(inside, -missed), gain)
            continue
        before = [(a, b) for a, b in spans if b < row]
        past = 3.0 if not before else (row - before[-1][1]) / max(before[-1][1] - before[-1][0], 1)
        total += wrong * _sigmoid(past)
    total += sum(caught.get(k, -missed) for k in range(len(spans)))
    nothing, perfect = -missed * len(spans), right * len(spans)
    del count
    return 100 * (total - nothing) / (perfect - nothing)


def _sigmoid(place: float) -> float:
    return -1.0 if place >= 3 else 2 / (1 + math.exp(5 * place)) - 1  # noqa: PLR2004 - NAB's own
