"""The language models of a desk, put together from its settings."""

from __future__ import annotations

from pathlib import Path

import pytest
from prometheus_client import REGISTRY
from pydantic import BaseModel

from ai.llm import Ask
from services.language_models import models_of
from services.neighbours import Neighbours
from services.settings import Settings
from services.settings_models import OllamaSettings, OpenaiSettings
from tests.vendors.openai_api import OpenAIAPI, serving


class Reply(BaseModel):
    """What is asked for."""

    reply: str


def settings(ollama: str = "", openai: str = "", **more: object) -> Settings:
    return Settings(
        ollama=OllamaSettings(url=ollama),
        openai=OpenaiSettings(url=openai, **more),  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("urls", "names"),
    [
        ({}, []),
        ({"ollama": "http://ollama:11434"}, ["ollama"]),
        ({"openai": "https://openrouter.ai/api/v1"}, ["openai"]),
        ({"ollama": "http://127.0.0.1:1", "openai": "http://10.0.0.1/v1"}, ["ollama", "openai"]),
    ],
)
def test_each_server_that_is_set_is_a_route_ollama_first(
    urls: dict[str, str], names: list[str]
) -> None:
    models = models_of(settings(**urls), None)
    assert [route.backend.name for route in models.routes] == names
    assert [route.here for route in models.routes] == [
        "127.0.0.1" in route.backend.url for route in models.routes
    ]
    assert [route.backend.leaves for route in models.routes] == [
        "openrouter" in route.backend.url for route in models.routes
    ]


async def test_a_process_looks_in_the_background_from_when_it_needs_models_until_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with serving(OpenAIAPI()) as api:
        async with Neighbours(settings(openai=api.url, price_out=2.0), "nowhere:1") as near:
            assert near.model_state() == {}
            before = tokens(), cost()
            filled = await near.models.fill(Ask("reply", "s", "u", Reply))
            assert (filled.value.reply, filled.prompt_tokens) == ("Bonjour.", 100)
            assert near.model_state()["answers"] == "openai"
            assert closed() == 0
            near.models.routes[0].breaker.failed()
            assert closed() == 1
        assert len(api.heads) == 2  # one look, one question
    assert (tokens() - before[0], cost() - before[1]) == (50, pytest.approx(0.1))
    assert (tmp_path / "data" / "models.json").exists()


def tokens() -> float:
    labels = {"backend": "openai", "kind": "answer"}
    return REGISTRY.get_sample_value("astreinte_llm_tokens_total", labels) or 0.0


def closed() -> float | None:
    return REGISTRY.get_sample_value("astreinte_llm_closed", {"backend": "openai"})


def cost() -> float:
    return REGISTRY.get_sample_value("astreinte_llm_cost_total", {"backend": "openai"}) or 0.0
