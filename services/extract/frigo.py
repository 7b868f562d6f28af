"""What speaks for an alarm: facts with their numbers, how bad it is, what is at risk. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from refrigeration.quantities import duration, number, quantity
from schemas.frigo import Contribution, EvidenceGathered, Fact, UnitStateChanged
from schemas.vocabulary import Change, Fault, Language, Severity

HIGH = frozenset(
    {
        *(Fault.LEAK, Fault.COMPRESSOR_STOPPED, Fault.COMPRESSOR_OVERHEAT, Fault.POWER),
        *(Fault.HIGH_TEMPERATURE, Fault.LOW_TEMPERATURE, Fault.HIGH_PRESSURE, Fault.EVAPORATOR_FAN),
        *(Fault.DETECTOR_DOWN, Fault.THERMOSTAT),
    }
)
LOW = frozenset({Fault.OVERCHARGE, Fault.CONDENSER_FOULING, Fault.UNKNOWN})
"""Anything else is of medium severity, unless food is at risk."""
SOON_S, TODAY_S = 2 * 3600.0, 8 * 3600.0
"""A food limit that near makes any fault critical, or high."""

MIN_POINTS = 6
AMBIENT_C = 20.0
"""Where a room ends up without cooling, when nobody measures it."""
EIGHTY = 1.282
"""Standard errors on either side of an interval of 80 %."""
ALIKE = 3.0
"""Successive means of a room's air resemble one another: so many count as one."""
FAR_S = 7 * 86_400.0

PER_K_CONDENSING, PER_K_EVAPORATING = 0.024, 0.025
"""Of a compressor's energy, for each K of condensing temperature too much and of evaporating
temperature too little: R134a and R404A at -8/+40 °C, isentropic efficiency 0.65 (CoolProp)."""
MAX_FACTS = 12


class Reach(NamedTuple):
    """Seconds until a limit: most likely, and between which two with 80 %."""

    likely: float | None
    earliest: float | None
    latest: float | None


NEVER = Reach(None, None, None)


def gather(event: UnitStateChanged, now: datetime) -> tuple[EvidenceGathered, ...]:
    """Return the event with what speaks for it."""
    at = event.measured_at or event.occurred_at
    since = event.since or at
    reach = reach_of(event) if event.change is not Change.CLEARED else NEVER
    lost = energy_lost(event)
    return (
        EvidenceGathered.after(
            event,
            now,
            why=event.why,
            severity=severity_of(event, reach),
            since=since,
            limit_reached_in_s=reach.likely,
            limit_earliest_s=reach.earliest,
            limit_latest_s=reach.latest,
            energy_lost_kwh_day=lost,
            facts=tuple(facts(event, since, at, reach, lost))[:MAX_FACTS],
        ),
    )


def severity_of(event: UnitStateChanged, reach: Reach) -> Severity:
    """Return how bad it is: by the fault, and by how near the food's limit is."""
    known = Fault._value2member_map_.get(event.fault)
    usual = Severity.HIGH if known in HIGH else Severity.LOW if known in LOW else Severity.MEDIUM
    if reach.likely is None:
        return usual
    if reach.likely <= SOON_S:
        return Severity.CRITICAL
    return Severity.HIGH if reach.likely <= TODAY_S else usual


def reach_of(event: UnitStateChanged) -> Reach:
    """Return when the food's limit is reached if the room goes on warming as it does.

    One thermal mass that approaches the ambient temperature: `dT/dt = (T_amb - T) / tau`; tau
    from the slope of the course (least squares), its interval from the slope's standard error.
    """
    limit = event.unit.food_high_c if event.unit else None
    if limit is None:
        return NEVER
    product = event.values.product_c
    now_c = product if product is not None else event.values.temperature_c
    if now_c is not None and now_c >= limit:
        return Reach(0.0, 0.0, 0.0)
    name = "product_c" if product is not None else "temperature_c"
    course = next((series for series in event.courses if series.feature == name), None)
    if course is None or now_c is None:
        return NEVER
    found = slope(course.values, course.step_s)
    if found is None:
        return NEVER
    per_s, error = found
    ambient = event.values.ambient_c if event.values.ambient_c is not None else AMBIENT_C
    return Reach(
        *(_time_to(limit, now_c, ambient, per_s + way * EIGHTY * error) for way in (0, 1, -1))
    )


def slope(values: Sequence[float | None], step_s: float) -> tuple[float, float] | None:
    """Return the slope of a course and its standard error, each per second."""
    points = [(place * step_s, value) for place, value in enumerate(values) if value is not None]
    count = len(points)
    if count < MIN_POINTS:
        return None
    mean_t = sum(t for t, _ in points) / count
    mean_v = sum(v for _, v in points) / count
    spread = sum((t - mean_t) ** 2 for t, _ in points)
    found = sum((t - mean_t) * (v - mean_v) for t, v in points) / spread
    rest = sum((v - mean_v - found * (t - mean_t)) ** 2 for t, v in points)
    return found, math.sqrt(ALIKE * rest / (count - 2) / spread)


