"""`astreinte units`, as it is typed: declare, list, show, check, learn, draft."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from astreinte import cli, output, units
from refrigeration.profile import Profile

Typed = Callable[..., tuple[int, str, str]]

WHOLE = """\
unit_id: chambre-2
name: Chambre 2
kind: positive_room
refrigerant: R449A
set_point_c: 3
low_c: 0
high_c: 7
sensors:
  temperature_c: {source: Température}
  low_pressure_bar: {source: BP, gauge: true}
"""


@pytest.fixture
def typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Typed:
    """Run `astreinte units …` in a folder of its own; give status, output, complaints."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(output.out, "_width", 300)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("ASTREINTE_DATABASE_URL", f"sqlite:///{tmp_path / 'record.db'}")

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["astreinte", "units", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return run


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "chambre-2.yaml"
    path.write_text(WHOLE, "utf-8")
    return path


def test_a_unit_is_added_changed_and_left_alone(typed: Typed, file: Path):
    assert typed("add", str(file)) == (0, "chambre-2 : ajoutée\n", "")
    assert typed("add", str(file)) == (0, "chambre-2 : inchangée\n", "")
    file.write_text(WHOLE.replace("high_c: 7", "high_c: 6"), "utf-8")
    assert typed("add", str(file)) == (0, "chambre-2 : modifiée\n", "")
    _, out, _ = typed("show", "chambre-2")
    assert Profile.model_validate(yaml.safe_load(out)) == Profile.read(file)


def test_units_are_listed_for_people_and_for_machines(typed: Typed, file: Path):
    typed("add", str(file))
    _, out, _ = typed("list")
    assert "chambre-2" in out and "R449A" in out and "3 °C" in out and "déclarée" in out
    _, out, _ = typed("list", "--json")
    (found,) = json.loads(out)
    assert found["declared"] and found["profile"]["sensors"]["low_pressure_bar"]["gauge"]


def test_a_profile_that_contradicts_itself_is_not_added_unless_it_is_meant(
    typed: Typed, file: Path
):
    file.write_text(WHOLE.replace("set_point_c: 3", "set_point_c: 9"), "utf-8")
    status, out, err = typed("add", str(file))
    assert status == 1 and "n'est pas sous high_c" in out and "--force" in err
    status, _, err = typed("list")
    assert status == 1 and "there is no record" in err
    assert typed("add", "--force", str(file))[0] == 0


def test_one_bad_file_of_several_adds_none(typed: Typed, file: Path, tmp_path: Path):
    bad = tmp_path / "bad.yaml"
    bad.write_text("unit_id: x\n", "utf-8")
    status, _, err = typed("add", str(file), str(bad))
    assert (status, err) == (1, f"astreinte: {bad}: name: Field required\n")
    assert typed("list")[0] == 1


def test_what_is_missing_is_said_and_is_no_error(typed: Typed, file: Path):
    status, out, _ = typed("check", str(file))
    assert status == 0
    assert "à compléter : food manque" in out and "contradiction" not in out
    status, out, _ = typed("check", str(file), "--json")
    assert status == 0 and not any(remark["wrong"] for remark in json.loads(out))


def test_a_contradiction_ends_a_check_with_status_1(typed: Typed, file: Path):
    file.write_text(WHOLE.replace("positive_room", "negative_room"), "utf-8")
    status, out, _ = typed("check", str(file))
    assert status == 1 and out.startswith("contradiction : kind est negative_room")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "valid dictionary"),
        ("- 1\n- 2\n", "valid dictionary"),
        ("{unit_id: [", "no YAML"),
        ("unit_id: !!python/object/apply:os.system ['true']\n", "no YAML"),
        (WHOLE + "colour: red\n", "colour: Extra inputs"),
        (WHOLE.replace("gauge: true", "gage: true"), "gage: Extra inputs"),
        (WHOLE.replace("high_c: 7", "high_c: .nan"), "high_c"),
        (WHOLE.replace("high_c: 7", "high_c: -1"), "low_c 0 is not below high_c -1"),
        (WHOLE.replace("chambre-2", '"a\\nb"'), "unit_id"),
        (WHOLE.replace("BP,", "BP, unit: bars,"), "not known; known:"),
        (
            "a: &a [" + "x, " * 10 + "]\nb: &b [" + "*a, " * 10 + "]\nc: [" + "*b, " * 10 + "]\n",
            "unit_id",
        ),
        ("[" * 5_000, "chambre-2.yaml"),
        ("\x00", "no YAML"),
    ],
    ids=range(13),
)
def test_a_file_that_is_no_profile_is_named_with_what_is_wrong(
    typed: Typed, file: Path, text: str, words: str
):
    file.write_text(text, "utf-8")
    status, out, err = typed("check", str(file))
    assert (status, out) == (1, "")
    assert words in err and str(file) in err


