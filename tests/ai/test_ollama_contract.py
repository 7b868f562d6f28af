"""What the desk relies on of Ollama: its twin does it, and (marked `ollama`) so does the real one.

Every answer is held to Ollama's own OpenAPI document. The real one is as old as its module is
complete (0.11.4), the document and the twin are of 0.32.15: where they differ, it is written here.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import validate
from ollama import AsyncClient, ResponseError

from tests import tiny_model
from tests.conftest import until
from tests.engines import real_ollama, shared_ollama
from tests.vendors.ollama import BROKEN, MOODS, WRITTEN, Model, Ollama, check, serving, undocumented

SCHEMA = {
    "type": "object",
    "properties": {
        "reply": {"type": "string", "maxLength": 40},
        "kind": {"enum": ["panne", "commande"]},
        "sure": {"type": "boolean"},
    },
    "required": ["reply", "kind", "sure"],
}
BEYOND = {"context_length", "capabilities", "modelfile", "tensors", "projector_info"}
"""Fields that the server has and its document has not."""
TINY = (Model(tiny_model.NAME, "llama"), Model(tiny_model.EMBEDDER, capabilities=("embedding",)))
BOTH = ["twin", pytest.param("real", marks=pytest.mark.ollama)]


def body(**more: Any) -> dict[str, Any]:
    options = {"num_ctx": 512, "num_predict": 200, "seed": 1}
    said = [{"role": "user", "content": "La fiche 13.20.01 ?"}]
    return {"model": "tiny", "messages": said, "stream": False, "options": options} | more


@pytest.fixture
async def twin() -> AsyncIterator[Ollama]:
    async with serving(Ollama(TINY)) as running:
        yield running


@pytest.fixture(params=BOTH)
async def url(request: pytest.FixtureRequest, twin: Ollama, tmp_path: Path) -> str:
    """The address of an Ollama with two tiny models, of which one embeds."""
    if request.param == "twin":
        twin.load_s = 0.05
        return twin.url
    real = shared_ollama()
    tiny_model.create(real, tmp_path)
    tiny_model.create(real, tmp_path, name=tiny_model.EMBEDDER, embeds=True)
    async with at(real) as http:
        await unload(http)
    return real


@asynccontextmanager
async def at(url: str, timeout_s: float = 60) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=url, timeout=timeout_s, trust_env=False) as http:
        yield http


async def unload(http: httpx.AsyncClient) -> None:
    done = (await http.post("/api/chat", json=body(messages=[], keep_alive=0))).json()
    assert done["done_reason"] == "unload"

    async def unloaded() -> bool:
        return not (await http.get("/api/ps")).json()["models"]

    await until(unloaded, 10)


async def test_a_schema_is_kept_to_and_tokens_are_counted(url: str) -> None:
    async with at(url) as http:
        answer = (await http.post("/api/chat", json=body(format=SCHEMA))).json()
    check("ChatResponse", answer)
    assert undocumented("ChatResponse", answer) == set()
    validate(json.loads(answer["message"]["content"]), SCHEMA)
    assert answer["done_reason"] == "stop"
    assert answer["prompt_eval_count"] > 0 and answer["eval_count"] > 0
    assert 0 < answer["load_duration"] < answer["total_duration"]


async def test_what_is_longer_than_allowed_is_cut_and_says_so(url: str) -> None:
    few = body(format=SCHEMA, options={"num_ctx": 512, "num_predict": 5})
    async with at(url) as http:
        answer = (await http.post("/api/chat", json=few)).json()
    assert answer["done_reason"] == "length" and answer["eval_count"] == 5
    with pytest.raises(ValueError):
        json.loads(answer["message"]["content"])


async def test_a_stream_ends_with_the_counts_and_its_pieces_are_the_whole(url: str) -> None:
    async with at(url) as http:
        asked = body(format=SCHEMA, stream=True)
        async with http.stream("POST", "/api/chat", json=asked) as told:
            assert told.headers["content-type"] == "application/x-ndjson"
            events = [json.loads(line) async for line in told.aiter_lines()]
    for event in events[:-1]:
        check("ChatStreamEvent", event)
        assert undocumented("ChatStreamEvent", event) == set()
    check("ChatResponse", events[-1])
    assert [event["done"] for event in events] == [False] * (len(events) - 1) + [True]
    validate(json.loads("".join(event["message"]["content"] for event in events)), SCHEMA)
    assert events[-1]["eval_count"] > 1 and events[-1]["done_reason"] == "stop"


async def test_models_are_listed_and_shown_with_what_they_can_do(url: str) -> None:
    async with at(url) as http:
        tags = (await http.get("/api/tags")).json()
        check("ListResponse", tags)
        assert all(undocumented("ModelSummary", each) <= BEYOND for each in tags["models"])
        names = {each["name"] for each in tags["models"]}
        assert names == {tiny_model.NAME, tiny_model.EMBEDDER}
        able = {}
        for name in names:
            shown = (await http.post("/api/show", json={"model": name})).json()
            check("ShowResponse", shown)
            assert undocumented("ShowResponse", shown) <= BEYOND
            able[name] = shown["capabilities"]
        assert "completion" in able[tiny_model.NAME]
        assert able[tiny_model.EMBEDDER] == ["embedding"]
        version = (await http.get("/api/version")).json()
        check("VersionResponse", version)
        assert [int(part) for part in version["version"].split(".")] >= [0, 11, 4]


async def test_another_num_ctx_loads_the_model_again(url: str) -> None:
    async with at(url) as http:
        loaded = []
        for context in (512, 512, 1024):
            few = {"num_ctx": context, "num_predict": 3}
            answer = (await http.post("/api/chat", json=body(options=few))).json()
            running = (await http.get("/api/ps")).json()
            check("PsResponse", running)
            assert [each["name"] for each in running["models"]] == [tiny_model.NAME]
            loaded.append((running["models"][0]["context_length"], answer["load_duration"]))
    assert [context for context, _ in loaded] == [512, 512, 1024]
    first, again, other = (seconds for _, seconds in loaded)
    assert min(first, other) > 5 * again


async def test_an_empty_chat_loads_and_keep_alive_0_unloads(url: str) -> None:
    async with at(url) as http:
        done = (await http.post("/api/chat", json=body(messages=[]))).json()
        check("ChatResponse", done)
        assert done["done"] and done["done_reason"] == "load"
        assert (await http.get("/api/ps")).json()["models"]
        await unload(http)


async def test_too_long_a_prompt_loses_its_beginning_and_only_the_count_shows_it(url: str) -> None:
    long = [{"role": "user", "content": "x " * 3000}]
    few = {"num_ctx": 512, "num_predict": 3}
    async with at(url) as http:
        answer = await http.post("/api/chat", json=body(messages=long, options=few))
    assert answer.status_code == 200
    assert answer.json()["prompt_eval_count"] == 512


@pytest.mark.parametrize(
    ("change", "statuses"),
    [
        ({"model": "gone"}, {404}),
        ({"model": "tiny-embedder"}, {400}),
        ({"options": {"num_ctx": "many"}}, {400, 500}),  # the twin; 0.11.4
        ({"messages": "hello"}, {400}),
    ],
)
async def test_what_cannot_be_done_is_refused_in_words(
    url: str, change: dict[str, Any], statuses: set[int]
) -> None:
    async with at(url) as http:
        refused = await http.post("/api/chat", json=body(**change))
    assert refused.status_code in statuses
    check("ErrorResponse", refused.json())
    assert refused.json()["error"]


async def test_texts_become_vectors_of_one_length(url: str) -> None:
    async with at(url) as http:
        asked = {"model": "tiny-embedder", "input": ["panne", "commande"]}
        answer = (await http.post("/api/embed", json=asked)).json()
    check("EmbedResponse", answer)
    one, other = answer["embeddings"]
    assert len(one) == len(other) and one != other


@pytest.mark.parametrize("which", BOTH)
async def test_only_who_waits_for_a_load_is_sent_away(which: str, tmp_path: Path) -> None:
    async def ask(url: str) -> tuple[int, int]:
        few = body(options={"num_ctx": 512, "num_predict": 3})
        async with at(url) as http:
            cold = await asyncio.gather(*(http.post("/api/chat", json=few) for _ in range(8)))
            for each in cold:
                if each.status_code != 200:
                    assert each.status_code == 503
                    assert "maximum pending requests exceeded" in each.json()["error"]
            warm = await asyncio.gather(*(http.post("/api/chat", json=few) for _ in range(2)))
        sent_away = [each.status_code for each in cold].count(503)
        return sent_away, [each.status_code for each in warm].count(200)

    if which == "twin":
        async with serving(Ollama(TINY, max_queue=1, load_s=0.1)) as twin:
            assert await ask(twin.url) == (7, 2)
            assert twin.most_at_once == 1
    else:
        settings = {"OLLAMA_MAX_QUEUE": "1", "OLLAMA_NUM_PARALLEL": "1"}
        with real_ollama(tmp_path, **settings) as real:
            sent_away, served = await ask(real.url)
            assert 0 < sent_away < 8 and served > 0


async def test_who_leaves_while_a_model_loads_ends_the_load(twin: Ollama) -> None:
    twin.load_s = 0.2
    async with at(twin.url, 0.05) as http:
        with pytest.raises(httpx.ReadTimeout):
            await http.post("/api/chat", json=body())
        await asyncio.sleep(0.3)
        assert (twin.loads, twin.left) == ([], 1)


async def test_the_twin_refuses_what_the_document_does_not_allow(twin: Ollama) -> None:
    async with at(twin.url) as http:
        for wrong in ({"format": 3}, {"keep_alive": []}, {"stream": "yes"}):
            assert (await http.post("/api/chat", json=body(**wrong))).status_code == 400


async def test_what_runs_elsewhere_is_listed_with_its_host(twin: Ollama) -> None:
    async with serving(Ollama()) as usual, at(usual.url) as http:
        tags = (await http.get("/api/tags")).json()
        check("ListResponse", tags)
        assert [each["name"] for each in tags["models"] if "remote_host" in each] == [
            "gpt-oss:120b-cloud"
        ]
        asked = body(model="gpt-oss:120b-cloud")
        assert (await http.post("/api/chat", json=asked)).status_code == 403


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
