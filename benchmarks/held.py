"""What the units in hand take of memory: ten thousand of them, in a process of its own.

A few simulated units are followed until all that is remembered of them is full; each memory is
then read back from its JSON many times, as after a restart. What is counted is what the process
grew by: the memory of each unit, and beside it what its profile takes.
"""

from __future__ import annotations

import gc
import json
import time

import psutil

from benchmarks.figures import Figure, say
from benchmarks.plant import Plant
from benchmarks.watched import started
from refrigeration.detector import Memory, advance
from refrigeration.diagnosis import Diagnoser
from refrigeration.profile import Profile
from services.classify.frigo import sample_of
from services.ingest.frigo import Names, receive
from services.remembered import Room

NAME = "readings"
UNITS, ROOMS = 10_000, 10
MINUTES = 150
"""Longer than minutes are kept."""
FLOOR_KB = 20.0


async def measure() -> list[Figure]:
    """Measure, in a process that does nothing else."""
    say(NAME, "memory")
    async with started("benchmarks.held") as process:
        found = await process.line()
    where = f"{UNITS:,} units"
    beside = f"as JSON at most {found['most_kb']:.3g} kB"
    return [
        Figure(NAME, where, "memory a unit", found["kb"], "kB", beside=beside),
        Figure(
            NAME,
            where,
            "memory a unit, its profile and limits included",
            found["all_kb"],
            "kB",
            FLOOR_KB,
            at_most=True,
            beside=f"profiles of {ROOMS} kinds",
        ),
    ]


def _rss() -> int:
    gc.collect()
    return int(psutil.Process().memory_info().rss)


def _full() -> list[tuple[str, str]]:
    """Return memories that are full, and their profiles, as JSON."""
    plant = Plant("held", ROOMS, MINUTES, 60.0)
    profiles = {profile.unit_id: profile for profile in plant.profiles()}
    names = {name: Names(profile) for name, profile in profiles.items()}
    memories = {name: Memory() for name in profiles}
    diagnoser = Diagnoser.shipped()
    for reading in plant.readings():
        name = reading.unit_id
        event = receive(reading, names[name], reading.measured_at)
        advance(memories[name], profiles[name], sample_of(event, time.time()), diagnoser)
    return [
        (
            json.dumps(memory.body()),
            profiles[name].model_dump_json(),
        )
        for name, memory in memories.items()
    ]


def main() -> None:
    """Fill a process with units; print what they take, in kB a unit."""
    full = _full()
    before = _rss()
    rooms = [
        Room(Memory.of(json.loads(memory)), 1)
        for memory, _ in (full[number % ROOMS] for number in range(UNITS))
    ]
    held = _rss()
    profiles = [Profile.model_validate_json(full[n % ROOMS][1]) for n in range(UNITS)]
    for room, profile in zip(rooms, profiles, strict=True):
        room.memory.planned(profile)
    after = _rss()
    print(
        json.dumps(
            {
                "kb": (held - before) / UNITS / 1000,
                "all_kb": (after - before) / UNITS / 1000,
                "most_kb": max(len(memory) for memory, _ in full) / 1000,
            }
        ),
        flush=True,
    )


if __name__ == "__main__":
    main()
