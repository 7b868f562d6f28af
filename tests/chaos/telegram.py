"""Telegram under test: the server of `tests.vendors.telegram`, with a ledger on disk and bad days.

`python -m tests.chaos.telegram FOLDER --port PORT --token TOKEN --seed SEED`

It is never killed, and knows nothing of repeated messages: what arrives twice is there twice. In
FOLDER it writes `telegram.jsonl`, a line for each call and each button that somebody pressed.
`PUT /mood {"shares": {...}, "press": 0.3}` changes how it behaves, and how often people press.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import time
from pathlib import Path
from typing import Any

from aiohttp import web

from gateways.buttons import read_press
from tests.vendors.telegram import Message, Telegram, serving

TOOK_SILENTLY = ("drop", "error_after", "hung")
"""Taken, and the answer does not say so."""
ROUGH = {
    "slow": 0.10,
    "429:2": 0.06,
    "500": 0.05,
    "drop_before": 0.06,
    "drop": 0.08,
    "error_after": 0.05,
    "hung": 0.02,
}
"""Shares of calls; more than in life, for alarms are few."""
PRESSED_AFTER_S = (1.0, 8.0)
ACK = "occupe"


class RoughTelegram(Telegram):
    """Behaves as the dice say; people acknowledge some of what they are sent."""

    def __init__(self, folder: Path, token: str, seed: int) -> None:
        super().__init__(token)
        self._dice = random.Random(f"telegram {seed}")
        self._shares: dict[str, float] = {}
        self._press = 0.0
        self._pressing: set[asyncio.Task[None]] = set()
        self._ledger = (folder / "telegram.jsonl").open("a", buffering=1)

    def mood_of(self, method: str) -> str:
        if method not in {"sendMessage", "editMessageText", "answerCallbackQuery", "getUpdates"}:
            return ""
        mark = self._dice.random()
        for mood, share in self._shares.items():
            if mark < share:
                return mood
            mark -= share
        return ""

    def note(self, method: str, form: dict[str, str], mood: str, result: Any) -> None:
        if method not in {"sendMessage", "editMessageText"}:
            return
        line = {"what": method, "mood": mood, "chat": int(form["chat_id"]), "taken": False}
        text = form.get("text", "")
        line |= {"unit": text.rpartition("\n")[2], "title": text.partition("\n")[0]}
        line |= {"over": "Terminé." in text}
        if result:
            message = self.messages[int(form["chat_id"]), result["message_id"]]
            line |= {"taken": True, "message_id": message.message_id}
            line["episode"] = _episode(message)
            if method == "sendMessage" and line["episode"] and self._dice.random() < self._press:
                task = asyncio.create_task(self._acknowledge(message, str(line["unit"])))
                self._pressing.add(task)
                task.add_done_callback(self._pressing.discard)
        self._write(line)

    async def _acknowledge(self, message: Message, unit: str) -> None:
        await asyncio.sleep(self._dice.uniform(*PRESSED_AFTER_S))
        if any(ACK in button["text"] for row in message.rows for button in row):
            line = {"what": "press", "unit": unit, "episode": _episode(message)}
            query = self.press(message, message.button(ACK))
            self._write(line | {"query": query, "message_id": message.message_id})

    def _write(self, line: dict[str, Any]) -> None:
        self._ledger.write(json.dumps({"at": time.time()} | line, ensure_ascii=False) + "\n")

    async def set_mood(self, request: web.Request) -> web.Response:
        asked = await request.json()
        self._shares, self._press = asked["shares"], asked["press"]
        return web.json_response({})

    async def count_open(self, _: web.Request) -> web.Response:
        """Say how many buttons were pressed and not heard of yet."""
        return web.json_response({"open": len(self._pressing) + len(self.pending)})


def _episode(message: Message) -> str:
    """Return the episode that a message's buttons are about; without buttons, none."""
    data = next((button["callback_data"] for row in message.rows for button in row), "")
    return read_press(data).episode_id if data else ""


async def main() -> None:
    """Serve until ended."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.telegram", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--token", required=True)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    telegram = RoughTelegram(given.folder, given.token, given.seed)
    routes = [
        web.put("/mood", telegram.set_mood),
        web.get("/open", telegram.count_open),
        web.get("/health/ready", telegram.count_open),
    ]
    async with serving(telegram, given.port, routes):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
