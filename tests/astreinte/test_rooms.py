"""`astreinte simulate frigo` on the command line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

from astreinte import rooms
from astreinte.cli import app
from refrigeration.profile import Profile
from schemas.event import Event
from schemas.frigo import InboundReading
from simulation.fleet import Fleet, drive


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Event]:
    """What would be published: the broker's place is taken, all before it is real."""
    found: list[Event] = []

    async def into(fleet: Fleet, broker: str, record: str) -> int:
        assert not record

        async def publish(events: Sequence[Event]) -> None:
            found.extend(events)

        return await drive(fleet, publish)

    monkeypatch.setattr(rooms, "_drive", into)
    return found


FRIGO = [
    "simulate",
    "frigo",
    "--cycles",
    "2",
    "--speed",
    "100000",
    "--start",
    "2026-07-01T08:00",
    "--no-declare",
]


def test_units_send_their_readings_and_their_profiles_are_written(
    sent: list[Event], tmp_path: Path
):
    asked = [*FRIGO, "--units", "2", "--fault", "leak", "--profiles", str(tmp_path)]
    said = CliRunner().invoke(app, asked)
    assert said.exit_code == 0, said.output
    assert "4 mesure(s)" in said.output
    assert {event.key for event in sent} == {"sim-000001", "sim-000002"}
    assert all(isinstance(event, InboundReading) for event in sent)
    written = [Profile.read(path) for path in sorted(tmp_path.iterdir())]
    assert [profile.unit_id for profile in written] == ["sim-000001", "sim-000002"]


def test_what_cannot_be_played_is_said(sent: list[Event]):
    for extra, word in (
        (["--fault", "high_pressure"], "cannot be injected"),
        (["--kind", "igloo"], "no kind"),
        (["--start", "hier"], "no moment"),
    ):
        said = CliRunner().invoke(app, [*FRIGO, *extra])
        assert said.exit_code == 1
        assert word in said.output
    assert sent == []


def test_without_a_kafka_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ASTREINTE_KAFKA_SERVERS", raising=False)
    said = CliRunner().invoke(
        app, ["simulate", "frigo", "--cycles", "1", "--units", "1", "--no-declare"]
    )
    assert said.exit_code == 1
    assert "--broker" in said.output
