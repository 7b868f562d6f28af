"""`astreinte database`, as it is typed: the schema up and down, and how the record is."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, make_url, text

from astreinte import cli
from storage import schema
from storage.engine import engine_of, shown

Typed = Callable[..., tuple[int, str, str]]


@pytest.fixture
def typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Typed:
    """Run `astreinte database …` in a folder without settings; give status, output, complaints."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("ASTREINTE_DATABASE_CONNECT_S", "0")

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["astreinte", "database", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return run


@pytest.fixture
def engine(blank: str) -> Iterator[Engine]:
    made = engine_of(blank, answer_s=None)
    yield made
    made.dispose()


def test_a_record_goes_up_step_by_step_and_down_again(blank: str, typed: Typed) -> None:
    where = shown(engine_of(blank).url)
    status, out, _ = typed("migrate", "--database", blank, "--to", "0002")
    assert (status, out.split(" en ")[0]) == (0, f"{where} : étape — → 0002")
    status, out, _ = typed("migrate", "--database", blank)
    assert (status, out.split(" en ")[0]) == (0, f"{where} : étape 0002 → {schema.HEAD}")
    assert typed("migrate", "--database", blank) == (
        0,
        f"{where} : déjà à l'étape {schema.HEAD}\n",
        "",
    )
    status, out, _ = typed("downgrade", "0004", "--yes", "--database", blank)
    assert (status, out.splitlines()[0]) == (0, f"{where} : étape {schema.HEAD} → 0004")
    assert "  perdu : contact (0 lignes)" in out
    assert "  perdu : message (colonnes recipient, in_reply_to, mail_references)" in out
    assert out.splitlines()[-1] == "Étape 0004."
    assert ("SQLite" in out) == blank.startswith("sqlite")


def test_a_way_back_is_taken_on_purpose_only(
    blank: str, typed: Typed, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed("migrate", "--database", blank)
    status, _, err = typed("migrate", "--to", "0003", "--database", blank)
    assert (status, "`astreinte database downgrade 0003`, it may lose data" in err) == (1, True)
    monkeypatch.setattr(sys.stdin, "readline", lambda: "n\n", raising=False)
    status, out, _ = typed("downgrade", "0003", "--database", blank)
    assert (status, "Continuer ?" in out) == (1, True)
    for step in (schema.HEAD, "0099"):
        status, _, err = typed("downgrade", step, "--yes", "--database", blank)
        assert (status, f"{step} does not lie behind" in err) == (1, True)
    with engine.connect() as connection:
        assert schema.version_of(connection) == schema.HEAD


def test_a_good_record_is_described(blank: str, typed: Typed, engine: Engine) -> None:
    schema.migrate(engine)
    status, out, err = typed("check", "--database", blank)
    assert (status, err) == (0, "")
    assert f"{schema.HEAD} (celle de ce programme)" in out
    assert "lecture et écriture" in out
    server = "SQLite" if blank.startswith("sqlite") else "MariaDB"
    status, out, _ = typed("check", "--json", "--database", blank)
    found = json.loads(out)
    assert found["server"].startswith(f"{server} ")
    assert (found["step"], found["writable"], found["wrong"]) == (schema.HEAD, True, [])
    assert found["rows"].keys() >= {"customer", "message", "event"}
    assert found["texts"] == ("UTF-8" if server == "SQLite" else "utf8mb4_bin")
    assert ("synchronous=2" if server == "SQLite" else "STRICT_TRANS_TABLES") in found["mode"]


def test_what_is_wrong_is_said_with_what_to_do(blank: str, typed: Typed, engine: Engine) -> None:
    schema.migrate(engine, "0004")
    status, out, err = typed("check", "--database", blank)
    assert (status, "0004 (attendue" in out) == (1, True)
    assert err == f"astreinte: {schema.advice('0004', shown(engine.url))}\n"
    schema.migrate(engine)
    with engine.begin() as connection:
        drop = "DROP INDEX message_outcome"
        connection.execute(text(drop if blank.startswith("sqlite") else f"{drop} ON message"))
    status, _, err = typed("check", "--database", blank)
    assert (status, "add_index message_outcome: restore it" in err) == (1, True)
    if blank.startswith("sqlite"):
        return
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE metric CONVERT TO CHARACTER SET latin1"))
        connection.execute(text("ALTER TABLE latch ENGINE = Aria"))
    status, _, err = typed("check", "--database", blank)
    assert status == 1
    assert "ALTER TABLE metric CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin" in err
    assert "ALTER TABLE latch ENGINE = InnoDB" in err


def test_a_damaged_file_is_found_out(tmp_path: Path, typed: Typed) -> None:
    file = tmp_path / "torn.db"
    url = f"sqlite:///{file}"
    made = engine_of(url)
    schema.migrate(made)
    made.dispose()  # writes all into the file
    with file.open("r+b") as torn:
        torn.seek(file.stat().st_size // 2)
        torn.write(b"\xff" * 8_192)
    status, _, err = typed("check", "--database", url)
    assert status == 1
    assert "is damaged" in err
    assert "restore it from a backup" in err


def test_looking_makes_no_file(tmp_path: Path, typed: Typed) -> None:
    assert typed("check") == (
        1,
        "",
        "astreinte: there is no record at data/astreinte.db: no desk has run in this folder\n",
    )
    assert list(tmp_path.iterdir()) == []


def test_a_password_is_never_shown(typed: Typed) -> None:
    url = make_url("mysql+pymysql://me:geheim@127.0.0.1:1/x").render_as_string(hide_password=False)
    for command in ("check", "migrate"):
        status, out, err = typed(command, "--database", url)
        assert status == 1
        assert "me:***@127.0.0.1:1/x does not answer (error 2003)" in err
        assert "geheim" not in out + err
