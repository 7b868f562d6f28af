"""The chat's window in a real browser, on a real desk: what a visitor of a site sees and does."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import CACHE
from tests.console.test_page import WAIT_MS, _address, browser

pytestmark = pytest.mark.browser

__all__ = ["browser"]

QUESTION = "Bonjour, notre Lexmark C750 affiche « Prêt Hex » et imprime des chiffres. Que faire ?"
PHONE = {"width": 360, "height": 700}
MOST_BYTES = 12_000
"""Of the script, as it is sent; it is 4 kB when a proxy compresses it."""


class Desk:
    """A desk in a process of its own that can be stopped and started again where it was."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = ""
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        (self.folder / "data" / "running.json").unlink(missing_ok=True)
        port = self.url.rpartition(":")[2] or "0"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "astreinte", "up", "--no-story", "--port", port],
            cwd=self.folder,
            env=os.environ | {"ASTREINTE_OLLAMA_URL": "", "ASTREINTE_CHAT_SECRET": "s" * 32},
        )
        self.url = _address(self.folder / "data" / "running.json", self._process)

    def stop(self) -> None:
        assert self._process
        self._process.send_signal(signal.SIGINT)
        assert self._process.wait(20) == 0


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("desk")
    if CACHE.is_dir():
        shutil.copytree(CACHE, folder / "data" / "cache")
    made = Desk(folder)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def context(browser) -> Iterator[object]:
    made = browser.new_context(viewport=PHONE, locale="fr-FR", color_scheme="light")
    made.set_default_timeout(WAIT_MS)
    yield made
    made.close()


def opened(context, desk: Desk):
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    page.goto(f"{desk.url}/chat")
    page.wait_for_selector("li")
    assert all(url.startswith(desk.url) for url in asked)  # nothing from elsewhere
    return page


def bubbles(page, kind: str) -> list[str]:
    return page.locator(f"li.{kind} > span").all_inner_texts()


def write(page, text: str) -> None:
    page.get_by_label("Votre message").fill(text)
    page.keyboard.press("Enter")


def test_a_visitor_writes_is_answered_and_finds_it_all_after_a_reload(context, desk: Desk):
    page = opened(context, desk)
    assert "Une machine répond d’abord" in bubbles(page, "desk")[0]
    write(page, QUESTION)
    page.wait_for_function(
        """() => [...document.querySelectorAll('div')].some(
            d => d.shadowRoot?.textContent.includes('Source : Lexmark C750'))"""
    )
    assert bubbles(page, "visitor") == [QUESTION]
    answer = bubbles(page, "desk")[-1]
    page.reload()
    page.wait_for_selector("li.visitor")
    assert bubbles(page, "visitor") == [QUESTION]
    assert bubbles(page, "desk") == [answer]
    box = page.locator("section").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= PHONE["width"]


def test_what_was_written_while_the_desk_was_away_is_answered_once_it_is_back(context, desk: Desk):
    page = opened(context, desk)
    desk.stop()
    page.wait_for_selector("text=Connexion perdue")
    write(page, QUESTION)
    assert page.locator("li.visitor small").inner_text() == "en attente"
    desk.start()
    page.wait_for_selector("li.desk:has-text('Source : Lexmark C750')", timeout=60_000)
    assert bubbles(page, "visitor") == [QUESTION]
    assert page.locator("li.visitor small").inner_text() == ""


def test_words_of_a_visitor_are_words_and_never_markup(context, desk: Desk):
    page = opened(context, desk)
    evil = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
    write(page, evil)
    page.wait_for_selector("li.visitor")
    page.reload()
    page.wait_for_selector("li.visitor")
    assert bubbles(page, "visitor") == [evil]
    assert page.title() == "Chat"


def test_the_window_is_small_closes_by_key_and_speaks_english(context, desk: Desk):
    answer = context.request.get(f"{desk.url}/chat/widget.js")
    assert len(answer.body()) < MOST_BYTES
    page = context.new_page()
    page.goto(f"{desk.url}/chat")
    page.evaluate("document.documentElement.lang = 'en'; localStorage.clear()")
    page.evaluate(
        """() => { document.querySelector('main').nextElementSibling?.remove();
        document.body.querySelectorAll('div').forEach(d => d.remove());
        const s = document.createElement('script'); s.src = '/chat/widget.js';
        document.body.append(s); }"""
    )
    page.get_by_role("button", name="Open the chat").click()
    page.wait_for_selector("text=A machine answers first")
    page.keyboard.press("Escape")
    assert page.locator("section").is_hidden()
    assert page.get_by_role("button", name="Open the chat").is_visible()
