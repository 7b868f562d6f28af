"""The page of cold rooms in a real browser, on a phone: an alarm is seen, taken, silenced, named."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from console.app import create_app
from gateways.http import listen, serving, url_of
from schemas.event import Event
from schemas.frigo import FeedbackGiven
from services import alarms
from storage import alerts, units
from storage.database import Database
from tests.console.record import database_in
from tests.console.test_cold_rooms import EPISODE, NOW, UNIT, alert, profile, stand
from tests.console.test_page import CHROMIUM, FLAGS, WAIT_MS

pytestmark = pytest.mark.browser

HOSTILE = '<img src=x onerror="alert(1)"> & « Chambre » 🧊'


@asynccontextmanager
async def desk(folder: Path) -> AsyncIterator[str]:
    """Have the console over a record of its own; what is said is heard as dispatch hears it."""
    async with database_in(folder) as database:
        await _furnish(database)

        async def publish(event: Event) -> None:
            assert isinstance(event, FeedbackGiven)
            await database.write(alarms.hear, event, event.occurred_at)

        listener = listen("127.0.0.1", 0)
        async with serving(create_app(database, list, publish), listener):
            yield url_of(listener)


async def _furnish(database: Database) -> None:
    over = {"event_id": "c" * 32, "episode_id": "past", "fault": "defrost"}
    past = alert(**over), alert(**over | {"event_id": "d" * 32, "change": "cleared"})
    await stand(database, *past, alert(severity="critical"), name=HOSTILE)
    await database.write(units.declare, profile("froid-2", name="Chambre viande"), NOW)
    await database.write(units.meet, ["froid-3"], NOW)
    row = {
        "alert_id": "m1", "episode_id": EPISODE, "unit_id": UNIT, "trace_id": "a" * 32,
        "kind": "raised", "outbound": "telegram", "recipient": "Ana", "address": "42",
        "card": {}, "status": "sent", "next_attempt_at": NOW, "created_at": NOW,
    }  # fmt: skip
    await database.write(alerts.record, [row])


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The console's address; it runs in a thread, for the browser holds this one."""
    found: list[str] = []
    ready, over = threading.Event(), threading.Event()

    async def run() -> None:
        async with desk(tmp_path_factory.mktemp("desk")) as url:
            found.append(url)
            ready.set()
            await asyncio.to_thread(over.wait)

    thread = threading.Thread(target=asyncio.run, args=[run()])
    thread.start()
    assert ready.wait(30)
    yield found[0]
    over.set()
    thread.join(30)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    """A phone's page that fails the test when it logs an error or asks elsewhere for anything."""
    phone = {"width": 390, "height": 844}
    context = browser.new_context(viewport=phone, locale="fr-FR", has_touch=True)
    opened = context.new_page()
    opened.set_default_timeout(WAIT_MS)
    problems: list[str] = []
    opened.on("pageerror", lambda error: problems.append(str(error)))
    opened.on("console", lambda line: problems.append(line.text) if line.type == "error" else None)
    opened.on("request", lambda r: None if r.url.startswith(address) else problems.append(r.url))
    opened.goto(f"{address}/cold-rooms")
    opened.get_by_test_id("unit-row").nth(1).wait_for()
    yield opened
    context.close()
    expected = "503 (Service Unavailable"
    assert [problem for problem in problems if expected not in problem] == []


def fits(page: Any) -> bool:
    return page.evaluate("document.documentElement.scrollWidth") <= 390


def test_an_alarm_is_taken_on_with_a_thumb(page: Any) -> None:
    one = page.get_by_test_id("episode")
    assert one.count() == 1
    assert "porte ouverte" in one.get_by_test_id("fault").inner_text().lower()
    assert one.get_by_test_id("severity").inner_text() == "critique"
    assert re.search(r"\d+\s(min|h)", one.get_by_test_id("since").inner_text())
    assert "Limite alimentaire" in one.get_by_test_id("limit").inner_text()
    assert "Ana (telegram" in one.get_by_test_id("messages").inner_text()
    assert "Regarder la porte." in one.get_by_test_id("next-test").inner_text()
    assert fits(page)
    button = one.get_by_test_id("acknowledge")
    box = button.bounding_box()
    assert box["height"] >= 44
    assert box["width"] >= 200
    page.get_by_test_id("me").fill("Léa")
    button.tap()
    one.get_by_test_id("taken").filter(has_text="Pris en charge par Léa").wait_for()
    assert one.get_by_test_id("acknowledge").count() == 0


def test_it_is_silenced_and_the_silence_is_ended(page: Any) -> None:
    one = page.get_by_test_id("episode")
    one.get_by_test_id("shelve").tap()
    one.get_by_test_id("taken").filter(has_text="En silence jusqu'à").wait_for()
    one.get_by_test_id("unshelve").tap()
    one.get_by_test_id("shelve").wait_for()


def test_what_it_was_is_said_and_kept(page: Any) -> None:
    one = page.get_by_test_id("episode")
    assert one.get_by_test_id("label").is_disabled()
    one.get_by_test_id("was").select_option("defrost")
    one.get_by_test_id("label").tap()
    one.get_by_test_id("taken").filter(has_text="dégivrage défaillant").wait_for()


def test_a_hostile_name_stays_text_in_both_languages(page: Any) -> None:
    assert HOSTILE in page.get_by_test_id("unit-row").first.inner_text()
    assert page.get_by_test_id("episode-unit").inner_text() == HOSTILE
    page.get_by_test_id("lang-en").tap()
    assert "door open" in page.get_by_test_id("fault").inner_text().lower()
    assert page.locator("main img").count() == 0
    assert fits(page)


def test_one_unit_has_its_course_its_sensors_and_its_past(page: Any) -> None:
    page.get_by_test_id("unit-row").first.tap()
    page.get_by_test_id("chart").wait_for()
    assert page.get_by_test_id("unit-name").inner_text() == HOSTILE
    line = page.locator("path.curve.air").get_attribute("d")
    assert line.startswith("M")
    assert line.count("L") == 2
    assert page.locator("[data-testid=episode][data-open=false]").count() == 1
    assert fits(page)
    page.get_by_test_id("to-fleet").tap()
    page.get_by_test_id("unit-row").nth(1).wait_for()


def test_a_unit_that_nobody_declared_says_so_and_how_one_does(page: Any) -> None:
    row = page.get_by_test_id("unit-row").nth(2)
    assert row.get_by_test_id("unit-state").inner_text() == "non déclarée"
    row.tap()
    said = page.get_by_test_id("undeclared").inner_text()
    assert "pas surveillées" in said and "astreinte units add" in said
    assert fits(page)


def test_a_silent_server_is_said_and_what_was_seen_stays(page: Any) -> None:
    page.route("**/api/cold-rooms", lambda route: route.fulfill(status=503, json={"detail": "x"}))
    page.get_by_test_id("banner").wait_for()
    assert page.get_by_test_id("unit-row").count() == 3
