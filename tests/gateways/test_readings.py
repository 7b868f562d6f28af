"""Readings over HTTP: the generic route, and the first system's; hostile input at both."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from gateways.diagnostics import OpenEpisode, diagnostics
from gateways.readings import Lock, readings
from schemas.errors import Unavailable
from schemas.frigo import InboundReading

KEY = "k3y"
OLD = "/webhook/diagnostic-frigo"
FLAT = {
    "Température": 5.1,
    "Pression_BP": 2.5,
    "Pression_HP": 12.0,
    "Courant": 15.0,
    "Tension": 380.0,
    "Vibration": 0.5,
    "Humidité": 65.0,
    "Débit_air": 100.0,
}
ASCII = {"temperature": 5.1, "bp": 2.5, "hp": 12.0, "courant": 15, "tension": 380, "debit_air": 1}
WHEN = "2026-01-12T08:00:00+00:00"
ONE = {"unit_id": "cf-1", "measured_at": WHEN, "measures": {"temperature_c": 3.4}}


class Road:
    """Takes readings in Kafka's place."""

    def __init__(self) -> None:
        self.told: list[InboundReading] = []
        self.down = False
        self.open: dict[str, OpenEpisode] = {}

    async def publish(self, events: Sequence[InboundReading]) -> None:
        if self.down:
            msg = "Kafka does not confirm"
            raise Unavailable(msg)
        self.told += events

    async def episode_of(self, unit_id: str) -> OpenEpisode | None:
        return self.open.get(unit_id)


@pytest.fixture
def road() -> Road:
    return Road()


def caller(road: Road, lock: Lock, host: str = "10.0.0.9") -> httpx.AsyncClient:
    app = FastAPI()
    app.include_router(readings(road.publish, lock))
    app.include_router(diagnostics(road.publish, lock, road.episode_of))
    transport = httpx.ASGITransport(app, client=(host, 1))
    return httpx.AsyncClient(transport=transport, base_url="http://edge")


@pytest.fixture
async def edge(road: Road) -> AsyncIterator[httpx.AsyncClient]:
    async with caller(road, Lock(KEY)) as found:
        found.headers["X-API-Key"] = KEY
        yield found


# --- who may ---------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/readings", OLD])
@pytest.mark.parametrize(
    ("lock", "host", "headers", "query", "status"),
    [
        (Lock(KEY), "10.0.0.9", {}, "", 401),
        (Lock(KEY), "10.0.0.9", {"X-API-Key": "wrong"}, "", 401),
        (Lock(KEY), "10.0.0.9", {}, "?cle=k3y", 202),
        (Lock(KEY), "10.0.0.9", {"X-API-Key": KEY}, "", 202),
        (Lock(KEY), "127.0.0.1", {}, "", 401),
        (Lock(), "127.0.0.1", {"X-API-Key": ""}, "?cle=", 401),
        (Lock("", open_on_loopback=True), "127.0.0.1", {}, "", 202),
        (Lock("", open_on_loopback=True), "::1", {}, "", 202),
        (Lock("", open_on_loopback=True), "10.0.0.9", {}, "", 401),
        (Lock(KEY), "10.0.0.9", {"X-API-Key": "clé".encode()}, "", 401),
    ],
)
async def test_who_may_post(
    road: Road, path: str, lock: Lock, host: str, headers: Any, query: str, status: int
):
    async with caller(road, lock, host) as http:
        body = ONE | {"capteurs": FLAT}
        answer = await http.post(path + query, json=body, headers=headers)
    assert answer.status_code == (200 if status == 202 and path == OLD else status)
    assert len(road.told) == (status == 202)


# --- the first system's route ----------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        FLAT,
        ASCII,
        {"capteurs": FLAT},
        {"capteurs": ASCII, "panne_active": "fuite_fluide"},
        FLAT | {"panne_active": "fuite_fluide", "num_diagnostic": 3},
    ],
)
async def test_old_callers_are_taken_flat_and_nested(
    edge: httpx.AsyncClient, road: Road, body: dict[str, Any]
):
    answer = await edge.post(OLD, json=body | {"timestamp": WHEN, "localisation": "CF 1"})
    said = answer.json()
    assert answer.status_code == 200 and said["success"] is True
    assert said.keys() >= {
        *("success", "diagnostic_id", "timestamp", "panne_detectee", "type_panne"),
        *("score_confiance", "alerte_envoyee", "apprentissage"),
    }
    assert said["apprentissage"].keys() == {"compteur", "retraining_requis", "nouvelle_panne"}
    assert said["panne_detectee"] is None and said["statut"] == "en_analyse"
    [event] = road.told
    assert (event.unit_id, event.source) == ("CF 1", "capteur_principal")
    assert event.measured_at == datetime(2026, 1, 12, 8, tzinfo=UTC)
    assert len(event.measures) >= 6 and "panne_active" not in event.measures


