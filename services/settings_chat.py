"""What can be set of the chat on a site; `services.settings` takes it in."""

from __future__ import annotations

import re
from typing import Self

from pydantic import BaseModel, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings

from services.settings_frigo import variables

LEAST_SECRET = 32
"""Characters: as many as the hash that it signs with has bytes (RFC 7518, 3.2)."""
ORIGIN = re.compile(r"https?://[^/?#\s]+")


class ChatSettings(BaseSettings):
    """The chat's widget, on the company's own site."""

    model_config = variables("CHAT")

    secret: SecretStr = Field(
        default=SecretStr(""), description="signs visitors' tokens, 32 characters; empty: no chat"
    )
    origins: str = Field(
        default="", description="sites that show the widget, https://… separated by commas"
    )
    per_minute: int = Field(
        default=12, ge=1, le=600, description="messages that one visitor may write in a minute"
    )
    sockets: int = Field(default=2_000, ge=1, le=100_000, description="chats open at once")

    @property
    def allowed(self) -> tuple[str, ...]:
        """The origins, in lower case as browsers send them."""
        return tuple(o.rstrip("/").lower() for o in re.split(r"[,;\s]+", self.origins) if o)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        secret = self.secret.get_secret_value()
        if secret and len(secret) < LEAST_SECRET:
            msg = f"ASTREINTE_CHAT_SECRET has {len(secret)} characters, {LEAST_SECRET} are needed"
            raise ValueError(msg)
        if self.origins and not secret:
            msg = "ASTREINTE_CHAT_ORIGINS without ASTREINTE_CHAT_SECRET"
            raise ValueError(msg)
        for origin in self.allowed:
            if not ORIGIN.fullmatch(origin):
                msg = (
                    f"ASTREINTE_CHAT_ORIGINS: {origin!r} is not written as https://www.example.com"
                )
                raise ValueError(msg)
        return self


class ByChat(BaseModel):
    """What a process's settings hold of the chat."""

    chat: ChatSettings = Field(default_factory=ChatSettings)
