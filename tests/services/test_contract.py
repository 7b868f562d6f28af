"""The AsyncAPI document is one, and says what the code does."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from schemas.event import Event
from schemas.printer import InboundMessage
from schemas.topics import TOPICS
from services import contract, wire
from tests.conftest import inbound

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "tests" / "data" / "asyncapi" / "asyncapi-3.0.0.json"
EVENTS = [topic.event for topic in TOPICS if topic.event]
each_event = pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.topic)


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return contract.document()


def faults(document: dict[str, Any]) -> list[str]:
    validator = jsonschema.Draft7Validator(json.loads(SCHEMA.read_text("utf-8")))
    return [error.message for error in validator.iter_errors(document)]


def test_it_is_an_asyncapi_document(document: dict[str, Any]) -> None:
    assert json.loads(json.dumps(document)) == document
    assert faults(document) == []


def test_a_document_with_a_fault_is_noticed(document: dict[str, Any]) -> None:
    channels = document["channels"] | {"nothing": {"address": 1}}
    assert faults(document | {"channels": channels})


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    for reference in set(re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(document))):
        place = document
        for part in reference.split("/"):
            place = place[part]


def test_every_topic_is_there_with_what_the_table_says(document: dict[str, Any]) -> None:
    told = {
        name: (kafka["partitions"], kafka["topicConfiguration"].get("retention.ms"))
        for name, channel in document["channels"].items()
        for kafka in [channel["bindings"]["kafka"]]
    }
    assert told == {
        topic.name: (topic.partitions, None if topic.compacted else topic.retention_ms)
        for topic in TOPICS
    }


def test_who_publishes_and_who_reads_is_as_documented(document: dict[str, Any]) -> None:
    told: dict[str, dict[str, set[str]]] = {}
    for operation in document["operations"].values():
        topic = operation["channel"]["$ref"].removeprefix("#/channels/")
        told.setdefault(topic, {"send": set(), "receive": set()})
        told[topic][operation["action"]].add(operation["tags"][0]["name"])
    page = (ROOT / "docs" / "reference" / "topics.md").read_text("utf-8")
    rows = re.findall(
        r"^\| `([a-z]+\.[a-z]+)` \|.*\| ([\w, ]+) \| ([\w, ]+|—) \|$", page, re.MULTILINE
    )
    documented = {
        topic: {"send": set(senders.split(", ")), "receive": set(readers.split(", ")) - {"—"}}
        for topic, senders, readers in rows
        if topic in told
    }
    assert told == documented
    assert {topic.name for topic in TOPICS} == told.keys()


@each_event
def test_the_example_fits_the_shape(document: dict[str, Any], event: type[Event]) -> None:
    message = document["components"]["messages"][event.__name__]
    whole = {"$ref": f"#/components/schemas/{event.__name__}"} | document
    for shown in message["examples"]:
        jsonschema.Draft7Validator(whole).validate(shown["payload"])
        assert wire.body_of(event.model_validate(shown["payload"]))


@each_event
def test_what_is_required_is_enough_to_be_read(
    document: dict[str, Any], event: type[Event]
) -> None:
    required = document["components"]["schemas"][event.__name__]["required"]
    shown = contract.example(event)
    given = {name: shown[name] for name in required}
    if event is InboundMessage:  # one of three must say something, one of two must say who
        given |= {name: shown[name] for name in ("text", "from")}
    assert event.model_validate(given).key
    for name in required:
        with pytest.raises(ValueError, match=name):
            event.model_validate(given | {name: None})


def test_the_headers_are_those_that_are_written(document: dict[str, Any]) -> None:
    written = wire.headers_of(inbound(), "gateway", 1.0)
    assert document["components"]["schemas"]["CloudEvent"]["properties"].keys() >= written.keys()
    documented = (ROOT / "docs" / "reference" / "topics.md").read_text("utf-8")
    dead = document["components"]["messages"]["DeadLetter"]["headers"]["properties"]
    for name in (*document["components"]["schemas"]["CloudEvent"]["properties"], *dead):
        assert f"`{name}`" in documented


def test_what_people_say_of_an_alarm_comes_from_gateways_to_dispatch(
    document: dict[str, Any],
) -> None:
    used = {
        (name.split(".")[0], operation["action"])
        for name, operation in document["operations"].items()
        if operation["channel"]["$ref"].endswith("/feedback.given")
    }
    assert used == {("gateways", "send"), ("dispatch", "receive"), ("record", "receive")}
