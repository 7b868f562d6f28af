"""Which sensor a logger's column is: by its name, else by its unit and its range."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from astreinte.exports import Table, words_of
from astreinte.histories import number
from refrigeration.measures import BY_ALIAS, CODES, SENSORS, converted, plain

LEAST_NUMBERS = 0.5
"""Share of cells that must be numbers in a column that is a sensor."""
SHORTEST_WORD = 2
LONGEST_NAME = 80
"""Of a column that a profile can name."""
PRESSURES = frozenset({"bar", "barg", "kPa", "MPa", "psi", "psig"})
DEGREES = frozenset({"°C", "°F", "K"})
PROBES = frozenset(
    {"sonde", "probe", "temp", "temperature", "t", "channel", "ch", "voie", "sensor"}
)


@dataclass(frozen=True)
class Column:
    """A column that is a sensor: its name in the file, its unit there, its values in ours."""

    source: str
    sensor: str
    unit: str
    values: tuple[float, ...]
    codes: int = 0
    why: str = ""
    """How it was guessed, when its name did not say it."""


def columns(table: Table) -> tuple[dict[str, Column], list[str]]:
    """Return the sensors of a table, and the names of number columns that nobody recognised."""
    numeric = {
        place: values
        for place in range(len(table.names))
        if (values := _numbers(table, place)) is not None
    }
    found: dict[str, Column] = {}
    for exact in (True, False):
        for place, values in numeric.items():
            sensor = _named(table.bare[place], exact=exact)
            if sensor and sensor not in found and _fits(sensor, table.units[place]):
                why = "" if exact else "deviné d'après un mot de son nom"
                _take(found, table, place, sensor, values, why)
    taken = {column.source for column in found.values()}
    left = {place: v for place, v in numeric.items() if table.names[place] not in taken}
    _by_unit(found, table, left)
    taken = {column.source for column in found.values()}
    return found, [table.names[place] for place in left if table.names[place] not in taken]


def _numbers(table: Table, place: int) -> list[str] | None:
    cells = [row[place].strip() for row in table.rows]
    said = [cell for cell in cells if cell]
    right = sum(not math.isnan(number(cell)) or _is_code(cell) for cell in said)
    fits = 0 < len(table.names[place]) <= LONGEST_NAME and table.names[place].isprintable()
    return cells if said and fits and right >= LEAST_NUMBERS * len(said) else None


def _is_code(cell: str) -> bool:
    try:
        return float(cell.replace(",", ".")) in CODES
    except ValueError:
        return False


def _named(name: str, *, exact: bool) -> str:
    if exact:
        return BY_ALIAS.get(plain(name), "")
    words = words_of(name)
    spans = [words[i:j] for i in range(len(words)) for j in range(i + 1, len(words) + 1)]
    known = {
        BY_ALIAS["_".join(span)]: len(span)
        for span in sorted(spans, key=len)
        if "_".join(span) in BY_ALIAS and len("_".join(span)) >= SHORTEST_WORD
    }
    longest = max(known.values(), default=0)
    best = [sensor for sensor, length in known.items() if length == longest]
    return best[0] if len(best) == 1 else ""


def _fits(sensor: str, unit: str) -> bool:
    own = SENSORS[sensor].unit
    families = (DEGREES, PRESSURES)
    return not unit or unit == own or not any((own in f) != (unit in f) for f in families)


def _take(
    found: dict[str, Column], table: Table, place: int, sensor: str, cells: Sequence[str], why: str
) -> None:
    unit, limits = table.units[place], SENSORS[sensor]
    numbers = [number(cell) for cell in cells]
    if unit and unit != limits.unit:
        try:
            numbers = [converted(value, unit) for value in numbers]
        except KeyError:
            unit = ""
    good = tuple(value for value in numbers if limits.low - 1.1 <= value <= limits.high)
    if good:
        codes = sum(_is_code(cell) for cell in cells if cell)
        said = "" if unit == limits.unit else unit
        found[sensor] = Column(table.names[place], sensor, said, good, codes, why)


def _by_unit(found: dict[str, Column], table: Table, left: dict[int, list[str]]) -> None:
    """Take what only its unit and range tell: two pressures, one temperature."""
    pressures = [place for place in left if table.units[place] in PRESSURES]
    if len(pressures) == 2 and not {"low_pressure_bar", "high_pressure_bar"} & found.keys():  # noqa: PLR2004
        order = sorted(pressures, key=lambda place: _middle(left[place]))
        for sensor, place in zip(("low_pressure_bar", "high_pressure_bar"), order, strict=True):
            _take(found, table, place, sensor, left[place], "deviné : la plus basse, la plus haute")
    degrees = [
        place
        for place in left
        if table.units[place] in DEGREES
        or (not table.units[place] and PROBES & set(words_of(table.bare[place])))
    ]
    if len(degrees) == 1 and "temperature_c" not in found:
        _take(
            found, table, degrees[0], "temperature_c", left[degrees[0]], "deviné : la seule sonde"
        )


def _middle(cells: Sequence[str]) -> float:
    numbers = [value for cell in cells if not math.isnan(value := number(cell))]
    return median(numbers) if numbers else 0.0
