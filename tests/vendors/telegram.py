"""Telegram, played on loopback: the part of the Bot API that the desk uses, as its page says.

`python -m tests.vendors.telegram --port 8081 [--token 42:TEST] [--chats 101,102]`

It checks what Telegram checks: token, chat, length of texts, offsets of entities, 64 bytes of
callback data, edits that change nothing, a second long poll. `Telegram.moods` makes the next calls
of a method fail; `ledger()` is what the chats show. As a process it also serves `GET /ledger`,
`POST /press {"chat", "message_id", "button"}` and `PUT /moods {"sendMessage": ["429:3"]}`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp import web

if TYPE_CHECKING:
    from gateways.telegram import TelegramDoor

TOKEN = "42:TEST"
SLOW_S = 3.0
HUNG_S = 60.0
BOT = {"id": 42, "is_bot": True, "first_name": "Astreinte"}


class Refused(Exception):  # noqa: N818 - an answer
    """An answer with `ok: false`."""

    def __init__(self, code: int, why: str, **parameters: int) -> None:
        super().__init__(why)
        self.code, self.why, self.parameters = code, why, parameters


@dataclass
class Message:
    """A message as a chat shows it, and how it came to that."""

    chat: int
    message_id: int
    text: str
    entities: list[dict[str, Any]]
    rows: list[list[dict[str, str]]]
    at: float
    edits: list[str] = field(default_factory=list)

    def button(self, label: str) -> str:
        """Return the data of a button whose label contains this."""
        return next(b["callback_data"] for row in self.rows for b in row if label in b["text"])

    def shape(self) -> dict[str, Any]:
        """Return it as Telegram does."""
        kind = "private" if self.chat > 0 else "supergroup"
        return {
            "message_id": self.message_id,
            "date": int(self.at),
            "chat": {"id": self.chat, "type": kind},
            "from": BOT,
            "text": self.text,
            "entities": self.entities,
            "reply_markup": {"inline_keyboard": self.rows},
        }


class Telegram:
    """The server's state. `per_chat_s`: what it lets through in a chat before it answers 429."""

    def __init__(
        self, token: str = TOKEN, chats: set[int] | None = None, per_chat_s: float = 0.0
    ) -> None:
        self.token = token
        self.chats = chats
        self.per_chat_s = per_chat_s
        self.blocked: set[int] = set()
        self.messages: dict[tuple[int, int], Message] = {}
        self.calls: list[tuple[float, str, dict[str, Any]]] = []
        self.answers: dict[str, dict[str, Any]] = {}
        self.moods: dict[str, list[str]] = defaultdict(list)
        self.hook: dict[str, Any] = {}
        self.polls = 0
        self._updates: list[dict[str, Any]] = []
        self._news = asyncio.Event()
        self._last: dict[int, float] = {}
        self._posting: set[asyncio.Task[None]] = set()
        self.files: dict[str, bytes] = {}
        self._ids = iter(range(1000, 10**9))

    def ledger(self) -> list[dict[str, Any]]:
        """Return every message with its edits, oldest first."""
        return [vars(message) for message in self.messages.values()]

    def of(self, chat: int) -> list[Message]:
        """Return the messages of a chat, oldest first."""
        return [message for (where, _), message in self.messages.items() if where == chat]

    def press(self, message: Message, data: str, user: int | None = None) -> str:
        """Press a button; return the query's id."""
        query = f"q{next(self._ids)}"
        self.answers[query] = {}
        who = {"id": user or abs(message.chat), "is_bot": False, "first_name": "Quelqu'un"}
        body = {"id": query, "from": who, "chat_instance": "1", "data": data}
        self.happen({"callback_query": body | {"message": message.shape()}})
        return query

    def write(self, chat: int, text: str = "", **more: Any) -> dict[str, Any]:
        """Have somebody write to the bot; return the message."""
        kind = "private" if chat > 0 else "supergroup"
        who = {"id": abs(chat), "is_bot": False, "first_name": "Ana", "last_name": "Roux"}
        message: dict[str, Any] = {"message_id": next(self._ids), "date": int(time.time())}
        message |= {"chat": {"id": chat, "type": kind, "first_name": "Ana"}, "from": who}
        message |= ({"text": text} if text else {}) | more
        self.happen({"message": message})
        return message

    def happen(self, update: dict[str, Any]) -> None:
        """Let an update happen; it is handed out until it is confirmed, or posted to the hook."""
        numbered = {"update_id": next(self._ids)} | update
        if self.hook:
            task = asyncio.create_task(self._post(numbered))
            self._posting.add(task)
            task.add_done_callback(self._posting.discard)
        self._updates.append(numbered)
        self._news.set()

    async def _post(self, update: dict[str, Any]) -> None:
        headers = {"X-Telegram-Bot-Api-Secret-Token": self.hook.get("secret_token", "")}
        async with aiohttp.ClientSession() as http:
            while True:
                try:
                    sent = await http.post(self.hook["url"], json=update, headers=headers)
                    if sent.ok:
                        self._updates.remove(update)
                        return
                except aiohttp.ClientError:
                    pass
                await asyncio.sleep(0.2)

    # ---- the Bot API -------------------------------------------------------------------------

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer a method of the Bot API."""
        method = request.match_info["method"]
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.calls.append((time.monotonic(), method, form))
        mood = self.mood_of(method)
        try:
            self._be(mood, request.match_info["token"])
            result = None if mood == "drop_before" else await self._do(method, form)
        except Refused as error:
            self.note(method, form, mood, None)
            body = {"ok": False, "error_code": error.code, "description": error.why}
            body |= {"parameters": error.parameters} if error.parameters else {}
            return web.json_response(body, status=error.code)
        self.note(method, form, mood, result)
        if mood in {"slow", "hung"}:
            await asyncio.sleep(SLOW_S if mood == "slow" else HUNG_S)
        if mood in {"drop", "drop_before", "hung"} and request.transport:
            request.transport.abort()  # but for `drop_before` it was taken; nobody hears of it
        if mood in {"html", "error_after"}:
            return web.Response(text="<h1>502 Bad Gateway</h1>", status=502)
        return web.json_response({"ok": True, "result": result})

    def mood_of(self, method: str) -> str:
        """Return how to behave to a call."""
        return self.moods[method].pop(0) if self.moods[method] else ""

    def note(self, method: str, form: dict[str, str], mood: str, result: Any) -> None:
        """Take note of a call before it is answered; without a `result` nothing was done."""

    @property
    def pending(self) -> list[dict[str, Any]]:
        """Updates that nobody has confirmed yet."""
        return self._updates

    def _be(self, mood: str, token: str) -> None:
        if token != self.token:
            raise Refused(401, "Unauthorized")
        if mood.startswith("429"):
            wait_s = int(mood.partition(":")[2] or 1)
            raise Refused(429, f"Too Many Requests: retry after {wait_s}", retry_after=wait_s)
        if mood == "500":
            raise Refused(500, "Internal Server Error: restart")
        if mood == "migrated":
            why = "Bad Request: group chat was upgraded to a supergroup chat"
            raise Refused(400, why, migrate_to_chat_id=-1001234)

    async def _do(self, method: str, form: dict[str, str]) -> Any:
        doing = {
            "getMe": lambda _: BOT | {"username": "astreinte_bot"},
            "sendMessage": self._send,
            "editMessageText": self._edit,
            "editMessageReplyMarkup": self._edit,
            "answerCallbackQuery": self._answer,
            "getFile": self._get_file,
            "getWebhookInfo": self._hook_info,
            "setWebhook": self._set_hook,
            "deleteWebhook": self._delete_hook,
        }
        if method == "getUpdates":
            return await self._get_updates(form)
        if method not in doing:
            raise Refused(404, "Not Found")
        return doing[method](form)

    def _send(self, form: dict[str, str]) -> dict[str, Any]:
        chat = self._chat(form)
        now = time.time()
        if self.per_chat_s and now - self._last.get(chat, 0) < self.per_chat_s:
            raise Refused(429, "Too Many Requests: retry after 1", retry_after=1)
        self._last[chat] = now
        message = Message(chat, next(self._ids), *_content(form), at=now)
        self.messages[chat, message.message_id] = message
        return message.shape()

    def _edit(self, form: dict[str, str]) -> dict[str, Any]:
        message = self.messages.get((self._chat(form), int(form["message_id"])))
        if message is None:
            raise Refused(400, "Bad Request: message to edit not found")
        text, entities = message.text, message.entities
        if "text" in form:
            text, entities, rows = _content(form)
        else:
            rows = _rows(form)
        if (text, rows) == (message.text, message.rows):
            raise Refused(
                400,
                "Bad Request: message is not modified: specified new message content and reply "
                "markup are exactly the same as a current content and reply markup of the message",
            )
        if text != message.text:
            message.edits.append(message.text)
        message.text, message.entities, message.rows = text, entities, rows
        return message.shape()

    def _answer(self, form: dict[str, str]) -> bool:
        if form.get("callback_query_id") not in self.answers:
            raise Refused(400, "Bad Request: query is too old and response timeout expired")
        self.answers[form["callback_query_id"]] = form
        return True

    def _get_file(self, form: dict[str, str]) -> dict[str, Any]:
        name = form["file_id"]
        if name not in self.files:
            raise Refused(400, "Bad Request: wrong file_id or the file is temporarily unavailable")
        size = len(self.files[name])
        if size > 20_000_000:
            raise Refused(400, "Bad Request: file is too big")
        known = {"file_id": name, "file_unique_id": name, "file_size": size}
        return known | {"file_path": f"documents/{name}"}

    async def give(self, request: web.Request) -> web.Response:
        """Give a file."""
        if request.match_info["token"] != self.token:
            return web.Response(status=404)
        return web.Response(body=self.files[request.match_info["name"]])

    def _set_hook(self, form: dict[str, str]) -> bool:
        self.hook = form
        return True

    def _hook_info(self, form: dict[str, str]) -> dict[str, Any]:
        url = self.hook.get("url", "")
        return {"url": url, "has_custom_certificate": False, "pending_update_count": 0}

    def _delete_hook(self, form: dict[str, str]) -> bool:
        self.hook = {}
        return True

    async def _get_updates(self, form: dict[str, str]) -> list[dict[str, Any]]:
        if self.hook:
            raise Refused(409, "Conflict: can't use getUpdates method while webhook is active")
        self.polls += 1
        own = self.polls
        self._news.set()  # who asked before is sent away
        self._news.clear()
        first = int(form.get("offset") or 0)
        self._updates = [each for each in self._updates if each["update_id"] >= first]
        if not self._updates:
            try:
                await asyncio.wait_for(self._news.wait(), float(form.get("timeout") or 0))
            except TimeoutError:
                return []
        if own != self.polls:
            raise Refused(409, "Conflict: terminated by other getUpdates request")
        return self._updates[:100]

    def _chat(self, form: dict[str, str]) -> int:
        chat = int(form["chat_id"])
        if self.chats is not None and chat not in self.chats:
            raise Refused(400, "Bad Request: chat not found")
        if chat in self.blocked:
            raise Refused(403, "Forbidden: bot was blocked by the user")
        return chat

    # ---- what stands beside the Bot API ------------------------------------------------------

    async def show(self, request: web.Request) -> web.Response:
        """Answer with the ledger."""
        return web.json_response(self.ledger())

    async def pressed(self, request: web.Request) -> web.Response:
        """Press a button of a message, by its data or by a part of its label."""
        asked = await request.json()
        message = self.messages[int(asked["chat"]), int(asked["message_id"])]
        data = asked.get("data") or message.button(asked["button"])
        return web.json_response({"query": self.press(message, data, asked.get("user"))})

    async def set_moods(self, request: web.Request) -> web.Response:
        """Take the moods of the next calls."""
        for method, moods in (await request.json()).items():
            self.moods[method] = list(moods)
        return web.json_response({"ok": True})


def _content(form: dict[str, str]) -> tuple[str, list[dict[str, Any]], list[list[dict[str, str]]]]:
    text = form.get("text", "")
    units = len(text.encode("utf-16-le")) // 2
    if not text.strip():
        raise Refused(400, "Bad Request: message text is empty")
    if units > 4096:
        raise Refused(400, "Bad Request: message is too long")
    entities = json.loads(form.get("entities") or "[]")
    for entity in entities:
        if entity["offset"] < 0 or entity["offset"] + entity["length"] > units:
            raise Refused(400, "Bad Request: entity is out of the text")
    return text, entities, _rows(form)


def _rows(form: dict[str, str]) -> list[list[dict[str, str]]]:
    rows = json.loads(form.get("reply_markup") or "{}").get("inline_keyboard", [])
    for row in rows:
        for button in row:
            if not 0 < len(button["callback_data"].encode()) <= 64 or not button["text"]:
                raise Refused(400, "Bad Request: BUTTON_DATA_INVALID")
    return rows


def door_to(url: str, token: str = TOKEN, timeout_s: float = 10.0) -> TelegramDoor:
    """Make the desk's own door to it. Loading aiogram takes seconds: only who needs it pays."""
    from gateways.telegram import TelegramDoor

    return TelegramDoor(token, url, timeout_s)


