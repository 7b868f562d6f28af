"""Costs and speeds outlive a process, and no process loses another's."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ai import ledger
from ai.choice import Speed
from ai.ledger import Ledger


def test_costs_are_kept_by_month_and_backend(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Ledger(tmp_path).pay("openai", 0.25)
    Ledger(tmp_path).pay("openai", 0.5)
    assert Ledger(tmp_path).spent("openai") == 0.75
    assert Ledger(tmp_path).spent("ollama") == 0
    for month in ("2999-01", "2999-02", "2999-03"):
        monkeypatch.setattr(ledger, "_month", lambda month=month: month)
        Ledger(tmp_path).pay("openai", 1)
        assert Ledger(tmp_path).spent("openai") == 1
    assert "2999-01" not in (tmp_path / ledger.NAME).read_text()


def test_processes_that_pay_at_once_lose_nothing(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: Ledger(tmp_path).pay("openai", 1), range(80)))
    assert Ledger(tmp_path).spent("openai") == 80


def test_speeds_follow_what_is_measured_and_few_tokens_say_nothing(tmp_path: Path) -> None:
    kept = Ledger(tmp_path)
    kept.measure("m", (1000, 10), (100, 10))
    assert Ledger(tmp_path).speeds() == {"m": Speed(100, 10)}
    kept.measure("m", (1000, 5), (100, 5))
    assert kept.speeds()["m"].read == pytest.approx(130)
    kept.measure("m", (5, 0.001), (2, 5))
    kept.measure("n", (1000, 0), (100, 0))
    assert kept.speeds().keys() == {"m"}
    assert kept.speeds()["m"].read == pytest.approx(130)


def test_a_machine_that_was_busy_once_is_not_slow_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept = Ledger()
    kept.measure("m", (1000, 900), (100, 90))
    tomorrow = time.time() + ledger.DAY_S + 1
    monkeypatch.setattr(time, "time", lambda: tomorrow)
    assert kept.speeds() == {}


@pytest.mark.parametrize("content", ["", "[]", '{"spent": ', "\x00", '{"speeds": {"m": {}}}'])
def test_a_broken_file_is_begun_anew(tmp_path: Path, content: str) -> None:
    (tmp_path / ledger.NAME).write_text(content)
    kept = Ledger(tmp_path)
    assert kept.spent("openai") == 0
    kept.pay("openai", 1)
    assert Ledger(tmp_path).spent("openai") == 1


def test_a_folder_that_cannot_be_written_costs_only_what_is_known_later(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for kept in (Ledger(tmp_path / "file" / "below"), Ledger(None)):
        kept.pay("openai", 1)
        kept.pay("openai", 1)
        assert kept.spent("openai") == 2
