"""A unit's profile, proposed from what its logger exported, with what a person must still say."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median

from astreinte.exports import Table, UnfitFileError, table, words_of
from astreinte.guessing import Column, columns
from astreinte.histories import TIME_NAMES, moment
from refrigeration.measures import SENSORS, plain
from refrigeration.profile import Kind, Profile, SensorProfile

NOMINAL_V = (115.0, 208.0, 230.0, 400.0, 480.0, 690.0)
FROZEN_C, CHILLED_C = -10.0, 14.0
"""Median of a room's air: below the first it is a freezer, above the second it is no cold room."""
CABINETS = frozenset({"meuble", "vitrine", "armoire", "cabinet", "display", "bac"})
FAHRENHEIT_FROM = 25.0


@dataclass(frozen=True)
class Draft:
    """A proposed profile, and sentences on what was guessed or is missing."""

    profile: Profile
    notes: tuple[str, ...]

    def write(self) -> str:
        """Return it as YAML, with the notes above."""
        return "".join(f"# {note}\n" for note in self.notes) + self.profile.write()


def draft(path: Path, unit_id: str = "", name: str = "") -> Draft:
    """Return the profile that a logger's export suggests.

    Raises
    ------
    UnfitFileError
        The file is no table, or no column of it is a sensor.
    """
    export = table(path)
    found, unknown = columns(export)
    if not found:
        msg = f"{path}: no column is a sensor; columns: {', '.join(export.names[:20])}"
        raise UnfitFileError(msg)
    notes = [*_oddities(export), *_guesses(found, unknown)]
    interval, more = _interval(export)
    notes += more
    air = found.get("temperature_c")
    kind = _kind(air, f"{path.stem} {name}")
    set_point, low, high = _limits(air, kind)
    if air and air.unit == "" and median(air.values) > FAHRENHEIT_FROM:
        notes.append(
            f"« {air.source} » vaut {median(air.values):.0f} au milieu : °F ? alors unit: °F"
        )
    notes += _questions(found, set_point)
    stem = "".join(c if c.isprintable() else " " for c in path.stem)
    spoken = re.sub(r"[^a-z0-9]+", "-", plain(stem).lower()).strip("-")
    profile = Profile(
        unit_id=unit_id or spoken[:80] or "unite",
        name=name or stem[:80],
        kind=kind,
        set_point_c=set_point,
        low_c=low,
        high_c=high,
        interval_s=interval,
        silent_s=min(max(600.0, 5 * interval), 86_400.0),
        voltage_v=_nominal(found.get("voltage_v")),
        sensors={sensor: _sensor(found[sensor]) for sensor in SENSORS if sensor in found},
    )
    return Draft(profile, tuple(notes))


def _sensor(column: Column) -> SensorProfile:
    below = column.sensor.endswith("_bar") and min(column.values) < 0
    return SensorProfile(
        source=column.source if column.source != column.sensor else None,
        unit="" if column.unit in {"barg", "psig"} and below else column.unit,
        gauge=below and column.unit not in {"barg", "psig"},
    )


def _interval(export: Table) -> tuple[float, list[str]]:
    places = [n for n, name in enumerate(export.names) if plain(name) in TIME_NAMES]
    if not places:
        return 60.0, ["aucune colonne d'heure reconnue : interval_s est à vérifier"]
    times = [moment(row[places[0]]) for row in export.rows]
    if len(places) > 1 and all(seen is None for seen in times[:5]):
        times = [moment(f"{row[places[0]]} {row[places[1]]}") for row in export.rows]
    known = [seen for seen in times if seen is not None]
    gaps = [after - before for before, after in pairwise(known)]
    notes = []
    if len(known) < len(times):
        notes.append(f"{len(times) - len(known)} ligne(s) sans heure lisible")
    if backwards := sum(gap <= 0 for gap in gaps):
        notes.append(f"{backwards} ligne(s) ne suivent pas l'ordre du temps, ou se répètent")
    forward = [gap for gap in gaps if gap > 0]
    if not forward:
        return 60.0, [*notes, "l'intervalle ne se lit pas : interval_s est à vérifier"]
    usual = median(forward)
    if holes := sum(gap > 3 * usual for gap in forward):
        notes.append(f"{holes} trou(s) de plus de trois intervalles")
    return min(max(round(usual, 1), 1.0), 3600.0), notes


def _kind(air: Column | None, called: str) -> Kind:
    if air is None:
        return Kind.OTHER
    middle = median(air.values)
    cabinet = bool(CABINETS & set(words_of(called)))
    if middle <= FROZEN_C:
        return Kind.FREEZER_CABINET if cabinet else Kind.NEGATIVE_ROOM
    if middle <= CHILLED_C:
        return Kind.CABINET if cabinet else Kind.POSITIVE_ROOM
    return Kind.OTHER


def _limits(air: Column | None, kind: Kind) -> tuple[float | None, float | None, float | None]:
    """Return set-point and limits: around what the air does, not nearer than 3 K (frozen: 4 K)."""
    if air is None or kind is Kind.OTHER:
        return None, None, None
    values = sorted(air.values)
    middle = median(values)
    apart = 4.0 if middle <= FROZEN_C else 3.0
    set_point = round(2 * middle) / 2
    low = min(set_point - apart, math.floor(_quantile(values, 0.02) - 1))
    high = max(set_point + apart, math.ceil(_quantile(values, 0.95) + 1))
    return set_point, max(low, -60.0), min(high, 60.0)


def _quantile(values: Sequence[float], share: float) -> float:
    return values[min(int(share * len(values)), len(values) - 1)]


def _nominal(column: Column | None) -> float | None:
    if column is None:
        return None
    middle = median(column.values)
    near = min(NOMINAL_V, key=lambda nominal: abs(nominal - middle))
    return near if abs(near - middle) <= 0.12 * near else round(middle) or None


def _oddities(export: Table) -> list[str]:
    found = []
    if export.above:
        found.append(f"{export.above} ligne(s) au-dessus de l'en-tête, ignorée(s)")
    if export.uneven:
        found.append(f"{export.uneven} ligne(s) n'ont pas autant de cases que l'en-tête")
    return found


def _guesses(found: dict[str, Column], unknown: list[str]) -> list[str]:
    notes = [f"« {c.source} » → {sensor} : {c.why}" for sensor, c in found.items() if c.why]
    notes += [
        f"« {c.source} » : {c.codes} code(s) de sonde coupée, ignoré(s)"
        for c in found.values()
        if c.codes
    ]
    if unknown:
        shown = ", ".join(f"« {name} »" for name in unknown[:12])
        notes.append(
            f"colonnes non reconnues : {shown} ; ajoutez-les sous sensors si elles comptent"
        )
    return [" ".join(note.split()) for note in notes]


def _questions(found: dict[str, Column], set_point: float | None) -> list[str]:
    """Return what a file cannot tell."""
    notes = []
    if set_point is None:
        notes.append("ni consigne ni limites : la température de l'air n'est pas reconnue")
    else:
        notes.append("consigne et limites viennent des mesures : vérifiez-les sur le régulateur")
    pressures = [found[n] for n in ("low_pressure_bar", "high_pressure_bar") if n in found]
    if pressures:
        notes.append(
            "fluide : écrivez refrigerant (plaque de l'installation), sinon pas de surchauffe"
        )
        if not any(c.unit in {"barg", "psig"} or min(c.values) < 0 for c in pressures):
            notes.append(
                "pressions : absolues ou relatives ? un manomètre qui lit 0 à l'air libre est"
                " relatif (gauge: true)"
            )
    notes.append("denrées : écrivez food (limite, source, date) ; astreinte : on_call")
    return notes
