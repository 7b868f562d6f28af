"""`astreinte conversation` and `astreinte breaker`, as they are typed."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlmodel import Session, select

from astreinte import cli
from storage import permission
from storage.engine import engine_of
from storage.tables import Breaker, History
from tests.conftest import record_in
from tests.storage.test_intake import mail, take_in

Typed = Callable[..., tuple[int, str, str]]


@pytest.fixture
def url(tmp_path: Path) -> str:
    return record_in(tmp_path)


@pytest.fixture
def typed(
    tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Typed:
    """Run a command on that record; give status, output, complaints."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("NO_COLOR", "1")

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["astreinte", *words, "--database", url])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return run


def in_record(url: str, work: Callable[[Session], object]) -> object:
    engine = engine_of(url)
    with Session(engine, expire_on_commit=False) as session, session.begin():
        found = work(session)
    engine.dispose()
    return found


def test_a_conversation_is_taken_over_and_given_back(typed: Typed, url: str) -> None:
    name = str(in_record(url, lambda session: take_in(session, mail())))
    assert typed("conversation", "silence", name, "--by", "léa")[:2] == (
        0,
        "La machine s'y tait.\n",
    )
    assert typed("conversation", "silence", name)[1] == "La machine s'y taisait déjà.\n"
    _, out, _ = typed("conversation", "list")
    assert name in out and "confiée à une personne" in out and "léa" in out
    assert typed("conversation", "release", name, "--by", "léa")[0] == 0
    status, _, err = typed("conversation", "release", name)
    assert (status, err) == (1, f"astreinte: the machine is not silent in {name}\n")
    assert json.loads(typed("conversation", "list", "--json")[1]) == []
    done = in_record(url, lambda s: s.exec(select(History.action, History.actor)).all())
    assert done == [("released", "léa")]


def test_what_a_customer_asked_for_is_shown_in_words(typed: Typed, url: str) -> None:
    now = datetime.now(UTC)
    in_record(url, lambda s: permission.silence(s, take_in(s, mail()), "customer", now))
    assert "demande une personne" in typed("conversation", "list")[1]


def test_a_conversation_that_there_is_not_cannot_be_silenced(typed: Typed) -> None:
    status, _, err = typed("conversation", "silence", "c404")
    assert (status, err) == (1, "astreinte: there is no conversation c404\n")


def test_the_desk_is_stopped_by_hand_and_goes_on(typed: Typed, url: str) -> None:
    assert typed("breaker", "show")[:2] == (0, "Les réponses partent d'elles-mêmes.\n")
    assert "Reprise par `astreinte breaker close`." in typed("breaker", "open", "--by", "léa")[1]
    status, out, _ = typed("breaker", "show")
    assert status == 1
    assert "arrêt demandé (léa)" in out
    assert typed("breaker", "close", "--by", "paul")[0] == 0
    status, _, err = typed("breaker", "close")
    assert (status, err) == (1, "astreinte: the breaker is not open\n")
    told = json.loads(typed("breaker", "show", "--json")[1])
    assert (told["open"], told["last"]["closed_by"]) == (False, "paul")


def test_a_stop_by_hand_may_end_by_itself(typed: Typed, url: str) -> None:
    assert "Reprise à " in typed("breaker", "open", "--minutes", "30")[1]
    row = in_record(url, lambda session: session.exec(select(Breaker)).one())
    assert isinstance(row, Breaker) and row.until
    assert (row.until - row.opened_at).total_seconds() == 1_800
