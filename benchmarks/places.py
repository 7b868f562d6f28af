"""Where is measured: which broker, which record; and the servers that both run on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from uuid import uuid4

import psutil
from sqlalchemy import Engine, make_url, text

from benchmarks.brokers import Broker
from gateways.kafka import Cluster
from gateways.topics import look
from services.topics import create_missing, names
from storage import schema
from storage.engine import engine_of

START_S = 30.0


@dataclass(frozen=True)
class Place:
    """A broker and a record.

    `kafka`: host:port of an Apache Kafka; empty: the embedded broker. `mysql`: the URL of a server
    whose user may make databases `astreinte_…`; empty: SQLite. `server`: what it calls itself.
    """

    kafka: str = ""
    mysql: str = ""
    server: str = ""

    @property
    def name(self) -> str:
        """What it is called in the tables."""
        broker = Broker(self.kafka, embedded=not self.kafka).name
        return f"{broker} + {self.server or 'SQLite'}"

    @contextmanager
    def record(self) -> Iterator[str]:
        """Yield the URL of an empty record with its tables; it goes at the end."""
        if not self.mysql:
            with TemporaryDirectory(prefix="astreinte-bench-") as folder:
                url = f"sqlite:///{folder}/record.db"
                _migrate(url)
                yield url
            return
        name = f"astreinte_bench_{uuid4().hex[:12]}"
        server = engine_of(self.mysql)
        url = server.url.set(database=name).render_as_string(hide_password=False)
        _execute(server, f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        try:
            _migrate(url)
            yield url
        finally:
            _execute(server, f"DROP DATABASE {name}")
            server.dispose()

    def servers(self) -> dict[str, psutil.Process]:
        """Return the processes of the servers on this machine, as far as we may see them."""
        ports = {"Kafka": self.kafka.rpartition(":")[2]}
        if self.mysql:
            ports["database"] = str(make_url(self.mysql).port or 3306)
        listening = {
            str(connection.laddr.port): connection.pid
            for connection in psutil.net_connections("tcp")
            if connection.status == psutil.CONN_LISTEN and connection.pid
        }
        return {
            name: psutil.Process(listening[port])
            for name, port in ports.items()
            if port in listening
        }


def places(kafka: str, mysql: str) -> list[Place]:
    """Return the embedded place, and what the servers add to it, one by one."""
    found = [Place()]
    if kafka:
        found.append(Place(kafka))
    if kafka and mysql:
        found.append(Place(kafka, mysql, _server(mysql)))
    return found


async def make_topics(kafka: str) -> None:
    """Make all topics on a fresh Kafka; one that a desk may use is left alone."""
    cluster = Cluster(kafka)
    if (await look(cluster, names(), START_S)).topics:
        msg = (
            f"the Kafka at {kafka} has topics of Astreinte already; a fresh one is needed: "
            "scripts/kafka run -- .venv/bin/python -m benchmarks"
        )
        raise RuntimeError(msg)
    await create_missing(cluster, START_S)


def _server(url: str) -> str:
    engine = engine_of(url)
    with engine.connect() as connection:
        version = str(connection.execute(text("SELECT VERSION()")).scalar())
    engine.dispose()
    return "MariaDB" if "MariaDB" in version else "MySQL"


def _migrate(url: str) -> None:
    engine = engine_of(url, answer_s=None)
    schema.migrate(engine)
    engine.dispose()


def _execute(server: Engine, statement: str) -> None:
    with server.begin() as connection:
        connection.execute(text(statement))
