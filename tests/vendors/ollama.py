"""Ollama, played on loopback: the part of its API that the desk uses, as its document says.

`python -m tests.vendors.ollama --port 11434 [--load 2.0] [--token 0.05]`

Requests and answers are held to Ollama's own OpenAPI document (`tests/data/ollama`), and the tests
marked `ollama` hold it to the real server. It keeps to `format` by filling the schema in; `says`
makes it say something else. `moods` makes the next chats go wrong (one of `MOODS`, or a status as
`503`); `always` makes all of them. Models are loaded, reloaded when `num_ctx` changes, and unloaded
as the real one does it. As a process it also serves `PUT /moods ["503", "cut"]` and `GET /asked`.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import repeat
from pathlib import Path
from typing import Any

from aiohttp import web
from jsonschema import Draft202012Validator

SPEC = Path(__file__).parent.parent / "data" / "ollama" / "openapi.json"
VERSION = "0.32.15"
HANG_S = 600.0
HUGE = 10_000_000
STATUS = {
    400: "invalid options: num_ctx",
    403: "remote inference is unavailable",
    404: "model 'gone' not found",
    499: "request canceled",
    500: "llama runner process has terminated: exit status 2",
    503: "server busy, please try again.  maximum pending requests exceeded",
}
"""What Ollama answers besides 200, in its words."""
WRITTEN = {
    "prose": lambda good: "Bien sûr ! Voici : retirez la feuille.",  # `format` was ignored
    "fenced": lambda good: f"```json\n{good}\n```",
    "other": lambda good: '{"answer": "x"}',
    "wrong type": lambda good: json.dumps({key: [1] for key in json.loads(good)}),
    "short": lambda good: good[: len(good) // 2],
    "blank": lambda good: json.dumps(dict.fromkeys(json.loads(good), " ")),
    "null": lambda good: "null",
    "empty": lambda good: "",
    "nested": lambda good: "[" * 100_000,
    "huge": lambda good: '{"reply": "' + "la " * (HUGE // 3),
    "repeats": lambda good: '{"reply": "' + "retirez la feuille " * 100_000,
    "whitespace": lambda good: "{" + "\n " * 1_000_000,
}
"""Moods in which a model writes something else than it was asked for, all with status 200."""
BROKEN = ("error", "cut", "drop", "hang", "stall", "html", "list", "nothing", "no speech")
"""Moods in which no whole answer arrives: an error line or half a line after two tokens, nothing
at all, never, never after two tokens; or something arrives that is no answer of Ollama's."""
BREAKS_OFF = ("error", "cut", "stall")
MOODS = (*WRITTEN, *BROKEN, "thinks", "counts little", *map(str, STATUS))
"""`thinks`: all text is in `thinking`; `counts little`: the prompt was cut, as its count shows."""


@cache
def document() -> dict[str, Any]:
    """Return Ollama's OpenAPI document."""
    return json.loads(SPEC.read_text())  # type: ignore[no-any-return]


@cache
def _validator(name: str) -> Draft202012Validator:
    schema = {"$ref": f"#/components/schemas/{name}", "components": document()["components"]}
    return Draft202012Validator(schema)


def check(name: str, value: Any) -> None:
    """Raise a ValidationError where a value is not what the document says of its kind."""
    _validator(name).validate(value)


def undocumented(name: str, value: dict[str, Any]) -> set[str]:
    """Return the fields that the document does not know."""
    return set(value) - set(document()["components"]["schemas"][name]["properties"])


