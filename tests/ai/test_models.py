"""The language model: asked as documented, never waited for longer than agreed."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator

import pytest
from pydantic import BaseModel, field_validator

from ai.llm import MAX_TOKENS, Ask, Filled, NoAnswer
from ai.models import Models
from tests.minds import asking
from tests.ollama import CUT, FakeOllama, answer, replies, says, serving


class Words(BaseModel):
    """What is asked for."""

    reply: str

    @field_validator("reply")
    @classmethod
    def _written(cls, text: str) -> str:
        assert text.strip(), "blank"
        return text.strip()


async def write(llm: Models, system: str, user: str) -> Filled[Words]:
    return await llm.fill(Ask("reply", system, user, Words))


@pytest.fixture
async def fake() -> AsyncIterator[FakeOllama]:
    async with serving(FakeOllama()) as running:
        yield running


async def test_a_good_answer_comes_back_with_the_models_name(fake: FakeOllama) -> None:
    fake.chat = lambda _: replies("  Bonjour, retirez la feuille.\n")
    found = await write(asking(fake.url, "qwen3:4b"), "Sois poli.", "Ça bourre.")
    assert (found.value.reply, found.model) == ("Bonjour, retirez la feuille.", "qwen3:4b")


async def test_the_request_is_as_documented(fake: FakeOllama) -> None:
    await write(asking(fake.url, "qwen3:4b", context_tokens=2048), "Sois poli.", "Ça bourre.")
    (asked,) = fake.asked
    assert asked["model"] == "qwen3:4b"
    assert asked["stream"] is True
    assert asked["messages"] == [
        {"role": "system", "content": "Sois poli."},
        {"role": "user", "content": "Ça bourre."},
    ]
    assert asked["format"]["required"] == ["reply"]
    assert asked["options"]["num_ctx"] == 2048
    assert asked["options"]["num_predict"] == MAX_TOKENS
    assert asked["keep_alive"] == -1


async def test_without_a_name_the_first_local_chat_model_is_taken(fake: FakeOllama) -> None:
    llm = asking(fake.url)
    assert (await write(llm, "s", "u")).model == "qwen3:4b"
    fake.models = ()
    assert (await write(llm, "s", "u")).model == "qwen3:4b"  # it is looked for once


async def test_an_ollama_without_models_is_no_answer(fake: FakeOllama) -> None:
    fake.models = fake.models[:2]
    llm = asking(fake.url)
    with pytest.raises(NoAnswer, match="no usable model"):
        await write(llm, "s", "u")
    assert llm.resting
    assert fake.asked == []


@pytest.mark.parametrize(
    ("response", "said"),
    [
        (answer(404, {"error": 'model "qwen3:4b" not found'}), "ResponseError 404"),
        (answer(500, {"error": "llama runner process has terminated"}), "ResponseError 500"),
        (answer(500, "<html>Internal Server Error</html>"), "ResponseError 500"),
        (CUT, "RemoteProtocolError"),
        (answer(200, {"message": {"content": "x"}})[:-9], "RemoteProtocolError"),
        (b"I am no web server\r\n\r\n", "RemoteProtocolError"),
        (answer(200, "<html>please log in</html>"), "JSONDecodeError"),
        (answer(200, []), "AttributeError"),
        (answer(200, {"done": True}), "ValidationError"),
        (answer(200, {"message": {"role": "assistant", "content": "x"}}), "broke off"),
        (answer(307, ""), "ResponseError 307"),
    ],
)
async def test_a_server_that_fails_is_left_alone_at_once(
    fake: FakeOllama, response: bytes, said: str
) -> None:
    fake.chat = lambda _: response
    llm = asking(fake.url, "qwen3:4b")
    with pytest.raises(NoAnswer, match=said):
        await write(llm, "s", "u")
    assert llm.resting
    with pytest.raises(NoAnswer, match="resting"):
        await write(llm, "s", "u")
    assert len(fake.asked) == 1


@pytest.mark.parametrize(
    "response",
    [
        says("Bonjour, retirez la feuille."),
        says('```json\n{"answer": "x"}\n```'),
        says('{"answer": "x"}'),
        says('{"reply": ["x"]}'),
        says('{"reply": "Bonjour, ret'),
        says('{"reply": " "}'),
        says('["reply"]'),
        says("[" * 200),
        says("null"),
        says(""),
    ],
)
async def test_useless_answers_are_refused_and_after_three_the_model_is_left_alone(
    fake: FakeOllama, response: bytes
) -> None:
    fake.chat = lambda _: response
    llm = asking(fake.url, "qwen3:4b")
    for _ in range(3):
        assert not llm.resting
        with pytest.raises(NoAnswer, match="the form"):
            await write(llm, "s", "u")
    assert llm.resting


async def test_a_busy_server_gives_no_answer_and_is_asked_again(fake: FakeOllama) -> None:
    fake.chat = lambda _: answer(503, {"error": "server busy, please try again"})
    llm = asking(fake.url, "qwen3:4b")
    with pytest.raises(NoAnswer, match="503"):
        await write(llm, "s", "u")
    assert not llm.resting


async def test_the_reason_repeats_neither_prompt_nor_answer(fake: FakeOllama) -> None:
    fake.chat = lambda _: answer(500, {"error": "prompt: secret"})
    with pytest.raises(NoAnswer) as caught:
        await write(asking(fake.url, "qwen3:4b"), "secret", "secret")
    assert "secret" not in str(caught.value)


async def test_a_model_that_is_too_slow_is_not_waited_for(fake: FakeOllama) -> None:
    fake.delay_s = 30
    llm = asking(fake.url, "qwen3:4b", timeout_s=0.3)
    await llm.look()
    began = time.monotonic()
    with pytest.raises(NoAnswer, match="no answer within 0"):
        await write(llm, "s", "u")
    assert time.monotonic() - began < 5
    assert llm.resting


async def test_an_absent_server_costs_nothing_after_the_first_failure() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        llm = asking(f"http://127.0.0.1:{unused.getsockname()[1]}")
        with pytest.raises(NoAnswer, match="ConnectError"):
            await write(llm, "s", "u")
        began = time.monotonic()
        for _ in range(100):
            with pytest.raises(NoAnswer, match="ConnectError"):
                await write(llm, "s", "u")
        assert llm.resting
        assert time.monotonic() - began < 1


async def test_no_more_requests_go_side_by_side_than_agreed(fake: FakeOllama) -> None:
    fake.delay_s = 0.2
    llm = asking(fake.url, "qwen3:4b", parallel=2)
    found = await asyncio.gather(*(write(llm, "s", str(n)) for n in range(8)))
    assert len(found) == 8
    assert fake.most_at_once == 2
