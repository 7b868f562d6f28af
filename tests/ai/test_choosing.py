"""What there is changes while the desk runs: models come and go, and so do servers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pydantic import BaseModel

from ai import models as layer
from ai.choice import Speed
from ai.ledger import Ledger
from ai.limits import Limits
from ai.llm import Ask, Busy, Down, NoAnswer, Unusable
from ai.models import Models
from ai.ollama_server import OllamaServer
from ai.openai_server import OpenAIServer
from ai.route import Route
from ai.state import state_of
from tests.conftest import until
from tests.minds import asking
from tests.vendors import ollama as twins
from tests.vendors import openai_api
from tests.vendors.ollama import Model, Ollama
from tests.vendors.openai_api import OpenAIAPI


class Reply(BaseModel):
    """What is asked for."""

    reply: str


ASK = Ask("reply", "Sois poli.", "Ça bourre.", Reply, budget_s=30)


@pytest.fixture
async def twin() -> AsyncIterator[Ollama]:
    async with twins.serving(Ollama()) as running:
        yield running


@pytest.fixture
async def api() -> AsyncIterator[OpenAIAPI]:
    async with openai_api.serving(OpenAIAPI()) as running:
        yield running


@pytest.fixture
async def both(twin: Ollama, api: OpenAIAPI) -> AsyncIterator[Models]:
    kept = Ledger()
    ollama = Route(OllamaServer(twin.url), Limits(), kept)
    found = Models([ollama, Route(OpenAIServer(api.url), Limits(), kept)])
    yield found
    await found.close()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layer, "LOOK_S", 0.05)


def chosen(models: Models) -> str:
    choice = models.routes[0].choice
    return choice.model.name if choice else ""


async def test_a_model_that_is_pulled_is_taken_and_loaded_without_a_restart(
    twin: Ollama, quick: None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "ai")
    small, large = Model("small:1b", size=500_000_000), Model("large:3b", size=2_000_000_000)
    twin.models = (small,)
    models = asking(twin.url)
    models.begin()
    await until(lambda: chosen(models) == "small:1b")
    twin.models = (small, large)
    await until(lambda: ("large:3b", 4096) in twin.loads)
    assert twin.loaded.keys() == {"large:3b"}  # the other made room
    assert (await models.fill(ASK)).model == "large:3b"
    twin.models = (small,)
    await until(lambda: chosen(models) == "small:1b")
    await asyncio.sleep(0.2)  # and is looked at some more times
    said = [entry.message for entry in caplog.records if "is asked" in entry.message]
    assert [line.split()[1] for line in said] == ["small:1b", "large:3b", "small:1b"]
    assert all("answers in time" in line for line in said)
    await models.close()


async def test_an_ollama_that_comes_up_later_is_found(quick: None) -> None:
    async with twins.serving(Ollama()) as gone:
        url = gone.url
    models = asking(url)
    models.begin()
    with pytest.raises(NoAnswer, match="ConnectError"):
        await models.fill(ASK)
    assert models.resting
    async with twins.serving(Ollama(), int(url.rpartition(":")[2])):
        await until(lambda: not models.resting)
        assert (await models.fill(ASK)).model == "qwen3:4b"
    await models.close()


async def test_without_ollama_the_next_server_answers_and_says_that_it_is_second(
    twin: Ollama, api: OpenAIAPI, both: Models
) -> None:
    assert (await both.fill(ASK)).degraded is False
    twin.moods = ["500"]
    filled = await both.fill(ASK)
    assert (filled.backend, filled.degraded) == ("openai", True)
    assert (await both.fill(ASK)).backend == "openai"  # Ollama is left alone for now
    assert len(twin.asked) == 2
    api.mood = "500"
    with pytest.raises(Down, match="500"):
        await both.fill(ASK)
    assert both.resting


async def test_a_useless_answer_too_goes_to_the_next_server(twin: Ollama, both: Models) -> None:
    twin.moods = ["prose"]
    assert (await both.fill(ASK)).backend == "openai"
    assert (await both.fill(ASK)).backend == "ollama"


async def test_after_its_rest_one_question_tries_and_the_others_do_not_wait_for_it(
    twin: Ollama, both: Models
) -> None:
    twin.moods = ["500"]
    await both.fill(ASK)
    both.routes[0].breaker._open_until = 0.0
    twin.delay_s = 0.2
    first, *others = await asyncio.gather(*(both.fill(ASK) for _ in range(5)))
    assert first.backend == "ollama"
    assert {other.backend for other in others} == {"openai"}
    assert (await both.fill(ASK)).backend == "ollama"


async def test_more_questions_than_turns_and_places_are_sent_away_at_once(twin: Ollama) -> None:
    twin.delay_s = 0.2
    models = asking(twin.url, parallel=1, queue=2)
    await models.look()
    came = await asyncio.gather(*(models.fill(ASK) for _ in range(6)), return_exceptions=True)
    busy = [each for each in came if isinstance(each, Busy)]
    assert len(busy) == 3
    assert "2 questions wait already" in str(busy[0])
    assert twin.most_at_once == 1
    assert not models.resting


async def test_a_turn_that_does_not_come_in_time_says_nothing_of_the_server(twin: Ollama) -> None:
    twin.delay_s = 0.6
    models = asking(twin.url, parallel=1)
    await models.look()
    first = asyncio.create_task(models.fill(ASK))
    await asyncio.sleep(0.05)
    with pytest.raises(Busy, match="turn"):
        await models.fill(Ask("reply", "s", "u", Reply, budget_s=0.05))
    assert (await first).value.reply == "Bonjour."
    await models.close()


async def test_who_has_less_time_than_an_answer_takes_here_is_not_kept_waiting(
    twin: Ollama,
) -> None:
    kept = Ledger()
    kept.measure("qwen3:4b", (1000, 20), (100, 10))
    models = asking(twin.url, ledger=kept)
    with pytest.raises(Busy, match=r"would take 2\d s"):
        await models.fill(Ask("reply", "s", "u", Reply, budget_s=10))
    assert twin.asked == []
    assert kept.speeds() == {"qwen3:4b": Speed(50, 10)}


async def test_how_quick_a_model_is_here_is_learned_from_its_counts(twin: Ollama) -> None:
    kept = Ledger()
    twin.says = lambda _: '{"reply": "' + "".join(map(str, range(40))) + '"}'
    await asking(twin.url, ledger=kept).fill(Ask("reply", "s", "mot " * 400, Reply))
    assert kept.speeds()["qwen3:4b"].read > 1_000


async def test_what_is_shown_is_what_is(both: Models, twin: Ollama) -> None:
    twin.moods = ["500"]
    await both.fill(ASK)
    state = state_of(both)
    assert state["answers"] == "openai"
    assert state["machine"]["cores"] >= 1
    ollama, other = state["backends"]
    assert (ollama["breaker"], ollama["chosen"], ollama["privacy"]) == ("open", "qwen3:4b", "local")
    assert [error["what"] for error in ollama["errors"]] == ["ResponseError 500"]
    assert (other["breaker"], other["chosen"], other["closed"]) == ("closed", "tiny", "")


async def test_without_servers_nobody_is_asked() -> None:
    models = Models([])
    models.begin()
    assert models.resting
    with pytest.raises(NoAnswer, match="no language model"):
        await models.fill(ASK)
    await models.close()


async def heard(models: Models, ask: Ask[Any] = ASK) -> list[str]:
    return await heard_of(models.stream(ask))


async def heard_of(stream: AsyncIterator[str]) -> list[str]:
    return [text async for text in stream]


async def test_words_are_streamed_as_they_come(twin: Ollama, both: Models) -> None:
    twin.says = lambda _: "Retirez la feuille."
    parts = await heard(both)
    assert len(parts) > 3
    assert "".join(parts) == "Retirez la feuille."
    assert "format" not in twin.asked[0]


async def test_a_stream_that_fails_before_its_first_word_is_the_next_servers(
    twin: Ollama, both: Models
) -> None:
    twin.moods = ["500", "cut"]
    assert "".join(await heard(both)) == "Bonjour."
    both.routes[0].breaker.succeeded()
    stream = both.stream(ASK)
    twin.says = lambda _: "Retirez la feuille."
    assert await anext(stream)
    with pytest.raises(Down):  # what was said is not said again by another
        await heard_of(stream)


async def test_who_stops_listening_stops_the_model(twin: Ollama, both: Models) -> None:
    twin.token_s, twin.says = 0.01, lambda _: "mot " * 300
    stream = both.stream(ASK)
    await anext(stream)
    await stream.aclose()
    await until(lambda: twin.at_once == 0)
    assert twin.left == 1
    twin.says = twins.in_form
    assert (await both.fill(ASK)).backend == "ollama"


async def test_placeholders_are_streamed_as_the_words_they_stand_for(api: OpenAIAPI) -> None:
    api.says = lambda _: "Merci ⟦NAME_1⟧ ! ⟦"
    server = OpenAIServer(api.url)
    server.leaves = True
    models = Models([Route(server, Limits(remote=True), Ledger())])
    ask = Ask("chat", "s", "Je suis Ana.", Reply, names=("Ana",))
    assert "".join(await heard(models, ask)) == "Merci Ana ! ⟦"
    assert "Ana" not in str(api.asked)
    api.says = lambda _: "Merci ⟦NAME_2⟧."
    with pytest.raises(Unusable):
        await heard(models, ask)
    api.mood = "empty"
    with pytest.raises(Unusable, match="nothing"):
        await heard(models, ask)
