"""What tests share: brokers, databases, messages. Nothing here is a mock."""

from __future__ import annotations

import asyncio
import ctypes
import logging
import os
import pickle
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import confluent_kafka
import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from confluent_kafka import OFFSET_END, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient
from sqlalchemy import create_engine, text

from ai.embeddings import Embedder
from gateways.kafka import EmbeddedKafka
from schemas.printer import InboundMessage
from schemas.topics import TOPICS
from services.classifiers import Classifiers
from services.classify.app import train
from services.logs import OURS
from services.neighbours import Neighbours
from services.settings import (
    DatabaseSettings,
    DispatchSettings,
    HttpSettings,
    KafkaSettings,
    Settings,
)
from services.settings_models import OllamaSettings
from services.settings_policy import PolicySettings
from storage import schema
from storage.database import Database
from storage.engine import engine_of

Trained = Classifiers

CACHE = Path(__file__).parent.parent / "data" / "cache"


@pytest.fixture(autouse=True, scope="module")
def quiet_commands_stay_alone() -> Iterator[None]:
    """A command that is called in this process may want fewer log lines; the next tests do not."""
    loggers = [logging.root, *map(logging.getLogger, OURS)]
    levels = [logger.level for logger in loggers]
    yield
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


@pytest.fixture(scope="session")
def embedder() -> Iterator[Embedder]:
    """The model that ships; loaded once."""
    made = Embedder()
    yield made
    made.close()


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """The classifiers of intents and of priorities; trained once, whichever process does it."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    folder = tmp_path_factory.getbasetemp()
    kept = (folder.parent if worker else folder) / "trained"
    if kept.exists():
        return pickle.loads(kept.read_bytes())
    near = Neighbours(Settings(), "")
    near.cache = CACHE
    made = train(near)
    near.embedder.close()
    part = kept.with_name(f"trained-{os.getpid()}")
    part.write_bytes(pickle.dumps(made))
    part.rename(kept)
    return made


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a desk of its own: its record and outbox in `tmp_path`, groups that are new."""
    return settings_in(tmp_path)


def settings_in(folder: Path) -> Settings:
    """Make such settings, for a desk that outlives one test."""
    return Settings(
        kafka=KafkaSettings(servers="", group=f"test-{uuid4().hex[:8]}"),
        database=DatabaseSettings(url=f"sqlite:///{folder}/record.db"),
        http=HttpSettings(host="127.0.0.1", port=0),
        ollama=OllamaSettings(url=""),
        dispatch=DispatchSettings(outbound="file", file=folder / "outbox.jsonl"),
        policy=PolicySettings(quiet="none"),  # tests run at night too
    )


@cache
def _empty_record() -> bytes:
    with TemporaryDirectory() as folder:
        engine = engine_of(f"sqlite:///{folder}/record.db")
        schema.migrate(engine)
        engine.dispose()  # writes all into the file
        return (Path(folder) / "record.db").read_bytes()


def record_in(folder: Path) -> str:
    """Put an empty record there, as quickly as one copies a file; return its URL."""
    (folder / "record.db").write_bytes(_empty_record())
    return f"sqlite:///{folder}/record.db"


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """An empty record, open."""
    made = Database(record_in(tmp_path))
    await made.prepare()
    yield made
    made.close()


