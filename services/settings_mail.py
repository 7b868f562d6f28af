"""What can be set of e-mail, in and out; `services.settings` takes it in."""

from __future__ import annotations

import re
from email.utils import parseaddr
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, Field, FilePath, SecretStr, model_validator
from pydantic_settings import BaseSettings

from schemas.printer import EMAIL
from services.settings_frigo import variables

Tls = Literal["tls", "starttls", "none"]


class MailSettings(BaseSettings):
    """E-mail, whichever server or service carries it."""

    model_config = variables("MAIL")

    out: Literal["", "smtp", "sendgrid"] = Field(
        default="", description="smtp or sendgrid; empty: replies by mail leave as all others do"
    )
    sender: str = Field(
        default="", description="who the replies are from, e.g. Support <support@example.org>"
    )
    reply_to: str = Field(
        default="", description="where customers' answers come in; empty: the sender's address"
    )
    secret: SecretStr = Field(
        default=SecretStr(""),
        description="signs the tag that is added to that address; empty: no tag",
    )
    own: str = Field(
        default="",
        description="other mailboxes of ours, separated by commas: their mails are not answered",
    )
    spool: Path = Field(
        default=Path("data/spool"), description="folder for mails that could not be understood"
    )
    files: Path = Field(
        default=Path("data/files"), description="folder for attachments, named by their content"
    )
    file_bytes: int = Field(
        default=25_000_000, ge=0, description="of one attachment; larger ones are not kept"
    )

    @property
    def address(self) -> str:
        """The sender's address alone."""
        return parseaddr(self.sender)[1]

    @property
    def domain(self) -> str:
        """What Message-IDs of ours end with; empty: mails do not leave by a door of their own."""
        return self.address.rpartition("@")[2] if self.out else ""

    @property
    def ours(self) -> tuple[str, ...]:
        """All mailboxes of ours, small letters."""
        given = (self.address, self.reply_to, *re.split(r"[,;\s]+", self.own))
        return tuple(dict.fromkeys(one.lower() for one in given if one))

    @model_validator(mode="after")
    def _whole(self) -> Self:
        """Refuse half a set-up: mails would leave from nobody."""
        if self.out and not self.sender:
            msg = f"ASTREINTE_MAIL_OUT={self.out} needs ASTREINTE_MAIL_SENDER"
            raise ValueError(msg)
        for name in ("sender", "reply_to"):
            given = getattr(self, name)
            address = parseaddr(given)[1] if name == "sender" else given
            if given and not (EMAIL.fullmatch(address) and given.isprintable()):
                msg = f"ASTREINTE_MAIL_{name.upper()} holds no e-mail address"
                raise ValueError(msg)
        for one in self.ours:
            if not EMAIL.fullmatch(one):
                msg = f"ASTREINTE_MAIL_OWN: {one!r} is no e-mail address"
                raise ValueError(msg)
        return self


class SmtpSettings(BaseSettings):
    """A mail server that takes our mails (`ASTREINTE_MAIL_OUT` smtp)."""

    model_config = variables("SMTP")

    host: str = Field(default="", description="the mail server")
    port: int = Field(default=587, ge=1, le=65535, description="587 with starttls, 465 with tls")
    tls: Tls = Field(default="starttls", description="starttls, tls (from the first byte) or none")
    ca: FilePath | None = Field(
        default=None, description="PEM file of the authority; empty: the system's"
    )
    user: str = Field(default="", description="who we are there; empty: no login")
    password: SecretStr = Field(default=SecretStr(""), description="the user's, or an app password")
    timeout_s: float = Field(default=20.0, gt=0, le=50, description="for each answer of the server")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        """Refuse half a set-up."""
        if bool(self.user) != bool(self.password.get_secret_value()):
            msg = "ASTREINTE_SMTP_USER and ASTREINTE_SMTP_PASSWORD belong together"
            raise ValueError(msg)
        if self.user and not self.host:
            msg = "ASTREINTE_SMTP_USER without ASTREINTE_SMTP_HOST"
            raise ValueError(msg)
        return self


