"""Files, folders and databases become rows of tables; what cannot be read is said."""

from __future__ import annotations

import gzip
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from astreinte.importing.reading import CP1252, read
from astreinte.importing.rows import Read, Remark, Row, Skip
from storage.engine import WrongDatabase

MAIL = b"From: ana@exemple.example\nMessage-ID: <%d@x>\nDate: Mon, 20 Jan 2025 08:00:00 +0000\n\nBonjour\n"


def from_file(folder: Path, name: str, content: bytes | str) -> list[Read]:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return list(read(str(path)))


def of(reads: list[Read]) -> list[tuple[str, str, str]]:
    return [(each.origin, each.table, each.place) for each in reads if isinstance(each, Row)]


@pytest.mark.parametrize(
    ("name", "rows", "expected"),
    [
        ("clients.json", [{"client_id": 1}], ("support_client", "clients")),
        ("tickets.json", [{"client_id": 1, "content": "x"}], ("support_client", "tickets")),
        ("tickets.json", [{"customer_id": 1, "text": "x"}], ("printer_support", "tickets")),
        ("export 7.json", [{"id": 1, "text": "x"}], ("export 7", "tickets")),
        ("export.jsonl", [{"id": 1, "text": "x"}], ("export", "tickets")),
        ("things.json", [{"a": 1}], ("things", "things")),
    ],
)
def test_a_list_is_of_the_table_that_its_file_is_named_by(
    tmp_path: Path, name: str, rows: list[Any], expected: tuple[str, str]
) -> None:
    lines = "\n".join(json.dumps(row) for row in rows) if "jsonl" in name else json.dumps(rows)
    assert of(from_file(tmp_path, name, lines)) == [(*expected, f"{name} row 1")]


def test_an_object_has_a_list_for_each_table(tmp_path: Path) -> None:
    data = {"source": "x", "printer_models": [{"model_id": 1}], "knowledge_base": [{"kb_id": 1}, 7]}
    found = from_file(tmp_path, "a.json", json.dumps(data))
    assert of(found) == [
        ("printer_support", "printer_models", "a.json printer_models row 1"),
        ("printer_support", "knowledge_base", "a.json knowledge_base row 1"),
    ]
    assert found[2] == Skip("knowledge_base", "a.json knowledge_base row 2", "a row is an object")


def test_a_device_names_its_customer_by_the_place_in_the_list(tmp_path: Path) -> None:
    customers = [{"company_name": "A"}, {"company_name": "B", "contact_email": "b@x.example"}]
    devices = [{"customer_index": 1, "model": "X"}, {"customer_index": 9}]
    data = json.dumps({"customers": customers, "devices": devices})
    found = [each.values for each in from_file(tmp_path, "a.json", data) if isinstance(each, Row)]
    assert found[2]["customer_id"] == "B/b@x.example"
    assert "customer_id" not in found[3]


def test_a_table_of_tickets_has_columns_under_any_name(tmp_path: Path) -> None:
    found = from_file(tmp_path, "boite.csv", "Référence;Objet;Message\n7;Panne;Elle fume\n8;x\n")
    assert of(found) == [("boite", "tickets", "boite.csv row 1")]
    assert found[1] == Skip("tickets", "boite.csv row 2", "a row of 2 fields under a header of 3")


def test_a_folder_is_all_that_lies_in_it(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"customers": [{"customer_id": 1}]}')
    (tmp_path / "b.sql").write_text("INSERT INTO devices (device_id) VALUES (1);")
    (tmp_path / "c.eml").write_bytes(MAIL % 1)
    (tmp_path / "notes.docx").write_bytes(b"PK\x03\x04")
    for place in ("cur", "new", "tmp"):
        (tmp_path / "Maildir" / place).mkdir(parents=True)
        (tmp_path / "Maildir" / place / f"{place}:2,S").write_bytes(MAIL % len(place))
    found = list(read(str(tmp_path)))
    assert [each.table for each in found if isinstance(each, Row)] == [
        *("customers", "devices"),
        *("mail", "mail", "mail"),
    ]