async def test_a_label_of_a_simulator_never_travels(edge: httpx.AsyncClient, road: Road):
    labels = {"panne_active": 1, "label": 7, "fault": 3, "type": "simulation", "panne": 2}
    await edge.post(OLD, json=FLAT | labels)
    assert set(road.told[0].measures) == set(FLAT)


async def test_an_open_episode_is_what_is_known(edge: httpx.AsyncClient, road: Road):
    road.open["CF 1"] = OpenEpisode("manque de fluide (fuite)", 0.83, notified=True)
    said = (await edge.post(OLD, json=FLAT | {"localisation": "CF 1"})).json()
    assert (said["panne_detectee"], said["score_confiance"]) == (True, 0.83)
    assert (said["type_panne"], said["alerte_envoyee"]) == ("manque de fluide (fuite)", True)
    assert said["statut"] == "panne_en_cours"


@pytest.mark.parametrize(
    ("names", "unit"),
    [
        ({"unit_id": "a", "equipement": "b", "localisation": "c"}, "a"),
        ({"equipement": "b", "localisation": "c"}, "b"),
        ({"localisation": "  c "}, "c"),
        ({"unit_id": 7}, "7"),
        ({}, "Zone non spécifiée"),
        ({"unit_id": "", "localisation": None}, "Zone non spécifiée"),
    ],
)
async def test_the_unit_is_found(
    edge: httpx.AsyncClient, road: Road, names: dict[str, Any], unit: str
):
    await edge.post(OLD, json=FLAT | names)
    assert road.told[0].unit_id == unit


@pytest.mark.parametrize(
    ("said", "hour"),
    [
        ("2026-01-12T08:00:00Z", 8),
        ("2026-01-12T09:00:00+01:00", 8),
        (1768204800, 8),
        (1768204800000, 8),
        ("1768204800", 8),
    ],
)
async def test_times_are_read(edge: httpx.AsyncClient, road: Road, said: object, hour: int):
    await edge.post(OLD, json=FLAT | {"timestamp": said})
    assert road.told[0].measured_at == datetime(2026, 1, 12, hour, tzinfo=UTC)


async def test_a_time_without_a_zone_is_on_this_machines_clock(edge: httpx.AsyncClient, road: Road):
    await edge.post(OLD, json=FLAT | {"timestamp": "2026-01-12T08:00:00"})
    assert road.told[0].measured_at == datetime(2026, 1, 12, 8).astimezone(UTC)


async def test_the_same_diagnostic_twice_is_one_event(edge: httpx.AsyncClient, road: Road):
    body = FLAT | {"diagnostic_id": "SIM_000001", "unit_id": "a"}
    first, second = [(await edge.post(OLD, json=body)).json() for _ in range(2)]
    assert first["diagnostic_id"] == second["diagnostic_id"] == "SIM_000001"
    assert road.told[0].event_id == road.told[1].event_id
    await edge.post(OLD, json=body | {"unit_id": "b"})
    await edge.post(OLD, json=body | {"timestamp": WHEN})
    assert len({event.event_id for event in road.told}) == 3


async def test_without_an_id_one_is_made_that_follows_from_the_reading(
    edge: httpx.AsyncClient, road: Road
):
    body = FLAT | {"timestamp": WHEN}
    first, second = [(await edge.post(OLD, json=body)).json() for _ in range(2)]
    assert first["diagnostic_id"] == second["diagnostic_id"]
    assert first["diagnostic_id"].startswith("DIAG_1768204800000_")


async def test_few_sensors_are_taken_and_that_is_said(edge: httpx.AsyncClient, road: Road):
    few = dict(list(FLAT.items())[:5])
    said = (await edge.post(OLD, json=few)).json()
    assert said["success"] and "5 capteurs sur 8, moins de 70 %" in said["avertissement"]
    assert said["capteurs"] == {"recus": 5, "attendus": 8, "autres": 0}
    said = (await edge.post(OLD, json=dict(list(FLAT.items())[:6]))).json()
    assert said["avertissement"] is None
    assert len(road.told) == 2


