"""A profile drafted from a logger's export: columns, units, separators; hostile files too."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from astreinte.drafting import Draft, draft
from astreinte.exports import MAX_COLUMNS, UnfitFileError, table, unit_in
from astreinte.histories import read
from refrigeration.profile import Kind, Profile

Written = Callable[..., Path]


@pytest.fixture
def written(tmp_path: Path) -> Written:
    def write(text: str | bytes, name: str = "chambre 2.csv", encoding: str = "utf-8") -> Path:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return path

    return write


def rows(
    header: Sequence[str], mark: str = ",", comma: str = ".", middle: float = 3.0, minutes: int = 5
) -> str:
    """A day of readings: air around `middle`, 2 and 12 bar, a current."""
    drawn = random.Random(1)
    lines = [mark.join(header)]
    for step in range(288):
        at = f"2026-11-{1 + step * minutes // 1440:02d} {step * minutes // 60 % 24:02d}:{step * minutes % 60:02d}"
        values = [middle + drawn.uniform(-1, 1), 2 + drawn.random() / 5, 12 + drawn.random(), 8.0]
        cells = [f"{value:.2f}".replace(".", comma) for value in values[: len(header) - 1]]
        lines.append(mark.join([at, *cells]))
    return "\n".join(lines)


OLD = ["Horodatage", "Température", "Pression_BP", "Pression_HP", "Courant"]


def of(found: Draft) -> dict[str, str | None]:
    return {name: sensor.source for name, sensor in found.profile.sensors.items()}


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_an_export_in_any_dress_gives_the_same_profile(written: Written, mark: str, encoding: str):
    comma = "." if mark == "," else ","
    found = draft(written(rows(OLD, mark, comma), encoding=encoding), "c2").profile
    assert found.kind is Kind.POSITIVE_ROOM
    assert found.set_point_c == pytest.approx(3, abs=0.5)
    assert (found.low_c, found.high_c) == (0, 6)
    assert found.interval_s == 300
    assert found.sensors["temperature_c"].source == "Température"
    assert list(found.sensors) == [
        *("temperature_c", "low_pressure_bar", "high_pressure_bar", "current_a")
    ]


def test_what_is_drafted_is_a_profile_that_can_be_read_again(written: Written, tmp_path: Path):
    found = draft(written(rows(OLD)))
    path = tmp_path / "draft.yaml"
    path.write_text(found.write(), "utf-8")
    assert Profile.read(path) == found.profile
    assert found.profile.unit_id == "chambre-2"


def test_lines_above_the_header_and_a_row_of_units_are_understood(written: Written):
    header, *body = rows(OLD, ";", ",").splitlines()
    text = "\n".join(
        ["Enregistreur 4711;;;;", "Lieu : quai nord;;;;", "", header, ";°C;barg;psig;A", *body]
    )
    export = table(written(text))
    assert (export.above, export.units[1:]) == (2, ("°C", "barg", "psig", "A"))
    sensors = draft(written(text)).profile.sensors
    assert (sensors["low_pressure_bar"].unit, sensors["high_pressure_bar"].unit) == ("barg", "psig")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("T chambre (°C)", ("T chambre", "°C")),
        ("HP [bar g]", ("HP", "barg")),
        ("Temp °F", ("Temp", "°F")),
        ("Courant (L1)", ("Courant (L1)", "")),
        ("Débit m³/h", ("Débit", "m³/h")),
        ("", ("", "")),
    ],
)
def test_a_unit_that_a_name_says_is_taken_from_it(name: str, told: tuple[str, str]):
    assert unit_in(name) == told


def test_a_column_is_known_by_a_word_of_its_name_and_that_is_said(written: Written):
    found = draft(written(rows(["date", "Temperature chambre 2 (°C)", "BP groupe (bar)"])))
    assert of(found)["temperature_c"] == "Temperature chambre 2 (°C)"
    assert of(found)["low_pressure_bar"] == "BP groupe (bar)"
    assert any("deviné" in note for note in found.notes)


def test_two_pressures_without_names_are_told_by_their_range(written: Written):
    found = draft(written(rows(["time", "Voie 1 (°C)", "Voie 2 (bar)", "Voie 3 (bar)"])))
    assert of(found) == {
        "temperature_c": "Voie 1 (°C)",
        "low_pressure_bar": "Voie 2 (bar)",
        "high_pressure_bar": "Voie 3 (bar)",
    }


def test_a_freezer_a_cabinet_and_what_is_no_cold_room(written: Written):
    frozen = written(rows(["time", "temp"], middle=-20))
    assert draft(frozen).profile.kind is Kind.NEGATIVE_ROOM
    assert draft(frozen, name="bac surgelés").profile.kind is Kind.FREEZER_CABINET
    warm = draft(written(rows(["time", "temp"], middle=38)))
    assert (warm.profile.kind, warm.profile.set_point_c) == (Kind.OTHER, None)
    assert any("°F ?" in note for note in warm.notes)


def test_a_pressure_below_zero_can_only_be_gauge(written: Written):
    text = rows(["time", "temp", "bp"]).replace(",2.0", ",-0.2")
    sensor = draft(written(text)).profile.sensors["low_pressure_bar"]
    assert sensor.gauge
    asked = draft(written(rows(["time", "temp", "bp"])))
    assert not asked.profile.sensors["low_pressure_bar"].gauge
    assert any("gauge: true" in note for note in asked.notes)


def test_codes_holes_and_repeated_rows_are_counted_and_do_not_move_the_limits(written: Written):
    lines = rows(["time", "temp"]).splitlines()
    broken = [line.rsplit(",", 1)[0] + ",-999" for line in lines[40:60]]
    text = "\n".join([*lines[:40], *broken, *lines[60:100], *lines[90:100], *lines[200:]])
    found = draft(written(text))
    assert (found.profile.low_c, found.profile.high_c) == (0, 6)
    said = " ".join(found.notes)
    assert "20 code(s)" in said and "trou(s)" in said and "ordre du temps" in said


def test_a_column_that_nobody_knows_is_named(written: Written):
    found = draft(written(rows(["time", "temp", "grandeur X"])))
    assert any("« grandeur X »" in note for note in found.notes)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n\n\n",
        b"\x00\x01\x02\x03" * 100,
        b"PK\x03\x04" + b"\x00" * 64,
        b"just one line of words",
        b"a,b,c\n",
        b"1,2,3\n4,5,6\n",
        b"\xff\xfe",
        b"\xff\xfe\x00",
        b'{"measures": [1, 2, 3]}',
        b"time,name\n2026-01-01,alice\n2026-01-02,bob\n",
        b"time,temp\nx,y\nx,z\n",
        b"time,temp\n2026-01-01 00:00,nan\n2026-01-01 00:05,inf\n2026-01-01 00:10,\n",
        b'"' + b"a" * 200_000 + b"\n1,2\n",
    ],
    ids=range(14),
)
def test_what_is_no_export_is_refused_in_a_sentence(written: Written, content: bytes):
    with pytest.raises(UnfitFileError) as refused:
        draft(written(content))
    assert "chambre 2.csv" in str(refused.value)


def test_more_columns_than_any_logger_has_are_refused(written: Written):
    header = ",".join(["time", *(f"c{n}" for n in range(MAX_COLUMNS + 1))])
    with pytest.raises(UnfitFileError, match="columns"):
        draft(written(header + "\n" + ",".join(["1"] * (MAX_COLUMNS + 2)) + "\n"))


def test_uneven_rows_wild_values_and_formulas_cost_nothing_but_themselves(written: Written):
    lines = rows(["time", "temp", "bp"]).splitlines()
    lines[5] += ",9,9,9"
    lines[6] = lines[6].split(",")[0]
    lines[7] = lines[7].replace(",", ",=cmd|' /C calc'!A0", 1)
    lines[8] = lines[8].split(",")[0] + ",1e308,-1e308"
    lines[9] = "not a time,3.1,2.1"
    found = draft(written("\n".join(lines)))
    assert (found.profile.low_c, found.profile.high_c) == (0, 6)
    said = " ".join(found.notes)
    assert "2 ligne(s) n'ont pas autant de cases" in said and "sans heure lisible" in said


def test_names_that_would_break_out_of_yaml_stay_text(written: Written, tmp_path: Path):
    found = draft(written(rows(["time", 'temp "x": [1', "bp # {}"]), name="a: !!python.csv"))
    path = tmp_path / "x.yaml"
    path.write_text(found.write(), "utf-8")
    assert Profile.read(path) == found.profile


def test_a_long_or_odd_name_of_a_column_does_not_stop_the_draft(written: Written):
    found = draft(written(rows(["time", "temp", "bp " + "x" * 500])))
    assert "temperature_c" in found.profile.sensors
    assert list(found.profile.sensors) == ["temperature_c"]


def test_what_was_drafted_is_found_again_in_the_same_file(written: Written):
    path = written(rows(["date", "Temperature chambre 2 (°C)", "BP groupe (bar)"], ";", ","))
    profile = draft(path).profile
    history = read(path, profile)
    assert history.missing == ()
    assert set(history.history.names) == {"temperature_c", "low_pressure_bar"}
