"""What sensors and features are called by people, their units, and how numbers are written."""

from __future__ import annotations

from typing import NamedTuple

from schemas.vocabulary import Language

MINUTE, HOUR, DAY = 60, 3600, 86_400


def number(value: float, language: Language, digits: int = 1) -> str:
    """Return a number, with a comma in French; one without decimals has none."""
    text = f"{value:.{digits}f}"
    if digits and text.endswith("0" * digits):
        text = text[: -digits - 1]
    text = "0" if text == "-0" else text
    return text.replace(".", ",") if language is Language.FR else text


def duration(seconds: float, language: Language) -> str:
    """Return a duration: `40 s`, `12 min`, `2 h 10`, `3 j 4 h`."""
    whole = round(seconds)
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return f"{whole // MINUTE} min"
    if whole < DAY:
        minutes = whole % HOUR // MINUTE
        return f"{whole // HOUR} h {minutes:02d}" if minutes else f"{whole // HOUR} h"
    day = "j" if language is Language.FR else "d"
    hours = whole % DAY // HOUR
    return f"{whole // DAY} {day} {hours} h" if hours else f"{whole // DAY} {day}"


class Quantity(NamedTuple):
    """A measured or derived quantity."""

    fr: str
    en: str
    unit: str

    def label(self, language: Language) -> str:
        """Return its name."""
        return self.fr if language is Language.FR else self.en

    def shown(self, value: float, language: Language) -> str:
        """Return a value with its unit, with a comma in French."""
        return f"{number(value, language)} {self.unit}".rstrip()


QUANTITIES: dict[str, Quantity] = {
    "door_min": Quantity("Porte ouverte depuis", "Door open for", "min"),
    "temperature_c": Quantity("Température de l'air", "Air temperature", "°C"),
    "product_c": Quantity("Température du produit", "Product temperature", "°C"),
    "low_pressure_bar": Quantity("Basse pression", "Low pressure", "bar abs."),
    "high_pressure_bar": Quantity("Haute pression", "High pressure", "bar abs."),
    "current_a": Quantity("Courant", "Current", "A"),
    "voltage_v": Quantity("Tension", "Voltage", "V"),
    "vibration_mm_s": Quantity("Vibrations", "Vibration", "mm/s"),
    "humidity_pct": Quantity("Humidité", "Humidity", "%"),
    "air_flow_m3_h": Quantity("Débit d'air", "Air flow", "m³/h"),
    "suction_c": Quantity("Aspiration", "Suction line", "°C"),
    "discharge_c": Quantity("Refoulement", "Discharge line", "°C"),
    "liquid_c": Quantity("Ligne liquide", "Liquid line", "°C"),
    "ambient_c": Quantity("Air extérieur", "Ambient air", "°C"),
    "air_on_c": Quantity("Air à l'entrée de l'évaporateur", "Air onto the evaporator", "°C"),
    "air_off_c": Quantity("Air soufflé", "Air off the evaporator", "°C"),
    "power_w": Quantity("Puissance", "Power", "W"),
    "superheat_k": Quantity("Surchauffe", "Superheat", "K"),
    "subcooling_k": Quantity("Sous-refroidissement", "Subcooling", "K"),
    "sst_c": Quantity("Température d'évaporation", "Evaporating temperature", "°C"),
    "sct_c": Quantity("Température de condensation", "Condensing temperature", "°C"),
    "approach_k": Quantity("Écart au condenseur", "Condenser approach", "K"),
    "td_k": Quantity("Écart à l'évaporateur", "Evaporator temperature difference", "K"),
    "ratio": Quantity("Taux de compression", "Compression ratio", ""),
    "silence_s": Quantity("Silence", "Silence", "s"),
    "duty": Quantity("Taux de marche", "Duty", ""),
}


def quantity(name: str) -> Quantity:
    """Return what a sensor or feature is called; one that nobody named is called as it is."""
    known = QUANTITIES.get(name)
    if known:
        return known
    units = {"_c": "°C", "_k": "K", "_bar": "bar", "_a": "A", "_v": "V", "_w": "W", "_s": "s"}
    end = next((end for end in units if name.endswith(end)), "")
    label = name.removesuffix(end).replace("_", " ").capitalize()
    return Quantity(label, label, units.get(end, ""))
