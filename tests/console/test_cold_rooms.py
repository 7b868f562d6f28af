"""The page of cold rooms: what it shows of the record, and what its buttons publish."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from httpx import ASGITransport, AsyncClient
from sqlmodel import Session

from console.app import STATIC, create_app
from refrigeration.track import Track
from schemas.errors import Unavailable
from schemas.event import Event
from schemas.frigo import AlertDrafted, FeedbackGiven
from schemas.vocabulary import Change, Fault, Severity
from services import alarms
from services.dispatch.handlers import given_feedback
from services.rounds import Rounds
from storage import alerts, rooms, units
from storage.database import Database
from storage.tables import Unit
from tests.console.record import database_in, raw_bytes, record

NOW = datetime.now(UTC).replace(microsecond=0)
HOSTILE = '<img src=x onerror="alert(1)"> \u202e\u2028 \' & « é » 🧊'
UNIT = "froid-1"
EPISODE = "0f8fad5b-d9cb-469f-a165-70867728950e"
POST = "/api/cold-rooms/feedback"


class Told:
    """What was published; `down`: nothing can be."""

    def __init__(self) -> None:
        self.events: list[FeedbackGiven] = []
        self.down = False

    async def publish(self, event: Event) -> None:
        if self.down:
            raise Unavailable
        assert isinstance(event, FeedbackGiven)
        self.events.append(event)


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with database_in(tmp_path) as made:
        yield made


@pytest.fixture
async def client(database: Database, told: Told) -> AsyncIterator[AsyncClient]:
    transport = ASGITransport(create_app(database, list, told.publish))
    async with AsyncClient(transport=transport, base_url="http://desk") as made:
        yield made


def alert(**changes: Any) -> AlertDrafted:
    """Make the alarm of an open door, as the stages draft it."""
    fields: dict[str, Any] = {
        "occurred_at": NOW,
        "event_id": EPISODE,
        "trace_id": "a" * 32,
        "unit_id": UNIT,
        "episode_id": EPISODE,
        "state": "door",
        "previous_state": "normal",
        "fault": "door",
        "values": {},
        "change": Change.RAISED,
        "measured_at": NOW,
        "since": NOW - timedelta(minutes=12),
        "severity": Severity.HIGH,
        "limit_reached_in_s": 7200.0,
        "limit_earliest_s": 3600.0,
        "facts": [{"fr": "Porte ouverte.", "en": "Door open."}],
        "next_test": {"fr": "Regarder la porte.", "en": "Look at the door."},
        "title": "Chambre 1 : porte ouverte",
        "short_text": "porte ouverte",
        "text": "Gravité : haute.",
    }
    return AlertDrafted.model_validate(fields | changes)


def profile(unit_id: str = UNIT, **changes: Any) -> dict[str, Any]:
    return {"unit_id": unit_id, "name": "Chambre 1", "site": "Lyon", "high_c": 8.0} | changes


def state(*values: float) -> dict[str, Any]:
    """Return a detector's memory of these minutes."""
    track = Track()
    start = NOW.timestamp() // 60 - len(values)
    for place, value in enumerate(values):
        track.turn(int(start + place))
        track.take({"temperature_c": value, "door": 1.0}, (start + place) * 60)
    track.turn(int(start + len(values)))
    return {"track": track.body()}


def heard(session: Session, unit_id: str, body: dict[str, Any]) -> None:
    found = session.get(Unit, unit_id)
    assert found
    found.state, found.read_at = body, NOW


async def stand(database: Database, *events: AlertDrafted, **changes: Any) -> None:
    """Have a unit there, alarms of it, and what was drafted of them in the record of roads."""
    await database.write(units.declare, profile(**changes), NOW)
    await database.write(heard, UNIT, state(4.0, 4.5, 6.25))
    for place, event in enumerate(events):  # apart: what comes together is told together
        at = NOW + timedelta(hours=place)
        await database.write(alarms.take_in, [event], at, timedelta(0))
    bodies = [raw_bytes(e.topic, e.model_dump_json().encode(), n) for n, e in enumerate(events)]
    await record(database, bodies)


async def press(client: AsyncClient, headers: dict[str, str] | None = None, **body: Any) -> Any:
    given = {"episode_id": EPISODE, "action": "acknowledge", "by": "Ana"} | body
    return await client.post(POST, json=given, headers=headers)


async def test_without_units_the_page_has_nothing_to_show(client: AsyncClient) -> None:
    page = (await client.get("/api/cold-rooms")).json()
    assert (page["units"], page["episodes"], page["total"]) == ([], [], 0)
    assert page["detector_at"] is None


