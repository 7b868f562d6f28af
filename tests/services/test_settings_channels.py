"""Twilio and calls: set whole, or refused with a sentence that says what is missing."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from services.settings import Settings, unfit
from services.settings_channels import TwilioSettings

WHOLE = {
    "TWILIO_SID": "AC" + "0" * 32,
    "TWILIO_TOKEN": "between us",
    "TWILIO_PUBLIC_URL": "https://desk.example.com",
    "TWILIO_NUMBERS": "+33937000001, 36115",
}


def read(monkeypatch: pytest.MonkeyPatch, folder: Path, **changes: str) -> Settings:
    monkeypatch.chdir(folder)
    for name, value in (WHOLE | changes).items():
        monkeypatch.setenv(f"ASTREINTE_{name}", value)
    return Settings()


def test_a_whole_set_up_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    settings = read(monkeypatch, tmp_path)
    assert settings.twilio.ours == ("+33937000001", "36115")
    assert "between us" not in repr(settings)


def test_nothing_set_is_no_twilio(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.chdir(tmp_path)
    assert TwilioSettings().sid == ""


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"TWILIO_TOKEN": ""}, "without ASTREINTE_TWILIO_TOKEN"),
        (
            {"TWILIO_SID": "", "TWILIO_PUBLIC_URL": ""},
            "_NUMBERS and ASTREINTE_TWILIO_TOKEN without ASTREINTE_TWILIO_SID and ASTREINTE_TWIL",
        ),
        ({"TWILIO_NUMBERS": ""}, "one of ASTREINTE_TWILIO_NUMBERS, _SENDER or _SERVICE"),
        ({"TWILIO_KEY": "SK1"}, "_KEY and ASTREINTE_TWILIO_KEY_SECRET belong together"),
        ({"TWILIO_SID": "AC1"}, "is no account"),
        ({"TWILIO_NUMBERS": "0937000001"}, "0937000001 is not written as +33937000000"),
        ({"TWILIO_SENDER": "1234"}, "needs a letter"),
        (
            {"TWILIO_NUMBERS": "", "TWILIO_SENDER": "Astreinte"},
            "ASTREINTE_TWILIO_SENDER alone needs ASTREINTE_DISPATCH_CONTACT",
        ),
        (
            dict.fromkeys(WHOLE, "") | {"VOICE_ENGLISH": "+442079460000"},
            "ASTREINTE_VOICE_ENGLISH without ASTREINTE_TWILIO_SID",
        ),
    ],
)
def test_half_a_set_up_is_refused_with_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, changes: dict[str, str], sentence: str
):
    with pytest.raises(ValidationError) as refused:
        read(monkeypatch, tmp_path, **changes)
    assert sentence in unfit(refused.value)
    assert "between us" not in unfit(refused.value)


@pytest.mark.parametrize("number", ["+33612345678", "+33756789012"])
def test_decision_7_no_machine_sends_from_a_french_mobile(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, number: str
):
    with pytest.raises(ValidationError) as refused:
        read(monkeypatch, tmp_path, TWILIO_NUMBERS=number)
    assert "Arcep 2022-1583" in unfit(refused.value)
