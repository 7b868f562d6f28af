"""The page in a real browser, on a real desk: what an operator sees and does."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.conftest import CACHE

pytestmark = pytest.mark.browser

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WAIT_MS = 20_000


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a desk in a process of its own, as `make run` starts it, without the story."""
    folder = tmp_path_factory.mktemp("desk")
    if CACHE.is_dir():
        shutil.copytree(CACHE, folder / "data" / "cache")
    process = subprocess.Popen(
        [sys.executable, "-m", "astreinte", "up", "--no-story", "--port", "0"],
        cwd=folder,
        env=os.environ | {"ASTREINTE_OLLAMA_URL": ""},
    )
    try:
        yield _address(folder / "data" / "running.json", process)
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(15) == 0


def _address(file: Path, process: subprocess.Popen[bytes]) -> str:
    for _ in range(600):
        if file.exists():
            return json.loads(file.read_text())["url"]
        assert process.poll() is None, "the desk ended while starting"
        time.sleep(0.1)
    pytest.fail("the desk did not start within a minute")


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser, desk: str) -> Iterator[object]:
    """A page that fails the test when it logs an error or asks another host for anything."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="fr-FR")
    opened = context.new_page()
    opened.set_default_timeout(WAIT_MS)
    problems: list[str] = []
    opened.on("pageerror", lambda error: problems.append(str(error)))
    opened.on("console", lambda line: problems.append(line.text) if line.type == "error" else None)
    opened.on("request", lambda r: None if r.url.startswith(desk) else problems.append(r.url))
    opened.goto(desk)
    yield opened
    context.close()
    expected = "422 (Unprocessable"
    assert [problem for problem in problems if expected not in problem] == []


def write(page, text: str, channel: str = "chat", sender: str | None = None) -> None:
    page.get_by_test_id("composer-channel").select_option(channel)
    if sender:
        page.get_by_test_id("composer-from").fill(sender)
    page.get_by_test_id("composer-text").fill(text)
    page.get_by_test_id("composer-send").click()


def reply(page):
    return page.locator("[data-testid=message][data-direction=out]").last


def test_a_message_written_as_a_customer_walks_to_its_answer_with_sources(page) -> None:
    write(page, "il y a un bourrage papier dans le bac 2 de mon imprimante")
    reply(page).wait_for()
    assert "bourrage" in reply(page).get_by_test_id("message-text").inner_text().lower()
    chip = reply(page).get_by_test_id("source-chip").first
    chip.click()
    page.locator("[data-testid=source].lit").wait_for()


def test_the_trace_shows_every_stage_with_its_decision(page) -> None:
    write(page, "ma Lexmark C750 affiche prêt hex", sender="visiteur-trace")
    reply(page).wait_for()
    page.get_by_test_id("trace-link").first.click()
    page.get_by_test_id("trace-dot").nth(6).wait_for()
    stages = page.get_by_test_id("trace-dot").evaluate_all("dots => dots.map(d => d.dataset.stage)")
    assert stages == ["gateway", "ingest", "classify", "extract", "rag", "respond", "dispatch"]
    page.get_by_test_id("trace-dot").nth(3).click()
    page.get_by_test_id("trace-json").wait_for()
    assert "C750" in page.get_by_test_id("trace-json").inner_text()


def test_the_whole_mail_is_one_click_away(page) -> None:
    quoted = "Le 3 mai 2025 à 10:00, Aide a écrit :\n> Avez-vous rallumé l'imprimante ?"
    write(page, f"Oui, toujours un bourrage papier.\n\n{quoted}", "email", "ana@exemple.example")
    reply(page).wait_for()
    mail = page.locator("[data-testid=message][data-direction=in]").last
    assert "rallumé" not in mail.get_by_test_id("message-text").inner_text()
    mail.get_by_test_id("whole").locator("summary").click()
    assert "> Avez-vous rallumé l'imprimante ?" in mail.get_by_test_id("whole").inner_text()


def test_a_hand_over_says_why(page) -> None:
    write(page, "où en est ma commande de toner 45821 ?", sender="visiteur-commande")
    page.get_by_test_id("handoff-reason").first.wait_for()
    assert "commande" in page.get_by_test_id("handoff-reason").first.inner_text()


def test_a_customers_markup_stays_text(page) -> None:
    write(page, "<img src=x onerror=alert(1)> bourrage papier", sender="visiteur-html")
    reply(page).wait_for()
    shown = page.locator("[data-direction=in] [data-testid=message-text]").first
    assert "<img src=x" in shown.inner_text()
    assert page.locator("[data-testid=thread] img").count() == 0


def test_what_the_edge_refuses_is_said_and_the_text_is_kept(page) -> None:
    write(page, "bonjour", channel="email", sender="+33612345678")
    page.get_by_test_id("composer-status").filter(has_text="e-mail").wait_for()
    assert page.get_by_test_id("composer-text").input_value() == "bonjour"


def test_a_message_from_elsewhere_appears_by_itself(page, desk: str) -> None:
    before = page.get_by_test_id("conversation-row").count()
    body = {"channel": "sms", "from": "+33639981299", "text": "plus de toner, cartouche vide ?"}
    assert httpx.post(f"{desk}/messages", json=body, trust_env=False).status_code == 202
    page.get_by_test_id("conversation-row").nth(before).wait_for()


def test_it_speaks_english_and_fits_a_phone(page) -> None:
    page.get_by_test_id("lang-en").click()
    page.set_viewport_size({"width": 375, "height": 800})
    assert page.evaluate("document.documentElement.lang") == "en"
    assert page.evaluate("document.documentElement.scrollWidth") <= 375


def test_the_contract_of_the_topics_is_read_in_both_languages(page, desk: str) -> None:
    page.goto(f"{desk}/asyncapi#printer.sent")
    topics = page.get_by_test_id("contract-topic")
    topics.nth(20).wait_for()
    assert "Publié par" in topics.first.inner_text()
    assert page.locator("[id='printer.sent']").get_by_text("ReplySent").is_visible()
    page.get_by_test_id("lang-en").click()
    assert "Published by" in topics.first.inner_text()
    page.set_viewport_size({"width": 375, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
