"""The desk that is measured: stages and the record in one process, as `astreinte up` has them.

Without edge and console: the messages come straight to `printer.inbound`. It says in a line of
JSON where its broker is, works until its standard input ends, then drains. Its record is the one
that ASTREINTE_DATABASE_URL names.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from pathlib import Path
from uuid import uuid4

from benchmarks.brokers import Broker
from benchmarks.watched import Watched, started
from gateways.kafka import EmbeddedKafka
from schemas.topics import STAGES
from services.neighbours import Neighbours
from services.serve import running
from services.settings import (
    DatabaseSettings,
    DispatchSettings,
    KafkaSettings,
    Settings,
)
from services.settings_models import OllamaSettings
from services.settings_policy import PolicySettings

NAMES = (*STAGES, "record")
CACHE = Path(__file__).parent.parent / "data" / "cache"


WITHOUT_LIMITS = PolicySettings(
    sender_replies=0, same_subject=0, conversation_replies=0, desk_replies=0, failed_percent=0
)
"""A load is what the limits are there to stop."""


def settings(url: str, group: str = "") -> Settings:
    """Return settings of a desk of its own: templates, and replies read in the console."""
    return Settings(
        kafka=KafkaSettings(servers="", group=group or new_group()),
        database=DatabaseSettings(url=url),
        ollama=OllamaSettings(url=""),
        dispatch=DispatchSettings(outbound="console"),
        policy=WITHOUT_LIMITS,
    )


def new_group() -> str:
    """Return a prefix of consumer groups that nobody has used."""
    return f"bench-{uuid4().hex[:8]}"


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


def desk(
    url: str,
    broker: Broker | None = None,
    group: str = "",
    parts: Sequence[str] = NAMES,
    env: Mapping[str, str] | None = None,
) -> AbstractAsyncContextManager[Watched]:
    """Have a desk in a process of its own, which says its broker's address once it runs.

    Parameters
    ----------
    url
        Its record.
    broker
        Where it consumes; without one it has an embedded one in its process.
    group
        The prefix of its consumer groups.
    parts
        Which of `NAMES`.
    env
        More settings.
    """
    words = ["benchmarks.desk", "--group", group, "--parts", *parts]
    if broker:
        words += ["--kafka", broker.address] + ["--embedded"] * broker.embedded
    return started(*words, env={"ASTREINTE_DATABASE_URL": url, **(env or {})})


async def main(given: argparse.Namespace) -> None:
    """Run until standard input ends."""
    with broker_at(given.kafka) as broker:
        chosen = settings(os.environ["ASTREINTE_DATABASE_URL"], given.group)
        embedded = given.embedded or broker.embedded
        near = Neighbours(chosen, broker.address, embedded=embedded)
        near.cache = CACHE
        async with near, running(near, given.parts) as stages:
            print(json.dumps({"address": broker.address}), flush=True)
            await asyncio.to_thread(sys.stdin.read)
            health = [stage.health() for stage in stages]
            dead = sum(each.dead for each in health)
            stopped = [f"{each.stage}: {each.stopped}" for each in health if each.stopped]
        print(json.dumps({"dead": dead, "stopped": stopped}), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.desk", description=__doc__)
    parser.add_argument("--kafka", default="", help="host:port; without it a broker in here")
    parser.add_argument("--embedded", action="store_true", help="there is an embedded broker")
    parser.add_argument("--group", default="", help="prefix of the consumer groups")
    parser.add_argument("--parts", nargs="+", default=NAMES, choices=NAMES)
    asyncio.run(main(parser.parse_args()))
