"""The signs that were decided for the first system's faults come out of the simulated rooms."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from refrigeration.former import FormerFault, former_faults
from refrigeration.profile import Kind
from schemas.vocabulary import Fault
from simulation.rooms import CAUSES, History, history

SEED = {Kind.POSITIVE_ROOM: 11, Kind.NEGATIVE_ROOM: 14}
DAYS, ONSET_S, RAMP_S = 1.5, 10_800.0, 3600.0
OF_A_RUNNING = ("_bar", "_a", "_mm_s")
"""Ends of sensors that say something while the compressor runs."""
PLAYED = [f for f in former_faults() if f.fault in CAUSES and f.fault is not Fault.SENSOR]


@cache
def played(kind: Kind, fault: Fault | None) -> History:
    return history(
        SEED[kind],
        DAYS,
        fault,
        severity=1.0 if fault is Fault.COMPRESSOR_STOPPED else 0.9,
        onset_s=ONSET_S,
        ramp_s=RAMP_S,
        kind=kind,
        gaps=False,
        every_sensor=True,
    )


def level(found: History, sensor: str, *, running: bool) -> float:
    """Of the second half: the median while it runs, else the mean; loggers write codes at times."""
    half = slice(len(found.times) // 2, None)
    values = found.columns[sensor][half]
    on = found.columns["compressor"][half] > 0.5
    chosen = values[on] if running and on.any() else values
    return float(np.nanmedian(chosen) if running else np.nanmean(chosen[chosen > -99]))


@pytest.mark.parametrize("former", PLAYED, ids=lambda former: former.name)
def test_a_fault_moves_each_sensor_as_was_decided(former: FormerFault):
    # A defrost is what a freezer room cannot do without; the rest shows sooner in a positive one.
    kind = Kind.NEGATIVE_ROOM if former.fault is Fault.DEFROST else Kind.POSITIVE_ROOM
    sound, faulty = played(kind, None), played(kind, former.fault)
    for sensor, sign in former.signs.items():
        running = sensor.endswith(OF_A_RUNNING) and sign != "zero"
        before, after = (level(each, sensor, running=running) for each in (sound, faulty))
        if sign == "up":
            assert after > before, sensor
        elif sign == "down":
            assert after < before, sensor
        elif sign == "zero":
            assert after < 0.45 * before, sensor
        else:
            assert abs(after - before) > 0.1 * abs(before), sensor


def test_all_but_the_two_symptoms_and_the_probe_are_played():
    assert {f.fault for f in former_faults()} - {f.fault for f in PLAYED} == {
        Fault.HIGH_PRESSURE,
        Fault.LOW_PRESSURE,
        Fault.SENSOR,
    }
