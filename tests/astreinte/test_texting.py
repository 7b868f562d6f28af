"""`astreinte sms` shows what is paid for."""

from __future__ import annotations

import json

from typer.testing import CliRunner

from astreinte.cli import app


def test_a_text_is_shown_as_it_would_be_sent_with_its_segments():
    shown = CliRunner().invoke(app, ["sms", "Ça y est : l’encre [rouge] est reçue… " + "a" * 50])
    assert shown.exit_code == 0
    assert "Ca y est" not in shown.output  # the alphabet has a capital Ç
    assert "l'encre [rouge] est recue..." in shown.output
    assert "1 segment(s) au lieu de 2 · GSM-7" in shown.output


def test_what_no_provider_takes_is_said_by_the_status():
    told = CliRunner().invoke(app, ["sms", "a" * 1_601, "--json"])
    assert told.exit_code == 1
    assert json.loads(told.output)["count"] == 11
