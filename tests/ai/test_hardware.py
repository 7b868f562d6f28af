"""What this machine has: asked of the drivers' own tools, and of none where there are none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ai import hardware
from ai.hardware import MIB, Gpu


def test_this_machine_has_memory_and_cores() -> None:
    found = hardware.machine()
    assert found.memory >= found.free > 100 * MIB
    assert found.cores >= 1


def test_the_largest_gpu_is_found_in_what_nvidias_tool_says() -> None:
    told = "NVIDIA T4, 15360, 15101\nNVIDIA A10, 24564, 1000\nNVIDIA A100 MIG, [N/A], [N/A]\n"
    assert hardware.parsed(told) == Gpu("NVIDIA A10", 24564 * MIB, 1000 * MIB)
    assert hardware.parsed("No devices were found\n") is None
    assert hardware.parsed("") is None


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ('echo "NVIDIA H200, 143771, 143151"', Gpu("NVIDIA H200", 143771 * MIB, 143151 * MIB)),
        ("exit 9", None),  # the driver is not loaded
        ("sleep 30", None),
        (None, None),
    ],
)
def test_nvidias_tool_may_be_missing_fail_or_hang(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str | None, found: Gpu | None
) -> None:
    monkeypatch.setattr(hardware, "LOOK_S", 0.3)
    monkeypatch.setenv(
        "PATH", str(tmp_path) if script is None else f"{tmp_path}:{os.environ['PATH']}"
    )
    if script:
        tool = tmp_path / "nvidia-smi"
        tool.write_text(f"#!/bin/sh\n{script.replace('sleep', 'exec sleep')}\n")
        tool.chmod(0o755)
    assert hardware.nvidia() == found


def test_an_amd_gpu_is_found_in_the_kernels_figures(tmp_path: Path) -> None:
    for card, total, used in (("card0", "512", "1"), ("card1", "17163091968", "1000")):
        folder = tmp_path / card / "device"
        folder.mkdir(parents=True)
        (folder / "mem_info_vram_total").write_text(f"{total}\n")
        (folder / "mem_info_vram_used").write_text(f"{used}\n")
    (tmp_path / "card1" / "device" / "mem_info_vram_used").write_text("what\n")
    assert hardware.amd(tmp_path) == Gpu("AMD", 512, 511)
    assert hardware.amd(tmp_path / "none") is None
