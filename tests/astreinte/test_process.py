"""A file of messages through the real pipeline, sending nothing outward."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from sqlmodel import select
from typer.testing import CliRunner

from astreinte.cli import app
from astreinte.mailbox import read
from astreinte.process import Summary, as_trial, pipeline, process, write_lines
from schemas.printer import InboundMessage
from schemas.vocabulary import Channel
from services.settings import Settings
from storage.tables import Outgoing
from tests.conftest import CACHE, inbound, settings_in
from tests.flows.conftest import quick  # noqa: F401 - a fixture

TICKETS = Path(__file__).parents[3] / "shared/data/seeds/tickets.json"
KEYS = [
    "external_id",
    "channel",
    "language",
    "category",
    "intent",
    "priority",
    "confidence",
    "extracted",
    "passages",
    "action",
    "reason",
    "reply",
    "how",
    "ms",
]
ROWS: list[Any] = [
    {
        "id": "A1",
        "channel": "email",
        "from": "ana@exemple.example",
        "subject": "Erreur",
        "text": "Notre HP LaserJet affiche 49.4C02, que faire ?",
    },
    {"id": "A2", "channel": "fax", "from": "bob", "text": "bonjour"},
    {"id": "A3", "channel": "chat", "from": "bob", "text": "my printer is offline, please help"},
    {"id": "A4", "channel": "email", "from": "no address", "text": ""},
    {"id": "A5", "channel": "sms", "from": "0612345678", "text": "merci bcp ca remarche !"},
    "une ligne seule : personne n'est venu, je suis très mécontent",
    7,
]


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@pytest.fixture(scope="module")
def made(
    quick: None,  # noqa: F811 - the fixture
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Result, Path, list[Path]]:
    """Run `astreinte process` on `ROWS` as a user would, in a folder with nothing but the cache."""
    folder = tmp_path_factory.mktemp("process")
    (folder / "data").mkdir()
    (folder / "data" / "cache").symlink_to(CACHE)
    (folder / "rows.json").write_text(json.dumps(ROWS), "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("ASTREINTE_OLLAMA_URL", "")
        patch.setenv("ASTREINTE_DISPATCH_OUTBOUND", "file")
        result = CliRunner().invoke(app, ["process", "rows.json", "--out", "made.jsonl", "--json"])
    return result, folder / "made.jsonl", sorted(folder.rglob("*"))


def test_each_message_gives_one_line_with_the_documented_keys(
    made: tuple[Result, Path, list[Path]],
) -> None:
    result, out, _ = made
    assert result.exit_code == 0, result.output
    lines = lines_of(out)
    assert [list(line) for line in lines] == [KEYS] * 4
    assert [line["external_id"] for line in lines[:3]] == ["A1", "A3", "A5"]
    assert [line["channel"] for line in lines] == ["email", "chat", "sms", "chat"]


def test_each_line_says_what_was_understood_and_what_would_be_done(
    made: tuple[Result, Path, list[Path]],
) -> None:
    code, offline, thanks, complaint = lines_of(made[1])
    assert code["extracted"]["error_code"] == "49.4C02"
    assert code["extracted"]["brand"] == "HP"
    assert (code["action"], code["passages"][0]["article"]) == ("reply", "hp-49-error")
    assert code["reply"].startswith("Bonjour,")
    assert (offline["language"], offline["action"]) == ("en", "reply")
    assert (thanks["action"], thanks["reason"], thanks["reply"]) == ("ignore", "thanks", "")
    assert (complaint["category"], complaint["action"]) == ("complaint", "handoff")
    for line in (code, offline, thanks, complaint):
        assert line["how"] == "template"
        assert line["ms"].keys() == {"ingest", "classify", "extract", "rag", "respond", "dispatch"}
        assert min(line["ms"].values()) >= 0
        assert 0 < line["confidence"] <= 1


def test_broken_rows_are_told_by_number_and_reason_and_counted(
    made: tuple[Result, Path, list[Path]],
) -> None:
    result = made[0]
    assert "record 2: " in result.stderr
    assert "record 4: " in result.stderr
    assert "record 7: " in result.stderr
    assert "4 lines in made.jsonl" in result.stderr
    summary = json.loads(result.stdout)
    assert (summary["messages"], summary["broken"]) == (4, 3)
    assert summary["actions"] == {"reply": 2, "ignore": 1, "handoff": 1}
    assert sum(summary["reasons"].values()) == 4
    assert 0 < summary["p50_ms"] <= summary["p95_ms"]


def test_nothing_is_written_but_the_lines(made: tuple[Result, Path, list[Path]]) -> None:
    names = {path.name for path in made[2]}
    assert names == {"rows.json", "made.jsonl", "data", "cache"}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_in(tmp_path)


@pytest.mark.skipif(not TICKETS.exists(), reason="the shared data are not here")
async def test_fifty_tickets_about_anything_get_no_printers_answer(
    quick: None,  # noqa: F811 - the fixture
    settings: Settings,
    tmp_path: Path,
) -> None:
    messages = [
        item
        for item in read(TICKETS, default_channel=Channel.CHAT, now=datetime.now(UTC))
        if isinstance(item, InboundMessage)
    ]
    lines: dict[str, dict[str, Any]] = {}
    async with pipeline(settings) as near:
        await process(near, messages, lambda m, line, _: lines.update({m.external_id: line}))
        rows = await near.database.read(lambda session: session.exec(select(Outgoing)).all())
    assert sorted(lines) == [f"TK{number:03}" for number in range(1, 51)]
    replied = {name for name, line in lines.items() if line["action"] == "reply"}
    texts = {m.external_id: f"{m.subject} {m.text}".lower() for m in messages}
    assert len(replied) <= 2
    assert all("imprim" in texts[name] for name in replied), [texts[name] for name in replied]
    assert {row.status for row in rows} <= {"held", "none"}
    assert not (tmp_path / "outbox.jsonl").exists()
    assert not (tmp_path / "record.db").exists()


def test_a_trial_is_another_message_each_time_and_keeps_its_sender() -> None:
    message = inbound("bonjour", external_id="x" * 255)
    one, other = as_trial(message, "run1"), as_trial(inbound(external_id="m"), "run1")
    assert (one.trial, one.sender, one.text) == (True, message.sender, "bonjour")
    assert one.event_id != message.event_id
    assert len(one.external_id) <= 255
    assert as_trial(message, "run2").event_id != one.event_id
    assert other.external_id == "run1:m"
    assert as_trial(inbound(external_id="m"), "run2").event_id != other.event_id


def test_the_summary_counts_and_has_percentiles_of_what_there_is() -> None:
    summary = Summary()
    assert summary.percentile(0.5) == 0.0
    for elapsed in (30.0, 10.0, 20.0):
        summary.note({"action": "reply", "reason": "grounded"}, elapsed)
    assert (summary.percentile(0.5), summary.percentile(0.95)) == (20.0, 30.0)
    assert summary.reasons == {("reply", "grounded"): 3}


def test_lines_are_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    write_lines(path, [{"text": "é\n"}])
    assert path.read_text("utf-8") == '{"text": "é\\n"}\n'
    with pytest.raises(TypeError):
        write_lines(path, [{"text": "b"}, {"text": object()}])
    assert path.read_text("utf-8") == '{"text": "é\\n"}\n'
