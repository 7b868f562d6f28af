"""What can be set, a small class for each neighbour; a field is `ASTREINTE_<CLASS>_<FIELD>`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal, Self

from pydantic import (
    ConfigDict,
    Field,
    FilePath,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings

from services.settings_channels import ByTelephone
from services.settings_chat import ByChat
from services.settings_classify import ClassifySettings
from services.settings_frigo import (
    AlarmSettings,
    MqttSettings,
    ReadingsSettings,
    RosterSettings,
    TelegramSettings,
    variables,
)
from services.settings_mail import ByMail
from services.settings_models import OllamaSettings, OpenaiSettings
from services.settings_policy import PolicySettings


class KafkaSettings(BaseSettings):
    """Where events travel."""

    model_config = variables("KAFKA")

    servers: str = Field(default="", description="host:port,… of Kafka; empty: the embedded broker")
    group: str = Field(default="astreinte", description="prefix of the consumer groups")
    security: Literal["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"] = Field(
        default="plaintext", description="plaintext, ssl, sasl_plaintext or sasl_ssl"
    )
    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        default="SCRAM-SHA-512", description="of sasl: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512"
    )
    user: str = Field(default="", description="of sasl: who we are")
    password: SecretStr = Field(default=SecretStr(""), description="of sasl: its password")
    ca: FilePath | None = Field(
        default=None, description="of ssl: PEM file of the authority; empty: the system's"
    )
    connect_s: float = Field(
        default=60.0, gt=0, le=3600, description="seconds that a start waits for a broker"
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        """Refuse half a set-up: it would fail later, or be less safe than it looks."""
        sasl, tls = self.security.startswith("sasl"), self.security.endswith("ssl")
        needed = ("servers",) * (sasl or tls) + ("user", "password") * sasl
        unused = ("user", "password") * (not sasl) + ("ca",) * (not tls)
        missing = _variables(name for name in needed if not getattr(self, name))
        idle = _variables(name for name in unused if getattr(self, name))
        if missing or idle:
            why = f"needs {missing}" if missing else f"does not use {idle}"
            msg = f"ASTREINTE_KAFKA_SECURITY={self.security} {why}"
            raise ValueError(msg)
        return self


def _variables(names: Iterable[str]) -> str:
    return ", ".join(f"ASTREINTE_KAFKA_{name.upper()}" for name in names)


class DatabaseSettings(BaseSettings):
    """Where the record is kept."""

    model_config = variables("DATABASE")

    url: str = Field(
        default="sqlite:///data/astreinte.db",
        description="SQLAlchemy URL, e.g. mysql+pymysql://user:password@host/astreinte",
    )
    connect_s: float = Field(
        default=60.0, ge=0, le=3600, description="how long a start waits for a database"
    )


class HttpSettings(BaseSettings):
    """Where the edge and the console listen."""

    model_config = variables("HTTP")

    host: str = Field(default="127.0.0.1", description="address to listen on")
    port: int = Field(
        default=8080, ge=0, le=65535, description="port to listen on; 0: any free one"
    )
    simulator: bool = Field(default=False, description="let who reaches them simulate cold rooms")


class WatchSettings(BaseSettings):
    """Where a process without edge and console says how it is."""

    model_config = variables("WATCH")

    host: str = Field(default="127.0.0.1", description="address of its health and metrics")
    port: int = Field(
        default=0, ge=0, le=65535, description="their port; 0: any free one, said in the log"
    )


class LogSettings(BaseSettings):
    """What a process logs, on standard error."""

    model_config = variables("LOG")

    format: str = Field(default="text", pattern="^(text|json)$", description="text or json")
    level: str = Field(
        default="",
        pattern="(?i)^(debug|info|warning|error|critical)?$",
        description="debug, info, warning, error or critical; empty: info, and warning for `up`",
    )


class TracingSettings(BaseSettings):
    """Where traces go."""

    model_config = variables("TRACING")

    endpoint: str = Field(
        default="",
        pattern="^(https?://.+)?$",
        description="a collector that takes OTLP over HTTP, e.g. http://jaeger:4318; empty: none",
    )


class EmbeddingSettings(BaseSettings):
    """The embedding model."""

    model_config = variables("EMBEDDING")

    model: str = Field(
        default="all-MiniLM-L6-v2",
        description="the one that ships, a folder with model.onnx and tokenizer.json, or a hub's",
    )
    threads: int = Field(default=1, ge=1, le=64, description="CPU threads of the model")


class DispatchSettings(BaseSettings):
    """How replies leave."""

    model_config = variables("DISPATCH")

    outbound: str = Field(
        default="console",
        pattern="^(console|file|webhook)$",
        description="console, file or webhook",
    )
    file: Path = Field(default=Path("data/outbox.jsonl"), description="where `file` writes")
    outbox_limit: int = Field(
        default=100_000, ge=1, description="replies that may wait; more are left in Kafka"
    )
    signature: str = Field(default="Astreinte", max_length=80, description="who signs the replies")
    contact: str = Field(
        default="", max_length=120, description="how to reach a person, e.g. a telephone number"
    )


class WebhookSettings(BaseSettings):
    """A provider of one's own that takes replies over HTTP (`outbound` webhook)."""

    model_config = variables("WEBHOOK")

    url: str = Field(default="", description="where replies are posted")
    secret: SecretStr = Field(default=SecretStr(""), description="signs both ways, HMAC-SHA256")
    timeout_s: float = Field(default=10.0, gt=0, le=50, description="for one whole request")