async def test_the_fleet_says_of_each_unit_its_last_reading_and_its_state(
    client: AsyncClient, database: Database
) -> None:
    await stand(database)
    await database.write(units.declare, profile("froid-0", name="A"), NOW)
    await database.write(units.meet, ["inconnue"], NOW)
    await database.write(units.beat, "classify", NOW)
    page = (await client.get("/api/cold-rooms")).json()
    assert [row["unit_id"] for row in page["units"]] == ["froid-0", UNIT, "inconnue"]
    row = page["units"][1]
    assert (row["name"], row["site"], row["temperature_c"]) == ("Chambre 1", "Lyon", 6.25)
    assert row["read_at"] == NOW.isoformat().replace("+00:00", "Z")
    assert (row["open"], row["fault"]) == (0, None)
    assert page["units"][2]["declared"] is False
    assert page["detector_at"] is not None


async def test_an_open_alarm_comes_first_with_all_that_speaks_for_it(
    client: AsyncClient, database: Database
) -> None:
    await stand(database, alert())
    await database.write(units.declare, profile("froid-0", name="A"), NOW)
    page = (await client.get("/api/cold-rooms")).json()
    assert page["units"][0]["unit_id"] == UNIT
    assert (page["units"][0]["severity"], page["units"][0]["fault"]["fr"]) == (
        "high",
        "porte ouverte",
    )
    (one,) = page["episodes"]
    assert (one["unit"], one["label"]["fr"], one["severity_label"]["fr"]) == (
        "Chambre 1",
        "porte ouverte",
        "haute",
    )
    assert one["facts"] == [{"fr": "Porte ouverte.", "en": "Door open."}]
    assert one["next_test"]["en"] == "Look at the door."
    assert datetime.fromisoformat(one["found_at"]) == NOW
    reached = datetime.fromisoformat(one["limit"]["at"])
    assert reached == NOW + timedelta(hours=2)
    assert "latest" not in one["limit"]
    assert (one["messages"], one["acknowledged_by"], one["ended_at"]) == ([], "", None)


async def test_what_nobody_looks_after_stands_before_what_is_taken_and_worse_before_less(
    client: AsyncClient, database: Database
) -> None:
    names = {"taken": "critical", "less": "low", "worse": "high"}
    await stand(
        database,
        *(
            alert(episode_id=name, severity=each, event_id=f"{n:032x}")
            for n, (name, each) in enumerate(names.items())
        ),
    )
    taken = FeedbackGiven.model_validate(
        {
            "occurred_at": NOW,
            "unit_id": UNIT,
            "episode_id": "taken",
            "action": "acknowledge",
            "by": "Bo",
        }
    )
    await database.write(alarms.hear, taken, NOW)
    page = (await client.get("/api/cold-rooms")).json()
    assert [one["episode_id"] for one in page["episodes"]] == ["worse", "less", "taken"]


async def test_the_message_says_to_whom_and_whether_it_left(
    client: AsyncClient, database: Database
) -> None:
    await stand(database, alert())
    row = {
        "alert_id": "m1", "episode_id": EPISODE, "unit_id": UNIT, "trace_id": "a" * 32,
        "kind": "raised", "outbound": "telegram", "recipient": "Ana", "address": "42",
        "card": {}, "status": "queued", "next_attempt_at": NOW, "created_at": NOW,
    }  # fmt: skip
    await database.write(alerts.record, [row])
    (one,) = (await client.get("/api/cold-rooms")).json()["episodes"]
    (message,) = one["messages"]
    assert (message["recipient"], message["outbound"], message["label"]["fr"]) == (
        "Ana",
        "telegram",
        "en attente",
    )


async def test_one_unit_has_its_sensors_its_course_and_its_past(
    client: AsyncClient, database: Database
) -> None:
    await stand(database, alert(), alert(event_id="b" * 32, change="cleared", measured_at=NOW))
    page = (await client.get("/api/cold-rooms/unit", params={"unit_id": UNIT})).json()
    (curve,) = page["curves"]
    assert curve["values"][-3:] == [4.0, 4.5, 6.25]
    assert len(curve["values"]) == 120
    assert curve["values"][0] is None
    door = next(sensor for sensor in page["sensors"] if sensor["name"] == "door")
    assert (door["contact"], door["value"], door["label"]["fr"]) == (True, 1.0, "Porte ouverte")
    (one,) = page["episodes"]
    assert one["ended_at"]
    assert one["facts"]
    assert one["limit"] is None
    for wrong in ("nobody", "", "../x", "%00", "x" * 81):
        answer = await client.get("/api/cold-rooms/unit", params={"unit_id": wrong})
        assert answer.status_code in {404, 422}


