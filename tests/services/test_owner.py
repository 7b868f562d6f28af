"""Who claimed a row, and whether it still lives."""

from __future__ import annotations

import subprocess
import sys

from services.owner import is_gone, new_owner

ME = new_owner()
HOST, PIDS, PID, _ = ME.rsplit(":", 3)


def test_i_am_not_gone():
    assert not is_gone(ME, ME)


def test_who_had_my_pid_before_me_is_gone():
    assert is_gone(f"{HOST}:{PIDS}:{PID}:00000000", ME)


def test_a_process_that_ended_is_gone_and_one_that_runs_is_not():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        owner = f"{HOST}:{PIDS}:{other.pid}:00000000"
        assert not is_gone(owner, ME)
        other.communicate(b"\n")
    assert is_gone(owner, ME)


def test_what_cannot_be_seen_from_here_may_live():
    for owner in ("elsewhere:1:2:3", f"{HOST}:another:{PID}:0", "", "x", f"{HOST}:{PIDS}:x:0"):
        assert not is_gone(owner, ME)


def test_a_name_fits_its_column():
    assert len(ME) <= 64
