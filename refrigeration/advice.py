"""What is contradictory or missing in a profile, in sentences for whoever wrote it (French)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from difflib import get_close_matches
from typing import NamedTuple

from refrigeration.measures import SCALES, SENSORS, plain
from refrigeration.profile import Kind, Profile, SensorProfile
from refrigeration.saturation import fluid, refrigerants

FROZEN = (Kind.NEGATIVE_ROOM, Kind.FREEZER_CABINET)
CHILLED = (Kind.POSITIVE_ROOM, Kind.CABINET)
FROZEN_AT_MOST_C, CHILLED_AT_LEAST_C = -10.0, -6.0
LONGEST_ON_DELAY_MIN = 60.0
LOGGED_EVERY_S = 900.0
"""Cold stores are recorded every quarter of an hour as a rule (EN 12830)."""
FAMILIES = (
    frozenset({"°C", "C", "°F", "F", "K"}),
    frozenset({"bar", "barg", "kPa", "MPa", "psi", "psig"}),
    frozenset({"A", "mA"}),
    frozenset({"V", "kV"}),
    frozenset({"W", "kW"}),
    frozenset({"m³/h", "m³/s", "m3/s", "L/s"}),
    frozenset({"mm/s", "in/s"}),
    frozenset({"%"}),
)


class Remark(NamedTuple):
    """A sentence; `wrong`: a contradiction, else something that is missing or unusual."""

    wrong: bool
    text: str


def _wrong(text: str) -> Remark:
    return Remark(wrong=True, text=text)


def _open(text: str) -> Remark:
    return Remark(wrong=False, text=text)


def remarks(profile: Profile) -> tuple[Remark, ...]:
    """Return what is contradictory in a profile, then what is missing."""
    found = [*_temperatures(profile), *_food(profile), *_sensors(profile), *_times(profile)]
    found += [*_refrigerant(profile), *_missing(profile)]
    return tuple(sorted(found, key=lambda remark: not remark.wrong))


def _temperatures(profile: Profile) -> Iterator[Remark]:
    point, low, high = profile.set_point_c, profile.low_c, profile.high_c
    if point is None:
        yield _open("set_point_c manque : sans consigne, la dérive et le thermostat se jugent mal.")
        return
    if high is not None and point >= high:
        yield _wrong(
            f"la consigne {point:g} °C n'est pas sous high_c ({high:g} °C) : alarme permanente.",
        )
    if low is not None and point <= low:
        yield _wrong(f"la consigne {point:g} °C n'est pas au-dessus de low_c ({low:g} °C).")
    if high is not None and 0 < high - point < profile.masks.AFd:
        yield _open(
            f"high_c n'est qu'à {high - point:g} K de la consigne, moins que le différentiel AFd"
            f" ({profile.masks.AFd:g} K) : une alarme ne finirait qu'au-dessous de la consigne.",
        )
    if profile.kind in FROZEN and point > FROZEN_AT_MOST_C:
        yield _wrong(f"kind est {profile.kind.value}, mais la consigne est de {point:g} °C.")
    if profile.kind in CHILLED and point < CHILLED_AT_LEAST_C:
        yield _wrong(f"kind est {profile.kind.value}, mais la consigne est de {point:g} °C.")


def _food(profile: Profile) -> Iterator[Remark]:
    rule, point = profile.food, profile.set_point_c
    if rule is None:
        if profile.kind is not Kind.CHILLER:
            yield _open("food manque : sans limite des denrées, pas de temps restant.")
        return
    limit = rule.high_c + rule.tolerance_k
    if point is not None and point > limit:
        yield _wrong(
            f"la consigne {point:g} °C dépasse la limite des denrées ({limit:g} °C).",
        )
    if profile.high_c is not None and profile.high_c > limit:
        yield _open(
            f"high_c ({profile.high_c:g} °C) dépasse la limite des denrées ({limit:g} °C) :"
            " l'alarme viendrait après elle.",
        )
    if rule.low_c is not None and rule.low_c >= rule.high_c:
        yield _wrong(f"food.low_c {rule.low_c:g} n'est pas sous food.high_c {rule.high_c:g}.")


def _sensors(profile: Profile) -> Iterator[Remark]:
    sources = Counter(plain(s.source or name) for name, s in profile.sensors.items())
    for source, count in sources.items():
        if count > 1:
            yield _wrong(f"{count} capteurs viennent de la même colonne « {source} ».")
    for name, sensor in profile.sensors.items():
        known = SENSORS.get(name)
        if known is None:
            near = get_close_matches(name, SENSORS, n=1, cutoff=0.8)
            if near:
                yield _open(f"capteur « {name} » inconnu : est-ce {near[0]} ?")
            continue
        yield from _sensor(name, sensor)


def _sensor(name: str, sensor: SensorProfile) -> Iterator[Remark]:
    known = SENSORS[name]
    family = next((f for f in FAMILIES if known.unit in f), frozenset({known.unit}))
    if sensor.unit and sensor.unit not in family:
        yield _wrong(f"{name} se mesure en {known.unit or 'contact'}, pas en {sensor.unit}.")
    if sensor.gauge and not name.endswith("_bar"):
        yield _wrong(f"{name} n'est pas une pression : gauge n'y veut rien dire.")
    if sensor.gauge and sensor.unit in {"barg", "psig"}:
        yield _open(f"{name} : {sensor.unit} dit déjà « relative », gauge est de trop.")
    for word, limit in (("low", sensor.low), ("high", sensor.high)):
        if limit is not None and not known.low <= limit <= known.high:
            yield _wrong(
                f"{name}.{word} {limit:g} est hors de ce que le capteur peut dire"
                f" ({known.low:g} à {known.high:g} {known.unit}).",
            )


def _times(profile: Profile) -> Iterator[Remark]:
    masks = profile.masks
    if profile.silent_s < 2 * profile.interval_s:
        yield _wrong(
            f"silent_s ({profile.silent_s:g} s) est plus court que deux intervalles"
            f" ({profile.interval_s:g} s) : fausse alarme de silence.",
        )
    if profile.interval_s > LOGGED_EVERY_S:
        yield _open(
            "plus d'un quart d'heure entre deux mesures : c'est peu pour un relevé sanitaire.",
        )
    if masks.tAO > LONGEST_ON_DELAY_MIN:
        yield _open(f"tAO {masks.tAO:g} min : l'alarme de température attend plus d'une heure.")
    if (
        masks.max_defrost_c is not None
        and profile.high_c is not None
        and masks.max_defrost_c <= profile.high_c
    ):
        yield _open(
            f"max_defrost_c ({masks.max_defrost_c:g} °C) n'est pas au-dessus de high_c :"
            " le masque de dégivrage ne servirait à rien.",
        )


def _missing(profile: Profile) -> Iterator[Remark]:
    named = profile.sensors
    if not named:
        yield _open(
            "sensors est vide : seuls les noms connus des mesures seront repris, sans réglage.",
        )
    elif not {"temperature_c", "air_on_c"} & named.keys():
        yield _open("aucun capteur de l'air (temperature_c) : pas d'alarme de température.")
    if profile.high_c is None:
        yield _open("high_c manque : pas d'alarme de température haute.")
    if "voltage_v" in named and profile.voltage_v is None:
        yield _open("voltage_v (tension nominale) manque : la tension mesurée ne se juge pas.")
    if named and not any(sensor.recorder for sensor in named.values()):
        yield _open("aucun capteur n'est recorder: true : pas de sonde du relevé sanitaire.")
    if not profile.on_call:
        yield _open("on_call est vide : tout le tableau de garde est prévenu, dans son ordre.")
    if profile.site is None:
        yield _open("site manque : une coupure commune fera une alarme par unité.")


def _refrigerant(profile: Profile) -> Iterator[Remark]:
    named = profile.sensors
    pressures = [name for name in named if name in {"low_pressure_bar", "high_pressure_bar"}]
    if profile.refrigerant and fluid(profile.refrigerant) is None:
        near = get_close_matches(
            profile.refrigerant.upper(), [n.upper() for n in refrigerants()], n=1
        )
        hint = f" ; est-ce {near[0]} ?" if near else ""
        yield _wrong(f"fluide {profile.refrigerant} inconnu{hint}")
    if pressures and not profile.refrigerant:
        yield _open(
            "refrigerant manque : pressions lues, mais ni surchauffe ni sous-refroidissement.",
        )
    if pressures and not any(
        s.gauge or s.unit in SCALES for n, s in named.items() if n in pressures
    ):
        yield _open(
            "pressions prises pour absolues : si la passerelle les donne relatives, gauge: true.",
        )
