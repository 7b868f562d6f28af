"""A speech model of one's own: said clearly when it is not there."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from ai.speech import NEEDED, Listener
from schemas.errors import Unavailable


def test_a_folder_without_a_model_is_told(tmp_path: Path):
    (tmp_path / "model.bin").touch()
    with pytest.raises(Unavailable, match=r"no config.json and no tokenizer.json"):
        Listener(tmp_path)


@pytest.mark.skipif(
    importlib.util.find_spec("faster_whisper") is not None, reason="the extra is installed"
)
async def test_without_its_program_one_is_told_what_to_install(tmp_path: Path):
    for name in NEEDED:
        (tmp_path / name).touch()
    with pytest.raises(Unavailable, match=r"astreinte\[voice\]"):
        await Listener(tmp_path).hear(b"RIFF")
