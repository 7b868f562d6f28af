"""Ollama's traps, each met once: the models against a twin that is held to its document."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import httpx
import pytest
from pydantic import BaseModel, Field

from ai import hearing
from ai.ledger import Ledger
from ai.limits import Limits
from ai.llm import Ask, Busy, Down, Filled, Installed, NoAnswer, Prompt, Unusable
from ai.models import Models
from ai.ollama_server import OllamaServer
from ai.route import Route
from tests.conftest import until
from tests.minds import asking
from tests.vendors.ollama import Model, Ollama, serving


class Reply(BaseModel):
    """What is asked for."""

    reply: str = Field(max_length=200)


ASK = Ask("reply", "Sois poli.", "Ça bourre.", Reply, budget_s=30)


@pytest.fixture
async def twin() -> AsyncIterator[Ollama]:
    async with serving(Ollama()) as running:
        yield running


@pytest.fixture
async def models(twin: Ollama) -> AsyncIterator[Models]:
    found = asking(twin.url)
    yield found
    await found.close()


async def fill(models: Models) -> Filled[Reply]:
    return await models.fill(ASK)


async def test_an_answer_comes_in_its_shape_with_its_counts(twin: Ollama, models: Models) -> None:
    filled = await fill(models)
    assert filled.value == Reply(reply="Bonjour.")
    assert (filled.model, filled.backend, filled.degraded) == ("qwen3:4b", "ollama", False)
    assert filled.prompt_tokens > 0
    assert filled.answer_tokens > 0
    (asked,) = twin.asked
    assert asked["format"]["additionalProperties"] is False
    assert asked["options"]["num_predict"] == ASK.max_tokens
    assert asked["keep_alive"] == -1


@pytest.mark.parametrize(
    ("mood", "kind"),
    [
        *((mood, Unusable) for mood in ("prose", "other", "wrong type", "short")),
        *((mood, Unusable) for mood in ("blank", "null", "empty", "nested", "huge")),
        *((mood, Unusable) for mood in ("repeats", "whitespace")),
        *((mood, Down) for mood in ("error", "cut", "drop", "html", "list", "nothing")),
        *((mood, Down) for mood in ("no speech", "400", "404", "499", "500")),
        ("503", Busy),
    ],
)
async def test_whatever_goes_wrong_is_one_of_three_failures(
    twin: Ollama, models: Models, mood: str, kind: type[NoAnswer]
) -> None:
    class Written(Reply):
        reply: str = Field(min_length=2)

    twin.moods = [mood]
    with pytest.raises(kind) as caught:
        await models.fill(Ask("reply", "Sois poli.", "secret", Written, budget_s=30))
    assert type(caught.value) is kind
    assert "secret" not in str(caught.value)
    if kind is Busy:
        assert not models.resting


@pytest.mark.parametrize("mood", ["hang", "stall"])
async def test_silence_ends_when_the_budget_does_and_ollama_is_told(
    twin: Ollama, models: Models, mood: str
) -> None:
    await fill(models)
    twin.moods = [mood]
    began = time.monotonic()
    with pytest.raises(Down, match=r"within 0\."):
        await models.fill(Ask("reply", "s", "u", Reply, budget_s=0.3))
    assert time.monotonic() - began < 5
    await until(lambda: twin.left == 1)
    assert twin.at_once == 0


async def test_first_words_are_waited_for_longer_than_the_next(
    twin: Ollama, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hearing, "STALL_S", 0.1)
    twin.delay_s = 0.3
    assert (await fill(models)).value.reply == "Bonjour."
    twin.moods = ["stall"]
    with pytest.raises(Down, match=r"nothing came for 0\.1 s"):
        await fill(models)


async def test_a_model_that_loops_is_hung_up_on_early(twin: Ollama, models: Models) -> None:
    twin.token_s = 0.001
    twin.moods = ["whitespace", "repeats"]
    for _ in range(2):
        with pytest.raises(Unusable, match="repeats itself"):
            await fill(models)
    await until(lambda: twin.left == 2)


async def test_an_answer_that_was_cut_at_its_length_is_not_used(
    twin: Ollama, models: Models
) -> None:
    twin.says = lambda _: '{"reply": "Retirez la feuille, puis refermez."}'
    with pytest.raises(Unusable, match="longer than 4 tokens"):
        await models.fill(Ask("reply", "s", "u", Reply, max_tokens=4))


async def test_words_that_all_went_into_thinking_are_found(twin: Ollama, models: Models) -> None:
    twin.moods = ["thinks"]
    assert (await fill(models)).value.reply == "Bonjour."


async def test_a_model_that_can_think_is_told_not_to(twin: Ollama, models: Models) -> None:
    twin.models = (Model("qwen3:4b", capabilities=("completion", "thinking")),)
    await fill(models)
    twin.models = (Model("gemma3:4b"),)
    await models.look()
    await fill(models)
    assert [asked.get("think") for asked in twin.asked] == [False, None]


async def test_a_question_longer_than_the_context_is_not_asked(
    twin: Ollama, models: Models
) -> None:
    with pytest.raises(Unusable, match="too long for 4096 tokens"):
        await models.fill(Ask("reply", "s", "Ça bourre. " * 1_500, Reply))
    assert twin.asked == []


async def test_a_prompt_that_ollama_cut_gives_no_answer(twin: Ollama) -> None:
    door = OllamaServer(twin.url, context_tokens=300)
    models = Models([Route(door, Limits(context_tokens=4096), Ledger())])
    with pytest.raises(Unusable, match="longer than 300 tokens"):  # a guess was too low
        await models.fill(Ask("reply", "", "x " * 600, Reply, max_tokens=40))
    await models.close()


async def test_num_ctx_is_the_same_in_every_request_so_a_model_is_loaded_once(
    twin: Ollama,
) -> None:
    models = asking(twin.url, context_tokens=2048)
    await models.look()
    models.routes[0].warm()
    await models.routes[0].loading.wait()
    for size in (10, 200):
        await models.fill(Ask("reply", "s", "u" * size, Reply, max_tokens=size))
    assert twin.loads == [("qwen3:4b", 2048)]
    await models.close()


async def test_loading_happens_in_the_background_and_customers_do_not_wait_for_it(
    twin: Ollama, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ai.loading.PATIENCE_S", 0.1)
    twin.load_s = 1.0
    models = asking(twin.url)
    models.begin()
    with pytest.raises(Busy, match="being loaded"):
        await fill(models)
    assert twin.loads == []
    assert not models.resting
    await until(lambda: not models.routes[0].loading.going)
    assert (await fill(models)).value.reply == "Bonjour."
    assert len(twin.loads) == 1  # nobody who left ended the load
    await models.close()


@pytest.mark.parametrize("key", ["", "ours"])
async def test_the_key_of_the_environment_is_never_sent(
    monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv("OLLAMA_API_KEY", "not for you")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    heads: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append((await reader.readuntil(b"\r\n\r\n")).decode().lower())
        writer.write(b"HTTP/1.1 200 X\r\ncontent-length: 2\r\n\r\n{}")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        door = OllamaServer(url, key=key)
        await door.look()
        with pytest.raises(NoAnswer):
            await anext(door.say(Installed("x"), Prompt("s", "u", None, 5)))
        await door.close()
    assert len(heads) == 4
    for head in heads:
        assert "not for you" not in head
        assert ("authorization: bearer ours" in head) == bool(key)


async def test_words_of_customers_open_no_file(twin: Ollama, models: Models) -> None:
    await models.fill(Ask("reply", "/etc/passwd", "/etc/passwd", Reply))
    assert [message["content"] for message in twin.asked[0]["messages"]] == ["/etc/passwd"] * 2
    assert not any("images" in message for message in twin.asked[0]["messages"])


async def test_a_redirect_is_not_followed() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(
            b"HTTP/1.1 307 X\r\nlocation: http://203.0.113.9/\r\ncontent-length: 0\r\n\r\n"
        )
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        door = OllamaServer(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        with pytest.raises(Down, match="307"):
            await door.look()
        await door.close()


async def test_models_that_run_elsewhere_are_asked_only_where_that_is_allowed(
    twin: Ollama,
) -> None:
    twin.models = twin.models[:2]  # one for embeddings, one in the cloud
    shy, open_ = asking(twin.url), asking(twin.url, remote=True)
    for models in (shy, open_):
        await models.look()
    assert shy.routes[0].choice is None
    assert [str(each.reason) for each in shy.routes[0].models] == [
        "it makes embeddings, no text",
        "it runs on other machines, which is not allowed",
    ]
    assert open_.routes[0].choice
    assert open_.routes[0].choice.model.name == "gpt-oss:120b-cloud"


async def test_an_ollama_of_before_capabilities_is_understood(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = [{"name": "bge-m3", "details": {"family": "bert"}}, {"name": "mistral:7b", "size": 4}]

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path != "/api/tags":
            return httpx.Response(404)
        return httpx.Response(200, json={"models": rows})

    door = OllamaServer("http://ollama:11434")
    door._http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    assert [(each.name, each.chats) for each in await door.look()] == [
        ("bge-m3", False),
        ("mistral:7b", True),
    ]


async def test_an_older_ollama_is_asked_what_each_model_can_do(twin: Ollama) -> None:
    twin.lists_abilities = False
    twin.models = (Model("embedder:latest", "llama", capabilities=("embedding",)), *twin.models)
    server = OllamaServer(twin.url)
    for _ in range(2):
        able = {each.name: each.chats for each in await server.look()}
        assert [name for name, chats in able.items() if not chats] == [
            "embedder:latest",
            "nomic-embed-text:latest",
        ]
    await server.close()
