"""The short form of the proof: twenty processes, the broker and the database are killed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.chaos
def test_whatever_dies_no_message_is_lost_and_no_reply_leaves_twice():
    # A process of its own, which is let to stop all it started when this one is interrupted.
    process = subprocess.Popen([sys.executable, "-m", "tests.chaos", "short"], cwd=ROOT)
    try:
        assert process.wait() == 0
    finally:
        process.terminate()
        process.wait()
