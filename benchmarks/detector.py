"""What the detector of cold rooms costs: CPU of a reading by rules, what a unit's memory takes.

The readings are a simulated unit's, one a minute, as `classify` meets them: so each of them closes
a minute. Beside it stands the same with a diagnosis every few minutes. Run it alone:
`python -m benchmarks.detector`.
"""

from __future__ import annotations

import gc
import json
import time
import tracemalloc
from collections.abc import Sequence

from benchmarks.figures import Figure, markdown
from refrigeration.detector import Memory, Sample, advance
from refrigeration.diagnosis import Diagnoser
from refrigeration.inference import Diagnoses
from refrigeration.profile import Profile
from simulation.rooms import history

NAME = "detector"
SEEDS = range(4)
DAYS = 1.0
MOST_US = 40.0
MOST_BYTES = 20_000.0
SLICES = 8


def samples(seed: int) -> tuple[Profile, list[Sample]]:
    """Return a unit and its readings."""
    found = history(seed, DAYS)
    columns = [(name, column.tolist()) for name, column in found.columns.items()]
    readings = []
    for i, at in enumerate(found.times.tolist()):
        values = {name: column[i] for name, column in columns}
        readings.append(Sample(at, {n: v for n, v in values.items() if v == v}))  # noqa: PLR0124 - NaN
    return found.profile, readings


def cost_us(
    units: Sequence[tuple[Profile, list[Sample]]], diagnose: Diagnoses | None = None
) -> float:
    """Return CPU microseconds of a reading: the median over slices of the readings."""
    memories = [Memory() for _ in units]
    found = []
    for part in range(SLICES):
        count, before = 0, time.process_time_ns()
        for memory, (profile, readings) in zip(memories, units, strict=True):
            size = len(readings) // SLICES
            for sample in readings[part * size : (part + 1) * size]:
                advance(memory, profile, sample, diagnose)
            count += size
        found.append((time.process_time_ns() - before) / 1000 / count)
    return sorted(found)[SLICES // 2]


def sizes(unit: tuple[Profile, list[Sample]]) -> tuple[float, float]:
    """Return the bytes of a unit's memory: as Python objects, as JSON."""
    profile, readings = unit
    _lived(profile, readings)  # what units share is there already
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    memory = _lived(profile, readings)
    gc.collect()
    taken = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    return float(taken), float(len(json.dumps(memory.body())))


def _lived(profile: Profile, readings: Sequence[Sample]) -> Memory:
    memory = Memory()
    diagnose = Diagnoser.shipped()
    for sample in readings[: len(readings) // 4]:
        advance(memory, profile, sample, diagnose)
    return memory


def measure() -> list[Figure]:
    """Measure cost and size."""
    units = [samples(seed) for seed in SEEDS]
    taken, written = (max(both) for both in zip(*map(sizes, units), strict=True))
    place = f"{len(units)} simulated units"
    diagnosed = cost_us(units, Diagnoser.shipped())
    return [
        Figure(NAME, place, "rules, CPU a reading", cost_us(units), "µs", MOST_US, at_most=True),
        Figure(NAME, place, "rules and diagnosis, CPU a reading", diagnosed, "µs"),
        Figure(NAME, place, "memory of a unit", taken, "B", MOST_BYTES, at_most=True),
        Figure(NAME, place, "memory of a unit, as JSON", written, "B", MOST_BYTES, at_most=True),
    ]


if __name__ == "__main__":
    print(markdown(measure()))
