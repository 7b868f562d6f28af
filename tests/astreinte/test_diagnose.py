"""`astreinte diagnose`: people try it on their own export before they trust it."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from astreinte.cli import app
from astreinte.histories import UnfitFileError, moment, number, read
from refrigeration.history import History
from refrigeration.profile import Profile
from tests.refrigeration.chillers import NAMES, joined, run

RUNNER = CliRunner()
HELD = tuple(f"c{number}" for number in (2, 10, 13, 21))


def written(path: Path, history: History, *, labels: bool) -> Path:
    with path.open("w", newline="") as target:
        table = csv.writer(target)
        table.writerow(["time", *NAMES, *(["label", "condition"] if labels else [])])
        for place, row in enumerate(history.values):
            more = [history.labels[place], history.groups[place]] if labels else []
            table.writerow([history.at[place], *np.round(row, 4), *more])
    return path


def profile(path: Path) -> Path:
    sensors = "".join(f"  {name}: {{}}\n" for name in NAMES)
    path.write_text(
        f"unit_id: g1\nname: groupe\nkind: chiller\ninterval_s: 10\nsensors:\n{sensors}"
    )
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("diagnose")
    whole = joined(*(run(2, state, 24, 2.0) for state in ("normal", "non_condensables")))
    held = np.isin(np.array(whole.groups), HELD)
    return {
        "profile": profile(folder / "p.yaml"),
        "train": written(folder / "train.csv", whole.rows(~held), labels=True),
        "file": written(folder / "file.csv", whole.rows(held), labels=False),
        "truth": written(folder / "truth.csv", whole.rows(held), labels=True),
    }


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open() as source:
        return list(csv.DictReader(source))


def test_a_labelled_history_teaches_what_another_is_diagnosed_with(files, tmp_path) -> None:
    out = tmp_path / "out.csv"
    asked = ["diagnose", str(files["file"]), "--profile", str(files["profile"])]
    asked += ["--train", str(files["train"]), "--out", str(out), "--window", "1"]
    found = RUNNER.invoke(app, [*asked, "--drivers", "TEO,TCI,TEI", "--false-alarms", "0.05"])
    assert found.exit_code == 0, found.output
    rows, truth = rows_of(out), rows_of(files["truth"])
    assert len(rows) == len(truth)
    faulty = [row for row, true in zip(rows, truth, strict=True) if true["label"] != "normal"]
    usual = [row for row, true in zip(rows, truth, strict=True) if true["label"] == "normal"]
    assert np.mean([row["is_fault"] == "1" for row in faulty]) > 0.8
    assert np.mean([row["is_fault"] == "1" for row in usual]) < 0.2
    assert {row["cause"] for row in faulty} <= {"normal", "non_condensables"}
    shares = json.loads(rows[0]["probabilities"])
    assert sum(shares.values()) == pytest.approx(1, abs=1e-3)
    assert np.mean([float(r["score"]) for r in faulty]) > np.mean(
        [float(r["score"]) for r in usual]
    )


def test_without_labels_each_row_has_a_result_too(files, tmp_path) -> None:
    out = tmp_path / "out.jsonl"
    asked = ["diagnose", str(files["file"]), "--profile", str(files["profile"])]
    found = RUNNER.invoke(app, [*asked, "--normal", "96", "--out", str(out)])
    assert found.exit_code == 0, found.output
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [row["row"] for row in rows] == list(range(len(rows_of(files["file"]))))
    assert rows[0].keys() >= {"score", "is_fault", "cause", "probabilities"}


def test_what_does_not_fit_is_said_in_a_sentence(files, tmp_path) -> None:
    other = tmp_path / "other.csv"
    other.write_text("time,x\n1,2\n2,3\n")
    asked = ["diagnose", str(other), "--profile", str(files["profile"])]
    found = RUNNER.invoke(app, asked)
    assert found.exit_code == 1
    found = RUNNER.invoke(
        app,
        [
            *("diagnose", str(files["file"])),
            *("--profile", str(files["profile"]), "--train", str(files["file"])),
        ],
    )
    assert found.exit_code == 1


ROOM = Profile.model_validate(
    {
        "unit_id": "r",
        "name": "r",
        "kind": "positive_room",
        "sensors": {
            "temperature_c": {"source": "Température"},
            "low_pressure_bar": {"source": "BP", "gauge": True},
            "current_a": {"unit": "mA", "source": "I"},
        },
    }
)


def test_french_exports_with_codes_gauge_and_units_are_read(tmp_path) -> None:
    path = tmp_path / "export.csv"
    path.write_text(
        "Horodatage;Température;BP;I\n"
        "01/02/2026 10:00;4,5;2,0;1500\n"
        "01/02/2026 10:01;-999;abc;\n"
        "01/02/2026 10:02;95;1e400;2000\n"
    )
    found = read(path, ROOM).history
    assert found.at.tolist() == [1769940000.0, 1769940060.0, 1769940120.0]
    columns = dict(zip(found.names, found.values.T.tolist(), strict=True))
    assert columns["temperature_c"][0] == 4.5
    assert np.isnan(columns["temperature_c"][1:]).all()
    assert columns["low_pressure_bar"][0] == pytest.approx(3.01325)
    assert np.isnan(columns["low_pressure_bar"][1:]).all()
    assert columns["current_a"][0] == 1.5


def test_an_empty_file_is_refused(tmp_path) -> None:
    path = tmp_path / "empty.csv"
    path.write_text("a,b\n")
    with pytest.raises(UnfitFileError, match="no header"):
        read(path, ROOM)


def test_times_and_numbers_of_loggers() -> None:
    assert moment("2026-02-01T10:00:00Z") == moment("01/02/2026 10:00") == 1769940000.0
    assert moment("1769940000000") == moment("1769940000") == 1769940000.0
    assert moment("soon") is None
    assert number("882.6") != number("882.6")  # a code: NaN
    assert number("4,2") == 4.2
    assert number("inf") != number("inf")