@dataclass(frozen=True)
class Model:
    """A model as `ollama list` shows it."""

    name: str
    family: str = "qwen3"
    size: int = 2_500_000_000
    parameters: str = "4.0B"
    quantization: str = "Q4_K_M"
    capabilities: tuple[str, ...] = ("completion", "tools")
    remote: str = ""
    """Where it really runs, if not here."""
    context_length: int = 40_960

    def details(self) -> dict[str, Any]:
        """Return what all answers about it share."""
        return {
            "parent_model": "",
            "format": "" if self.remote else "gguf",
            "family": self.family,
            "families": [self.family],
            "parameter_size": self.parameters,
            "quantization_level": self.quantization,
        }

    def shape(self) -> dict[str, Any]:
        """Return its entry in /api/tags."""
        known: dict[str, Any] = {"name": self.name, "model": self.name}
        if self.remote:
            known |= {"remote_model": self.name.partition("-cloud")[0], "remote_host": self.remote}
        known |= {"modified_at": "2026-11-02T08:00:00.000000001Z", "size": self.size}
        known |= {"digest": hashlib.sha256(self.name.encode()).hexdigest()}
        return known | {"details": self.details(), "capabilities": list(self.capabilities)}


MODELS = (
    Model("nomic-embed-text:latest", "nomic-bert", 274_302_450, "137M", "F16", ("embedding",)),
    Model(
        *("gpt-oss:120b-cloud", "gptoss", 384, "116.8B", "MXFP4"),
        remote="https://ollama.example:443",
    ),
    Model("qwen3:4b"),
)


class Wrong(Exception):  # noqa: N818 - an answer
    """An answer with a status and Ollama's words."""

    def __init__(self, status: int, why: str = "") -> None:
        super().__init__(why or STATUS[status])
        self.status = status