async def test_a_button_publishes_what_was_said_and_changes_nothing_itself(
    client: AsyncClient, database: Database, told: Told
) -> None:
    await stand(database, alert())
    answer = await press(client, by="  Ana\u2003 Lyse ")
    assert answer.status_code == 202
    (event,) = told.events
    assert (event.topic, event.key) == ("feedback.given", UNIT)
    assert (event.action, event.by, event.via) == ("acknowledge", "Ana Lyse", "console")
    assert answer.json()["event_id"] == str(event.event_id)
    episode = await database.read(rooms.episode, EPISODE)
    assert episode is not None
    assert episode.acknowledged_by == ""


async def test_what_was_said_is_shown_once_dispatch_heard_it(
    client: AsyncClient, database: Database, told: Told
) -> None:
    await stand(database, alert())
    for body in ({}, {"action": "shelve"}, {"action": "label", "fault": "defrost", "by": ""}):
        assert (await press(client, **body)).status_code == 202
    idle = Rounds("nobody", lambda: None, 1.0)  # type: ignore[arg-type, return-value]
    await given_feedback(database, idle)(told.events)
    (one,) = (await client.get("/api/cold-rooms")).json()["episodes"]
    assert one["acknowledged_by"] == "Ana"
    left = datetime.fromisoformat(one["shelved_until"]) - datetime.now(UTC)
    assert timedelta(minutes=59) < left <= timedelta(hours=1)
    assert (one["was"]["fr"], one["was_by"]) == ("dégivrage défaillant", "console")
    assert (await press(client, action="unshelve")).status_code == 202
    assert (await press(client, action="label", fault="-")).status_code == 202
    await given_feedback(database, idle)(told.events[3:])
    (one,) = (await client.get("/api/cold-rooms")).json()["episodes"]
    assert (one["shelved_until"], one["was"], one["nothing"]) == (None, None, True)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://elsewhere.example"},
        {"Origin": "http://desk.elsewhere.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
    ],
)
async def test_a_page_of_elsewhere_cannot_press(
    client: AsyncClient, database: Database, told: Told, headers: dict[str, str]
) -> None:
    await stand(database, alert())
    assert (await press(client, headers)).status_code == 403
    assert told.events == []
    ours = {"Origin": "http://desk", "Sec-Fetch-Site": "same-origin"}
    assert (await press(client, ours)).status_code == 202


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 422),
        (b"no JSON", 422),
        (b"[]", 422),
        (b"\xff", 422),
        (b"[" * 9_000, 422),
        (b"{" + b" " * 10_001, 413),
        (json.dumps({"episode_id": EPISODE, "action": "delete"}).encode(), 422),
        (json.dumps({"episode_id": EPISODE, "action": "out_of_service"}).encode(), 422),
        (json.dumps({"episode_id": EPISODE, "action": "label"}).encode(), 422),
        (json.dumps({"episode_id": EPISODE, "action": "label", "fault": "magic"}).encode(), 422),
        (
            json.dumps({"episode_id": EPISODE, "action": "acknowledge", "unit_id": "x"}).encode(),
            422,
        ),
        (
            json.dumps({"episode_id": EPISODE, "action": "acknowledge", "by": "x" * 81}).encode(),
            422,
        ),
        (
            b'{"episode_id": "'
            + EPISODE.encode()
            + b'", "action": "acknowledge", "by": "\\ud83d"}',
            422,
        ),
        (json.dumps({"episode_id": "nobody", "action": "acknowledge"}).encode(), 404),
        (json.dumps({"episode_id": "'; --", "action": "acknowledge"}).encode(), 404),
    ],
)
async def test_what_is_no_button_of_ours_is_refused_with_a_reason(
    client: AsyncClient, database: Database, told: Told, content: bytes, status: int
) -> None:
    await stand(database, alert())
    answer = await client.post(POST, content=content, headers={"Content-Type": "application/json"})
    assert (answer.status_code, told.events) == (status, [])
    assert answer.json()["detail"]


async def test_an_episode_that_is_over_is_only_labelled(
    client: AsyncClient, database: Database
) -> None:
    await stand(database, alert(), alert(event_id="b" * 32, change="cleared"))
    assert (await press(client)).status_code == 409
    assert (await press(client, action="label", fault=Fault.DOOR.value)).status_code == 202


