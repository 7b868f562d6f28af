"""Half a set-up of doors and bridges is refused in a sentence, and no secret is shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from services.settings import Settings, unfit

TOKEN = "42:hunter2-token"


def made(monkeypatch: pytest.MonkeyPatch, folder: Path, fields: dict[str, str]) -> Settings:
    monkeypatch.chdir(folder)
    for name, value in fields.items():
        monkeypatch.setenv(f"ASTREINTE_{name}", value)
    return Settings()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (
            {"TELEGRAM_URL": "http://127.0.0.1:1"},
            "ASTREINTE_TELEGRAM_URL without ASTREINTE_TELEGRAM_TOKEN",
        ),
        (
            {"TELEGRAM_SECRET": "hunter2"},
            "ASTREINTE_TELEGRAM_SECRET without ASTREINTE_TELEGRAM_TOKEN",
        ),
        ({"TELEGRAM_TOKEN": TOKEN}, "ASTREINTE_TELEGRAM_TOKEN needs ASTREINTE_ROSTER_FILE"),
        ({"TELEGRAM_TOKEN": "hunter2"}, "ASTREINTE_TELEGRAM_TOKEN is no token"),
        ({"TELEGRAM_TOKEN": TOKEN, "TELEGRAM_SECRET": "hunter2"}, "belong together"),
        (
            {"TELEGRAM_TOKEN": TOKEN, "TELEGRAM_CALLBACK_URL": "https://x.example/c"},
            "belong together",
        ),
        (
            {"TELEGRAM_TOKEN": TOKEN, "TELEGRAM_SECRET": "hunter2 é"},
            "letters, digits, _ and - only",
        ),
        (
            {"TELEGRAM_TOKEN": TOKEN, "TELEGRAM_CALLBACK_URL": "http://x"},
            "ASTREINTE_TELEGRAM_CALLBACK_URL: ",
        ),
        ({"ROSTER_FILE": "nowhere.yaml"}, "ASTREINTE_ROSTER_FILE: Path does not"),
        ({"MQTT_URL": "http://x"}, "ASTREINTE_MQTT_URL: "),
        ({"MQTT_URL": "mqtt://user:hunter2@x"}, "ASTREINTE_MQTT_URL: "),
        ({"MQTT_USER": "me"}, "ASTREINTE_MQTT_USER without ASTREINTE_MQTT_URL"),
        ({"MQTT_URL": "mqtt://x", "MQTT_PASSWORD": "hunter2"}, "without ASTREINTE_MQTT_USER"),
        (
            {"MQTT_URL": "mqtt://x", "MQTT_CA": __file__},
            "ASTREINTE_MQTT_CA is not used without TLS",
        ),
        ({"MQTT_CLIENT_ID": "a b"}, "ASTREINTE_MQTT_CLIENT_ID: "),
        ({"MQTT_MAX_BYTES": "5"}, "ASTREINTE_MQTT_MAX_BYTES: "),
        ({"TELEGRAM_CUSTOMERS": "true"}, "CUSTOMERS without ASTREINTE_TELEGRAM_TOKEN"),
        ({"ALARM_URL": "https://x.example"}, "ASTREINTE_ALARM_URL without ASTREINTE_ALARM_SECRET"),
        ({"ALARM_SECRET": "hunter2" * 5}, "ASTREINTE_ALARM_SECRET without ASTREINTE_ALARM_URL"),
        (
            {"ALARM_URL": "https://x.example", "ALARM_SECRET": "hunter2"},
            "ASTREINTE_ALARM_SECRET has fewer than 32 characters",
        ),
        ({"READINGS_OPEN_ON_LOOPBACK": "perhaps"}, "ASTREINTE_READINGS_OPEN_ON_LOOPBACK: "),
    ],
)
def test_half_a_set_up_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fields: dict[str, str], said: str
):
    with pytest.raises(ValidationError) as caught:
        made(monkeypatch, tmp_path, fields)
    assert said in unfit(caught.value) and "hunter2" not in unfit(caught.value)


def test_a_whole_set_up_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    roster = tmp_path / "roster.yaml"
    roster.touch()
    fields = {"TELEGRAM_TOKEN": TOKEN, "ROSTER_FILE": str(roster), "MQTT_URL": "mqtts://x:8883"}
    found = made(monkeypatch, tmp_path, fields | {"MQTT_CA": __file__})
    assert found.mqtt.url and found.roster.file and "hunter2" not in repr(found)


def test_a_bot_for_customers_needs_no_roster(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    fields = {"TELEGRAM_TOKEN": TOKEN, "TELEGRAM_CUSTOMERS": "true"}
    assert made(monkeypatch, tmp_path, fields).telegram.customers