def test_mails_are_read_from_a_mailbox(tmp_path: Path) -> None:
    box = b"".join(b"From x Mon Jan 20 08:00:00 2025\n" + MAIL % n + b"\n" for n in (1, 2))
    assert of(from_file(tmp_path, "inbox.mbox", box)) == [
        ("mail", "mail", "inbox.mbox record 1"),
        ("mail", "mail", "inbox.mbox record 2"),
    ]


def test_a_dump_is_known_by_how_it_begins_too(tmp_path: Path) -> None:
    found = from_file(
        tmp_path, "dump.txt", "-- MySQL\nINSERT INTO clients (client_id) VALUES ('K1');"
    )
    assert of(found) == [("support_client", "clients", "dump.txt line 2, row 1")]


def test_what_is_not_utf_8_is_read_as_windows_1252_and_remarked(tmp_path: Path) -> None:
    sql = "INSERT INTO clients (nom) VALUES ('Épinette');".encode("cp1252")
    remark, row = from_file(tmp_path, "a.sql", sql)
    assert remark == Remark(f"a.sql: {CP1252}")
    assert isinstance(row, Row)
    assert row.values == {"nom": "Épinette"}
    [row] = from_file(tmp_path, "b.sql", "INSERT INTO clients (nom) VALUES ('É');".encode("utf-16"))
    assert isinstance(row, Row)
    assert row.values == {"nom": "É"}


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.sql", b"", "a file of 1 to"),
        ("a.sql", b"INSERT\x00\x00\x01", "it is no text"),
        (
            "a.sql",
            b"INSERT INTO t VALUES ('\x81\x8d');",
            "no text in UTF-8, UTF-16 or Windows-1252",
        ),
        ("a.sql.gz", gzip.compress(b"INSERT", mtime=0), "it is packed: unpack it first"),
        ("a.json", b'[{"id": 1', "broken JSON at line 1"),
        ("a.json", b'{"a": 1}', "the JSON has no list"),
        ("a.json", b"[" * 100_000, "nested too deeply"),
        ("a.csv", b"a;b\n1;2\n", "no column of text"),
        ("a.xyz", b"\x89PNG\r\n", "unknown format"),
        ("a.mbox", b"Bonjour", "no mbox"),
    ],
)
def test_a_bad_file_says_what_is_the_matter(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    skips = [each for each in from_file(tmp_path, name, content) if isinstance(each, Skip)]
    assert [skip.place for skip in skips] == [name]
    assert reason in skips[0].reason


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    [skip] = read(str(tmp_path / "nowhere.sql"))
    assert skip == Skip("", "nowhere.sql", "it cannot be read: No such file or directory")
    [skip] = read(str(tmp_path))
    assert isinstance(skip, Skip)
    assert "no mails" in skip.reason


def test_an_old_database_is_read_by_its_url_and_not_changed(tmp_path: Path) -> None:
    file = tmp_path / "old.db"
    with sqlite3.connect(file) as old:
        old.execute("CREATE TABLE clients (client_id TEXT, NOM TEXT)")
        old.execute("CREATE TABLE stock (id INT)")
        old.execute("INSERT INTO clients VALUES ('K1', 'Épinette')")
    old.close()
    before = file.read_bytes()
    [row] = read(f"sqlite:///{file}")
    assert row == Row(
        "clients", "clients row 1", {"client_id": "K1", "nom": "Épinette"}, "support_client"
    )
    assert file.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["old.db"]


@pytest.mark.parametrize(
    "url", ["sqlite:////nowhere/old.db", "mysql+pymysql://u:secret@127.0.0.1:1/x", "x://:y"]
)
def test_an_old_database_that_is_not_there_is_said_without_its_password(url: str) -> None:
    with pytest.raises(WrongDatabase) as error:
        list(read(url))
    assert "secret" not in str(error.value)
