"""Real servers of language models, one's own: with other settings, killed, started again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests import tiny_model

SCRIPT = Path(__file__).parents[1] / "scripts" / "ollama"


def shared_ollama() -> str:
    """Return the address of the Ollama that all tests marked `ollama` share."""
    url = os.environ.get("ASTREINTE_OLLAMA", "")
    if not url:
        pytest.skip("needs scripts/ollama run -- pytest -m ollama")
    return url


class RealOllama:
    """One server, with settings of Ollama's own (`OLLAMA_MAX_QUEUE="1"` …)."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.url = ""
        self._data = folder / "ollama"
        self._data.mkdir()
        self._settings = settings

    def start(self) -> None:
        words = ["start", "--data", str(self._data)]
        if self.url:
            words += ["--port", self._port]  # again, where it was
        done = self._do(*words)
        self.url = done.strip()

    @property
    def _port(self) -> str:
        return self.url.rpartition(":")[2]

    def _do(self, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, str(SCRIPT), *words],
            env=os.environ | self._settings,
            check=True,
            capture_output=True,
            text=True,
            timeout=120,
        )
        return done.stdout

    @property
    def process(self) -> psutil.Process:
        """The server; its child holds the model."""
        folder = Path(os.environ.get("XDG_RUNTIME_DIR") or "/tmp")
        record = (folder / f"astreinte-ollama-{self._port}.env").read_text()
        found = dict(line.split("=", 1) for line in record.split())
        return psutil.Process(int(found["PID"].strip("'")))

    def kill(self) -> None:
        """SIGKILL to the server and all that it started."""
        os.killpg(self.process.pid, signal.SIGKILL)

    def kill_engine(self) -> None:
        """SIGKILL to the process that holds the model, as when memory runs out."""
        for child in self.process.children():
            child.kill()

    def stop(self) -> None:
        self._do("stop", "--port", self._port)


@contextmanager
def real_ollama(folder: Path, **settings: str) -> Iterator[RealOllama]:
    """Have an Ollama of one's own with the tiny model."""
    ollama = RealOllama(folder, **settings)
    ollama.start()
    try:
        tiny_model.create(ollama.url, folder)
        yield ollama
    finally:
        ollama.stop()


@contextmanager
def real_llama(folder: Path, context: int = 512) -> Iterator[str]:
    """Have llama.cpp serve the tiny model by OpenAI's API; gives the base URL."""
    model = tiny_model.write_gguf(folder / "tiny.gguf")
    script = [sys.executable, str(SCRIPT.with_name("llama"))]

    def do(*words: str) -> str:
        done = subprocess.run(
            [*script, *words], check=True, capture_output=True, text=True, timeout=600
        )
        return done.stdout.strip()

    url = do("start", "--model", str(model), "--context", str(context))
    try:
        yield url
    finally:
        do("stop", "--port", url.removesuffix("/v1").rpartition(":")[2])
