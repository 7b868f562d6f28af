"""The whole desk with a real Ollama whose model writes noise: customers never see it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from prometheus_client import REGISTRY

from schemas.topics import STAGES
from services.neighbours import Neighbours
from services.serve import running
from services.settings_models import OllamaSettings
from storage import roads
from storage.tables import Outgoing
from tests import tiny_model
from tests.conftest import broker_of, inbound, settings_in, until
from tests.engines import RealOllama, real_ollama
from tests.flows.conftest import TOGETHER_MS, beside

pytestmark = pytest.mark.ollama

ASKED = (
    "Notre Lexmark C750 affiche « Prêt Hex » et imprime des chiffres. Que faire ?",
    "Le papier se coince à chaque impression, que puis-je faire ?",
    "Every page comes out solid black, what can I do?",
    "My printer prints blank pages since this morning.",
    "Les pages sortent toutes noires.",
    "Le papier bourre dans le bac 2.",
    "Paper jam in tray 2, what should I do?",
    "Votre technicien n'est jamais venu, je suis mécontent.",
)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealOllama]:
    with real_ollama(tmp_path_factory.mktemp("own")) as real:
        yield real


@asynccontextmanager
async def desk(folder: Path, ollama: str) -> AsyncIterator[Neighbours]:
    """Six stages and the record, which ask that Ollama."""
    settings = settings_in(folder)
    settings = settings.model_copy(update={"ollama": OllamaSettings(url=ollama, timeout_s=20)})
    async with (
        broker_of("embedded", TOGETHER_MS) as kafka,
        beside(kafka, settings) as near,
        running(near, [*STAGES, "record"]),
    ):
        yield near


async def outcomes(near: Neighbours, during: Any = None) -> list[tuple[str, str, str]]:
    """Let all of them ask, each a new visitor; return what became of each, in their order."""
    asked = [inbound(text, **{"from": f"visiteur-{uuid4().hex}"}) for text in ASKED]
    await near.teller.tell(asked, "gateway")
    if during:
        await during()
    found = []
    for message in asked:

        async def outcome(name: str = str(message.event_id)) -> Outgoing | None:
            return await near.database.read(roads.outcome, name)

        done: Outgoing = await until(outcome, 120)
        found.append((done.action, done.reason, done.text))
    return found


def counted(outcome: str) -> float:
    """How often the words of Ollama's model had that outcome, in this process."""
    labels = {"backend": "ollama", "outcome": outcome}
    return REGISTRY.get_sample_value("astreinte_llm_calls_total", labels) or 0


async def test_random_words_are_refused_and_nothing_is_lost_when_the_server_dies(
    quick: None, own: RealOllama, tmp_path: Path
) -> None:
    for name in ("without", "with"):
        (tmp_path / name).mkdir()
    async with desk(tmp_path / "without", "") as near:
        expected = await outcomes(near)
    assert {action for action, *_ in expected} == {"reply", "handoff"}
    refused, taken = counted("refused"), counted("taken")
    async with desk(tmp_path / "with", own.url) as near:

        async def asked() -> bool:
            return any(route.ledger.speeds() for route in near.models.routes)

        async def die() -> None:
            await until(asked, 60)
            own.kill()

        await until(lambda: near.models.routes[0].choice, 30)
        assert await outcomes(near) == expected
        assert counted("refused") > refused
        near.models.routes[0].breaker.succeeded()
        assert await outcomes(near, die) == expected
        assert near.models.resting
    assert counted("taken") == taken
    own.start()


def told(folder: Path, own: RealOllama, *words: str, **settings: str) -> tuple[int, str]:
    """What `astreinte models` says there."""
    around = os.environ | {"ASTREINTE_OLLAMA_URL": own.url, "COLUMNS": "120"} | settings
    command = [sys.executable, "-m", "astreinte", "models", *words]
    done = subprocess.run(
        command, check=False, cwd=folder, env=around, capture_output=True, text=True, timeout=120
    )
    return done.returncode, done.stdout + done.stderr


def test_the_command_line_shows_the_model_tries_it_and_names_the_one_to_pull(
    own: RealOllama, tmp_path: Path
) -> None:
    status, shown = told(tmp_path, own)
    assert status == 0 and f"modèle {tiny_model.NAME}" in shown
    status, shown = told(tmp_path, own, ASTREINTE_OLLAMA_MODEL="qwen3:4b")
    assert status == 0 and "ollama pull qwen3:4b" in shown
    status, shown = told(tmp_path, own, "try", "Ma C750 affiche Prêt Hex")
    assert (status == 0) is (f"{tiny_model.NAME} (ollama)" in shown), shown
    assert status == 0 or "no answer" in shown