class KnowledgeSettings(BaseSettings):
    """What the desk knows."""

    model_config = variables("KNOWLEDGE")

    folder: Path | None = Field(default=None, description="articles (YAML) beside those that ship")


class Settings(ByMail, ByTelephone, ByChat):
    """All of them, for a process that runs more than one stage."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    kafka: KafkaSettings = Field(default_factory=KafkaSettings)
    database: DatabaseSettings = Field(default_factory=DatabaseSettings)
    http: HttpSettings = Field(default_factory=HttpSettings)
    watch: WatchSettings = Field(default_factory=WatchSettings)
    log: LogSettings = Field(default_factory=LogSettings)
    tracing: TracingSettings = Field(default_factory=TracingSettings)
    embedding: EmbeddingSettings = Field(default_factory=EmbeddingSettings)
    classify: ClassifySettings = Field(default_factory=ClassifySettings)
    ollama: OllamaSettings = Field(default_factory=OllamaSettings)
    openai: OpenaiSettings = Field(default_factory=OpenaiSettings)
    dispatch: DispatchSettings = Field(default_factory=DispatchSettings)
    webhook: WebhookSettings = Field(default_factory=WebhookSettings)
    policy: PolicySettings = Field(default_factory=PolicySettings)
    knowledge: KnowledgeSettings = Field(default_factory=KnowledgeSettings)
    roster: RosterSettings = Field(default_factory=RosterSettings)
    alarm: AlarmSettings = Field(default_factory=AlarmSettings)
    telegram: TelegramSettings = Field(default_factory=TelegramSettings)
    readings: ReadingsSettings = Field(default_factory=ReadingsSettings)
    mqtt: MqttSettings = Field(default_factory=MqttSettings)

    @model_validator(mode="after")
    def _can_send(self) -> Self:
        given = {"URL": self.webhook.url, "SECRET": self.webhook.secret.get_secret_value()}
        missing = [f"ASTREINTE_WEBHOOK_{name}" for name, value in given.items() if not value]
        if self.dispatch.outbound == "webhook" and missing:
            msg = f"ASTREINTE_DISPATCH_OUTBOUND=webhook needs {' and '.join(missing)}"
            raise ValueError(msg)
        if self.telegram.alarms_only and not self.roster.file:
            msg = "ASTREINTE_TELEGRAM_TOKEN needs ASTREINTE_ROSTER_FILE: it says whom to tell"
            raise ValueError(msg)
        if self.only_sends() and not self.dispatch.contact:
            msg = "ASTREINTE_TWILIO_SENDER alone needs ASTREINTE_DISPATCH_CONTACT: nobody can reply"
            raise ValueError(msg)
        return self


def unfit(error: ValidationError) -> str:
    """Say which variables do not fit, and why, without their values: one may be a password."""
    parts = [field.annotation for field in Settings.model_fields.values()]
    prefixes = {part.__name__: part.model_config["env_prefix"] for part in parts if part}
    prefix = prefixes.get(error.title, "")
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(
        f"{prefix}{str(problem['loc'][0]).upper()}: {problem['msg']}"
        if problem["loc"]
        else problem["msg"].removeprefix("Value error, ")
        for problem in problems
    )
