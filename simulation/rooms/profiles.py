"""The profile of a simulated unit: what its owner would have declared."""

from __future__ import annotations

from datetime import date

from refrigeration.profile import FoodRule, Kind, Masks, Profile, SensorProfile
from simulation.rooms.design import FROZEN, ROOMS, Design, design
from simulation.rooms.probes import sensors_of

FRENCH = {
    "temperature_c": "Température",
    "low_pressure_bar": "Pression_BP",
    "high_pressure_bar": "Pression_HP",
    "current_a": "Courant",
    "voltage_v": "Tension",
    "vibration_mm_s": "Vibration",
    "humidity_pct": "Humidité",
    "air_flow_m3_h": "Débit_air",
}
"""What the first system's bridges call the eight sensors of old."""
NAMES = {
    Kind.POSITIVE_ROOM: "Chambre positive",
    Kind.NEGATIVE_ROOM: "Chambre négative",
    Kind.CABINET: "Meuble positif",
    Kind.FREEZER_CABINET: "Meuble surgelés",
}
CHILLED = FoodRule(
    high_c=8.0,
    source="arrêté du 21 décembre 2009, autres denrées périssables : +8 °C au plus",
    effective_from=date(2010, 1, 1),
)
FROZEN_FOOD = FoodRule(
    high_c=-18.0,
    tolerance_k=3.0,
    source="directive 89/108/CEE, article 5 : -18 °C, 3 K de tolérance brève",
    effective_from=date(1989, 2, 11),
)


def unit_id_of(seed: int) -> str:
    """Return the name under which a seed's unit sends."""
    return f"sim-{seed:06d}"


def bridge_name(design: Design, sensor: str) -> str:
    """Return what the unit's bridge calls a sensor: every second speaks the old French."""
    return FRENCH.get(sensor, sensor) if design.seed % 2 else sensor


def is_gauge(design: Design) -> bool:
    """Say whether the unit's bridge sends pressures above the atmosphere's: every third does."""
    return design.seed % 3 == 0


def profile(design: Design, sensors: tuple[str, ...], interval_s: float = 60.0) -> Profile:
    """Return what the owner of a plant declares of it."""
    frozen, room = design.kind in FROZEN, design.kind in ROOMS
    declared = {
        name: SensorProfile(
            source=bridge_name(design, name) if bridge_name(design, name) != name else None,
            gauge=name.endswith("_bar") and is_gauge(design),
            recorder=name == "product_c",
        )
        for name in sensors
    }
    return Profile(
        unit_id=unit_id_of(design.seed),
        name=f"{NAMES[design.kind]} {design.seed}",
        kind=design.kind,
        site=f"site-{design.seed // 10}",
        refrigerant=design.refrigerant,
        set_point_c=round(design.set_point + design.differential / 2, 1),
        low_c=round(design.set_point - (5 if frozen else 4), 1),
        high_c=round(design.set_point + design.differential + (5 if frozen else 4), 1),
        interval_s=interval_s,
        silent_s=max(600.0, 10 * interval_s),
        voltage_v=design.voltage,
        sensors=declared,
        masks=Masks(
            tAO=30,
            dAO=60 if frozen or not room else 45,
            max_defrost=round(design.defrost_limit / 60 + 15),
            max_defrost_c=round(design.set_point + 15, 1),
        ),
        food=FROZEN_FOOD if frozen else CHILLED,
    )


def profile_of(seed: int, kind: Kind | str | None = None, *, every_sensor: bool = False) -> Profile:
    """Return the profile of a seed's unit, as `history` gives it too."""
    of = design(seed, Kind(kind) if kind else None)
    return profile(of, sensors_of(of, every=every_sensor))
