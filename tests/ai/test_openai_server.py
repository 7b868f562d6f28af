"""Servers of OpenAI's API: each takes another part of it, and all of it may break."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from pydantic import BaseModel, Field

from ai import hearing
from ai.ledger import Ledger
from ai.limits import Limits
from ai.llm import Ask, Busy, Down, NoAnswer, Unusable
from ai.models import Models
from ai.openai_server import OpenAIServer
from ai.route import Route
from tests.vendors.openai_api import OpenAIAPI, serving


class Reply(BaseModel):
    """What is asked for."""

    reply: str
    sure: int = Field(default=0, ge=0, le=100)


ASK = Ask("reply", "Sois poli.", "Ça bourre.", Reply)


@pytest.fixture
async def api() -> AsyncIterator[OpenAIAPI]:
    async with serving(OpenAIAPI()) as running:
        yield running


def models_at(
    api: OpenAIAPI, *names: str, key: str = "", far: bool = False, **limits: Any
) -> Models:
    server = OpenAIServer(api.url, names, key=key)
    server.leaves = far
    return Models([Route(server, Limits(names[0] if names else "", **limits), Ledger())])


@pytest.fixture
async def models(api: OpenAIAPI) -> AsyncIterator[Models]:
    found = models_at(api)
    yield found
    await found.close()


async def test_an_answer_comes_in_its_shape_with_its_counts(api: OpenAIAPI, models: Models) -> None:
    filled = await models.fill(ASK)
    assert filled.value == Reply(reply="Bonjour.", sure=0)
    assert (filled.model, filled.backend) == ("tiny", "openai")
    assert (filled.prompt_tokens, filled.answer_tokens) == (100, 50)
    (asked,) = api.asked
    assert asked["max_tokens"] == ASK.max_tokens
    assert asked["response_format"]["json_schema"]["schema"]["required"] == ["reply", "sure"]


@pytest.mark.parametrize(
    ("takes", "tried"),
    [
        (("json_object",), ["json_schema", "json_object", "json_object"]),
        ((), ["json_schema", "json_object", None, None]),
    ],
)
async def test_how_a_form_is_asked_for_is_found_out_once(
    api: OpenAIAPI, models: Models, takes: tuple[str, ...], tried: list[str]
) -> None:
    api.takes = takes
    for _ in range(2):
        assert (await models.fill(ASK)).value.reply == "Bonjour."
    assert [asked.get("response_format", {}).get("type") for asked in api.asked] == tried
    assert "JSON only" in api.asked[-1]["messages"][0]["content"]


async def test_a_question_that_is_refused_for_itself_changes_nothing(
    api: OpenAIAPI, models: Models
) -> None:
    api.mood = "400"
    with pytest.raises(Unusable, match="refused"):
        await models.fill(ASK)
    api.mood = ""
    await models.fill(ASK)
    assert api.asked[-1]["response_format"]["type"] == "json_schema"


async def test_bounds_that_a_server_does_not_keep_are_checked_here(
    api: OpenAIAPI, models: Models
) -> None:
    api.says = lambda _: '{"reply": "x", "sure": 5228}'
    with pytest.raises(Unusable, match="the form"):
        await models.fill(ASK)


@pytest.mark.parametrize(
    ("mood", "kind"),
    [
        *(("cut", Down), ("no reason", Down), ("hang", Down), ("error", Down)),
        *(("401", Down), ("404", Down), ("500", Down), ("502", Down)),
        *(("429", Busy), ("503", Busy)),
        *(("html", NoAnswer), ("empty", Unusable), ("length", Unusable)),
    ],
)
async def test_whatever_goes_wrong_is_one_of_three_failures(
    api: OpenAIAPI, models: Models, mood: str, kind: type[NoAnswer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hearing, "STALL_S", 0.2 if mood == "hang" else 20)
    api.mood = mood
    with pytest.raises(kind) as caught:
        await models.fill(Ask("reply", "secret", "u", Reply))
    assert "secret" not in str(caught.value)
    # By us alone, in each form once where it may be that: the client's own retries are off.
    assert len(api.asked) == (3 if mood == "500" else 1)


async def test_words_that_all_went_into_thinking_are_found(api: OpenAIAPI, models: Models) -> None:
    api.mood = "thinks"
    assert (await models.fill(ASK)).value.reply == "Bonjour."


async def test_a_server_that_counts_nothing_is_used_all_the_same(
    api: OpenAIAPI, models: Models
) -> None:
    api.mood = "no count"
    assert (await models.fill(ASK)).prompt_tokens == 0


async def test_of_many_models_one_must_be_named(api: OpenAIAPI) -> None:
    api.models = tuple(f"model-{n}" for n in range(300))
    models = models_at(api)
    with pytest.raises(NoAnswer, match="no usable model"):
        await models.fill(ASK)
    named = models_at(api, "model-7")
    assert (await named.fill(ASK)).model == "model-7"


async def test_a_server_that_keeps_no_list_of_models_is_asked_by_name(api: OpenAIAPI) -> None:
    api.listed = False
    assert (await models_at(api, "tiny").fill(ASK)).model == "tiny"
    with pytest.raises(NoAnswer, match="HTTP 404"):
        await models_at(api).fill(ASK)


async def test_openrouters_list_goes_along_and_who_was_billed_is_told(api: OpenAIAPI) -> None:
    api.billed = "b/second"
    models = models_at(api, "a/first", "b/second")
    assert (await models.fill(ASK)).model == "b/second"
    assert api.asked[0]["models"] == ["a/first", "b/second"]


@pytest.mark.parametrize("key", ["", "ours"])
async def test_nothing_of_the_environment_or_this_machine_is_sent(
    api: OpenAIAPI, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "theirs")
    monkeypatch.setenv("OPENAI_ORG_ID", "theirs")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "theirs")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://203.0.113.9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    models = models_at(api, key=key)
    await models.fill(ASK)
    for head in api.heads:
        assert "theirs" not in str(head)
        assert head.get("Authorization") == (f"Bearer {key}" if key else None)
        assert not [name for name in head if name.lower().startswith(("x-stainless", "openai"))]


async def test_a_server_far_away_is_not_even_looked_at_unless_that_is_allowed(
    api: OpenAIAPI,
) -> None:
    with pytest.raises(NoAnswer, match="outside the private network"):
        await models_at(api, "tiny", far=True).fill(ASK)
    assert api.heads == []


PERSONAL = Ask(
    "reply", "Sois poli.", "Je suis Ana Diaz, ana@exemple.example, 06 39 98 12 07.",
    Reply, names=("Ana Diaz",),
)  # fmt: skip


async def test_what_leaves_is_masked_and_comes_back_whole(api: OpenAIAPI) -> None:
    api.says = lambda _: '{"reply": "Merci ⟦NAME_1⟧, écrit à ⟦MAIL_1⟧.", "sure": 1}'
    models = models_at(api, far=True, remote=True)
    filled = await models.fill(PERSONAL)
    assert filled.value.reply == "Merci Ana Diaz, écrit à ana@exemple.example."
    assert api.asked[0]["messages"][1]["content"] == "Je suis ⟦NAME_1⟧, ⟦MAIL_1⟧, ⟦PHONE_1⟧."


async def test_what_stays_is_not_masked(api: OpenAIAPI) -> None:
    models = models_at(api)
    await models.fill(PERSONAL)
    assert "ana@exemple.example" in api.asked[0]["messages"][1]["content"]


async def test_a_placeholder_that_was_invented_is_not_used(api: OpenAIAPI) -> None:
    api.says = lambda _: '{"reply": "Appelez ⟦PHONE_9⟧.", "sure": 1}'
    with pytest.raises(Unusable):
        await models_at(api, far=True, remote=True).fill(PERSONAL)


async def test_costs_are_counted_and_a_month_that_is_spent_ends_the_asking(api: OpenAIAPI) -> None:
    models = models_at(api, price_in=1.0, price_out=4.0, monthly_cap=0.5)
    assert (await models.fill(ASK)).cost == pytest.approx(0.3)
    api.says = lambda _: "useless, and billed"
    with pytest.raises(Unusable):
        await models.fill(ASK)
    with pytest.raises(NoAnswer, match="cap"):
        await models.fill(ASK)
    assert models.resting
    assert len(api.asked) == 2