@pytest.fixture(params=["sqlite", pytest.param("mysql", marks=pytest.mark.mysql)])
def blank(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without tables: a file, and one on the server of ASTREINTE_MYSQL."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/blank.db"
        return
    server = os.environ.get("ASTREINTE_MYSQL", "")
    if not server:
        pytest.skip("ASTREINTE_MYSQL is not set: scripts/mysql run -- pytest -m mysql")
    name = f"astreinte_{uuid4().hex[:12]}"
    engine = create_engine(server)
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
        yield engine.url.set(database=name).render_as_string(hide_password=False)
        connection.execute(text(f"DROP DATABASE {name}"))
    engine.dispose()


@pytest.fixture(scope="session")
def embedded_kafka() -> Iterator[str]:
    """The address of one embedded broker for the whole run; topics and groups tell tests apart."""
    broker = QuickKafka(ALONE_MS)
    yield broker.address
    broker.close()


ALONE_MS = 10
TOGETHER_MS = 1_000


class QuickKafka(EmbeddedKafka):
    """An embedded broker that waits for the members of a new group no longer than `join_ms`.

    librdkafka's mock waits 3 s. Whoever comes later makes it wait for 5 s: a stage has a consumer
    for each flow, so those of a whole desk must all have come `TOGETHER_MS` after the first one.
    """

    def __init__(self, join_ms: int = TOGETHER_MS) -> None:
        super().__init__()
        [library] = Path(confluent_kafka.__path__[0] + ".libs").glob("librdkafka-*.so*")
        native = ctypes.CDLL(str(library))
        native.rd_kafka_handle_mock_cluster.argtypes = [ctypes.c_void_p]
        native.rd_kafka_handle_mock_cluster.restype = ctypes.c_void_p
        after_head = id(self._owner) + object.__basicsize__  # the C struct's first field
        client = ctypes.c_void_p.from_address(after_head).value
        cluster = native.rd_kafka_handle_mock_cluster(client)
        delay = native.rd_kafka_mock_group_initial_rebalance_delay_ms
        delay.argtypes = [ctypes.c_void_p, ctypes.c_int32]
        delay(cluster, join_ms)


BROKERS = ["embedded", pytest.param("apache", marks=pytest.mark.kafka)]


@asynccontextmanager
async def broker_of(kind: str, join_ms: int) -> AsyncIterator[str]:
    """Give the address of an embedded broker, or of Apache Kafka with empty topics."""
    if kind == "embedded":
        broker = QuickKafka(join_ms)
        yield broker.address
        broker.close()
        return
    address = os.environ.get("ASTREINTE_KAFKA", "")
    if not address:
        pytest.skip("ASTREINTE_KAFKA is not set: scripts/kafka run -- pytest -m kafka")
    wanted = {topic.name: topic.partitions for topic in TOPICS}
    await create_topics(address, wanted)
    # What is compacted is never emptied; whoever listens to it begins with what comes now.
    kept = {topic.name for topic in TOPICS if topic.compacted}
    emptied = {name: wanted[name] for name in wanted if name not in kept}
    await until(lambda: _emptied(address, emptied))
    yield address


@pytest.fixture(params=BROKERS)
async def kafka(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """The address of a broker: the same test runs on the embedded one and on Apache Kafka."""
    async with broker_of(request.param, ALONE_MS) as address:
        yield address


def _emptied(address: str, topics: dict[str, int]) -> bool:
    """Delete what earlier tests left there: the groups of a test begin with the oldest record."""
    admin = AdminClient({"bootstrap.servers": address})
    ends = [
        TopicPartition(topic, partition, OFFSET_END)
        for topic, partitions in topics.items()
        for partition in range(partitions)
    ]
    try:
        for deleted in admin.delete_records(ends).values():
            deleted.result()
    except KafkaException as why:
        if why.args[0].code() != KafkaError.NOT_LEADER_FOR_PARTITION:
            raise
        return False  # a topic that is only just there
    return True


async def create_topics(address: str, wanted: dict[str, int]) -> None:
    """Make the topics that are not there; Apache Kafka makes none by itself here."""
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    await admin.start()
    try:
        missing = set(wanted) - set(await admin.list_topics())
        await admin.create_topics([NewTopic(name, wanted[name], 1) for name in missing])
    finally:
        await admin.close()


def inbound(text: str = "mon imprimante ne marche plus", **changes: Any) -> InboundMessage:
    """Make an inbound message; its id is new unless given."""
    body = {
        "channel": "chat",
        "external_id": uuid4().hex,
        "from": "visiteur",
        "text": text,
        "received_at": datetime.now(UTC).isoformat(),
    }
    return InboundMessage.model_validate(body | changes)


async def until(condition: Callable[[], Any], seconds: float = 20.0) -> Any:
    """Wait for a condition (plain or async) to hold, and return what it gave; fail after a while."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if asyncio.iscoroutine(found):
            found = await found
        if found:
            return found
        if time.monotonic() > deadline:
            pytest.fail(f"not within {seconds:g} s")
        await asyncio.sleep(0.02)
