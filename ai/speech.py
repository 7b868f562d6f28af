"""Speech into text by a model of one's own: faster-whisper, from a folder. Downloads nothing."""

from __future__ import annotations

import asyncio
import io
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schemas.errors import Unavailable

NEEDED = ("model.bin", "config.json", "tokenizer.json")
"""Of its folder: without its tokenizer the program would look for one on the net."""


@dataclass(frozen=True)
class Transcript:
    """What was said, in which language (`fr`, `en` …), and how surely, 0 to 1."""

    text: str
    language: str
    confidence: float


class Listener:
    """A model that hears recordings, one at a time; loaded when the first one comes."""

    def __init__(self, folder: Path, threads: int = 1) -> None:
        missing = [name for name in NEEDED if not (folder / name).exists()]
        if missing:
            msg = f"ASTREINTE_VOICE_MODEL: {folder} has no {' and no '.join(missing)}"
            raise Unavailable(msg)
        self._folder = folder
        self._threads = threads
        self._model: Any = None
        self._turn = asyncio.Lock()

    async def hear(self, audio: bytes) -> Transcript:
        """Write down a recording (WAV, MP3 …), in a thread; silence gives no text.

        Raises
        ------
        Unavailable
            The program is not installed.
        """
        async with self._turn:
            return await asyncio.to_thread(self._hear, audio)

    def _hear(self, audio: bytes) -> Transcript:
        if self._model is None:
            self._model = self._load()
        parts, about = self._model.transcribe(io.BytesIO(audio), vad_filter=True)
        found = list(parts)
        text = " ".join(part.text.strip() for part in found).strip()
        sure = math.exp(sum(p.avg_logprob for p in found) / len(found)) if found else 0.0
        return Transcript(text, str(about.language), min(max(sure, 0.0), 1.0))

    def _load(self) -> Any:
        try:
            from faster_whisper import WhisperModel  # noqa: PLC0415 - heavy, where a model is set
        except ImportError as error:
            msg = "ASTREINTE_VOICE_MODEL needs pip install 'astreinte[voice]'"
            raise Unavailable(msg) from error
        return WhisperModel(
            str(self._folder),
            device="cpu",
            compute_type="int8",
            cpu_threads=self._threads,
            local_files_only=True,
        )
