"""The language models of the desk on a real Ollama, with a tiny model of random weights.

What is measured here is the server: what it keeps to, how it counts, and how it fails.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Annotated, Any, Literal

import httpx
import pytest
from pydantic import BaseModel, Field

from ai.ledger import Ledger
from ai.limits import Limits
from ai.llm import Ask, Busy, Down, Filled, Installed, NoAnswer, Prompt, Unusable
from ai.models import Models
from ai.ollama_server import OllamaServer
from ai.openai_server import OpenAIServer
from ai.route import Route
from tests import tiny_model
from tests.conftest import until
from tests.engines import RealOllama, real_ollama, shared_ollama
from tests.minds import asking

pytestmark = pytest.mark.ollama

TINY = Installed(tiny_model.NAME)
LONG = Prompt("Sois long.", "Raconte.", None, 4000)
"""Free text: the tiny model stops where it is cut, and nowhere else."""


class Sheet(BaseModel):
    """Every kind of field that the desk asks for."""

    reply: str = Field(max_length=40)
    kind: Literal["panne", "commande"]
    sure: bool
    score: int = Field(ge=0, le=100)
    codes: list[Annotated[str, Field(max_length=8)]] = Field(max_length=2)


class Short(BaseModel):
    """A form that ends soon."""

    sure: bool


def ask(budget_s: float = 60, **more: Any) -> Ask[Any]:
    told = {"purpose": "reply", "system": "Sois poli.", "user": "Ça bourre.", "shape": Short}
    return Ask(**(told | {"budget_s": budget_s} | more))


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    real = shared_ollama()
    folder = tmp_path_factory.mktemp("models")
    tiny_model.create(real, folder)
    tiny_model.create(real, folder, name=tiny_model.EMBEDDER, embeds=True)
    return real


@pytest.fixture
async def models(url: str) -> AsyncIterator[Models]:
    found = asking(url)
    yield found
    await found.close()


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealOllama]:
    """A server to be killed; whoever kills it starts it again."""
    with real_ollama(tmp_path_factory.mktemp("own")) as real:
        yield real


async def running(url: str) -> list[dict[str, Any]]:
    async with httpx.AsyncClient(trust_env=False) as http:
        found: list[dict[str, Any]] = (await http.get(f"{url}/api/ps")).json()["models"]
        return found


async def test_even_random_weights_answer_in_the_form_that_is_asked_for(models: Models) -> None:
    found: list[Filled[Sheet] | Unusable] = []
    for number in range(8):
        try:
            found.append(await models.fill(ask(shape=Sheet, user=f"Panne {number}")))
        except Unusable as error:  # a bound that the server does not keep to, or words in a circle
            found.append(error)
            models.routes[0].breaker.succeeded()
            models.routes[0].breaker.succeeded()  # three in a row would be enough for it
    good = [each for each in found if isinstance(each, Filled)]
    assert good, found
    assert all(each.model == tiny_model.NAME and each.backend == "ollama" for each in good)
    assert all(each.prompt_tokens > 0 and 0 < each.answer_tokens <= 400 for each in good)


async def test_the_model_that_embeds_is_not_asked_to_write(url: str) -> None:
    server = OllamaServer(url)
    able = {each.name: each.chats for each in await server.look()}
    assert able == {tiny_model.NAME: True, tiny_model.EMBEDDER: False}
    await server.close()


async def test_the_answer_comes_in_pieces_as_it_is_written(url: str) -> None:
    server = OllamaServer(url)
    pieces, times = [], []
    async with aclosing(server.say(TINY, Prompt("s", "u", None, 50))) as told:
        async for piece in told:
            pieces.append(piece)
            times.append(time.monotonic())
    assert len(pieces) > 10
    assert times[-1] > times[0]
    assert (pieces[-1].reason, pieces[-1].answer_tokens) == ("length", 50)
    assert all(not piece.reason for piece in pieces[:-1])
    await server.close()


async def test_one_num_ctx_for_all_requests_keeps_the_model_in_memory(url: str) -> None:
    async def seconds(context: int) -> float:
        few = asking(url, context_tokens=context)
        await few.fill(ask())
        await few.close()
        [loaded] = [each for each in await running(url) if each["name"] == tiny_model.NAME]
        assert loaded["context_length"] == context
        return float(loaded["expires_at"] > "2100")  # kept for good

    assert [await seconds(context) for context in (2048, 2048, 4096)] == [1, 1, 1]


async def test_a_model_is_loaded_before_anybody_asks(own: RealOllama) -> None:
    assert await running(own.url) == []
    models = asking(own.url)
    models.begin()
    await until(lambda: running(own.url), 30)
    began = time.monotonic()
    assert (await models.fill(ask())).model == tiny_model.NAME
    assert time.monotonic() - began < 5
    await models.close()


async def test_a_missing_model_is_known_before_it_is_asked(url: str) -> None:
    models = asking(url, "qwen3:4b")
    with pytest.raises(NoAnswer, match="no usable model"):
        await models.fill(ask())
    await models.close()


async def test_a_model_that_is_gone_since_is_a_failure_of_the_server(url: str) -> None:
    server = OllamaServer(url)
    with pytest.raises(Down, match="404"):
        async for _ in server.say(Installed("gone:latest"), LONG):
            pass
    await server.close()


async def test_too_long_a_conversation_is_noticed_and_not_believed(url: str) -> None:
    server = OllamaServer(url, context_tokens=512)
    long = Prompt("Sois poli.", "bourrage " * 400, None, 20)
    with pytest.raises(Unusable, match="longer than 512"):
        async for _ in server.say(TINY, long):
            pass
    await server.close()


async def test_who_has_no_time_is_not_kept_waiting_and_the_server_goes_on(url: str) -> None:
    server = OllamaServer(url, context_tokens=8192)
    route = Route(server, Limits(context_tokens=8192), Ledger())
    models = Models([route])
    await models.look()
    await models.fill(ask())
    began = time.monotonic()
    with pytest.raises(NoAnswer):
        async with asyncio.timeout(30):
            await models.fill(ask(0.2, shape=Endless, max_tokens=4000))
    assert time.monotonic() - began < 3

    async def answers() -> bool:  # it hung up, so the server stopped writing
        route.breaker.succeeded()
        return bool(await models.fill(ask(20)))

    await until(answers, 30)
    await models.close()


class Endless(BaseModel):
    """A form that random weights do not get through."""

    words: list[str] = Field(min_length=400)


async def test_a_busy_server_sends_some_away_and_is_not_left_alone(tmp_path: Path) -> None:
    settings = {"OLLAMA_MAX_QUEUE": "1", "OLLAMA_NUM_PARALLEL": "1"}
    with real_ollama(tmp_path, **settings) as real:
        many = [asking(real.url) for _ in range(8)]
        await asyncio.gather(*(each.look() for each in many))
        asked = (each.fill(ask(30)) for each in many)
        found = await asyncio.gather(*asked, return_exceptions=True)
        kinds = {type(each) for each in found}
        assert kinds <= {Filled, Busy}, found
        assert Busy in kinds and Filled in kinds
        assert not any(each.resting for each in many)
        for each in many:
            assert (await each.fill(ask(30))).model == tiny_model.NAME
            await each.close()


@pytest.mark.parametrize("whom", ["server", "engine"])
async def test_a_server_killed_while_it_writes_is_down_and_comes_back(
    own: RealOllama, whom: str
) -> None:
    server = OllamaServer(own.url, context_tokens=8192)
    heard = 0
    with pytest.raises(Down):
        async with asyncio.timeout(60), aclosing(server.say(TINY, LONG)) as told:
            async for _ in told:
                heard += 1
                if heard == 5:
                    (own.kill if whom == "server" else own.kill_engine)()
    assert 5 <= heard < 4000
    if whom == "server":
        with pytest.raises(Down):
            await server.look()
        own.start()
    models = asking(own.url)
    assert (await models.fill(ask())).model == tiny_model.NAME
    await models.close()
    await server.close()


async def test_ollamas_own_way_of_speaking_openais_api_is_enough(url: str) -> None:
    server = OpenAIServer(f"{url}/v1", [tiny_model.NAME])
    models = Models([Route(server, Limits(tiny_model.NAME), Ledger())])
    filled = await models.fill(ask())
    assert (filled.backend, filled.model) == ("openai", tiny_model.NAME)
    assert filled.prompt_tokens > 0
    await models.close()
