"""What MQTT messages mean, by topic and path."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import gateways.rules as module
from gateways.rules import Rules
from schemas.errors import Rejected

NOW = datetime(2026, 1, 12, 8, 0, tzinfo=UTC)
SIMPLE = Rules.simple("sites/+/units/{unit_id}/readings", "sites/+/units/{unit_id}/status")
TOPIC = "sites/lyon/units/cf-1/readings"


def rules(**body: Any) -> Rules:
    return Rules.model_validate(body)


def sent(found: Rules, topic: str, body: object) -> list[Any]:
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    return found.read(topic, payload, NOW)


@pytest.fixture
def shipped(tmp_path: Path) -> Rules:
    """The rules of the docstring."""
    file = tmp_path / "rules.yaml"
    file.write_text((module.__doc__ or "").split("```")[1].removeprefix("yaml\n"), "utf-8")
    return Rules.load(file)


def test_the_unit_is_in_the_topic_and_the_sensors_anywhere_usual():
    for body in (
        {"temperature_c": 3},
        {"measures": {"temperature_c": 3}},
        {"capteurs": {"Température": 3}},
    ):
        [event] = sent(SIMPLE, TOPIC, body)
        assert event.unit_id == "cf-1" and list(event.measures.values()) == [3]
        assert (event.measured_at, event.source) == (NOW, "mqtt")


def test_the_time_is_the_messages_own_where_it_says_one():
    [event] = sent(SIMPLE, TOPIC, {"t_room": 3, "ts": "2026-01-12T07:00:00Z"})
    assert event.measured_at.hour == 7 and list(event.measures) == ["t_room"]


def test_the_same_message_twice_is_one_event():
    body = {"t_room": 3, "ts": 1768204800}
    [first], [second] = sent(SIMPLE, TOPIC, body), sent(SIMPLE, TOPIC, body)
    assert first.event_id == second.event_id


@pytest.mark.parametrize(
    ("said", "link"),
    [(b"offline", "down"), (b"online", "up"), (b"", "down"), (b'"Online"', "up"), (b"0", "down")],
)
def test_a_last_will_says_that_the_link_is_down(said: bytes, link: str):
    [event] = SIMPLE.read("sites/lyon/units/cf-1/status", said, NOW)
    assert (event.unit_id, event.link, event.measures) == ("cf-1", link, {})


def test_a_gateway_speaks_for_its_units(shipped: Rules):
    found = shipped.read("gateways/north/status", b"offline", NOW)
    assert [(event.unit_id, event.link) for event in found] == [("cf-1", "down"), ("cf-2", "down")]


def test_paths_lead_to_what_is_meant(shipped: Rules):
    body = {"device": {"name": "cf-9"}, "rx": {"time": 1768204800}, "object": {"bp": 2.5}}
    [event] = sent(shipped, "gateways/g7/up", body)
    assert (event.unit_id, event.measures, event.measured_at) == ("cf-9", {"bp": 2.5}, NOW)


def test_sensors_may_be_named_one_by_one(shipped: Rules):
    [event] = sent(shipped, "loggers/cf-2", {"values": [{"v": 3}, {"v": "2,5"}, {"v": 9}]})
    assert event.measures == {"temperature_c": 3, "Pression_BP": 2.5}
    [event] = sent(shipped, "loggers/cf-2", {"values": [{"v": 3}]})
    assert event.measures == {"temperature_c": 3}


def test_a_topic_may_carry_one_number(shipped: Rules):
    [event] = shipped.read("shelly/cf-3/temperature_c", b"-18.5", NOW)
    assert (event.unit_id, event.measures) == ("cf-3", {"temperature_c": -18.5})


def test_topics_are_subscribed_to_once_with_pluses(shipped: Rules):
    assert shipped.subscriptions == (
        "sites/+/units/+/status",
        "gateways/north/status",
        "sites/+/units/+/readings",
        "gateways/+/up",
        "loggers/+",
        "shelly/+/+",
    )


@pytest.mark.parametrize(
    ("topic", "payload", "why"),
    [
        (TOPIC, b"", "no JSON"),
        (TOPIC, b"\xff\x00", "no JSON"),
        (TOPIC, b"3.4", "no JSON object"),
        (TOPIC, b"[1]", "no JSON object"),
        (TOPIC, b"{}", "no sensors"),
        (TOPIC, b'{"state": "ok"}', "no sensors"),
        (TOPIC, b'{"t_room": 3, "ts": "soon"}', "no moment"),
        (TOPIC, b'{"t_room": 3, "ts": 1e300}', "no moment"),
        (TOPIC, b'{"t_room": 3, "ts": 12}', "year 1970"),
        (TOPIC, b"[" * 50_000, "no JSON"),
        ("sites/lyon/units/" + "x" * 300 + "/readings", b'{"t_room": 3}', "unit_id"),
        ("sites/lyon/units/a\nb/readings", b'{"t_room": 3}', "unit_id"),
        ("sites/lyon/units//readings", b'{"t_room": 3}', "no rule"),
        ("elsewhere", b'{"t_room": 3}', "no rule"),
        ("sites/lyon/units/cf-1/status", b"perhaps", "neither up nor down"),
        ("sites/lyon/units/cf-1/status", b"\xff\xff", "neither up nor down"),
    ],
)
def test_what_is_no_reading_is_refused_and_not_repeated(topic: str, payload: bytes, why: str):
    with pytest.raises(Rejected, match=why):
        SIMPLE.read(topic, payload, NOW)


@pytest.mark.parametrize("value", ["hot", None, [1], {"a": 1}, float("nan"), True])
def test_a_bad_value_costs_its_sensor_only(value: object):
    [event] = sent(SIMPLE, TOPIC, {"measures": {"t_room": value, "bp": 2}})
    assert event.measures["bp"] == 2 and event.measures.get("t_room") in {None, 1.0}


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("readings: []", "at least 1"),
        ("links: []", "readings"),
        ("readings: [{topic: 'a/#/b'}]", "no level of a topic"),
        ("readings: [{topic: 'a/b+'}]", "no level of a topic"),
        ("readings: [{topic: 'a/{unit_id}x'}]", "no level of a topic"),
        ("readings: [{topic: ''}]", "at least 1"),
        ("readings: [{topic: a, colour: red}]", "Extra inputs"),
        ("{readings: [{topic: a}], links: [{topic: s}]}", "either {unit_id} in its topic"),
        ("readings: {", "while parsing"),
        ("3", "valid dictionary"),
    ],
)
def test_rules_that_are_wrong_are_said(tmp_path: Path, body: str, why: str):
    file = tmp_path / "rules.yaml"
    file.write_text(body, "utf-8")
    with pytest.raises(ValueError) as caught:
        Rules.load(file)
    assert why in str(caught.value) and "rules.yaml" in str(caught.value)