def test_a_file_that_is_not_there_or_not_text_is_said(typed: Typed, file: Path, tmp_path: Path):
    status, _, err = typed("check", str(tmp_path / "none.yaml"))
    assert status == 1 and "none.yaml" in err
    file.write_bytes(b"\xff\xfe\xfa")
    assert typed("check", str(file))[0] == 1
    file.write_bytes(b"#" * (units.MAX_FILE_BYTES + 1))
    status, _, err = typed("check", str(file))
    assert status == 1 and "larger than" in err


def test_a_unit_that_nobody_declared_is_not_shown(typed: Typed, file: Path):
    typed("add", str(file))
    status, _, err = typed("show", "chambre-3")
    assert status == 1 and "no unit chambre-3 is declared" in err


def export(tmp_path: Path, hours: int) -> Path:
    lines = ["date;Température (°C);BP"]
    lines += [
        f"2026-11-{1 + n // 288:02d} {n // 12 % 24:02d}:{n % 12 * 5:02d};{3 + n % 5 / 4};{1 + n % 7 / 50}"
        for n in range(hours * 12)
    ]
    path = tmp_path / "export.csv"
    path.write_text("\n".join(lines).replace(".", ","), "utf-8")
    return path


def test_a_draft_is_printed_or_written_and_can_be_added(typed: Typed, tmp_path: Path):
    path = export(tmp_path, 24)
    status, out, _ = typed("draft", str(path), "--unit", "c7", "--name", "Quai nord")
    assert status == 0 and out.startswith("# ") and "unit_id: c7" in out
    target = tmp_path / "c7.yaml"
    status, out, _ = typed("draft", str(path), "--unit", "c7", "--out", str(target))
    assert status == 0 and f"astreinte units check {target}" in out
    assert typed("check", str(target))[0] == 0
    assert typed("add", str(target)) == (0, "c7 : ajoutée\n", "")
    status, _, err = typed("draft", str(path), "--out", str(target))
    assert status == 1 and "is there already" in err


def test_a_draft_of_what_is_no_export_is_refused(typed: Typed, tmp_path: Path):
    path = tmp_path / "x.csv"
    path.write_text("name,colour\nalice,red\n", "utf-8")
    status, _, err = typed("draft", str(path))
    assert status == 1 and "no column is a sensor" in err


def test_what_is_normal_is_learned_and_survives_a_change_of_the_profile(
    typed: Typed, file: Path, tmp_path: Path
):
    pytest.importorskip("refrigeration.normal")
    file.write_text(WHOLE.replace("source: Température", 'source: "Température (°C)"'), "utf-8")
    typed("add", str(file))
    status, out, err = typed("learn", "chambre-2", str(export(tmp_path, 48)))
    assert (status, err) == (0, ""), err
    assert out.startswith("chambre-2 : ") and "grandeurs apprises" in out
    file.write_text(file.read_text("utf-8").replace("high_c: 7", "high_c: 6"), "utf-8")
    assert typed("add", str(file)) == (0, "chambre-2 : modifiée\n", "")
    _, out, _ = typed("show", "chambre-2")
    assert "high_c: 6" in out and "# appris : " in out
    assert "appris (" in typed("list")[1]


def test_half_a_night_is_too_little_to_learn_from(typed: Typed, file: Path, tmp_path: Path):
    typed("add", str(file))
    status, _, err = typed("learn", "chambre-2", str(export(tmp_path, 6)))
    assert status == 1 and "too few" in err
