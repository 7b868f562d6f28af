"""The console's routes, over a real record."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from httpx import AsyncClient

from console.app import create_app
from schemas.topics import PRINTER
from services.policy import Health
from storage.database import Database
from tests.conftest import inbound
from tests.console.record import database_in, halfway, raw_bytes, record, walk
from tests.events import NOW, passage

HTML = '<img src=x onerror="alert(1)"> & <script>alert("x")</script> « é » 🖨️ </textarea>'
ROAD = [event.topic for event in PRINTER]


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with database_in(tmp_path) as made:
        yield made


@pytest.fixture
def healths() -> list[Health]:
    return [Health("ingest", assigned=4, handled=7), Health("rag", assigned=4, last_progress=NOW)]


@pytest.fixture
async def client(database: Database, healths: list[Health]) -> AsyncIterator[AsyncClient]:
    transport = httpx.ASGITransport(create_app(database, lambda: healths))
    async with AsyncClient(transport=transport, base_url="http://console") as made:
        yield made


async def test_an_empty_record_is_an_empty_list(client: AsyncClient) -> None:
    answer = await client.get("/api/conversations")
    assert answer.json() == {"conversations": [], "total": 0, "waiting": 0}


async def test_the_list_says_who_wrote_what_and_what_became_of_it(
    client: AsyncClient, database: Database
) -> None:
    await walk(database, inbound("ma HP bourre", from_name="Ana"), (passage(),))
    await walk(database, inbound("je veux parler à une personne", **{"from": "bob"}))
    page = (await client.get("/api/conversations")).json()
    assert (page["total"], page["waiting"]) == (2, 1)
    answered = next(row for row in page["conversations"] if row["customer"]["name"] == "Ana")
    assert answered["state"] == "answered"
    assert answered["preview"] == "ma HP bourre"
    assert answered["reason_label"] == {"fr": "article trouvé", "en": "article found"}
    assert (answered["channel"], answered["messages"], answered["trial"]) == ("chat", 1, False)


async def test_the_list_has_a_limit_between_1_and_500(
    client: AsyncClient, database: Database
) -> None:
    for name in ("ana", "bob"):
        await walk(database, inbound(**{"from": name}))
    limited = (await client.get("/api/conversations", params={"limit": 1})).json()
    assert len(limited["conversations"]) == 1
    for limit in ("0", "501", "many"):
        assert (await client.get("/api/conversations", params={"limit": limit})).status_code == 422


async def test_a_conversation_shows_what_came_what_was_found_and_what_left(
    client: AsyncClient, database: Database
) -> None:
    road = await walk(database, inbound("ma HP affiche 49.4C02"), (passage(),))
    page = (await client.get(f"/api/conversations/{road[1].key}")).json()
    came, left = page["messages"]
    assert (came["direction"], came["text"], came["state"]) == (
        "in",
        "ma HP affiche 49.4C02",
        "answered",
    )
    assert came["classification"]["category"] == {
        "value": "technical",
        "label": {"fr": "technique", "en": "technical"},
        "confidence": 0.9,
    }
    assert came["classification"]["language"]["label"] == {"fr": "français", "en": "French"}
    assert [found["value"] for found in came["findings"]] == ["HP", "49.4C02"]
    assert came["passages"][0]["article"] == "paper-jam"
    assert (left["direction"], left["action"], left["how"]) == ("out", "reply", "template")
    assert (left["status"], left["sources"]) == ("sent", ["paper-jam"])
    assert left["text"].startswith("Bonjour,")
    assert came["trace_id"] == left["trace_id"] == road[0].trace_id


async def test_a_message_on_its_road_is_shown_with_what_is_known_so_far(
    client: AsyncClient, database: Database
) -> None:
    event = await halfway(database, inbound("ma HP bourre"))
    page = (await client.get(f"/api/conversations/{event.key}")).json()
    (came,) = page["messages"]
    assert (page["state"], came["state"]) == ("on_the_road", "on_the_road")
    assert (came["findings"][0]["value"], came["passages"]) == ("HP", [])


async def test_what_is_not_there_is_404(client: AsyncClient) -> None:
    for path in ("conversations/c0", "traces/nobody", f"traces/{uuid4()}"):
        answer = await client.get(f"/api/{path}")
        assert answer.status_code == 404
        assert answer.json()["detail"]


async def test_a_trace_shows_each_step_with_its_time_and_its_reason(
    client: AsyncClient, database: Database
) -> None:
    road = await walk(database, inbound("ma HP bourre"), (passage(),))
    for name in (road[0].trace_id, str(road[4].event_id), road[1].key, str(road[0].event_id)):
        page = (await client.get(f"/api/traces/{name}")).json()
        assert [step["topic"] for step in page["steps"]] == ROAD
    assert (page["trace_id"], page["conversation_id"]) == (road[0].trace_id, road[1].key)
    assert (page["state"], page["total_ms"]) == ("answered", 6.0)
    assert [step["since_ms"] for step in page["steps"]] == [0, 1, 2, 3, 4, 5, 6]
    third = page["steps"][2]
    assert (third["stage"], third["took_ms"], third["why"]) == ("classify", 1.5, "technique")
    assert third["event"]["classification"]["intent"] == "fault"
    assert third["place"] == "0/2"
    assert third["at"] == "2025-02-01T08:30:00.002000Z"


async def test_a_message_is_asked_for_until_its_road_ends(
    client: AsyncClient, database: Database
) -> None:
    event = await halfway(database, inbound("ma HP bourre"))
    page = (await client.get(f"/api/messages/{event.trace_id}", params={"wait": 0.15})).json()
    assert page["state"] == "on_the_road"
    assert (await client.get(f"/api/messages/{uuid4().hex}")).json()["steps"] == []
    for wait in ("-1", "61", "nan"):
        asked = await client.get(f"/api/messages/{event.trace_id}", params={"wait": wait})
        assert asked.status_code == 422


@pytest.mark.parametrize("text", [HTML, "</script><!--", '"}],"x":[{"', "\u2028\u2029", "${7*7}"])
async def test_what_customers_write_passes_as_text_and_nothing_else(
    client: AsyncClient, database: Database, text: str
) -> None:
    road = await walk(database, inbound(f"a{text}b", from_name=f"a{text}b"))
    for path in ("conversations", f"conversations/{road[1].key}", f"traces/{road[0].trace_id}"):
        answer = await client.get(f"/api/{path}")
        assert answer.headers["content-type"] == "application/json"
        assert json.dumps(f"a{text}b", ensure_ascii=False)[1:-1] in json.dumps(
            answer.json(), ensure_ascii=False
        )
    page = (await client.get("/api/conversations")).json()
    assert page["conversations"][0]["customer"]["name"] == f"a{text}b"


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xfe no text",
        b"not JSON",
        b"[]",
        b"7",
        b"",
        b"[" * 100_000,
        b'{"conversation_id": "%(key)s", "trace_id": "%(trace)s", "x": 1e999}',
        b'{"conversation_id": "%(key)s", "trace_id": "%(trace)s", "x": NaN}',
        b'{"conversation_id": "%(key)s", "trace_id": "%(trace)s", "x": "\\ud800"}',
        b'{"conversation_id": "%(key)s", "trace_id": "%(trace)s", "message": "x"}',
        b'{"conversation_id": "%(key)s", "trace_id": "%(trace)s", "message": ["x"]}',
        b'{"conversation_id": "%(key)s", "trace_id": "%(trace)s", "message": {"message_id": [7]}}',
        b'{"conversation_id": "%(key)s", "classification": {}, "message": {"message_id": "%(id)s"}}',
    ],
)
async def test_no_body_of_a_record_breaks_a_page(
    client: AsyncClient, database: Database, body: bytes
) -> None:
    road = await walk(database, inbound("ma HP bourre"))
    names = {b"key": road[1].key, b"trace": road[0].trace_id, b"id": str(road[0].event_id)}
    for name, value in names.items():
        body = body.replace(b"%(" + name + b")s", value.encode())
    trace = {"traceparent": f"00-{road[0].trace_id}-{'0' * 16}-01"}
    for place, topic in enumerate(("printer.classified", "dead.classify"), 8):
        await record(database, [raw_bytes(topic, body, place, trace)])
    page = await client.get(f"/api/conversations/{road[1].key}")
    assert page.status_code == 200
    assert page.json()["messages"][0]["text"] == "ma HP bourre"
    trace_page = await client.get(f"/api/traces/{road[0].trace_id}")
    assert trace_page.status_code == 200
    assert trace_page.json()["state"] == "failed"
    assert len(trace_page.json()["steps"]) == 9
    assert (await client.get("/api/conversations")).status_code == 200


async def test_the_pipeline_says_how_each_stage_is(
    client: AsyncClient, healths: list[Health]
) -> None:
    page = (await client.get("/api/pipeline")).json()
    assert page["ready"] is True
    assert [(stage["stage"], stage["handled"]) for stage in page["stages"]] == [
        ("ingest", 7),
        ("rag", 0),
    ]
    healths[1].waiting_for = "the database does not answer"
    page = (await client.get("/api/pipeline")).json()
    assert (page["ready"], page["stages"][1]["waiting_for"]) == (False, healths[1].waiting_for)


async def test_a_console_without_stages_of_its_own_says_nothing_about_them(
    client: AsyncClient, healths: list[Health]
) -> None:
    healths.clear()
    assert (await client.get("/api/pipeline")).json() == {"ready": None, "stages": []}


async def test_the_page_and_its_files_are_served_and_nothing_beside_them(
    client: AsyncClient,
) -> None:
    page = await client.get("/")
    assert page.headers["content-type"].startswith("text/html")
    assert "<script" in page.text
    assert (await client.get("/static/app.js")).status_code == 200
    for path in ("/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fviews.py", "/docs"):
        assert (await client.get(path)).status_code == 404


async def test_a_database_that_does_not_answer_is_503_with_a_time_to_come_back() -> None:
    absent = Database("mysql+pymysql://me:secret@127.0.0.1:1/x")
    transport = httpx.ASGITransport(create_app(absent, list))
    async with AsyncClient(transport=transport, base_url="http://console") as client:
        answer = await client.get("/api/conversations")
    absent.close()
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "secret" not in answer.text