async def test_a_broker_that_is_down_is_said_and_one_presses_again(
    client: AsyncClient, database: Database, told: Told
) -> None:
    await stand(database, alert())
    told.down = True
    answer = await press(client)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


async def test_names_pass_as_text_and_nothing_else(
    client: AsyncClient, database: Database, told: Told
) -> None:
    fact = {"fr": HOSTILE, "en": HOSTILE}
    await stand(database, alert(fault=HOSTILE[:40], facts=[fact], next_test=fact), name=HOSTILE)
    await press(client, by=HOSTILE)
    await database.write(alarms.hear, told.events[0], NOW)
    for path in ("/api/cold-rooms", f"/api/cold-rooms/unit?unit_id={UNIT}"):
        answer = await client.get(path)
        assert answer.headers["content-type"] == "application/json"
        (one,) = answer.json()["episodes"]
        assert (one["unit"], one["facts"]) == (HOSTILE, [fact])
        assert one["label"] == {"fr": HOSTILE[:40], "en": HOSTILE[:40]}
        assert one["acknowledged_by"] == " ".join(HOSTILE.split())


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xfe",
        b"[" * 100_000,
        b"7",
        b'{"episode_id": "%s", "facts": 7, "next_test": [], "limit_reached_in_s": "x"}',
        b'{"episode_id": "%s", "facts": [7, {"fr": 1}], "limit_reached_in_s": 1e300, "measured_at": "2026-01-01T00:00"}',
        b'{"episode_id": "%s", "limit_reached_in_s": 1e999, "measured_at": {}}',
        b'{"episode_id": "%s", "facts": [{"fr": "\\ud800", "en": "x"}]}',
    ],
)
async def test_no_recorded_draft_breaks_the_page(
    client: AsyncClient, database: Database, body: bytes
) -> None:
    await stand(database, alert())
    content = body.replace(b"%s", EPISODE.encode())
    await record(database, [raw_bytes("frigo.drafted", content, 7)])
    for path in ("/api/cold-rooms", f"/api/cold-rooms/unit?unit_id={UNIT}"):
        answer = await client.get(path)
        assert answer.status_code == 200
        assert answer.json()["episodes"][0]["text"] == "Gravité : haute."


@pytest.mark.parametrize(
    "broken",
    [{"track": 7}, {"track": {"names": "x"}}, {"track": {"names": [1], "value": ["x"]}}, {},
     {"track": {"names": ["temperature_c"], "value": [None], "rings": "?", "minute": "x"}}],
)  # fmt: skip
async def test_a_memory_that_is_not_ours_leaves_the_unit_without_values(
    client: AsyncClient, database: Database, broken: dict[str, Any]
) -> None:
    await stand(database)
    await database.write(heard, UNIT, broken)
    (row,) = (await client.get("/api/cold-rooms")).json()["units"]
    assert row["temperature_c"] is None
    page = (await client.get("/api/cold-rooms/unit", params={"unit_id": UNIT})).json()
    assert page["curves"] == []


async def test_a_console_that_cannot_publish_only_shows(database: Database) -> None:
    await stand(database, alert())
    transport = ASGITransport(create_app(database, list))
    async with AsyncClient(transport=transport, base_url="http://desk") as client:
        assert len((await client.get("/api/cold-rooms")).json()["episodes"]) == 1
        assert (await press(client)).status_code == 404


async def test_the_page_loads_only_its_own_files(client: AsyncClient) -> None:
    page = (await client.get("/cold-rooms")).text
    loaded = re.findall(r'(?:src|href)="(/static/[^"]+)"', page)
    assert loaded
    for path in loaded:
        assert (await client.get(path)).status_code == 200, path
    assert "default-src 'none'" in page


def test_every_word_of_the_page_exists_in_both_languages() -> None:
    words = (STATIC / "words.js").read_text("utf-8")
    scripts = [
        (STATIC / f"{n}.js").read_text("utf-8")
        for n in ("cold-rooms", "episodes", "units", "chart")
    ]
    page = (STATIC / "cold-rooms.html").read_text("utf-8")
    used = set(re.findall(r'"(cold(?:\.\w+)*)"', "".join(scripts)))
    used |= set(re.findall(r'data-t(?:-label|-hint)?="([^"]+)"', page))
    assert len(used) > 40
    for key in used - {"cold.count", "cold.open"}:
        assert re.search(rf'^  "{re.escape(key)}": \["[^"]', words, re.MULTILINE), key


def test_text_reaches_the_page_as_text_only() -> None:
    for path in STATIC.glob("*.js"):
        script = path.read_text("utf-8")
        for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
            assert way not in script, (path.name, way)