class Ollama:
    """The server's state.

    `parallel` and `max_queue` are its settings of that name; loading takes `load_s`, each token
    `token_s`, and a chat `delay_s` before its first byte. `says` makes the text of an answer from
    the body of its request.
    """

    def __init__(
        self,
        models: Sequence[Model] = MODELS,
        *,
        parallel: int = 1,
        max_queue: int = 512,
        load_s: float = 0.0,
        token_s: float = 0.0,
        says: Callable[[dict[str, Any]], str] | None = None,
    ) -> None:
        self.models = tuple(models)
        self.load_s, self.token_s, self.delay_s = load_s, token_s, 0.0
        self.max_queue = max_queue
        self.lists_abilities = True
        """As newer ones do; an older one tells them by /api/show only."""
        self.says = says or in_form
        self.moods: list[str] = []
        self.always = ""
        self.asked: list[dict[str, Any]] = []
        self.left: int = 0
        """Chats whose caller hung up before the end."""
        self.loads: list[tuple[str, int]] = []
        self.loaded: dict[str, tuple[int, datetime]] = {}
        self.at_once = self.most_at_once = 0
        self.url = ""
        self._turns = asyncio.Semaphore(parallel)
        self._loading = asyncio.Lock()
        self._pending = 0

    # ---- what the API does -------------------------------------------------------------------

    async def version(self, _: web.Request) -> web.Response:
        """Answer /api/version."""
        return said("VersionResponse", {"version": VERSION})

    async def tags(self, _: web.Request) -> web.Response:
        """Answer /api/tags."""
        models = [model.shape() for model in self.models]
        for model in [] if self.lists_abilities else models:
            del model["capabilities"]
        return said("ListResponse", {"models": models})

    async def ps(self, _: web.Request) -> web.Response:
        """Answer /api/ps."""
        running = []
        for model in self.models:
            if model.name in self.loaded:
                context, until = self.loaded[model.name]
                known = {key: model.shape()[key] for key in ("name", "model", "size", "digest")}
                known |= {"details": model.details(), "expires_at": until.isoformat()}
                running.append(known | {"size_vram": 0, "context_length": context})
        return said("PsResponse", {"models": running})

    async def show(self, request: web.Request) -> web.Response:
        """Answer /api/show."""
        try:
            model = self._model(await _body(request, "ShowRequest"))
        except Wrong as error:
            return refused(error)
        info = {f"{model.family}.context_length": model.context_length}
        known: dict[str, Any] = {"modelfile": f"FROM {model.name}", "template": "{{ .Prompt }}"}
        known |= {"details": model.details(), "model_info": info}
        known |= {"capabilities": list(model.capabilities)}
        return said("ShowResponse", known | {"modified_at": "2026-11-02T08:00:00Z"})

    async def chat(self, request: web.Request) -> web.StreamResponse:
        """Answer /api/chat, or misbehave."""
        try:
            asked = await _body(request, "ChatRequest")
            self.asked.append(asked)
            mood = self.moods.pop(0) if self.moods else self.always
            return await self._answer(request, asked, self._speaker(asked, mood), mood)
        except Wrong as error:
            return refused(error)
        except (asyncio.CancelledError, ConnectionError):
            self.left += 1
            raise

    async def _answer(
        self, request: web.Request, asked: dict[str, Any], model: Model, mood: str
    ) -> web.StreamResponse:
        if not asked["messages"]:  # that is how a model is loaded, or unloaded
            unload = asked.get("keep_alive") == 0
            if unload:
                self.loaded.pop(model.name, None)
            else:
                await self._load(model, asked)
            why = "unload" if unload else "load"
            return said("ChatResponse", _event(model, "", done=True) | {"done_reason": why})
        waited = await self._load(model, asked)
        async with self._turns:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            try:
                await asyncio.sleep(self.delay_s)
                talk = Talk(model, asked, mood, self.says(asked), waited, self.token_s)
                return await (talk.stream if asked.get("stream", True) else talk.whole)(request)
            finally:
                self.at_once -= 1
                if asked.get("keep_alive") == 0:
                    self.loaded.pop(model.name, None)

    async def _load(self, model: Model, asked: dict[str, Any]) -> float:
        """Load a model where needed; only who must wait for that can be sent away."""
        context = asked.get("options", {}).get("num_ctx", 4096)
        until = datetime.now(UTC) + timedelta(minutes=5)
        if self.loaded.get(model.name, (0,))[0] != context:
            if self._pending >= self.max_queue:
                raise Wrong(503)
            self._pending += 1
            try:
                async with self._loading:
                    if self.loaded.get(model.name, (0,))[0] != context:
                        await asyncio.sleep(self.load_s)  # who leaves meanwhile ends the load
                        self.loads.append((model.name, context))
                        self.loaded[model.name] = (context, until)
                        return self.load_s
            finally:
                self._pending -= 1
        self.loaded[model.name] = (context, until)
        return 0.0

    def _model(self, asked: dict[str, Any]) -> Model:
        name = asked["model"] if ":" in asked["model"] else f"{asked['model']}:latest"
        for model in self.models:
            if model.name == name:
                return model
        raise Wrong(404, f"model '{asked['model']}' not found")

    def _speaker(self, asked: dict[str, Any], mood: str) -> Model:
        """Return the model that is asked, or refuse."""
        if mood.isdecimal():
            raise Wrong(int(mood))
        model = self._model(asked)
        if "completion" not in model.capabilities:
            raise Wrong(400, f'"{asked["model"]}" does not support chat')
        if model.remote:
            raise Wrong(403)
        return model

    async def embed(self, request: web.Request) -> web.Response:
        """Answer /api/embed with vectors that depend on the text alone."""
        try:
            asked = await _body(request, "EmbedRequest")
            model = self._model(asked)
        except Wrong as error:
            return refused(error)
        texts = [asked["input"]] if isinstance(asked["input"], str) else asked["input"]
        vectors = [[b / 255 for b in hashlib.sha256(text.encode()).digest()] for text in texts]
        counts = {"total_duration": 1, "load_duration": 1, "prompt_eval_count": len(texts)}
        return said("EmbedResponse", {"model": model.name, "embeddings": vectors} | counts)

    # ---- what stands beside the API ----------------------------------------------------------

    async def set_moods(self, request: web.Request) -> web.Response:
        """Take the moods of the next chats."""
        self.moods = list(await request.json())
        return web.json_response({"ok": True})

    async def show_asked(self, _: web.Request) -> web.Response:
        """Answer with the requests that came."""
        return web.json_response(self.asked)