@pytest.mark.parametrize("bad", ["chaud", "NaN", None, "1e999", "", {"v": 1}, [1]])
async def test_a_bad_value_costs_its_sensor_only(edge: httpx.AsyncClient, road: Road, bad: object):
    answer = await edge.post(OLD, json=FLAT | {"Courant": bad})
    assert answer.status_code == 200
    [event] = road.told
    assert event.measures.get("Courant") is None and event.measures["Tension"] == 380


@pytest.mark.parametrize("token", ["NaN", "Infinity", "-Infinity"])
async def test_what_python_writes_for_no_number_is_read(
    edge: httpx.AsyncClient, road: Road, token: str
):
    text = json.dumps(FLAT).replace("5.1", token)
    answer = await edge.post(OLD, content=text)
    assert answer.status_code == 200
    assert answer.json()["avertissement"] == "illisible, compté comme absent : Température"
    assert road.told[0].unreadable == ("Température",)


async def test_absurd_values_are_data_for_those_who_judge_plausibility(
    edge: httpx.AsyncClient, road: Road
):
    absurd = {"Pression_HP": 9999, "Température": -999.0}
    assert (await edge.post(OLD, json=FLAT | absurd)).status_code == 200
    assert road.told[0].measures["Pression_HP"] == 9999


HOSTILE: list[tuple[object, int, str]] = [
    (b"", 400, "corps_illisible"),
    (b"\xff\xfe", 400, "corps_illisible"),
    (b"{'a': 1}", 400, "corps_illisible"),
    (b"[" * 100_000, 400, "corps_illisible"),
    (b'"' + b"x" * 2_100_000 + b'"', 413, "corps_trop_grand"),
    (3, 422, "corps_illisible"),
    (None, 422, "corps_illisible"),
    ("texte", 422, "corps_illisible"),
    ({}, 422, "capteurs_absents"),
    ({"capteurs": {}}, 422, "capteurs_absents"),
    ({"capteurs": {"Température": "chaud"}}, 422, "capteurs_absents"),
    ({"capteurs": None, "source": "x"}, 422, "capteurs_absents"),
    ({"Intensité_Compresseur": "x"}, 422, "capteurs_absents"),
    (FLAT | {"timestamp": "hier"}, 422, "timestamp_invalide"),
    (FLAT | {"timestamp": 1e300}, 422, "timestamp_invalide"),
    (FLAT | {"timestamp": -1e300}, 422, "timestamp_invalide"),
    (FLAT | {"timestamp": True}, 422, "timestamp_invalide"),
    (FLAT | {"timestamp": {"a": 1}}, 422, "timestamp_invalide"),
    (FLAT | {"timestamp": [1]}, 422, "timestamp_invalide"),
    (FLAT | {"timestamp": "1970-01-01T00:00:00Z"}, 422, "timestamp_invalide"),
    (FLAT | {"timestamp": "0001-01-01T00:00:00"}, 422, "timestamp_invalide"),
    (FLAT | {"timestamp": "9999-12-31T23:59:59-14:00"}, 422, "timestamp_invalide"),
    (FLAT | {"unit_id": "x" * 300}, 422, "equipement_invalide"),
    (FLAT | {"unit_id": "a\nb"}, 422, "equipement_invalide"),
    (FLAT | {"unit_id": {"a": 1}}, 422, "equipement_invalide"),
    (FLAT | {"unit_id": [1]}, 422, "equipement_invalide"),
    (FLAT | {"source": "a\nb"}, 422, "source_invalide"),
    ({f"s{n}": n for n in range(300)}, 422, "capteurs_invalides"),
    ({"lectures": []}, 422, "lot_hors_limites"),
    ([FLAT] * 1001, 413, "lot_hors_limites"),
    (b'{"unit_id": "\\ud800", "temp": 1}', 400, "corps_illisible"),
]


@pytest.mark.parametrize(("body", "status", "kind"), HOSTILE)
async def test_what_cannot_be_taken_is_said_in_french_with_its_kind(
    edge: httpx.AsyncClient, road: Road, body: object, status: int, kind: str
):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = await edge.post(OLD, content=content)
    said = answer.json()
    assert (answer.status_code, said.get("type_erreur")) == (status, kind)
    assert said["success"] is False and said["error"] and len(answer.content) < 1000
    assert road.told == []


