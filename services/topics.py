"""What a Kafka's topics are beside what the table says.

Missing topics and too few partitions stop a start; other differences are reported. Nothing is
changed unless asked, and partitions never: with their number, keys move to other partitions.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gateways.kafka import Cluster
from gateways.topics import MAKES_TOPICS, Served, Shape, alter_configs, create_topics, look
from schemas.errors import Unavailable
from schemas.topics import TOPICS, Topic

log = logging.getLogger(__name__)

Table = Sequence[Topic]
COPIES = 3
"""Where there are so many brokers: one may be lost while another one is serviced."""
SAID = 3
"""Differences that one sentence names."""


@dataclass(frozen=True)
class Difference:
    """One thing that is not as the table says; `topic` is empty for the server itself.

    `what`: missing, hidden (we may not know), partitions, copies, or the name of a configuration.
    """

    topic: str
    what: str
    found: str = ""
    wanted: str = ""

    @property
    def fatal(self) -> bool:
        """Nothing may start: there would be nowhere to write, or no room for all the lanes."""
        return self.what in {"missing", "hidden", "partitions"}

    @property
    def adjustable(self) -> bool:
        """It can be set as the table says without a record being deleted."""
        if self.what == "retention.ms":
            return 0 <= int(self.found) < int(self.wanted)
        return not self.fatal and self.what not in {"copies", MAKES_TOPICS}

    def __str__(self) -> str:
        """Say it, without an end to the sentence."""
        if self.what == "missing":
            return f"{self.topic} is missing"
        if self.what == "hidden":
            return f"{self.topic} may not be used by this user (ACL: Describe, Read, Write)"
        return f"{self.topic or 'the server'} has {self.what} {self.found}, not {self.wanted}"


def wanted(topic: Topic, brokers: int, partitions: int = 0) -> Shape:
    """Return how a topic should be on so many brokers, perhaps in more partitions than needed."""
    configs = {"cleanup.policy": "compact"}
    if not topic.compacted:
        # A limit in bytes would delete what nobody has read yet.
        kept = {"retention.ms": str(topic.retention_ms), "retention.bytes": "-1"}
        configs = {"cleanup.policy": "delete", **kept}
    configs["min.insync.replicas"] = "2" if brokers >= COPIES else "1"
    return Shape(max(topic.partitions, partitions), min(COPIES, brokers), configs)


async def compare(
    cluster: Cluster, within_s: float = 0.0, table: Table = TOPICS
) -> list[Difference]:
    """Look how a Kafka differs from the table; it may take `within_s` seconds to answer.

    Raises
    ------
    Unavailable
        No broker there, or it does not let us in.
    """
    return differences(await look(cluster, names(table), within_s), table)


def names(table: Table = TOPICS) -> list[str]:
    """Return the names of the topics."""
    return [topic.name for topic in table]


def differences(served: Served, table: Table = TOPICS) -> list[Difference]:
    """Compare a Kafka with the table; what we may not read counts as right."""
    found = [each for topic in table for each in _of(topic, served)]
    if served.makes_topics:
        found.append(Difference("", MAKES_TOPICS, "true", "false"))
    return found


def _of(topic: Topic, served: Served) -> Iterator[Difference]:
    name = topic.name
    if name not in served.topics:
        yield Difference(name, "hidden" if name in served.hidden else "missing")
        return
    there, due = served.topics[name], wanted(topic, served.brokers)
    if there.partitions < due.partitions:
        yield Difference(name, "partitions", str(there.partitions), str(due.partitions))
    if there.copies < due.copies:
        yield Difference(name, "copies", str(there.copies), str(due.copies))
    for key, value in due.configs.items():
        if there.configs.get(key, value) != value:
            yield Difference(name, key, there.configs[key], value)


async def expect_topics(cluster: Cluster, within_s: float, table: Table = TOPICS) -> None:
    """Refuse a Kafka on which we cannot run, and say in the log what else is different there.

    Raises
    ------
    Unavailable
        No broker answered in time, topics are missing, or they have too few partitions.
    """
    found = await compare(cluster, within_s, table)
    fatal = [each for each in found if each.fatal]
    if fatal:
        advice = "`astreinte topics check` says what to do"
        if any(each.what == "missing" for each in fatal):
            advice = "`astreinte topics create` makes what is missing"
        msg = f"Kafka at {cluster.address} cannot be used: {_some(fatal)}; {advice}"
        raise Unavailable(msg)
    if found:
        log.warning("Kafka's topics differ: %s; see `astreinte topics check`", _some(found))


def _some(found: Sequence[Difference]) -> str:
    more = f" and {len(found) - SAID} more" if len(found) > SAID else ""
    return ", ".join(str(each) for each in found[:SAID]) + more


async def create_missing(
    cluster: Cluster, within_s: float, partitions: int = 0, table: Table = TOPICS
) -> dict[str, Shape]:
    """Make the topics that are missing, and return them; for `partitions` see `wanted`."""
    served = await look(cluster, names(table), within_s)
    missing = {each.topic for each in differences(served, table) if each.what == "missing"}
    made = {t.name: wanted(t, served.brokers, partitions) for t in table if t.name in missing}
    if made:
        await create_topics(cluster, made)
    return made


async def adjust(cluster: Cluster, table: Table = TOPICS) -> list[Difference]:
    """Set configurations as the table says where no record is deleted by that; return which."""
    adjusted = [each for each in await compare(cluster, table=table) if each.adjustable]
    configs: dict[str, dict[str, str]] = {}
    for each in adjusted:
        configs.setdefault(each.topic, {})[each.what] = each.wanted
    if configs:
        await alter_configs(cluster, configs)
    return adjusted
