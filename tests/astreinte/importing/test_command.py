"""`astreinte import`, as it is typed."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from astreinte.cli import app
from storage.engine import WrongDatabase
from tests.flows.conftest import quick, settle_in  # noqa: F401 - a fixture

OLD = Path(__file__).parent / "old"


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Be in a folder in which no desk runs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ASTREINTE_OLLAMA_URL", "")
    settle_in(tmp_path)
    return tmp_path


def typed(*words: object) -> Result:
    return CliRunner().invoke(app, ["import", *map(str, words)])


def asked(folder: Path, question: str) -> list[Any]:
    with sqlite3.connect(folder / "data" / "astreinte.db") as record:
        return record.execute(question).fetchall()


def test_a_dump_is_brought_in_and_counted_for_people(elsewhere: Path) -> None:
    answer = typed(OLD / "support_client.sql")
    assert answer.exit_code == 0, answer.output
    lines = [line.split() for line in answer.stdout.splitlines()]
    assert ["table", "lues", "nouvelles"] in lines
    assert ["tickets", "3", "3"] in lines
    assert asked(elsewhere, "SELECT count(*) FROM conversation") == [(3,)]
    again = [line.split() for line in typed(OLD / "support_client.sql").stdout.splitlines()]
    assert ["table", "lues", "inchangées"] in again


def test_what_was_left_out_is_said_with_its_place_and_without_words(elsewhere: Path) -> None:
    answer = typed(OLD / "printer_support.sql")
    assert answer.exit_code == 0
    assert "printer_support.sql line 329, row 2: responses: it was never sent" in answer.stderr
    assert "3 row(s): loyalty_points: unknown table" in answer.stderr
    assert "Jamais partie" not in answer.output


def test_of_many_rows_that_were_left_out_some_are_said(elsewhere: Path) -> None:
    rows = [{"ticket_id": n, "client_id": 1, "channel": "fax", "content": "x"} for n in range(30)]
    (elsewhere / "tickets.json").write_text(json.dumps(rows))
    answer = typed("tickets.json")
    assert answer.exit_code == 1
    assert answer.stderr.count("unknown channel 'fax'") == 20
    assert "… 10 more of tickets" in answer.stderr
    told = json.loads(typed("tickets.json", "--json").stdout)
    assert len(told["skips"]) == 30
    assert told["tables"] == {"tickets": {"read": 30, "skipped": 30}}


def test_a_dry_run_touches_no_record(elsewhere: Path) -> None:
    answer = typed(OLD, "--dry-run", "--json")
    assert answer.exit_code == 0
    assert json.loads(answer.stdout)["tables"]["clients"] == {"read": 2, "usable": 2}
    assert [path.name for path in (elsewhere / "data").iterdir()] == ["cache"]


def test_nothing_of_use_ends_with_1(elsewhere: Path) -> None:
    answer = typed("nowhere.sql")
    assert answer.exit_code == 1
    assert "nowhere.sql: file: it cannot be read: No such file or directory" in answer.stderr


def test_a_database_that_is_not_there_is_what_main_says_in_a_sentence(elsewhere: Path) -> None:
    answer = typed("sqlite:////nowhere/old.db")
    assert isinstance(answer.exception, WrongDatabase)


def test_an_import_may_be_named(elsewhere: Path) -> None:
    typed(OLD / "support_client.sql", "--origin", "agence nord")
    assert asked(elsewhere, "SELECT DISTINCT origin FROM imported") == [("agence nord",)]


def test_open_tickets_are_tried_in_the_record_and_keep_their_state(
    quick: None,  # noqa: F811 - the fixture
    elsewhere: Path,
) -> None:
    answer = typed(OLD, "--process", "open", "--json")
    assert answer.exit_code == 0, answer.output
    trial = json.loads(answer.stdout)["trial"]
    assert trial["messages"] == 5
    states = asked(elsewhere, "SELECT state, count(*) FROM conversation GROUP BY 1 ORDER BY 1")
    assert states == [("answered", 1), ("closed", 3), ("handed_over", 4)]
    outcomes = dict(asked(elsewhere, "SELECT outcome, count(*) FROM message GROUP BY 1"))
    assert outcomes.pop("imported") == 4
    assert sum(outcomes.values()) == 5
    assert "" not in outcomes
    statuses = asked(elsewhere, "SELECT DISTINCT status FROM outgoing WHERE reason <> 'imported'")
    assert {status for (status,) in statuses} <= {"held", "none"}
    assert not (elsewhere / "data" / "outbox.jsonl").exists()
    assert "Aucun message à essayer" in typed(OLD, "--process", "open").stdout
