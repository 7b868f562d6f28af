"""`astreinte models`, as it is typed."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from ai.choice import ENGLISH
from astreinte import output
from astreinte.cli import app
from astreinte.models import REASONS
from tests.vendors.ollama import Model, Ollama, serving


@contextmanager
def beside(ollama: Ollama) -> Iterator[Ollama]:
    """Serve in a thread of its own: commands have a loop of theirs."""
    loop, ready, done = asyncio.new_event_loop(), threading.Event(), asyncio.Event()

    async def serve() -> None:
        async with serving(ollama):
            ready.set()
            await done.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert ready.wait(10)
    yield ollama
    loop.call_soon_threadsafe(done.set)
    thread.join()
    loop.close()


@pytest.fixture
def ollama(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ollama]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(output.out, "_width", 160)  # its width is that of its first use
    with beside(Ollama()) as running:
        monkeypatch.setenv("ASTREINTE_OLLAMA_URL", running.url)
        yield running


def run(*words: str) -> Result:
    return CliRunner(env={"NO_COLOR": "1"}).invoke(app, ["models", *words])


def shown(*words: str) -> Any:
    return json.loads(run(*words, "--json").stdout)


def test_it_says_which_model_is_asked_and_why_not_the_others(ollama: Ollama) -> None:
    ollama.models = (*ollama.models, Model("tiny:1b", size=1_000_000))
    page = run().stdout
    assert "✓ ollama" in page
    assert "rien ne quitte le réseau privé" in page
    assert "fait des vecteurs, pas de texte" in page
    assert "tourne ailleurs, ce qui n'est pas autorisé" in page
    (backend,) = shown()["backends"]
    assert backend["chosen"] in {"qwen3:4b", "tiny:1b"}  # by the memory of this machine
    assert backend["breaker"] == "closed"
    assert {each["name"] for each in backend["models"]} == {each.name for each in ollama.models}


def test_a_model_that_is_named_and_missing_comes_with_the_command_that_pulls_it(
    ollama: Ollama, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASTREINTE_OLLAMA_MODEL", "mistral:7b")
    page = run().stdout
    assert "à faire : ollama pull mistral:7b" in page
    assert "Personne ne répond" in page
    assert shown()["answers"] is None


def test_an_ollama_without_models_gets_a_proposal(ollama: Ollama) -> None:
    ollama.models = ()
    assert shown()["backends"][0]["pull"].startswith("ollama pull qwen3:")


def test_a_server_that_does_not_answer_is_said_with_its_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ASTREINTE_OLLAMA_URL", "http://user:password@127.0.0.1:9")
    page = run()
    assert page.exit_code == 0
    assert "ConnectError" in page.stdout
    assert "password" not in page.stdout
    answer = run("try", "bonjour")
    assert answer.exit_code == 1
    assert answer.stderr.startswith("astreinte: no answer: ollama: no answer")


def test_what_leaves_is_said_and_refused_with_its_price(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    own = {"URL": "https://models.example/v1", "PRICE_IN": "0.5", "MONTHLY_CAP": "20"}
    for name, value in own.items():
        monkeypatch.setenv(f"ASTREINTE_OPENAI_{name}", value)
    monkeypatch.setenv("ASTREINTE_OLLAMA_URL", "http://127.0.0.1:9")
    page = run().stdout
    assert "distante, refusée" in page
    assert "ce mois : 0.00 sur 20" in page
    assert [each["privacy"] for each in shown()["backends"]] == ["local", "refused"]


def test_a_question_is_tried_with_its_time_and_tokens(
    ollama: Ollama, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASTREINTE_OLLAMA_MODEL", "qwen3:4b")
    answer = run("try", "Ça marche ?")
    assert answer.exit_code == 0
    assert answer.stdout.startswith("Bonjour.\n  qwen3:4b (ollama) · ")
    assert "tokens" in answer.stdout
    found = shown("try", "Ça marche ?")
    assert (found["reply"], found["model"]) == ("Bonjour.", "qwen3:4b")


def test_every_reason_has_its_french() -> None:
    assert REASONS.keys() == ENGLISH.keys()