class SendGridSettings(BaseSettings):
    """SendGrid: mails out, mails in (Inbound Parse), and what became of them."""

    model_config = variables("SENDGRID")

    key: SecretStr = Field(default=SecretStr(""), description="API key that may send mails, SG.…")
    url: str = Field(
        default="",
        pattern="^(https?://.+)?$",
        description="https://api.eu.sendgrid.com of an account in the EU; empty: SendGrid's",
    )
    timeout_s: float = Field(default=10.0, gt=0, le=50, description="for one whole request")
    events_key: str = Field(
        default="", description="public key of the signed Event Webhook; empty: no events"
    )
    inbound_key: str = Field(
        default="", description="public key of a signed Inbound Parse; empty: the secret counts"
    )
    inbound_secret: SecretStr = Field(
        default=SecretStr(""),
        description="in the URL of Inbound Parse, as ?secret= or as a password; empty: none",
    )

    @property
    def takes_mail(self) -> bool:
        """Whether Inbound Parse may post."""
        return bool(self.inbound_key or self.inbound_secret.get_secret_value())


class ImapSettings(BaseSettings):
    """A mailbox that mails are fetched from, by the part `bridge`."""

    model_config = variables("IMAP")

    host: str = Field(default="", description="the mail server; empty: nothing is fetched")
    port: int = Field(default=993, ge=1, le=65535, description="993 with tls, 143 with starttls")
    tls: Tls = Field(default="tls", description="tls (from the first byte), starttls or none")
    ca: FilePath | None = Field(
        default=None, description="PEM file of the authority; empty: the system's"
    )
    user: str = Field(default="", description="who we are there")
    password: SecretStr = Field(default=SecretStr(""), description="the user's, or an app password")
    token: SecretStr = Field(
        default=SecretStr(""), description="an OAuth 2 access token instead of a password"
    )
    folder: str = Field(default="INBOX", max_length=100, description="the folder")
    poll_s: float = Field(
        default=60.0, ge=1, le=1500, description="looked again after so long, whatever it tells"
    )
    since_days: int = Field(
        default=0, ge=0, le=3650, description="mails of so many days before the first look too"
    )
    timeout_s: float = Field(default=30.0, gt=0, le=300, description="for each answer")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        """Refuse half a set-up."""
        secrets = [bool(each.get_secret_value()) for each in (self.password, self.token)]
        if (self.user or any(secrets)) and not self.host:
            msg = "ASTREINTE_IMAP_USER without ASTREINTE_IMAP_HOST"
            raise ValueError(msg)
        if self.host and not (self.user and any(secrets)):
            msg = "ASTREINTE_IMAP_HOST needs ASTREINTE_IMAP_USER and _PASSWORD or _TOKEN"
            raise ValueError(msg)
        if all(secrets):
            msg = "ASTREINTE_IMAP_PASSWORD or ASTREINTE_IMAP_TOKEN: one of the two"
            raise ValueError(msg)
        return self


class ByMail(BaseModel):
    """All settings of e-mail, as a part of a process's settings."""

    mail: MailSettings = Field(default_factory=MailSettings)
    smtp: SmtpSettings = Field(default_factory=SmtpSettings)
    sendgrid: SendGridSettings = Field(default_factory=SendGridSettings)
    imap: ImapSettings = Field(default_factory=ImapSettings)

    @model_validator(mode="after")
    def _has_a_way_out(self) -> Self:
        given = {"smtp": self.smtp.host, "sendgrid": self.sendgrid.key.get_secret_value()}
        needed = {"smtp": "ASTREINTE_SMTP_HOST", "sendgrid": "ASTREINTE_SENDGRID_KEY"}
        if self.mail.out and not given[self.mail.out]:
            msg = f"ASTREINTE_MAIL_OUT={self.mail.out} needs {needed[self.mail.out]}"
            raise ValueError(msg)
        return self
