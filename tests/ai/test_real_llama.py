"""The language models of the desk on a real server of OpenAI's API: llama.cpp's, from Python."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from typing import Any, Literal

import httpx
import pytest
from pydantic import BaseModel, Field

from ai.ledger import Ledger
from ai.limits import Limits
from ai.llm import Ask, Down, Filled, NoAnswer, Prompt, Unusable
from ai.models import Models
from ai.openai_server import OpenAIServer
from ai.route import Route
from tests.engines import real_llama

pytestmark = pytest.mark.llama

CONTEXT = 2048


class Sheet(BaseModel):
    """A form with bounds, of which this server keeps to few."""

    kind: Literal["panne", "commande"]
    sure: bool
    score: int = Field(ge=0, le=100)


class Short(BaseModel):
    """A form without."""

    kind: Literal["panne", "commande"]
    sure: bool


def ask(**more: Any) -> Ask[Any]:
    told = {"purpose": "reply", "system": "Sois poli.", "user": "Ça bourre.", "shape": Short}
    return Ask(**(told | {"max_tokens": 200, "budget_s": 60} | more))


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with real_llama(tmp_path_factory.mktemp("llama"), CONTEXT) as served:
        yield served


@pytest.fixture
async def models(url: str) -> AsyncIterator[Models]:
    limits = Limits(context_tokens=CONTEXT)
    found = Models([Route(OpenAIServer(url), limits, Ledger())])
    yield found
    await found.close()


async def test_it_answers_in_the_form_that_is_asked_for(models: Models) -> None:
    filled = await models.fill(ask())
    assert isinstance(filled.value, Short)
    assert filled.backend == "openai" and "tiny" in filled.model
    assert filled.prompt_tokens == 0  # it counts nothing in a stream, whatever it is asked


async def test_a_schema_by_its_newer_name_is_refused_and_by_its_older_taken(
    url: str, models: Models
) -> None:
    schema = Short.model_json_schema()
    newer = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}
    older = {"type": "json_object", "schema": schema}
    messages = [{"role": "user", "content": "Ça bourre."}]
    async with httpx.AsyncClient(timeout=60, trust_env=False) as http:
        for form, taken in ((newer, False), (older, True)):
            body = {"messages": messages, "max_tokens": 200, "response_format": form}
            answer = await http.post(f"{url}/chat/completions", json=body)
            assert answer.status_code == (200 if taken else 500)
            if taken:
                Short.model_validate_json(answer.json()["choices"][0]["message"]["content"])
    for _ in range(3):  # it is found out once, and nothing is left alone for it
        await models.fill(ask())
    assert not models.resting


async def test_a_bound_that_the_server_does_not_keep_to_is_kept_to_here(
    url: str, models: Models
) -> None:
    form = {"type": "json_object", "schema": Sheet.model_json_schema()}
    beyond = 0
    async with httpx.AsyncClient(timeout=60, trust_env=False) as http:
        for seed in range(8):
            told = [{"role": "user", "content": f"Ça bourre {seed}."}]
            body = {"messages": told, "max_tokens": 200, "seed": seed, "response_format": form}
            answer = (await http.post(f"{url}/chat/completions", json=body)).json()
            sheet = json.loads(answer["choices"][0]["message"]["content"])
            beyond += not 0 <= sheet["score"] <= 100
    assert beyond, "the server keeps to bounds by now: say so in the docs"
    for number in range(4):
        models.routes[0].breaker.succeeded()  # useless answers in a row are not the point here
        with suppress(Unusable):
            filled = await models.fill(ask(shape=Sheet, user=f"Ça bourre {number}."))
            assert 0 <= filled.value.score <= 100


async def test_the_answer_comes_in_pieces(url: str) -> None:
    server = OpenAIServer(url)
    (model,) = await server.look()
    pieces = [piece async for piece in server.say(model, Prompt("s", "u", None, 50))]
    assert len(pieces) > 10
    assert pieces[-1].reason == "length"
    await server.close()


async def test_what_does_not_fit_into_its_context_is_refused(url: str) -> None:
    server = OpenAIServer(url)
    (model,) = await server.look()
    with pytest.raises(Unusable):
        async for _ in server.say(model, Prompt("s", "bourrage " * 1000, None, 20)):
            pass
    await server.close()


async def test_many_at_once_are_asked_one_after_the_other(models: Models) -> None:
    asked = (models.fill(ask(user=f"Panne {number}")) for number in range(8))
    found = await asyncio.gather(*asked, return_exceptions=True)
    assert {type(each) for each in found} == {Filled}, found


async def test_who_hangs_up_leaves_a_server_that_goes_on(url: str, models: Models) -> None:
    server = OpenAIServer(url)
    (model,) = await server.look()
    told = server.say(model, Prompt("s", "u", None, 100))
    for _ in range(3):
        await anext(told)
    await told.aclose()
    assert (await models.fill(ask())).value
    await server.close()


async def test_a_wrong_path_is_a_server_that_is_not_there(url: str) -> None:
    wrong = OpenAIServer(url.removesuffix("/v1"))
    with pytest.raises(Down):
        await wrong.look()
    found = Models([Route(wrong, Limits(), Ledger())])
    with pytest.raises(NoAnswer):
        await found.fill(ask())
    await found.close()
