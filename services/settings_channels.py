"""What can be set of the channels by which customers write; `services.settings` takes them in."""

from __future__ import annotations

import re
from typing import Self

from pydantic import BaseModel, DirectoryPath, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings

from services.settings_frigo import variables

NUMBER = re.compile(r"\+[1-9][0-9]{6,14}|[0-9]{3,6}")
"""A telephone number with its country (E.164), or a short code."""
FRENCH_MOBILE = re.compile(r"\+33[67][0-9]{8}")


class TwilioSettings(BaseSettings):
    """Text messages and calls by Twilio."""

    model_config = variables("TWILIO")

    sid: str = Field(default="", description="the account's, AC…; empty: no Twilio")
    token: SecretStr = Field(
        default=SecretStr(""), description="the account's primary one: it signs what comes in"
    )
    key: str = Field(default="", description="an API key, SK…, to send with; empty: the token")
    key_secret: SecretStr = Field(default=SecretStr(""), description="the API key's")
    signing_secret: SecretStr = Field(
        default=SecretStr(""), description="of a shared key that signs with SHA-256; empty: none"
    )
    url: str = Field(
        default="",
        pattern="^(https?://.+)?$",
        description="a server that stands in for Twilio's API; empty: Twilio's",
    )
    public_url: str = Field(
        default="",
        pattern=r"^(https?://[^?#\s]+)?$",
        description="under which Twilio reaches the edge: signatures are checked against it",
    )
    numbers: str = Field(
        default="", description="ours that customers write to or call, separated by commas"
    )
    sender: str = Field(
        default="",
        pattern=r"^([A-Za-z0-9 ]{1,11})?$",
        description="a name to send under where no number may: nobody can answer it",
    )
    service: str = Field(
        default="", pattern="^(MG[0-9a-f]{32})?$", description="a messaging service, MG…"
    )
    timeout_s: float = Field(default=10.0, gt=0, le=50, description="for one whole request")
    per_s: float = Field(
        default=10.0, gt=0, le=1000, description="segments a second that the account may send"
    )
    valid_s: int = Field(
        default=900, ge=1, le=36_000, description="a text that did not leave by then is dropped"
    )

    @property
    def ours(self) -> tuple[str, ...]:
        """Our numbers, the default one first."""
        return _numbers(self.numbers)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        """Refuse half a set-up: texts would go nowhere, or anybody could write as a customer."""
        given = {f"ASTREINTE_TWILIO_{name.upper()}": value for name, value in self._told().items()}
        if not any(given.values()):
            return self
        needed = [f"ASTREINTE_TWILIO_{name}" for name in ("SID", "TOKEN", "PUBLIC_URL")]
        missing = [name for name in needed if not given[name]]
        if missing:
            there = " and ".join(name for name, value in given.items() if value)
            msg = f"{there} without {' and '.join(missing)}"
            raise ValueError(msg)
        if not (self.ours or self.sender or self.service):
            msg = "Twilio needs one of ASTREINTE_TWILIO_NUMBERS, _SENDER or _SERVICE to send from"
            raise ValueError(msg)
        if bool(self.key) != bool(self.key_secret.get_secret_value()):
            msg = "ASTREINTE_TWILIO_KEY and ASTREINTE_TWILIO_KEY_SECRET belong together"
            raise ValueError(msg)
        self._check_names()
        return self

    def _told(self) -> dict[str, str]:
        secrets = ("token", "key_secret", "signing_secret")
        plain = ("sid", "key", "url", "public_url", "numbers", "sender", "service")
        told = {name: str(getattr(self, name)) for name in plain}
        return told | {name: getattr(self, name).get_secret_value() for name in secrets}

    def _check_names(self) -> None:
        if not re.fullmatch("AC[0-9a-f]{32}", self.sid):
            msg = "ASTREINTE_TWILIO_SID is no account: one is AC and 32 digits of 0-9 and a-f"
            raise ValueError(msg)
        if self.sender and not re.search("[A-Za-z]", self.sender):
            msg = "ASTREINTE_TWILIO_SENDER needs a letter: a number belongs to _NUMBERS"
            raise ValueError(msg)
        for number in self.ours:
            if not NUMBER.fullmatch(number):
                msg = f"ASTREINTE_TWILIO_NUMBERS: {number} is not written as +33937000000"
                raise ValueError(msg)
            if FRENCH_MOBILE.fullmatch(number):
                msg = (
                    f"ASTREINTE_TWILIO_NUMBERS: {number} is a French mobile number, from which no "
                    "machine may send (Arcep 2022-1583): take a 09 37 to 09 39, a short code, or "
                    "ASTREINTE_TWILIO_SENDER"
                )
                raise ValueError(msg)


class VoiceSettings(BaseSettings):
    """Calls: what a caller hears, and who writes down what is said."""

    model_config = variables("VOICE")

    english: str = Field(
        default="", description="our numbers on which a call begins in English, by commas"
    )
    model: DirectoryPath | None = Field(
        default=None,
        description="folder of a faster-whisper model that hears recordings; empty: Twilio listens",
    )
    threads: int = Field(default=1, ge=1, le=64, description="CPU threads of that model")

    @property
    def in_english(self) -> tuple[str, ...]:
        """Our numbers on which a call begins in English."""
        return _numbers(self.english)


def _numbers(listed: str) -> tuple[str, ...]:
    return tuple(n for n in re.split(r"[,;\s]+", listed) if n)


class ByTelephone(BaseModel):
    """All settings of texts and calls, as a part of a process's settings."""

    twilio: TwilioSettings = Field(default_factory=TwilioSettings)
    voice: VoiceSettings = Field(default_factory=VoiceSettings)

    @model_validator(mode="after")
    def _has_a_number(self) -> Self:
        given = {"MODEL": self.voice.model, "ENGLISH": self.voice.english}
        told = [f"ASTREINTE_VOICE_{name}" for name, value in given.items() if value]
        if told and not self.twilio.sid:
            msg = f"{' and '.join(told)} without ASTREINTE_TWILIO_SID: nobody takes calls"
            raise ValueError(msg)
        return self

    def only_sends(self) -> bool:
        """Say whether texts leave under a name alone, to which nobody can answer."""
        twilio = self.twilio
        return bool(twilio.sender) and not (twilio.ours or twilio.service)
