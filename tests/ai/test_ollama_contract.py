"""What the desk relies on of Ollama: the twin does it, and (marked `ollama`) so does the real one.

Every answer is held to Ollama's own OpenAPI document.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from ollama import AsyncClient, ResponseError

from tests.vendors.ollama import BROKEN, MOODS, WRITTEN, Ollama, check, serving, undocumented

SCHEMA = {
    "type": "object",
    "properties": {
        "reply": {"type": "string", "maxLength": 40},
        "kind": {"enum": ["panne", "commande"]},
        "sure": {"type": "boolean"},
    },
    "required": ["reply", "kind", "sure"],
}
BEYOND = {"context_length", "capabilities", "modelfile", "tensors", "remote_model", "remote_host"}
"""Fields that the server has and its document has not."""


def body(**more: Any) -> dict[str, Any]:
    options = {"num_ctx": 512, "num_predict": 60, "seed": 1}
    said = [{"role": "user", "content": "La fiche 13.20.01 ?"}]
    return {"model": "qwen3:4b", "messages": said, "stream": False, "options": options} | more


@pytest.fixture
async def twin() -> AsyncIterator[Ollama]:
    async with serving(Ollama()) as running:
        yield running


async def test_a_schema_is_filled_in_and_counted(twin: Ollama) -> None:
    async with httpx.AsyncClient(base_url=twin.url) as http:
        answer = (await http.post("/api/chat", json=body(format=SCHEMA))).json()
    check("ChatResponse", answer)
    assert undocumented("ChatResponse", answer) == set()
    assert set(json.loads(answer["message"]["content"])) == {"reply", "kind", "sure"}
    assert answer["done_reason"] == "stop" and answer["prompt_eval_count"] > 0


async def test_a_stream_ends_with_the_counts_and_its_pieces_are_the_whole(twin: Ollama) -> None:
    client = AsyncClient(host=twin.url, timeout=5)
    asked = body(format=SCHEMA) | {"stream": True}
    events = [event async for event in await client.chat(**asked)]
    assert [event.done for event in events] == [False] * (len(events) - 1) + [True]
    assert json.loads("".join(event.message.content or "" for event in events))["kind"] == "panne"
    assert events[-1].eval_count == len(events) - 1


async def test_models_are_listed_shown_loaded_reloaded_and_unloaded(twin: Ollama) -> None:
    async with httpx.AsyncClient(base_url=twin.url) as http:
        tags = (await http.get("/api/tags")).json()
        check("ListResponse", tags)
        assert all(undocumented("ModelSummary", each) <= BEYOND for each in tags["models"])
        for context in (512, 512, 1024):
            await http.post("/api/chat", json=body(options={"num_ctx": context}))
        running = (await http.get("/api/ps")).json()["models"]
        assert [(each["name"], each["context_length"]) for each in running] == [("qwen3:4b", 1024)]
        assert twin.loads == [("qwen3:4b", 512), ("qwen3:4b", 1024)]
        done = (await http.post("/api/chat", json=body(messages=[], keep_alive=0))).json()
        assert done["done_reason"] == "unload"
        assert (await http.get("/api/ps")).json() == {"models": []}


async def test_a_request_that_the_document_does_not_allow_is_refused(twin: Ollama) -> None:
    async with httpx.AsyncClient(base_url=twin.url) as http:
        for wrong in ({"format": 3}, {"options": {"num_ctx": "many"}}, {"messages": "hello"}):
            assert (await http.post("/api/chat", json=body(**wrong))).status_code == 400


async def test_only_who_waits_for_a_load_is_sent_away(twin: Ollama) -> None:
    twin.max_queue, twin.load_s = 1, 0.1
    async with httpx.AsyncClient(base_url=twin.url) as http:
        cold = await asyncio.gather(*(http.post("/api/chat", json=body()) for _ in range(4)))
        assert sorted(each.status_code for each in cold) == [200, 503, 503, 503]
        warm = await asyncio.gather(*(http.post("/api/chat", json=body()) for _ in range(4)))
        assert [each.status_code for each in warm] == [200] * 4
    assert twin.most_at_once == 1


async def test_who_leaves_while_a_model_loads_ends_the_load(twin: Ollama) -> None:
    twin.load_s = 0.2
    async with httpx.AsyncClient(base_url=twin.url, timeout=0.05) as http:
        with pytest.raises(httpx.ReadTimeout):
            await http.post("/api/chat", json=body())
        await asyncio.sleep(0.3)
        assert (twin.loads, twin.left) == ([], 1)


@pytest.mark.parametrize("mood", MOODS)
@pytest.mark.parametrize("stream", [False, True])
async def test_every_mood_shows(twin: Ollama, mood: str, stream: bool) -> None:
    twin.moods = [mood]
    client = AsyncClient(host=twin.url, timeout=0.3 if mood in {"hang", "stall"} else 5)
    text = thought = ""
    counted = 0

    async def talk() -> None:
        nonlocal text, thought, counted
        asked = body(format=SCHEMA) | {"stream": stream}
        found = await client.chat(**asked)
        for event in [each async for each in found] if stream else [found]:
            text += event.message.content or ""
            thought += event.message.thinking or ""
            counted = event.prompt_eval_count or 0

    if mood.isdecimal() or mood == "error":
        with pytest.raises(ResponseError) as refused:
            await talk()
        expected = int(mood) if mood.isdecimal() else -1 if stream else 500
        assert refused.value.status_code == expected
    elif mood == "nothing" and stream:
        await talk()
        assert text == ""
    elif mood in BROKEN:  # the client maps none of these
        with pytest.raises((httpx.HTTPError, ValueError, TypeError, AttributeError)):
            await talk()
    else:
        await talk()
        if mood == "thinks":
            assert not text and json.loads(thought)
        elif mood == "counts little":
            assert counted == 8
        elif mood == "other":
            assert "kind" not in json.loads(text)
        elif mood in {"wrong type", "blank", "null"}:
            assert json.loads(text) != json.loads(twin.says(body(format=SCHEMA)))
        else:
            assert mood in WRITTEN
            with pytest.raises((ValueError, RecursionError)):
                json.loads(text)
    good = await client.chat(**body(format=SCHEMA))
    assert json.loads(good.message.content or "")