def _time_to(limit: float, now_c: float, ambient: float, per_s: float) -> float | None:
    if per_s <= 0:
        return None
    straight = (limit - now_c) / per_s
    if ambient <= limit:  # it may never come there; the straight line is the careful answer
        return straight if straight <= FAR_S else None
    tau = (ambient - now_c) / per_s
    found = tau * math.log((ambient - now_c) / (ambient - limit))
    return found if found <= FAR_S else None


def energy_lost(event: UnitStateChanged) -> float | None:
    """Return the kWh a day that the fault costs; nothing where the power is not measured."""
    course = next((each for each in event.courses if each.feature == "power_w"), None)
    known = [v for v in course.values if v is not None] if course else []
    power = sum(known) / len(known) if known else event.values.power_w
    if not power or event.change is Change.CLEARED:
        return None
    moved = _moved(event.causes[0].contributions if event.causes else ())
    condensing = max(moved.get("sct_c", moved.get("approach_k", 0.0)), 0.0)
    evaporating = max(-moved.get("sst_c", 0.0), 0.0)
    share = PER_K_CONDENSING * condensing + PER_K_EVAPORATING * evaporating
    return round(power * 24 / 1000 * share / (1 + share), 1) if share else None


def _moved(contributions: Sequence[Contribution]) -> Mapping[str, float]:
    return {c.feature: c.value - c.normal for c in contributions if c.normal is not None}


def facts(
    event: UnitStateChanged,
    since: datetime,
    at: datetime,
    reach: Reach,
    lost: float | None,
) -> list[Fact]:
    """Return what people are told, one sentence a fact; every number is the event's."""
    found = []
    if at - since >= timedelta(minutes=1):
        lasts = (at - since).total_seconds()
        found.append(
            _fact(
                f"En cours depuis {duration(lasts, Language.FR)}.",
                f"Going on for {duration(lasts, Language.EN)}.",
            )
        )
    if event.causes:
        found += [_evidence(each) for each in event.causes[0].contributions]
    for series in event.courses:
        found += _trend(series.feature, series.values, series.step_s)
    if reach.likely is not None:
        found.append(_at_risk(event, reach))
    if lost is not None:
        found.append(
            _fact(
                f"Surconsommation estimée : {number(lost, Language.FR)} kWh par jour.",
                f"Energy lost, estimated: {number(lost, Language.EN)} kWh a day.",
            )
        )
    return found


def _fact(fr: str, en: str) -> Fact:
    return Fact(fr=fr[:400], en=en[:400])


def _evidence(each: Contribution) -> Fact:
    said = []
    words = quantity(each.feature)
    known = each.normal if words.unit != "min" else None  # nothing lasts so long normally
    for language, usual in ((Language.FR, "normale"), (Language.EN, "normal")):
        normal = f" ({usual} {words.shown(known, language)})" if known is not None else ""
        said.append(f"{words.label(language)} : {words.shown(each.value, language)}{normal}.")
    return _fact(said[0], said[1].replace(" :", ":"))


TREND_PER_H = 0.5
"""K an hour: less is no trend worth a sentence."""


def _trend(name: str, values: Sequence[float | None], step_s: float) -> list[Fact]:
    found = slope(values, step_s) if name in {"temperature_c", "product_c"} else None
    if found is None or abs(found[0]) * 3600 < TREND_PER_H or abs(found[0]) < EIGHTY * found[1]:
        return []
    per_h, words = found[0] * 3600, quantity(name)
    fr, en = (number(abs(per_h), language) for language in (Language.FR, Language.EN))
    ways = ("monte", "rising") if per_h > 0 else ("descend", "falling")
    return [
        _fact(
            f"{words.label(Language.FR)} : {ways[0]} de {fr} K par heure.",
            f"{words.label(Language.EN)}: {ways[1]} by {en} K an hour.",
        )
    ]


def _at_risk(event: UnitStateChanged, reach: Reach) -> Fact:
    limit = event.unit.food_high_c if event.unit and event.unit.food_high_c is not None else 0.0
    fr, en = (number(limit, language) for language in (Language.FR, Language.EN))
    if not reach.likely:
        return _fact(f"Limite alimentaire de {fr} °C dépassée.", f"Food limit of {en} °C exceeded.")
    likely = [duration(reach.likely, language) for language in (Language.FR, Language.EN)]
    early = [duration(reach.earliest or 0.0, language) for language in (Language.FR, Language.EN)]
    fr_to, en_to = "plus tard, ou jamais", "later, or never"
    if reach.latest is not None:
        fr_to, en_to = duration(reach.latest, Language.FR), duration(reach.latest, Language.EN)
    return _fact(
        f"Limite alimentaire de {fr} °C atteinte dans {likely[0]}"
        f" (à 80 % entre {early[0]} et {fr_to}).",
        f"Food limit of {en} °C reached in {likely[1]} (80 %: {early[1]} to {en_to}).",
    )
