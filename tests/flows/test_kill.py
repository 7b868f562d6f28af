"""The embedded desk, killed with SIGKILL again and again: what it acknowledged leaves, once."""

from __future__ import annotations

import json
import os
import pickle
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import CACHE, Trained

TEXTS = (
    "Mon imprimante HP LaserJet affiche 49.4C02 et ne démarre plus",
    "My Brother HL-L2350DW prints blank pages",
    "Bourrage papier sur mon Epson, que faire ?",
    "Je veux parler à un conseiller",
    "Où en est ma commande 4512 ?",
)
A_ROUND = 6


class Embedded:
    """The process in a folder of its own, and what it leaves there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.program = ["-m", "astreinte"]
        self.outbox = folder / "data" / "outbox.jsonl"
        self.process: subprocess.Popen[bytes] | None = None
        self.url = ""
        if CACHE.exists():
            shutil.copytree(CACHE, folder / "data" / "cache")

    def start(self) -> None:
        ours = {
            name: value for name, value in os.environ.items() if not name.startswith("ASTREINTE_")
        }
        ours |= {"ASTREINTE_DISPATCH_OUTBOUND": "file", "ASTREINTE_OLLAMA_URL": ""}
        ours["ASTREINTE_POLICY_DESK_REPLIES"] = "0"  # hundreds of customers within minutes
        command = [sys.executable, *self.program, "up", "--no-story", "--port", "0"]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=self.folder, env=ours, stdout=log, stderr=log
            )
        self.url = self.within(90, self._announced)

    def _announced(self) -> str:
        assert self.process
        assert self.process.poll() is None, (self.folder / "log").read_text()
        try:
            said = json.loads((self.folder / "data" / "running.json").read_text())
        except (OSError, ValueError):
            return ""
        return str(said["url"]) if said["pid"] == self.process.pid else ""

    def within(self, seconds: float, condition: Callable[[], Any]) -> Any:
        until = time.monotonic() + seconds
        while not (found := condition()):
            assert time.monotonic() < until, (self.folder / "log").read_text()[-5_000:]
            time.sleep(0.02)
        return found

    def end(self, number: signal.Signals) -> int:
        assert self.process
        self.process.send_signal(number)
        status = self.process.wait(30)
        self.process = None
        return status

    def lines(self) -> list[dict[str, str]]:
        if not self.outbox.exists():
            return []
        whole = self.outbox.read_bytes().rpartition(b"\n")[0]
        return [json.loads(line) for line in whole.splitlines()]

    def replied(self) -> Counter[str]:
        return Counter(line["address"] for line in self.lines())

    def unfinished(self) -> int:
        record = sqlite3.connect(self.folder / "data" / "astreinte.db", timeout=10)
        try:
            [(count,)] = record.execute("SELECT count(*) FROM journal WHERE finished_at IS NULL")
        finally:
            record.close()
        return int(count)


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[Embedded]:
    made = Embedded(tmp_path)
    yield made
    if made.process:
        made.process.kill()
        made.process.wait()


def kill_again_and_again(desk: Embedded, kills: int, seed: int) -> None:
    dice = random.Random(seed)
    acknowledged: list[str] = []
    in_the_middle = 0
    for number in range(kills):
        desk.start()
        with httpx.Client(base_url=desk.url, trust_env=False, timeout=10) as http:
            for place in range(A_ROUND):
                address = f"visiteur-{number}-{place}"
                answer = http.post(
                    "/messages",
                    json={"channel": "chat", "from": address, "text": dice.choice(TEXTS)},
                )
                assert answer.status_code == 202, answer.text
                acknowledged.append(address)
        # All are acknowledged, and so many of this round have left: now, or a moment later.
        before, left = A_ROUND * number, dice.randrange(A_ROUND)
        desk.within(30, lambda least=before + left: len(desk.lines()) >= least)
        time.sleep(dice.choice([0, dice.uniform(0, 0.1)]))
        assert desk.end(signal.SIGKILL) == -signal.SIGKILL
        in_the_middle += desk.unfinished() > 0
    assert in_the_middle >= kills / 2, "the kills came too late to show anything"
    desk.start()
    desk.within(60, lambda: set(desk.replied()) >= set(acknowledged))
    desk.within(30, lambda: desk.unfinished() == 0)
    time.sleep(1.5)  # what would leave a second time would have left by now
    assert desk.end(signal.SIGTERM) == 0
    assert desk.replied() == Counter(acknowledged)
    ids = Counter(line["reply_id"] for line in desk.lines())
    assert set(ids.values()) == {1}


def test_killed_once_it_answers_every_acknowledged_message_once(
    embedded: Embedded, trained: Trained, tmp_path: Path
):
    # Two starts: what they would spend on joining groups and on training is spared.
    (tmp_path / "trained").write_bytes(pickle.dumps(trained))
    embedded.program = [str(Path(__file__).with_name("quick_up.py")), str(tmp_path / "trained")]
    kill_again_and_again(embedded, kills=1, seed=5)


@pytest.mark.kill
def test_killed_twenty_times_it_answers_every_acknowledged_message_once(embedded: Embedded):
    kill_again_and_again(embedded, kills=20, seed=20)
