"""SQL dumps: their rows are read, and nothing in them is run."""

from __future__ import annotations

import logging
import time

import pytest

from astreinte.importing import statements
from astreinte.importing.dump import rows_of
from astreinte.importing.rows import Remark, Row, Skip

TABLE = "CREATE TABLE t (a INT, b TEXT, PRIMARY KEY (a), KEY k (b(20)));\n"


def read(sql: str) -> list[object]:
    return list(rows_of(sql.splitlines(keepends=True)))


def rows(sql: str) -> list[dict[str, object]]:
    return [each.values for each in read(sql) if isinstance(each, Row)]


def skips(sql: str) -> list[tuple[str, str]]:
    return [(each.place, each.reason) for each in read(sql) if isinstance(each, Skip)]


def test_columns_come_from_the_list_or_else_from_the_table() -> None:
    sql = TABLE + "INSERT INTO t VALUES (1,'x'),(2,'y');\nINSERT INTO `d`.`T` (`B`) VALUES ('z');\n"
    assert rows(sql) == [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}, {"a": None, "b": "z"}]


def test_a_column_that_is_not_named_has_its_default() -> None:
    sql = "CREATE TABLE t (a INT, s ENUM('new','old') DEFAULT 'new', n INT DEFAULT -1, d DATETIME DEFAULT NOW());\n"
    assert rows(sql + "INSERT INTO t (a) VALUES (1);") == [{"a": 1, "s": "new", "n": -1, "d": None}]


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        ("NULL", None),
        ("-1.5", -1.5),
        ("1e3", 1000.0),
        ("TRUE", True),
        ("'it''s'", "it's"),
        (r"'it\'s \"q\" \\ \n \t'", 'it\'s "q" \\ \n \t'),
        ("\"a 'b'\"", "a 'b'"),
        ("'; DROP TABLE t; -- x /* y'", "; DROP TABLE t; -- x /* y"),
        ("'déjà\nvu 🖨'", "déjà\nvu 🖨"),
        ("_utf8mb4'x'", "x"),
        ("0xC3A9", "é"),
        ("X'41'", "A"),
        ("_binary '\\0a'", "\0a"),
        ("0xFFFF", None),
        ("b'101'", 5),
        ("CAST('[1]' AS JSON)", "[1]"),
        ("NOW()", None),
        ("CURRENT_TIMESTAMP", None),
        ("('x')", "x"),
        ("9" * 5000, float("inf")),
    ],
)
def test_literals_are_read(literal: str, value: object) -> None:
    assert rows(f"INSERT INTO t (a) VALUES ({literal});") == [{"a": value}]


@pytest.mark.parametrize(
    "expression",
    [
        "(SELECT password FROM mysql.user)",
        "LOAD_FILE('/etc/passwd')",
        "SLEEP(1000)",
        "@secret",
        "a + 1",
        "-'x'",
        "BENCHMARK(1000000, MD5('x'))",
    ],
)
def test_what_a_database_would_have_to_work_out_is_left_out(expression: str) -> None:
    sql = f"INSERT INTO t (a) VALUES (1), ({expression}), (3);"
    assert rows(sql) == [{"a": 1}, {"a": 3}]
    assert skips(sql) == [("line 1, row 2", "a value that is no literal")]


def test_a_row_of_another_length_than_its_columns_is_told_by_line_and_number() -> None:
    sql = f"\n{TABLE}\nINSERT INTO t VALUES\n(1,'x'),\n(2),\n(3,'z');\n"
    assert [row["a"] for row in rows(sql)] == [1, 3]
    assert skips(sql) == [("line 4, row 2", "1 values for 2 columns")]


def test_rows_of_a_table_that_nobody_described_are_left_out() -> None:
    assert skips("INSERT INTO t VALUES (1);") == [
        ("line 1", "no list of columns, and no CREATE TABLE before it")
    ]


def test_replace_is_read_as_insert_is_and_so_is_the_second_of_a_line() -> None:
    sql = "REPLACE INTO t (a) VALUES (1); REPLACE INTO t (a) VALUES (2);\nINSERT IGNORE INTO t SET a=3;"
    assert [row["a"] for row in rows(sql)] == [1, 2, 3]


def test_remarks_and_routines_are_no_rows() -> None:
    sql = (
        "-- INSERT INTO t (a) VALUES (1);\n# INSERT INTO t (a) VALUES (2);\n"
        "/* INSERT INTO t (a) VALUES (3);\n INSERT INTO t (a) VALUES (4); */\n"
        "/*!40000 ALTER TABLE t DISABLE KEYS */;\nLOCK TABLES t WRITE;\n"
        "DELIMITER ;;\nCREATE PROCEDURE p()\nBEGIN\nINSERT INTO t (a) VALUES (5);\nEND;;\nDELIMITER ;\n"
        "INSERT INTO t (a) VALUES\n-- the sixth;\n(6);\n"
    )
    assert read(sql) == [Row("t", "line 13, row 1", {"a": 6})]


def test_statements_that_change_rows_are_not_run_and_it_is_said() -> None:
    sql = "UPDATE t SET a=1;\nDELETE FROM t;\nUPDATE t SET a=2;\nDROP TABLE t;\n"
    assert read(sql) == [
        Remark("2 UPDATE left alone: only INSERT is read"),
        Remark("1 DELETE left alone: only INSERT is read"),
    ]


def test_a_dump_that_was_cut_off_within_a_statement_keeps_what_came_before() -> None:
    sql = "INSERT INTO t (a) VALUES (1);\nINSERT INTO `t` (a) VALUES (2),('it''s tor"
    assert rows(sql) == [{"a": 1}]
    assert read(sql)[1:] == [Skip("t", "line 2", statements.CUT_OFF)]


def test_a_dump_that_was_cut_off_between_statements_is_remarked() -> None:
    whole = "-- MySQL dump 10.13\nINSERT INTO t (a) VALUES (1);\n"
    assert read(whole)[1:] == [Remark(statements.NO_END)]
    assert len(read(whole + "-- Dump completed on 2025-01-01\n")) == 1


def test_a_statement_that_is_too_long_is_left_out_and_the_next_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(statements, "MAX_STATEMENT", 1_000)
    sql = f"INSERT INTO t (a) VALUES\n('{'x' * 2_000};\n{'y' * 2_000}');\nINSERT INTO t (a) VALUES (2);"
    assert rows(sql) == [{"a": 2}]
    assert read(sql)[0] == Skip("t", "line 1", statements.TOO_LONG)


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO t (a) VALUES (" + "(" * 50_000 + "1" + ")" * 50_000 + ");",
        "INSERT INTO t (a VALUES 1);",
        "INSERT INTO t (a) VALUES ('x' 1);",
    ],
)
def test_what_no_parser_takes_is_told_without_its_words(
    sql: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        [(place, reason)] = skips(sql)
    assert place.startswith("line 1")
    assert "cannot be parsed" in reason or "no literal" in reason
    assert not caplog.records


def test_a_hostile_line_takes_no_longer_than_another() -> None:
    began = time.process_time()
    for line in ("'" + "\\'" * 200_000, "'" + "''" * 200_000, "/*" * 200_000, "--\n" * 100_000):
        read(f"INSERT INTO t (a) VALUES ({line}")
    assert time.process_time() - began < 5
