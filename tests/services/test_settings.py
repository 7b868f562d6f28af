"""Settings: half a set-up is refused in words, and no password is ever shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from services.neighbours import cluster_of
from services.settings import KafkaSettings, unfit

SASL = {"security": "sasl_ssl", "user": "us", "password": "hunter2"}


def made(monkeypatch: pytest.MonkeyPatch, **fields: str) -> KafkaSettings:
    """Settings from an environment that has only these."""
    for name, value in fields.items():
        monkeypatch.setenv(f"ASTREINTE_KAFKA_{name.upper()}", value)
    return KafkaSettings()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"security": "ssl"}, "SECURITY=ssl needs ASTREINTE_KAFKA_SERVERS"),
        (SASL, "SECURITY=sasl_ssl needs ASTREINTE_KAFKA_SERVERS"),
        (
            {"security": "sasl_plaintext", "servers": "k:1"},
            "SECURITY=sasl_plaintext needs ASTREINTE_KAFKA_USER, ASTREINTE_KAFKA_PASSWORD",
        ),
        (
            SASL | {"servers": "k:1", "password": ""},
            "SECURITY=sasl_ssl needs ASTREINTE_KAFKA_PASSWORD",
        ),
        (
            {"servers": "k:1", "user": "us", "password": "hunter2"},
            "SECURITY=plaintext does not use ASTREINTE_KAFKA_USER, ASTREINTE_KAFKA_PASSWORD",
        ),
        (
            {"servers": "k:1", "security": "ssl", "user": "us"},
            "SECURITY=ssl does not use ASTREINTE_KAFKA_USER",
        ),
        ({"servers": "k:1", "ca": __file__}, "SECURITY=plaintext does not use ASTREINTE_KAFKA_CA"),
        (
            SASL | {"servers": "k:1", "security": "sasl_plaintext", "ca": __file__},
            "SECURITY=sasl_plaintext does not use ASTREINTE_KAFKA_CA",
        ),
        ({"servers": "k:1", "security": "ssl", "ca": "nowhere.pem"}, "_CA: Path does not"),
        (
            {"servers": "k:1", "security": "tls"},
            "ASTREINTE_KAFKA_SECURITY: Input should be 'plaintext', ",
        ),
        (SASL | {"servers": "k:1", "mechanism": "GSSAPI"}, "ASTREINTE_KAFKA_MECHANISM: "),
        ({"connect_s": "0"}, "ASTREINTE_KAFKA_CONNECT_S: Input should be greater than 0"),
    ],
)
def test_half_a_set_up_is_refused(
    monkeypatch: pytest.MonkeyPatch, fields: dict[str, str], said: str
):
    with pytest.raises(ValidationError) as refused:
        made(monkeypatch, **fields)
    assert said in unfit(refused.value)
    assert "body" not in unfit(refused.value)
    assert "hunter2" not in str(refused.value) + repr(refused.value) + unfit(refused.value)


def test_a_whole_set_up_reaches_every_client(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    settings = made(monkeypatch, servers="k:1", **SASL)
    assert "hunter2" not in repr(settings)
    cluster = cluster_of(settings, "elsewhere:2")
    assert cluster.client | {"ssl_context": None} == {
        "bootstrap_servers": ["elsewhere:2"],
        "security_protocol": "SASL_SSL",
        "ssl_context": None,
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "us",
        "sasl_plain_password": "hunter2",
    }
    assert cluster.native == {
        "bootstrap.servers": "elsewhere:2",
        "security.protocol": "sasl_ssl",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "us",
        "sasl.password": "hunter2",
    }


def test_without_security_nothing_but_the_address_is_needed(monkeypatch: pytest.MonkeyPatch):
    cluster = cluster_of(made(monkeypatch), "k:1")
    assert cluster.client["security_protocol"] == "PLAINTEXT"
    assert cluster.client["ssl_context"] is None
