"""What a unit is: its kind, its refrigerant, its sensors and limits, its masks, its food rule.

A profile is YAML for people and JSON in the record. Names of masks and differential are those that
installers know from controllers (Eliwell EWDR 981, Dixell).
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Self

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from refrigeration.measures import SCALES, SENSORS

Name = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f]+$", max_length=80)]
Celsius = Annotated[float, Field(ge=-60, le=60, allow_inf_nan=False)]
Minutes = Annotated[float, Field(ge=0, le=1440, allow_inf_nan=False)]
Number = Annotated[float, Field(allow_inf_nan=False)]


class Kind(StrEnum):
    """What kind of unit."""

    POSITIVE_ROOM = "positive_room"
    NEGATIVE_ROOM = "negative_room"
    CABINET = "cabinet"
    FREEZER_CABINET = "freezer_cabinet"
    CHILLER = "chiller"
    OTHER = "other"


class Part(BaseModel):
    """A part of a profile: frozen; a misspelt name is an error, not silence."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SensorProfile(Part):
    """One sensor of the unit: what the bridge calls it, in which unit, its limits."""

    source: Name | None = Field(default=None, description="the bridge's name; ours if not given")
    unit: str = Field(default="", description="as the bridge sends it; ours if not given")
    gauge: bool = Field(default=False, description="a pressure above the atmosphere's")
    low: Number | None = Field(default=None, description="below: an alarm of its own")
    high: Number | None = Field(default=None, description="above: an alarm of its own")
    optimal: Number | None = None
    recorder: bool = Field(default=False, description="independent probe of the HACCP record")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.unit and self.unit not in SCALES and self.unit not in OWN_UNITS:
            known = ", ".join(sorted(SCALES.keys() | OWN_UNITS))
            msg = f"unit {self.unit!r} is not known; known: {known}"
            raise ValueError(msg)
        if self.low is not None and self.high is not None and self.low >= self.high:
            msg = f"low {self.low:g} is not below high {self.high:g}"
            raise ValueError(msg)
        return self


OWN_UNITS = frozenset(sensor.unit for sensor in SENSORS.values() if sensor.unit)


class Masks(Part):
    """Times in minutes (`tdO`, `dAO` … as on controllers) during which limits stay silent.

    No mask hides the record of temperatures, and each has a ceiling (`max_*`): a longer defrost
    or pull-down is a fault of its own.
    """

    tAO: Minutes = Field(default=15, description="on-delay of a temperature alarm")  # noqa: N815
    AFd: Annotated[float, Field(gt=0, le=10)] = Field(
        default=2.0, description="differential: so many K back inside before it clears"
    )
    dAO: Minutes = Field(default=45, description="after a defrost")  # noqa: N815
    PAO: Minutes = Field(default=240, description="after power-up: pull-down")
    tdO: Minutes = Field(default=5, description="door open for so long: an alarm")  # noqa: N815
    OAO: Minutes = Field(default=20, description="after the door closed")
    max_defrost: Minutes = Field(default=60, description="a longer defrost is a fault")
    max_defrost_c: Celsius | None = Field(default=None, description="air above it ends the mask")


@lru_cache(maxsize=4096)
def _shared(part: Part) -> Part:
    """Return the first of equal parts: ten thousand units have a few hundred different ones."""
    return part


@lru_cache(maxsize=1024)
def _together(sensors: tuple[tuple[str, SensorProfile], ...]) -> dict[str, SensorProfile]:
    return dict(sensors)


def _alike(sensors: dict[str, SensorProfile]) -> dict[str, SensorProfile]:
    """Return the sensors of the first unit that has the same: never changed, so shared."""
    return _together(tuple(sensors.items()))


class FoodRule(Part):
    """What the law or the product asks of its temperature, since when, and who says so."""

    high_c: Celsius
    low_c: Celsius | None = None
    tolerance_k: Annotated[float, Field(ge=0, le=6)] = 0.0
    source: Annotated[str, StringConstraints(min_length=3, max_length=300)]
    effective_from: date


class Profile(Part):
    """One unit."""

    unit_id: Name
    name: Name
    kind: Kind = Kind.OTHER
    language: str = Field(default="fr", pattern="^(fr|en)$")
    site: Name | None = Field(default=None, description="units of one site lose power together")
    refrigerant: str = Field(default="", max_length=20, description="e.g. R449A; unknown if empty")
    set_point_c: Celsius | None = None
    low_c: Celsius | None = Field(default=None, description="limit alarm of the room's air")
    high_c: Celsius | None = Field(default=None, description="limit alarm of the room's air")
    interval_s: Annotated[float, Field(gt=0, le=3600)] = Field(default=60, description="expected")
    silent_s: Annotated[float, Field(ge=10, le=86_400)] = Field(
        default=600, description="without a reading for so long: no data"
    )
    voltage_v: Annotated[float, Field(gt=0, le=1000)] | None = Field(
        default=None, description="nominal; power is a fault beyond 10 % of it"
    )
    sensors: Annotated[
        dict[Name, Annotated[SensorProfile, AfterValidator(_shared)]], AfterValidator(_alike)
    ] = Field(default_factory=dict, max_length=200)
    masks: Annotated[Masks, AfterValidator(_shared)] = Masks()
    food: Annotated[FoodRule, AfterValidator(_shared)] | None = None
    on_call: tuple[Name, ...] = Field(default=(), max_length=20, description="names of the roster")
    value_at_risk: Annotated[float, Field(ge=0)] | None = Field(default=None, description="€")
    learned: dict[str, Any] = Field(
        default_factory=dict, description="what is normal for it: `refrigeration.normal.learn`"
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.low_c is not None and self.high_c is not None and self.low_c >= self.high_c:
            msg = f"low_c {self.low_c:g} is not below high_c {self.high_c:g}"
            raise ValueError(msg)
        return self

    @classmethod
    def read(cls, path: Path) -> Self:
        """Return the profile of a YAML file.

        Raises
        ------
        ValueError
            The file is no YAML, or no profile; the message names each field that is wrong.
        """
        try:
            found = yaml.safe_load(path.read_text("utf-8"))
        except yaml.YAMLError as error:
            msg = f"{path}: no YAML: {error}"
            raise ValueError(msg) from error
        return cls.model_validate(found)

    def write(self) -> str:
        """Return the profile as YAML; what is as usual stays out."""
        body = self.model_dump(mode="json", exclude_defaults=True)
        return str(yaml.safe_dump(body, allow_unicode=True, sort_keys=False))
