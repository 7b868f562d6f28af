"""What the page of cold rooms is shown: units, episodes, what speaks for them. Pure."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from gateways.buttons import CAUSES, NOTHING
from refrigeration.measures import SENSORS
from refrigeration.quantities import quantity
from refrigeration.track import SIZE, STEP_S, Track
from schemas.vocabulary import Fault, Labelled, Language, SendStatus, Severity
from storage.rooms import Shown
from storage.tables import Alert, Episode

Json = dict[str, Any]

RANKS = tuple(severity.value for severity in Severity)
CURVES = ("temperature_c", "product_c")
MAX_FACTS = 12
CONTACTS = {
    "door": ("Porte ouverte", "Door open"),
    "defrost": ("Dégivrage", "Defrost"),
    "compressor": ("Compresseur", "Compressor"),
    "evaporator_fan": ("Ventilateur de l'évaporateur", "Evaporator fan"),
    "condenser_fan": ("Ventilateur du condenseur", "Condenser fan"),
}
"""What is on or off."""


def causes() -> list[Json]:
    """Return what a person may say that it was; the last one: nothing was wrong."""
    found = [{"value": f.value, "label": _both(f)} for f in (*CAUSES, Fault.UNKNOWN)]
    return [*found, {"value": NOTHING, "label": {"fr": "fausse alerte", "en": "false alarm"}}]


def unit_row(unit: Shown, going_on: Sequence[Episode]) -> Json:
    """Return a unit of the fleet; `going_on`: its open episodes."""
    last, profile = _last(unit.track), unit.profile
    worst = max(going_on, key=lambda e: _rank(e.severity), default=None)
    return {
        "unit_id": unit.unit_id,
        "name": unit.name or unit.unit_id,
        "site": profile.get("site") or "",
        "kind": profile.get("kind") or "",
        "declared": unit.declared,
        "out_of_service_by": unit.out_of_service_by,
        "read_at": _time(unit.read_at),
        "temperature_c": last.get("temperature_c"),
        "product_c": last.get("product_c"),
        "low_c": _number(profile.get("low_c")),
        "high_c": _number(profile.get("high_c")),
        "open": len(going_on),
        "severity": worst.severity if worst else "",
        "fault": _label(Fault, worst.fault) if worst else None,
    }


def unit_page(unit: Shown, going_on: Sequence[Episode]) -> Json:
    """Return one unit: what all sensors said last, and the course of its temperatures."""
    profile = unit.profile
    last, declared = _last(unit.track), profile.get("sensors") or {}
    food = profile.get("food") or {}
    limit = _number(food.get("high_c"))
    return unit_row(unit, going_on) | {
        "refrigerant": profile.get("refrigerant") or "",
        "set_point_c": _number(profile.get("set_point_c")),
        "food_high_c": None if limit is None else limit + (_number(food.get("tolerance_k")) or 0),
        "food_source": food.get("source") or "",
        "sensors": [_sensor(name, last.get(name)) for name in dict.fromkeys([*declared, *last])],
        "curves": _curves(unit.state.get("track")),
    }


def episode_row(
    episode: Episode, unit: str, body: str | None, alerts: Sequence[Alert], now: datetime
) -> Json:
    """Return an episode; `body`: what was drafted of it, where that is recorded already."""
    drafted = _drafted(body)
    shelved = episode.shelved_until if episode.ended_at is None else None
    return {
        "episode_id": episode.episode_id,
        "unit_id": episode.unit_id,
        "unit": unit,
        "fault": episode.fault,
        "label": _label(Fault, episode.fault),
        "severity": episode.severity,
        "severity_label": _label(Severity, episode.severity),
        "began_at": _time(episode.began_at),
        "ended_at": _time(episode.ended_at),
        "acknowledged_by": episode.acknowledged_by,
        "acknowledged_at": _time(episode.acknowledged_at),
        "shelved_until": _time(shelved) if shelved and shelved > now else None,
        "shelved_by": episode.shelved_by,
        "was": _label(Fault, episode.label) if episode.label else None,
        "nothing": bool(episode.label_by and not episode.label),
        "was_by": episode.label_by,
        "follows": bool(episode.leader_id),
        "found_at": _time(_moment(drafted)),
        "facts": [fact for fact in map(_fact, _list(drafted, "facts")) if fact][:MAX_FACTS],
        "next_test": _fact(drafted.get("next_test")),
        "limit": _limit(drafted) if episode.ended_at is None else None,
        "text": str(episode.card.get("text", "")) if episode.card else "",
        "messages": [_message(alert) for alert in alerts],
    }


def order(row: Json) -> tuple[bool, bool, int, str]:
    """Return by what episodes are sorted: nobody looks after it, the worst, the oldest first."""
    taken = bool(row["acknowledged_by"] or row["shelved_until"])
    return bool(row["ended_at"]), taken, -_rank(row["severity"]), row["began_at"]


def _message(alert: Alert) -> Json:
    return {
        "recipient": alert.recipient or alert.address,
        "outbound": alert.outbound,
        "kind": alert.kind.partition("-")[0],
        "status": alert.status,
        "label": _label(SendStatus, alert.status),
        "at": _time(alert.sent_at or alert.created_at),
    }


def _limit(drafted: Json) -> Json | None:
    """Return when the food's limit is reached, as moments: most likely, and between which two."""
    likely, at = _number(drafted.get("limit_reached_in_s")), _moment(drafted)
    if likely is None or at is None:
        return None
    reach = {"at": likely}
    for name in ("earliest", "latest"):
        if (seconds := _number(drafted.get(f"limit_{name}_s"))) is not None:
            reach[name] = seconds
    return {name: _time(at + timedelta(seconds=min(s, 1e9))) for name, s in reach.items()}


