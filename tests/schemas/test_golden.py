"""What was written once can be read for good: one golden JSON an event, and the list of fields.

`python -m tests.schemas.test_golden` records fields that were added; a golden file is written by
hand, once, and never changed.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import schemas
from schemas.event import Event
from schemas.topics import FEEDBACK, FRIGO, KNOWLEDGE, PRINTER, REPORTS, SHOWN

EVENTS = PRINTER + FRIGO + REPORTS + SHOWN + FEEDBACK + KNOWLEDGE
GOLDEN = Path(schemas.__file__).parent / "examples"
FIELDS = Path(__file__).parent / "golden" / "fields.json"
NO_TYPE = {
    "title",
    "description",
    "default",
    "pattern",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "maxProperties",
}
"""Keywords of JSON schema that say nothing about the type."""

Fields = dict[str, dict[str, Any]]
each_event = pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.topic)


def golden(event: type[Event]) -> Path:
    return GOLDEN / f"{event.topic}.v{event.version}.json"


def type_of(schema: Any) -> Any:
    """Return a JSON schema without what is no type; enums as their sorted values."""
    if isinstance(schema, list):
        return [type_of(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "enum" in schema:
        return {"enum": sorted(schema["enum"])}
    return {name: type_of(part) for name, part in schema.items() if name not in NO_TYPE}


def fields_of(events: tuple[type[Event], ...]) -> dict[str, Fields]:
    """Return, for each event and each part of one, its fields: required or not, and the type."""
    shapes: dict[str, Fields] = {}
    for event in events:
        schema = event.model_json_schema(by_alias=True)
        for name, part in {event.topic: schema, **schema.get("$defs", {})}.items():
            required = part.get("required", [])
            shapes[name] = {
                field: {"required": field in required, "type": type_of(of)}
                for field, of in part.get("properties", {}).items()
            } or {"values": {"required": True, "type": type_of(part)}}
    return shapes


def objections(old: dict[str, Fields], new: dict[str, Fields]) -> list[str]:
    """Return what readers or writers of the old events would stumble over."""
    found = [f"{shape}: gone" for shape in old.keys() - new.keys()]
    for shape in sorted(old.keys() & new.keys()):
        was, now = old[shape], new[shape]
        found += [f"{shape}.{field}: removed" for field in was.keys() - now.keys()]
        for field in now:
            if field not in was and now[field]["required"]:
                found.append(f"{shape}.{field}: new and required")
            elif field in was and was[field]["type"] != now[field]["type"]:
                found.append(f"{shape}.{field}: its type changed")
            elif field in was and now[field]["required"] and not was[field]["required"]:
                found.append(f"{shape}.{field}: required now")
    return sorted(found)


def recorded() -> dict[str, Fields]:
    return dict(json.loads(FIELDS.read_text("utf-8")))


@each_event
def test_a_golden_event_is_read_and_written_as_it_was(event: type[Event]) -> None:
    text = golden(event).read_text("utf-8")
    read = event.model_validate_json(text)
    written = read.model_dump_json(by_alias=True, exclude_unset=True)  # what was added stays out
    assert json.loads(written) == json.loads(text)


@each_event
def test_a_golden_event_is_full(event: type[Event]) -> None:
    body = json.loads(golden(event).read_text("utf-8"))
    assert body.keys() >= {"event_id", "trace_id", "caused_by", "occurred_at", "why"}
    assert not [name for name in body if body[name] in (None, "", [], {})]


def test_every_golden_file_belongs_to_an_event() -> None:
    assert set(GOLDEN.glob("*.v*.json")) == {golden(event) for event in EVENTS}


def test_no_field_was_removed_changed_or_newly_required() -> None:
    assert objections(recorded(), fields_of(EVENTS)) == []


def test_every_field_is_recorded() -> None:
    assert recorded() == fields_of(EVENTS), "run: python -m tests.schemas.test_golden"


TEXT = {"required": True, "type": {"type": "string"}}
FREE = {"required": False, "type": {"type": "string"}}
NUMBER = {"required": True, "type": {"type": "number"}}


@pytest.mark.parametrize(
    ("new", "said"),
    [
        ({}, ["e: gone"]),
        ({"e": {}}, ["e.a: removed"]),
        ({"e": {"a": NUMBER}}, ["e.a: its type changed"]),
        ({"e": {"a": TEXT, "b": TEXT}}, ["e.b: new and required"]),
        ({"e": {"a": TEXT, "b": FREE}}, []),
        ({"e": {"a": FREE}}, []),
        ({"e": {"a": TEXT}, "f": {"b": TEXT}}, []),
    ],
)
def test_the_check_finds_what_breaks_and_lets_grow(new: dict[str, Fields], said: list[str]) -> None:
    assert objections({"e": {"a": TEXT}}, new) == said


def test_a_field_that_becomes_required_breaks_older_writers() -> None:
    assert objections({"e": {"a": FREE}}, {"e": {"a": TEXT}}) == ["e.a: required now"]


def main() -> None:
    """Record the fields, unless something old would break."""
    now = fields_of(EVENTS)
    if FIELDS.exists() and (found := objections(recorded(), now)):
        raise SystemExit("\n".join(found))
    FIELDS.write_text(json.dumps(now, indent=1, sort_keys=True) + "\n", "utf-8")


if __name__ == "__main__":
    main()