@dataclass
class Talk:
    """One answer, streamed or whole, good or not."""

    model: Model
    asked: dict[str, Any]
    mood: str
    good: str
    waited_s: float
    token_s: float

    def tokens(self) -> Iterator[str]:
        """Cut what is written; four letters are a token. `num_predict` ends it, as there."""
        text = WRITTEN[self.mood](self.good) if self.mood in WRITTEN else self.good
        size = 65_536 if self._allowed < 0 else 4
        for number, start in enumerate(range(0, len(text), size)):
            if number == self._allowed:
                return
            yield text[start : start + size]

    @property
    def _allowed(self) -> int:
        options = self.asked.get("options", {})
        wanted = int(options.get("num_predict", -1))
        if self.mood in {"huge", "nested"}:  # not even that is kept to
            return -1
        return wanted if wanted >= 0 else 10 * int(options.get("num_ctx", 4096))

    def end(self, written: int) -> dict[str, Any]:
        """Return what the last event adds."""
        prompt = sum(len(message.get("content", "")) for message in self.asked["messages"]) // 4
        context = int(self.asked.get("options", {}).get("num_ctx", 4096))
        ns = 1_000_000_000
        return {
            "done_reason": "length" if written == self._allowed else "stop",
            "total_duration": int((self.waited_s + 0.1) * ns),
            "load_duration": int((self.waited_s + 0.001) * ns),
            "prompt_eval_count": 8 if self.mood == "counts little" else min(prompt + 8, context),
            "prompt_eval_duration": ns // 20,
            "eval_count": max(1, written),
            "eval_duration": ns // 20,
        }

    async def whole(self, request: web.Request) -> web.StreamResponse:
        """Answer in one piece."""
        if self.mood in {"hang", "stall"}:
            await asyncio.sleep(HANG_S)
        if self.mood == "error":
            raise Wrong(500)
        pieces = []
        for piece in self.tokens():
            pieces.append(piece)
            if self.token_s:
                await asyncio.sleep(self.token_s)
        text = "".join(pieces)
        event = _event(self.model, text, done=True, thinks=self.mood == "thinks")
        answer = event | self.end(len(pieces))
        check("ChatResponse", answer)
        if odd := self._odd():
            return odd
        if self.mood in {"cut", "drop"}:
            return await _broken(request, json.dumps(answer)[:40] if self.mood == "cut" else "")
        return web.json_response(answer)

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Answer line by line."""
        if self.mood == "hang":
            await asyncio.sleep(HANG_S)
        if odd := self._odd():
            return odd
        if self.mood == "drop":
            return await _broken(request, "")
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await response.prepare(request)
        written = 0
        for piece in self.tokens():
            if written == 2 and self.mood in BREAKS_OFF:
                break
            event = _event(self.model, piece, done=False, thinks=self.mood == "thinks")
            check("ChatStreamEvent", event)
            await response.write(json.dumps(event).encode() + b"\n")
            written += 1
            if self.token_s:
                await asyncio.sleep(self.token_s)
        if self.mood in BREAKS_OFF:
            return await self._break_off(request, response)
        last = _event(self.model, "", done=True) | self.end(written)
        check("ChatResponse", last)
        await response.write(json.dumps(last).encode() + b"\n")
        return response

    async def _break_off(
        self, request: web.Request, response: web.StreamResponse
    ) -> web.StreamResponse:
        if self.mood == "stall":
            await asyncio.sleep(HANG_S)
        elif self.mood == "error":
            error = {"error": STATUS[500]}
            check("ErrorResponse", error)
            await response.write(json.dumps(error).encode() + b"\n")
        else:
            half = json.dumps(_event(self.model, "x", done=False)).encode()[:40]
            await response.write(half)
            if request.transport:
                request.transport.close()
        return response

    def _odd(self) -> web.Response | None:
        """Return what something that is no Ollama answers."""
        kinds = {
            "html": ("<html>please log in</html>", "text/html"),
            "list": ("[]", "application/json"),
            "nothing": ("", "application/json"),
            "no speech": (json.dumps({"done": True}), "application/json"),
        }
        if self.mood not in kinds:
            return None
        text, kind = kinds[self.mood]
        return web.Response(text=text, content_type=kind)


def in_form(asked: dict[str, Any]) -> str:
    """Fill the schema of a request in, or greet."""
    form = asked.get("format")
    if form == "json":
        return json.dumps({"reply": "Bonjour."})
    return json.dumps(filled(form, form), ensure_ascii=False) if form else "Bonjour."


def filled(schema: dict[str, Any], whole: dict[str, Any]) -> Any:
    """Return the simplest value of a JSON schema, of the kinds that pydantic writes."""
    if "$ref" in schema:
        found: Any = whole
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        return filled(found, whole)
    for choice in ("anyOf", "oneOf", "allOf"):
        if choice in schema:
            return filled(schema[choice][0], whole)
    if "const" in schema or "enum" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    kind = schema.get("type", "object")
    if kind == "object":
        known = schema.get("properties", {})
        return {name: filled(each, whole) for name, each in known.items()}
    if kind == "array":
        return [filled(each, whole) for each in repeat(schema["items"], schema.get("minItems", 0))]
    least = schema.get("minimum", 0)
    plain = {"integer": least, "number": least, "boolean": True, "null": None}
    return plain[kind] if kind in plain else "Bonjour."[: schema.get("maxLength", 8)]


def said(name: str, body: dict[str, Any]) -> web.Response:
    """Return an answer that is as the document says."""
    check(name, body)
    return web.json_response(body)


def refused(error: Wrong) -> web.Response:
    """Return an answer in which Ollama says no."""
    body = {"error": str(error)}
    check("ErrorResponse", body)
    return web.json_response(body, status=error.status)


def _event(model: Model, text: str, *, done: bool, thinks: bool = False) -> dict[str, Any]:
    message = {"role": "assistant", "content": "" if thinks else text}
    message |= {"thinking": text} if thinks else {}
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    return {"model": model.name, "created_at": now, "message": message, "done": done}


async def _body(request: web.Request, name: str) -> dict[str, Any]:
    """Return the body of a request; the real server is laxer than its document, this one is not."""
    try:
        body = json.loads(await request.text())
    except ValueError as error:
        raise Wrong(400, str(error)) from error
    if problems := [error.message for error in _validator(name).iter_errors(body)]:
        raise Wrong(400, problems[0])
    return body  # type: ignore[no-any-return]


async def _broken(request: web.Request, half: str) -> web.StreamResponse:
    """Promise more than is sent, then hang up."""
    response = web.StreamResponse(headers={"Content-Length": "100000"})
    if half:
        await response.prepare(request)
        await response.write(half.encode())
    if request.transport:
        request.transport.close()
    return response


@asynccontextmanager
async def serving(ollama: Ollama, port: int = 0) -> AsyncIterator[Ollama]:
    """Serve on loopback, at `ollama.url`."""
    app = web.Application(client_max_size=100_000_000)
    app.router.add_get("/api/version", ollama.version)
    app.router.add_get("/api/tags", ollama.tags)
    app.router.add_get("/api/ps", ollama.ps)
    app.router.add_post("/api/show", ollama.show)
    app.router.add_post("/api/chat", ollama.chat)
    app.router.add_post("/api/embed", ollama.embed)
    app.router.add_put("/moods", ollama.set_moods)
    app.router.add_get("/asked", ollama.show_asked)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    host, taken = runner.addresses[0][:2]
    ollama.url = f"http://{host}:{taken}"
    try:
        yield ollama
    finally:
        await runner.cleanup()


async def main() -> None:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=11434)
    parser.add_argument("--load", type=float, default=0.0)
    parser.add_argument("--token", type=float, default=0.0)
    options = parser.parse_args()
    ollama = Ollama(load_s=options.load, token_s=options.token)
    async with serving(ollama, options.port):
        print(ollama.url, flush=True)  # noqa: T201
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