def _moment(drafted: Json) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(drafted.get("measured_at")))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _drafted(body: str | None) -> Json:
    try:
        found = json.loads(body or "{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _fact(found: Any) -> Json | None:
    if not isinstance(found, dict):
        return None
    said = {language.value: _text(found.get(language.value)) for language in Language}
    return said if all(said.values()) else None


def _text(found: Any) -> str:
    # Half of an emoji is text for Python, and for no browser.
    return found[:400].encode("utf-8", "replace").decode() if isinstance(found, str) else ""


def _list(body: Json, name: str) -> list[Any]:
    found = body.get(name)
    return found if isinstance(found, list) else []


def _last(track: Mapping[str, Any]) -> dict[str, float]:
    names, values = track.get("names"), track.get("value")
    if not (isinstance(names, list) and isinstance(values, list)):
        return {}
    pairs = zip(names, map(_number, values), strict=False)
    return {str(name): value for name, value in pairs if value is not None}


def _sensor(name: str, value: float | None) -> Json:
    words, known = quantity(name), SENSORS.get(name)
    fr, en = CONTACTS.get(name, (words.fr, words.en))
    return {
        "name": name,
        "label": {"fr": fr, "en": en},
        "unit": words.unit,
        "value": value,
        "contact": bool(known and known.contact),
    }


def _curves(track: Any) -> list[Json]:
    """Return the means of minutes of the room's temperatures, as its detector keeps them."""
    try:
        kept = Track.of(track)
        end = kept.minute * STEP_S
        found = [(name, kept.minutes(name, SIZE)) for name in CURVES if name in kept.names]
    except (ValueError, TypeError, KeyError, AttributeError, StopIteration):
        return []
    return [
        {
            "name": name,
            "label": {"fr": quantity(name).fr, "en": quantity(name).en},
            "step_s": STEP_S,
            "end": _time(datetime.fromtimestamp(end, UTC)),
            "values": [None if math.isnan(v) else round(v, 2) for v in values],
        }
        for name, values in found
    ]


def _rank(severity: str) -> int:
    return RANKS.index(severity) if severity in RANKS else 0


def _label(kind: type[Labelled], value: str) -> Json:
    known = kind._value2member_map_.get(value)
    return _both(known) if isinstance(known, Labelled) else {"fr": value, "en": value}


def _both(member: Labelled) -> Json:
    return {"fr": member.fr, "en": member.en}


def _number(found: Any) -> float | None:
    good = isinstance(found, int | float) and not isinstance(found, bool) and math.isfinite(found)
    return float(found) if good else None


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat().replace("+00:00", "Z") if moment else None
