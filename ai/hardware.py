"""What this machine has for a language model: a GPU, memory, cores."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

NVIDIA_SMI = (
    *("nvidia-smi", "--query-gpu=name,memory.total,memory.free"),
    "--format=csv,noheader,nounits",
)
LOOK_S = 10.0
MIB = 1 << 20
CARDS = Path("/sys/class/drm")
MEMORY = Path("/proc/meminfo")


@dataclass(frozen=True)
class Gpu:
    """The GPU with the most memory; bytes."""

    name: str
    total: int
    free: int


@dataclass(frozen=True)
class Machine:
    """Where models would run; bytes, 0: not known."""

    gpu: Gpu | None = None
    memory: int = 0
    free: int = 0
    cores: int = 1


def machine() -> Machine:
    """Look at this machine; takes a moment where there is an NVIDIA GPU."""
    return Machine(nvidia() or amd(), *memory(), _cores())


def nvidia() -> Gpu | None:
    """Return the largest NVIDIA GPU that its driver's own tool names."""
    try:
        told = subprocess.run(  # noqa: S603 - no input of anybody's
            NVIDIA_SMI, capture_output=True, text=True, timeout=LOOK_S, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    return parsed(told)


def parsed(told: str) -> Gpu | None:
    """Return the largest GPU of nvidia-smi's lines: name, MiB in all, MiB free.

    A part of a GPU (MIG) has no figures of its own there: `[N/A]`.
    """
    found = []
    for line in told.splitlines():
        name, *figures = (cell.strip() for cell in line.rsplit(",", 2))
        if len(figures) == 2 and all(figure.isdecimal() for figure in figures):  # noqa: PLR2004
            total, free = (int(figure) * MIB for figure in figures)
            found.append(Gpu(name, total, free))
    return max(found, key=lambda gpu: gpu.total, default=None)


def amd(cards: Path = CARDS) -> Gpu | None:
    """Return the largest AMD GPU (ROCm), by the kernel's figures: no tool is needed for it."""
    found = []
    for path in cards.glob("card*/device/mem_info_vram_total"):
        try:
            total = int(path.read_text())
            used = int(path.with_name("mem_info_vram_used").read_text())
        except (OSError, ValueError):
            continue
        found.append(Gpu("AMD", total, total - used))
    return max(found, key=lambda gpu: gpu.total, default=None)


def _cores() -> int:
    """Return how many this process may use, where the system says so."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def memory() -> tuple[int, int]:
    """Return the memory of this machine and what is free of it, in bytes."""
    try:
        lines = dict(line.split(":", 1) for line in MEMORY.read_text().splitlines())
        found = [int(lines[name].split()[0]) << 10 for name in ("MemTotal", "MemAvailable")]
        return found[0], found[1]
    except (OSError, KeyError, ValueError):  # no Linux
        return 0, 0