async def hang_up(door: TelegramDoor) -> None:
    """Close a door without the 0.25 s that aiogram leaves to TLS, which there is none of."""
    session = door.bot.session._session  # type: ignore[attr-defined]
    if session:
        await session.close()


@asynccontextmanager
async def serving(
    telegram: Telegram, port: int = 0, more: Sequence[web.RouteDef] = ()
) -> AsyncIterator[str]:
    """Serve on loopback, and what stands in `more`; gives the base URL."""
    app = web.Application()
    app.add_routes(more)
    app.router.add_post("/bot{token}/{method}", telegram.serve)
    app.router.add_get("/file/bot{token}/documents/{name}", telegram.give)
    app.router.add_get("/ledger", telegram.show)
    app.router.add_post("/press", telegram.pressed)
    app.router.add_put("/moods", telegram.set_moods)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    host, taken = runner.addresses[0][:2]
    try:
        yield f"http://{host}:{taken}"
    finally:
        for task in telegram._posting:
            task.cancel()
        await runner.cleanup()


async def main() -> None:
    """Serve until stopped, and print each message as it appears."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8081)
    parser.add_argument("--token", default=TOKEN)
    parser.add_argument("--chats", default="")
    options = parser.parse_args()
    chats = {int(chat) for chat in options.chats.split(",") if chat}
    telegram = Telegram(options.token, chats or None)
    async with serving(telegram, options.port) as url:
        print(f"{url}  token {options.token}", flush=True)  # noqa: T201
        shown: dict[int, str] = {}
        while True:
            await asyncio.sleep(0.2)
            for message in list(telegram.messages.values()):
                if shown.get(message.message_id) != message.text:
                    how = "modifié" if message.message_id in shown else "nouveau"
                    where = f"{message.chat}/{message.message_id}"
                    print(f"--- {where} ({how})\n{message.text}", flush=True)  # noqa: T201
                    shown[message.message_id] = message.text


if __name__ == "__main__":
    asyncio.run(main())
