"""`astreinte train classify` and `astreinte evaluate classify`, as they are typed."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from astreinte.cli import app
from tests.ai.test_classifier import LABELS, TEXTS

STRANGE = ["quelle heure est-il", "what is the time", "il pleut", "le train part", "recette"]


def table(path: Path, rows: list[tuple[str, str]], delimiter: str = ",") -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(["text", "label"])
        writer.writerows(rows)
    return path


def run(*words: str | Path) -> Result:
    return CliRunner(env={"NO_COLOR": "1", "COLUMNS": "200"}).invoke(app, [str(w) for w in words])


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    rows = [*zip(TEXTS, LABELS, strict=True), *((text, "rien") for text in STRANGE)]
    data = table(folder / "data.csv", rows, ";")
    answer = run("train", "classify", data, "--out", folder / "model", "--outside", "rien")
    assert answer.exit_code == 0, answer.output
    return folder / "model"


def test_training_writes_a_model_and_its_card(model: Path) -> None:
    assert sorted(path.name for path in model.iterdir()) == ["card.md", "model.json", "weights.npz"]
    about = json.loads((model / "model.json").read_text("utf-8"))["about"]
    assert about["labels"] == {"jam": 5, "bill": 5, "thanks": 5}
    assert about["outside_texts"] == len(STRANGE)
    card = (model / "card.md").read_text("utf-8")
    assert about["data_sha256"] in card
    assert "| jam | 5 |" in card


def test_a_model_is_measured_on_other_texts(model: Path, tmp_path: Path) -> None:
    rows = [("bourrage de papier", "jam"), ("invoice wrong", "bill"), ("gardening", "rien")]
    answer = run(
        "evaluate", "classify", table(tmp_path / "t.csv", rows), "--model", model, "--json"
    )
    assert answer.exit_code == 0, answer.output
    found = json.loads(answer.stdout)
    assert found["accuracy"] == 1
    assert found["texts"] == 2
    assert found["outside"]["texts"] == 1
    assert found["promised"]["0.98"]["threshold"] is None
    assert found["possible"] == {"0.95": 1, "0.98": 1}


def test_the_figures_are_printed_for_people_too(model: Path, tmp_path: Path) -> None:
    data = table(tmp_path / "t.csv", [("bourrage de papier", "jam"), ("x", "autre")])
    answer = run("evaluate", "classify", data, "--model", model)
    assert "exactitude 0.500" in answer.stdout
    assert "trop peu de textes pour promettre" in answer.stdout
    assert "labels that the model does not know: autre (1)" in answer.stderr


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"text,category\na,b\n", "line 1: no column 'label' among text, category"),
        (b"", "line 1: no column 'text' among none"),
        (b"text,label\n", "there are no rows"),
        (b"text,label\na,x\n,x\nb,\nc,y\n", "line 3: no text; line 4: no label"),
        (b'text,label\n"a\nb",x\n"",x\n', "line 4: no text"),
        (b"text,label\n" + b",x\n" * 9, "line 6: no text; and 4 more"),
        (b"text,label\n" + b"a,x\n" * 9, "every row has the label 'x'"),
        (b"text,label\n" + b"a,x\n" * 9 + b"b,y\n", "fewer than 5 examples of y (1)"),
        (b"text,label\ncaf\xe9,x\n", "line 2: not UTF-8 (byte 0xe9)"),
        (b'text,label\na,x\n"b,y\nc,z\n', "line 3: unexpected end of data"),
        (b'text,label\n"' + b"a" * 1_000_001 + b'",x\n', "line 2: field larger than"),
    ],
)
def test_a_broken_table_is_said_with_its_lines(tmp_path: Path, content: bytes, said: str) -> None:
    data = tmp_path / "data.csv"
    data.write_bytes(content)
    answer = run("train", "classify", data, "--out", tmp_path / "model")
    assert answer.exit_code == 1
    assert said in answer.stderr
    assert len(answer.stderr.splitlines()) == 1
    assert not (tmp_path / "model").exists()


def test_a_table_that_is_not_there_or_too_large_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    absent = run("train", "classify", tmp_path / "none.csv", "--out", tmp_path / "model")
    assert "cannot be read: No such file or directory" in absent.stderr
    monkeypatch.setattr("knowledge.labelled.LARGEST_MB", 0)
    data = table(tmp_path / "data.csv", list(zip(TEXTS, LABELS, strict=True)))
    large = run("train", "classify", data, "--out", tmp_path / "model")
    assert "0 MB at most: take a sample" in large.stderr


def test_a_mark_of_byte_order_and_tabs_are_read(tmp_path: Path) -> None:
    from knowledge import labelled

    data = tmp_path / "data.csv"
    data.write_bytes(b"\xef\xbb\xbfLabel\tText\nx\tun texte\n\n")
    assert labelled.read(data) == [("un texte", "x")]


def test_an_outside_label_that_no_row_has_is_said(tmp_path: Path) -> None:
    data = table(tmp_path / "data.csv", list(zip(TEXTS, LABELS, strict=True)))
    answer = run("train", "classify", data, "--out", tmp_path / "m", "--outside", "nulle part")
    assert answer.exit_code == 1
    assert "no row has the label 'nulle part'" in answer.stderr


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    data = table(tmp_path / "data.csv", list(zip(TEXTS, LABELS, strict=True)))
    answer = run("train", "classify", data, "--out", data / "model")
    assert answer.exit_code == 1
    assert "cannot be written" in answer.stderr


def test_a_folder_without_a_model_is_said(tmp_path: Path) -> None:
    data = table(tmp_path / "data.csv", list(zip(TEXTS, LABELS, strict=True)))
    answer = run("evaluate", "classify", data, "--model", tmp_path)
    assert answer.exit_code == 1
    assert "model.json: cannot be read" in answer.stderr