@pytest.mark.parametrize(("body", "status", "kind"), HOSTILE)
async def test_the_generic_route_survives_the_same(
    edge: httpx.AsyncClient, road: Road, body: object, status: int, kind: str
):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = await edge.post("/readings", content=content)
    assert 400 <= answer.status_code < 500 and road.told == []


@pytest.mark.parametrize(
    "body",
    [
        FLAT | {"diagnostic_id": {"a": 1}},
        FLAT | {"diagnostic_id": "x" * 10_000},
        FLAT | {"diagnostic_id": [1, 2]},
        FLAT | {"source": {"a": 1}},
        FLAT | {"source": 3},
        FLAT | {"x" * 500: 3},
        FLAT | {"unit_id": "🥶" * 100},
        FLAT | {"unit_id": "' OR 1=1; --"},
        FLAT | {"Courant": 10**400},
        FLAT | {"Courant": "1" * 5000},
        FLAT | {"Courant": True},
        FLAT | {"capteurs": "rien"},
        FLAT | {"timestamp": "2099-01-01T00:00:00Z"},
        {"capteurs": {"Température": "4,2"}},
    ],
)
async def test_oddities_do_no_harm(edge: httpx.AsyncClient, road: Road, body: dict[str, Any]):
    answer = await edge.post(OLD, json=body)
    assert answer.status_code == 200 and len(road.told) == 1
    assert len(answer.json()["diagnostic_id"]) <= 120


async def test_a_list_is_answered_one_by_one(edge: httpx.AsyncClient, road: Road):
    answer = await edge.post(OLD, json={"lectures": [FLAT, {}, 3, ASCII]})
    said = answer.json()
    assert answer.status_code == 207
    assert (said["success"], said["acceptes"], said["refuses"]) == (False, 2, 2)
    assert [each["success"] for each in said["resultats"]] == [True, False, False, True]
    assert len(road.told) == 2
    assert (await edge.post(OLD, json=[FLAT, ASCII])).status_code == 200
    assert (await edge.post(OLD, json=[{}, 3])).status_code == 422


@pytest.mark.parametrize("path", ["/readings", OLD])
async def test_without_kafka_the_caller_is_told_to_come_back(
    edge: httpx.AsyncClient, road: Road, path: str
):
    road.down = True
    answer = await edge.post(path, json=[ONE])
    assert answer.status_code == 503 and answer.headers["Retry-After"]


async def test_a_record_that_is_away_is_not_needed(road: Road):
    async def away(unit_id: str) -> OpenEpisode | None:
        msg = "the database does not answer"
        raise Unavailable(msg)

    app = FastAPI()
    app.include_router(diagnostics(road.publish, Lock(KEY), away))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://e") as http:
        answer = await http.post(f"{OLD}?cle={KEY}", json=FLAT)
    assert answer.status_code == 200 and answer.json()["panne_detectee"] is None


# --- the generic route -----------------------------------------------------------------------


async def test_a_reading_is_taken_as_it_is(edge: httpx.AsyncClient, road: Road):
    answer = await edge.post("/readings", json=ONE)
    assert answer.status_code == 202
    assert answer.json()["event_id"] == str(road.told[0].event_id)
    await edge.post("/readings", json=ONE)
    assert road.told[0].event_id == road.told[1].event_id, "the same reading is the same event"


async def test_of_many_those_that_are_wrong_are_named(edge: httpx.AsyncClient, road: Road):
    answer = await edge.post("/readings", json=[ONE, {"unit_id": "x"}, 3, ONE | {"link": "lost"}])
    said = answer.json()
    assert answer.status_code == 207
    assert [each["index"] for each in said["accepted"]] == [0]
    assert [each["index"] for each in said["refused"]] == [1, 2, 3]
    assert len(road.told) == 1


async def test_a_thousand_at_once_are_taken(edge: httpx.AsyncClient, road: Road):
    many = [ONE | {"unit_id": f"u{n}"} for n in range(1000)]
    assert (await edge.post("/readings", json={"readings": many})).status_code == 202
    assert len(road.told) == 1000


async def test_a_missing_time_is_now(edge: httpx.AsyncClient, road: Road):
    await edge.post("/readings", json={"unit_id": "a", "measures": {"t": 1}, "measured_at": None})
    assert abs((road.told[0].measured_at - datetime.now(UTC)).total_seconds()) < 5
