"""The neighbours of a process: each made on first request, all closed together.

Stages that share a process share their neighbours: one model in memory, one database.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiokafka.errors import KafkaError
from faststream.kafka import KafkaBroker

from ai.embeddings import Embedder
from ai.models import Models
from ai.state import state_of
from gateways.kafka import Cluster, connection
from schemas.errors import Unavailable
from services import metrics
from services.language_models import models_of
from services.profiles import Profiles
from services.settings import KafkaSettings, Settings
from services.stage import Stage
from services.telling import Teller
from services.topics import expect_topics
from services.tracing import tracing
from storage.database import Database

EMBEDDED_FETCH_WAIT_MS = 40
"""The embedded broker lets a fetch wait its whole time although data came in between."""


def cluster_of(settings: KafkaSettings, address: str) -> Cluster:
    """Return the Kafka at an address, with the security of the settings."""
    return Cluster(
        address,
        settings.security,
        settings.mechanism,
        settings.user,
        settings.password.get_secret_value(),
        settings.ca,
    )


class Neighbours:
    """Makes doors from settings. An async context manager: leaving it closes what was made.

    Parameters
    ----------
    settings
        Where everything is.
    kafka
        `host:port` of the broker.
    embedded
        The broker is the embedded one: topics appear on first use, the edge keeps a journal.
    """

    def __init__(self, settings: Settings, kafka: str, *, embedded: bool = False) -> None:
        self.settings = settings
        self.kafka = kafka
        self.embedded = embedded
        self.cache = Path("data/cache")
        self._stack = AsyncExitStack()

    @cached_property
    def cluster(self) -> Cluster:
        """Where Kafka is, and how one gets in."""
        return Cluster(self.kafka) if self.embedded else cluster_of(self.settings.kafka, self.kafka)

    @cached_property
    def broker(self) -> KafkaBroker:
        """The connection to Kafka, not started."""
        return connection(self.cluster)

    async def connect(self) -> None:
        """Connect to Kafka, which may come up later than we do.

        Raises
        ------
        Unavailable
            No Kafka there, it does not let us in, or its topics are not what we need.
        """
        if not self.embedded:
            await expect_topics(self.cluster, self.settings.kafka.connect_s)
        try:
            await self.broker.connect()
        except KafkaError as error:
            msg = f"Kafka at {self.kafka} went away ({type(error).__name__})"
            raise Unavailable(msg) from None

    @cached_property
    def teller(self) -> Teller:
        """Publishes over that connection."""
        return Teller(self.broker)

    @cached_property
    def database(self) -> Database:
        """The record."""
        database = Database(self.settings.database.url, metrics.transaction)
        self._stack.callback(database.close)
        return database

    @cached_property
    def profiles(self) -> Profiles:
        """The profiles of units, from the record."""
        return Profiles(self.database)

    @property
    def has_database(self) -> bool:
        """Somebody in this process uses the record."""
        return "database" in vars(self)

    @cached_property
    def embedder(self) -> Embedder:
        """The embedding model."""
        embedder = Embedder(self.settings.embedding.model, self.settings.embedding.threads)
        self._stack.callback(embedder.close)
        return embedder

    @cached_property
    def models(self) -> Models:
        """The language models, looked for in the background from now on; maybe there is none."""
        models = models_of(self.settings)
        self.at_end(models.close)
        models.begin()
        return models

    def model_state(self) -> dict[str, Any]:
        """Say how the language models are; nothing where this process uses none."""
        return state_of(self.models) if "models" in vars(self) else {}

    def at_end(self, close: Callable[[], Awaitable[object]]) -> None:
        """Have something closed when these neighbours are."""
        self._stack.push_async_callback(close)

    def stage(self, name: str) -> Stage:
        """Return a stage without consumers yet."""
        group = f"{self.settings.kafka.group}.{name}"
        wait_ms = EMBEDDED_FETCH_WAIT_MS if self.embedded else 500
        return Stage(name, self.broker, self.teller, group, wait_ms)

    async def __aenter__(self) -> Self:
        """Return itself; nothing is connected yet."""
        await self._stack.enter_async_context(tracing(self.settings.tracing.endpoint))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close what was made, newest first."""
        await asyncio.shield(self._stack.aclose())
