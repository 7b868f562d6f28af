"""What can be set of cold rooms and their alarms; `services.settings` takes them in."""

from __future__ import annotations

import re
from typing import Self

from pydantic import Field, FilePath, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

SECRET_LENGTH = 32
"""Characters; shorter ones can be guessed from one signed link (RFC 7518, 3.2)."""


def variables(name: str) -> SettingsConfigDict:
    """Return how the settings of a neighbour are read: `ASTREINTE_<NAME>_<FIELD>`."""
    return SettingsConfigDict(
        env_prefix=f"ASTREINTE_{name}_",
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,  # passwords are among it
    )


class RosterSettings(BaseSettings):
    """Who is told of an alarm."""

    model_config = variables("ROSTER")

    file: FilePath | None = Field(
        default=None, description="YAML with people, hours, doors; empty: alarms are printed only"
    )


class AlarmSettings(BaseSettings):
    """How alarms are told."""

    model_config = variables("ALARM")

    group_wait_s: float = Field(
        default=30.0, ge=0, le=3600, description="what comes so soon after joins the same message"
    )
    detector_s: float = Field(
        default=60.0, ge=20, le=3600, description="without a sign of life: detector down"
    )
    url: str = Field(
        default="",
        pattern=r"^(https?://[^?#\s]+)?$",
        description="public URL of the edge, for the link in mails; empty: no link",
    )
    secret: SecretStr = Field(default=SecretStr(""), description="signs that link")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        """Refuse half a set-up: a link that anybody could make, or that leads nowhere."""
        secret = self.secret.get_secret_value()
        if bool(self.url) != bool(secret):
            there, missing = ("URL", "SECRET") if self.url else ("SECRET", "URL")
            msg = f"ASTREINTE_ALARM_{there} without ASTREINTE_ALARM_{missing}"
            raise ValueError(msg)
        if secret and len(secret) < SECRET_LENGTH:
            msg = f"ASTREINTE_ALARM_SECRET has fewer than {SECRET_LENGTH} characters"
            raise ValueError(msg)
        return self


class TelegramSettings(BaseSettings):
    """Alarms by Telegram, with buttons."""

    model_config = variables("TELEGRAM")

    token: SecretStr = Field(default=SecretStr(""), description="the bot's; empty: no Telegram")
    url: str = Field(
        default="",
        pattern="^(https?://.+)?$",
        description="a Bot API server of one's own; empty: Telegram's",
    )
    timeout_s: float = Field(default=10.0, gt=0, le=50, description="for one whole request")
    callback_url: str = Field(
        default="",
        pattern="^(https://.+)?$",
        description="public https URL of the edge's /callbacks/telegram; empty: the bridge asks",
    )
    secret: SecretStr = Field(
        default=SecretStr(""), description="what Telegram proves itself with there"
    )
    customers: bool = Field(
        default=False, description="customers may write to the bot too, and are answered there"
    )

    @property
    def alarms_only(self) -> bool:
        """Say whether the bot is there for those on call alone."""
        return bool(self.token.get_secret_value()) and not self.customers

    @model_validator(mode="after")
    def _whole(self) -> Self:
        """Refuse half a set-up: alarms would go nowhere, or anybody could press buttons."""
        given = {
            "ASTREINTE_TELEGRAM_TOKEN": self.token.get_secret_value(),
            "ASTREINTE_TELEGRAM_URL": self.url,
            "ASTREINTE_TELEGRAM_CALLBACK_URL": self.callback_url,
            "ASTREINTE_TELEGRAM_SECRET": self.secret.get_secret_value(),
            "ASTREINTE_TELEGRAM_CUSTOMERS": "true" if self.customers else "",
        }
        token, *others = given
        told = [name for name in others if given[name]]
        if told and not given[token]:
            msg = f"{' and '.join(told)} without {token}: there is no bot to speak for"
            raise ValueError(msg)
        if not re.fullmatch(r"(\d{1,20}:[\w-]{1,200})?", given[token], re.ASCII):
            msg = f"{token} is no token: one is a number, a colon, and letters"
            raise ValueError(msg)
        if not re.fullmatch(r"[\w-]{0,256}", given[others[2]], re.ASCII):
            msg = f"{others[2]} has letters, digits, _ and - only, at most 256"
            raise ValueError(msg)
        if bool(given[others[1]]) != bool(given[others[2]]):
            msg = f"{others[1]} and {others[2]} belong together: set both, or neither"
            raise ValueError(msg)
        return self


class ReadingsSettings(BaseSettings):
    """Readings over HTTP."""

    model_config = variables("READINGS")

    key: SecretStr = Field(
        default=SecretStr(""), description="who posts readings has it; empty: nobody may"
    )
    open_on_loopback: bool = Field(
        default=False, description="from this machine itself no key is asked for"
    )


class MqttSettings(BaseSettings):
    """Readings over MQTT, taken by the part `bridge`."""

    model_config = variables("MQTT")

    url: str = Field(
        default="",
        pattern=r"^(mqtts?://[^/@\s]+)?$",
        description="mqtt://host:1883, or mqtts://host:8883 for TLS; empty: no MQTT",
    )
    user: str = Field(default="", description="who we are there")
    password: SecretStr = Field(default=SecretStr(""), description="the user's")
    ca: FilePath | None = Field(
        default=None, description="of mqtts: PEM file of the authority; empty: the system's"
    )
    client_id: str = Field(
        default="astreinte-bridge",
        pattern="^[0-9A-Za-z_-]{1,23}$",
        description="under which the broker keeps what comes while we are away; one bridge each",
    )
    topic: str = Field(
        default="sites/+/units/{unit_id}/readings",
        max_length=500,
        description="where readings are published; {unit_id} is the unit",
    )
    status_topic: str = Field(
        default="sites/+/units/{unit_id}/status",
        max_length=500,
        description="where bridges say online, and their last will offline; empty: nowhere",
    )
    rules: FilePath | None = Field(
        default=None, description="YAML with topics and paths into their JSON, instead of the two"
    )
    max_bytes: int = Field(
        default=65_536, ge=100, le=500_000, description="of one message; larger ones are refused"
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        """Refuse half a set-up: it would fail later, or be less safe than it looks."""
        names = ("user", "ca", "rules")
        told = [f"ASTREINTE_MQTT_{name.upper()}" for name in names if getattr(self, name)]
        if told and not self.url:
            msg = f"{' and '.join(told)} without ASTREINTE_MQTT_URL: there is no broker"
            raise ValueError(msg)
        if self.password.get_secret_value() and not self.user:
            msg = "ASTREINTE_MQTT_PASSWORD without ASTREINTE_MQTT_USER"
            raise ValueError(msg)
        if self.ca and not self.url.startswith("mqtts:"):
            msg = "ASTREINTE_MQTT_CA is not used without TLS: ASTREINTE_MQTT_URL=mqtts://…"
            raise ValueError(msg)
        return self
