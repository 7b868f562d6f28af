"""The desk that is measured: all stages and the record in one process, as `astreinte run` has them.

Without edge and console: the messages come straight to `printer.inbound`. It says in a line of
JSON where its broker is, works until its standard input ends, then drains.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from benchmarks.brokers import Broker
from gateways.kafka import EmbeddedKafka
from schemas.topics import STAGES
from services.neighbours import Neighbours
from services.serve import running
from services.settings import (
    DatabaseSettings,
    DispatchSettings,
    KafkaSettings,
    OllamaSettings,
    Settings,
)

NAMES = (*STAGES, "record")
CACHE = Path(__file__).parent.parent / "data" / "cache"
RECORD = "record.db"


def settings(folder: Path) -> Settings:
    """Return settings of a desk of its own: templates, replies read in the console, SQLite."""
    return Settings(
        kafka=KafkaSettings(servers="", group=f"bench-{uuid4().hex[:8]}"),
        database=DatabaseSettings(url=f"sqlite:///{folder}/{RECORD}"),
        ollama=OllamaSettings(url=""),
        dispatch=DispatchSettings(outbound="console"),
    )


@contextmanager
def broker_at(address: str) -> Iterator[Broker]:
    """Yield the broker at an address, or one in this process when there is none."""
    if address:
        yield Broker(address, embedded=False)
        return
    kafka = EmbeddedKafka()
    try:
        yield Broker(kafka.address, embedded=True)
    finally:
        kafka.close()


async def desk(folder: Path, address: str) -> None:
    """Run until standard input ends."""
    with broker_at(address) as broker:
        near = Neighbours(settings(folder), broker.address, embedded=broker.embedded)
        near.cache = CACHE
        async with near, running(near, NAMES) as stages:
            print(json.dumps({"address": broker.address}), flush=True)
            await asyncio.to_thread(sys.stdin.read)
            health = [stage.health() for stage in stages]
            dead = sum(each.dead for each in health)
            stopped = [f"{each.stage}: {each.stopped}" for each in health if each.stopped]
        print(json.dumps({"dead": dead, "stopped": stopped}), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.desk", description=__doc__)
    parser.add_argument("folder", type=Path, help="where its record is kept")
    parser.add_argument("--kafka", default="", help="host:port; without it an embedded broker")
    given = parser.parse_args()
    asyncio.run(desk(given.folder, given.kafka))
