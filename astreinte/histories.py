"""A logger's export (CSV) as a history: which column is which sensor, times, labels, bad cells."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from astreinte.exports import UnfitFileError, table
from refrigeration.features import features
from refrigeration.history import History
from refrigeration.measures import ATMOSPHERE_BAR, BY_ALIAS, CODES, SENSORS, converted, plain
from refrigeration.profile import Profile

__all__ = ["Export", "UnfitFileError", "moment", "number", "read", "with_features"]

TIMES = "time timestamp datetime date_time date measured_at heure horodatage date_heure"
TIME_NAMES = tuple(TIMES.split())
LABEL, CONDITION, UNIT = "label", "condition", "unit_id"
DATES: tuple[Callable[[str], datetime], ...] = (
    datetime.fromisoformat,
    lambda text: datetime.strptime(text, "%d/%m/%Y %H:%M:%S"),  # noqa: DTZ007 - no zone: UTC
    lambda text: datetime.strptime(text, "%d/%m/%Y %H:%M"),  # noqa: DTZ007
    lambda text: datetime.strptime(text, "%m/%d/%y %H:%M"),  # noqa: DTZ007
)
MILLISECONDS_FROM = 1e11


@dataclass(frozen=True)
class Export:
    """A file: its history in our names and units, and its times as they were written."""

    history: History
    times: tuple[str, ...]
    missing: tuple[str, ...]
    """Sensors of the profile that the file does not have."""


def read(path: Path, profile: Profile) -> Export:
    """Return a CSV file (comma, semicolon or tab; point or comma) as a history.

    Raises
    ------
    UnfitFileError
        It is empty, or has no column that the profile names.
    """
    header, rows = _table(path)
    places = {plain(name): place for place, name in reversed(list(enumerate(header)))}
    sensors, missing = _sensors(profile, header, rows, places)
    if not sensors:
        said = ", ".join(header[:20])
        msg = f"{path}: no column is a sensor of the profile; columns: {said}"
        raise UnfitFileError(msg)
    columns = {
        name: _column(profile, name, [row[p] for row in rows]) for name, p in sensors.items()
    }
    clock = next((places[name] for name in TIME_NAMES if name in places), None)
    times = tuple(row[clock] for row in rows) if clock is not None else ("",) * len(rows)
    texts = {
        name: tuple(row[places[name]].strip() for row in rows) if name in places else ()
        for name in (LABEL, CONDITION, UNIT)
    }
    names = tuple(columns)
    return Export(
        History(
            _seconds(times, profile.interval_s),
            names,
            np.column_stack([columns[name] for name in names]),
            texts[LABEL],
            texts[CONDITION],
            texts[UNIT],
        ),
        times,
        missing,
    )


def _table(path: Path) -> tuple[list[str], list[list[str]]]:
    found = table(path)
    return list(found.names), [list(row) for row in found.rows]


def _sensors(
    profile: Profile, header: Sequence[str], rows: list[list[str]], places: Mapping[str, int]
) -> tuple[dict[str, int], tuple[str, ...]]:
    """Return of each sensor its column, and what is missing; no sensors declared: all numbers."""
    if not profile.sensors:
        told = {LABEL, CONDITION, UNIT, *TIME_NAMES, "row", "index", ""}
        return {
            BY_ALIAS.get(plain(name), name): place
            for place, name in enumerate(header)
            if plain(name) not in told and _numbers(rows, place)
        }, ()
    found: dict[str, int] = {}
    for name, sensor in profile.sensors.items():
        aliases = SENSORS[name].aliases if name in SENSORS else ()
        for word in (sensor.source or name, name, *aliases):
            if plain(word) in places:
                found[name] = places[plain(word)]
                break
    return found, tuple(name for name in profile.sensors if name not in found)


def _numbers(rows: list[list[str]], place: int) -> bool:
    seen = [number(row[place]) for row in rows[:200]]
    return sum(not math.isnan(value) for value in seen) > len(seen) / 2


def number(text: str) -> float:
    """Return a cell's number, `4,2` too; NaN of what is none, is infinite or a logger's code."""
    try:
        found = float(text.strip().replace(",", "."))
    except ValueError:
        word = text.strip().lower()
        return {"true": 1.0, "false": 0.0, "on": 1.0, "off": 0.0}.get(word, math.nan)
    return found if math.isfinite(found) and found not in CODES else math.nan


def _column(
    profile: Profile, name: str, cells: list[str]
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    values = np.array([number(cell) for cell in cells])
    declared = profile.sensors.get(name)
    if declared and declared.unit:
        with contextlib.suppress(KeyError):  # our own unit needs no factor
            values = np.array([converted(value, declared.unit) for value in values])
    if declared and declared.gauge and not declared.unit.endswith("g"):
        values += ATMOSPHERE_BAR
    sensor = SENSORS.get(name)
    if sensor:
        values[(values < sensor.low) | (values > sensor.high)] = np.nan
    return values


def _seconds(times: Sequence[str], step_s: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return seconds; a time that cannot be read is one step after the row before."""
    found = np.empty(len(times))
    last = -step_s
    for place, text in enumerate(times):
        seen = moment(text)
        last = last + step_s if seen is None else seen
        found[place] = last
    return found


def moment(text: str) -> float | None:
    """Return a time as unix seconds: ISO, French or epoch (s or ms); nothing of what is none."""
    text = text.strip()
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        for parse in DATES:
            try:
                seen = parse(text)
            except ValueError:
                continue
            return (seen if seen.tzinfo else seen.replace(tzinfo=UTC)).timestamp()
        return None
    if not math.isfinite(value):
        return None
    return value / 1000 if abs(value) >= MILLISECONDS_FROM else value


def with_features(profile: Profile, history: History) -> History:
    """Return a history with what the sensors say together (superheat …) as columns of their own."""
    found = [
        features(profile, {n: float(v) for n, v in zip(history.names, row, strict=True) if v == v})  # noqa: PLR0124 - NaN is not itself
        for row in history.values
    ]
    names = sorted({name for row in found for name in row} - set(history.names))
    if not names:
        return history
    more = np.array([[row.get(name, math.nan) for name in names] for row in found])
    return History(
        history.at,
        (*history.names, *names),
        np.column_stack([history.values, more]),
        history.labels,
        history.groups,
        history.units,
    )
