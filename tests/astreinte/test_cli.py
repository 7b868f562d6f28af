"""The command `astreinte`, as it is typed."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
import yaml
from typer.testing import CliRunner

from astreinte.cli import app

ROOT = Path(__file__).parents[2]
COMMANDS = [
    "up",
    "send",
    "simulate",
    "process",
    "import",
    "trace",
    "topics",
    "asyncapi",
    "database",
    "dead",
    "run",
    "prepare",
    "diagnose",
    "units",
    "mail",
    "sms",
    "channels",
    "conversation",
    "breaker",
    "models",
    "knowledge",
    "findings",
    "train",
    "evaluate",
]


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Be in a folder in which no desk runs."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_help_names_every_command() -> None:
    answer = CliRunner(env={"NO_COLOR": "1", "COLUMNS": "200"}).invoke(app, ["--help"])
    assert answer.exit_code == 0
    assert all(f" {command} " in answer.stdout for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str) -> None:
    for word in ("--help", "-h"):
        answer = CliRunner().invoke(app, [command, word])
        assert answer.exit_code == 0
        assert "Usage:" in answer.output
        assert len(answer.output.splitlines()) > 5


def test_these_are_all_the_commands() -> None:
    single = [command.name or command.callback.__name__ for command in app.registered_commands]  # type: ignore[union-attr]
    assert sorted([*single, *(group.name for group in app.registered_groups)]) == sorted(COMMANDS)


def test_a_missing_file_ends_with_1_and_one_clear_sentence(tmp_path: Path) -> None:
    answer = subprocess.run(  # as it is typed: the sentence is `main`'s
        [sys.executable, "-m", "astreinte", "process", str(tmp_path / "nowhere.json")],
        cwd=ROOT,
        env=os.environ | {"NO_COLOR": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert answer.returncode == 1
    assert answer.stdout == ""
    assert answer.stderr == "astreinte: the file cannot be read: No such file or directory\n"


def test_a_dry_run_says_what_is_in_the_file_and_runs_nothing(elsewhere: Path) -> None:
    rows = [
        {"id": 1, "channel": "email", "from": "ana@exemple.example", "text": "a"},
        {"id": 2, "channel": "sms", "from": "0612345678", "text": "b"},
        {"id": 3, "text": "c"},
        {"id": 4, "channel": "fax", "text": "d"},
    ]
    (elsewhere / "rows.json").write_text(json.dumps(rows), "utf-8")
    answer = CliRunner().invoke(
        app, ["process", "rows.json", "--dry-run", "--channel", "call", "--out", "made.jsonl"]
    )
    assert answer.exit_code == 0
    assert json.loads(answer.stdout) == {
        "messages": 3,
        "broken": 1,
        "channels": {"email": 1, "sms": 1, "call": 1, "chat": 0, "telegram": 0},
    }
    assert "record 4: " in answer.stderr
    assert [path.name for path in elsewhere.iterdir()] == ["rows.json"]


def test_a_file_without_a_message_ends_with_1(elsewhere: Path) -> None:
    (elsewhere / "rows.json").write_text('[{"channel": "fax", "text": "x"}]', "utf-8")
    answer = CliRunner().invoke(app, ["process", "rows.json"])
    assert answer.exit_code == 1
    assert "holds no message that can be read" in answer.stderr


def test_lines_that_could_not_be_written_are_not_made_in_the_first_place(elsewhere: Path) -> None:
    (elsewhere / "rows.json").write_text('[{"text": "bonjour"}]', "utf-8")
    for out in ("nowhere/made.jsonl", "."):
        answer = CliRunner().invoke(app, ["process", "rows.json", "--out", out])
        assert answer.exit_code == 1
        assert "cannot be written" in answer.stderr


def test_without_a_desk_topics_and_trace_say_so(elsewhere: Path) -> None:
    answer = CliRunner().invoke(app, ["topics"])
    assert answer.exit_code == 1
    assert "no desk runs in this folder" in answer.stderr
    answer = CliRunner().invoke(app, ["trace", "x", "--database", f"sqlite:///{elsewhere}/no.db"])
    assert answer.exit_code == 1
    assert "there is no record at" in answer.stderr
    assert not (elsewhere / "no.db").exists()


def test_sending_to_nobody_fails_with_what_main_says_in_a_sentence() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        words = ["send", "bonjour", "--channel", "chat", "--from", "ana", "--url", url]
        answer = CliRunner().invoke(app, words)
    assert answer.exit_code == 1
    assert isinstance(answer.exception, httpx.HTTPError)


@pytest.mark.parametrize(
    "words",
    [
        ["process"],
        ["process", "x.json", "--channel", "fax"],
        ["send", "bonjour"],
        ["run"],
        ["run", "digest"],
        ["nothing"],
        ["up", "--port", "many"],
    ],
)
def test_a_mistyped_command_ends_with_2(words: list[str]) -> None:
    assert CliRunner().invoke(app, words).exit_code == 2


def test_a_part_that_does_not_exist_is_said_with_those_that_do() -> None:
    answer = CliRunner(env={"COLUMNS": "200"}).invoke(app, ["run", "ingest", "digest"])
    assert answer.exit_code == 2
    assert "no part 'digest'; there are: bridge, ingest, classify, " in answer.stderr


def test_the_contract_is_printed_for_people_and_for_machines() -> None:
    printed = CliRunner().invoke(app, ["asyncapi"]).stdout
    machine = CliRunner().invoke(app, ["asyncapi", "--json"]).stdout
    assert yaml.safe_load(printed) == json.loads(machine)
    assert json.loads(machine)["asyncapi"] == "3.0.0"
