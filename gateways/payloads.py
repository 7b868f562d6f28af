"""What callers and bridges send as a reading, in whatever shape, as an `InboundReading`. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from refrigeration.measures import BY_ALIAS, plain
from schemas.frigo import InboundReading

MILLISECONDS = 1e11
"""A number above it counts milliseconds: in seconds it would be the year 5138."""
MAX_NAME = 80
UNIT_KEYS = ("unit_id", "equipement", "equipment", "unit", "device")
TIME_KEYS = ("measured_at", "timestamp", "time", "ts", "date")
NESTS = ("measures", "capteurs", "sensors", "values", "data")
"""Where the sensors may lie; else beside everything else."""
NUMBER = re.compile(r"\d{9,14}(\.\d{1,9})?", re.ASCII)
STEP = re.compile(r"[^.\[\]]+")


def first(body: Mapping[str, Any], keys: Iterable[str]) -> Any:
    """Return the first of `keys` that is there and says something."""
    return next((body[key] for key in keys if body.get(key) not in (None, "")), None)


def at(body: Any, path: str) -> Any:
    """Return what stands at a path like `device.id` or `values[0].v`; nothing where nothing is."""
    for step in STEP.findall(path.removeprefix("$")):
        if isinstance(body, Mapping):
            body = body.get(step)
        elif isinstance(body, list) and step.isdecimal() and int(step[:6]) < len(body):
            body = body[int(step)]
        else:
            return None
    return body


def moment_of(value: Any) -> datetime:
    """Return a moment: ISO text, or a number of seconds or milliseconds since 1970.

    Text without a zone is on this machine's clock, as the first system's callers meant it.

    Raises
    ------
    ValueError
        It is none.
    """
    msg = "no moment"
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(msg)  # noqa: TRY004 - a caller's mistake, as the others
    try:
        if isinstance(value, str) and not NUMBER.fullmatch(value.strip()):
            return datetime.fromisoformat(value.strip()).astimezone(UTC)
        seconds = float(value)
        return datetime.fromtimestamp(seconds / (1000 if seconds > MILLISECONDS else 1), UTC)
    except (OverflowError, OSError, ValueError) as error:
        raise ValueError(msg) from error


def measures_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the sensors of a body, nested or flat; what is not a sensor stays behind.

    Flat, a name that is no sensor of ours counts when its value is a number: a profile may know it.
    """
    nest = next((body[key] for key in NESTS if isinstance(body.get(key), Mapping)), None)
    if nest is not None:
        return {str(name)[:MAX_NAME]: value for name, value in nest.items() if _single(value)}
    return {
        name[:MAX_NAME]: value
        for name, value in body.items()
        if _single(value) and (plain(name) in BY_ALIAS or (name not in SAID and _is_number(value)))
    }


SAID = frozenset(
    {
        *UNIT_KEYS,
        *TIME_KEYS,
        *("diagnostic_id", "num_diagnostic", "source", "localisation", "location", "type", "link"),
        *("panne_active", "panne", "fault", "label", "event_id", "cle", "id", "version"),
    }
)
"""What a flat body says beside its sensors; labels of a simulator never travel."""


def _single(value: Any) -> bool:
    return not isinstance(value, Mapping | list)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def numbers_in(reading: InboundReading) -> dict[str, float]:
    """Return the sensors of a reading that have a value, by our names where they have one."""
    return {
        BY_ALIAS.get(plain(name), name): value
        for name, value in reading.measures.items()
        if value is not None
    }


def reading(
    unit_id: Any,
    measures: Mapping[str, Any],
    moment: datetime,
    source: str,
    *,
    link: str = "",
    event_id: UUID | None = None,
) -> InboundReading:
    """Return the event; `event_id`, where given, is what makes two of them one.

    Raises
    ------
    ValueError
        Pydantic's: the unit is none, or there are too many sensors.
    """
    identity = {"event_id": event_id, "trace_id": event_id.hex} if event_id else {}
    return InboundReading.model_validate(
        {
            "unit_id": str(unit_id) if isinstance(unit_id, str | int) else unit_id,
            "measured_at": moment,
            "measures": dict(measures),
            "source": source,
            "link": link,
            **identity,
        }
    )
