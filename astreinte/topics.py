"""`astreinte topics`: what waits in them, are they as they should be; reading them again."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime
from typing import Annotated

import typer

from astreinte import output, running
from astreinte.choosing import moment
from astreinte.options import BrokerOption, JsonOption, app, fail
from gateways.groups import rewind
from gateways.kafka import Cluster
from services.neighbours import cluster_of
from services.serve import CONSUMERS
from services.settings import KafkaSettings
from services.survey import survey
from services.topics import Difference, adjust, compare, create_missing

topics = typer.Typer()
app.add_typer(topics, name="topics")


@topics.callback(invoke_without_command=True)
def show(context: typer.Context, broker: BrokerOption = "", json_: JsonOption = False) -> None:
    """Show the topics: rate, lag, and since when the oldest message waits."""
    logging.basicConfig(level=logging.CRITICAL)
    logging.getLogger("gateways").setLevel(logging.WARNING)  # says that it waits, and for whom
    if context.invoked_subcommand:
        if broker or json_:
            msg = f"options stand after {context.invoked_subcommand}"
            raise typer.BadParameter(msg)
        return
    here = running.find()
    settings = KafkaSettings(servers=broker) if broker else KafkaSettings()
    cluster = cluster_of(settings, settings.servers)
    if here and not settings.servers:
        cluster = Cluster(here.kafka)
    if not cluster.address:
        fail("no desk runs in this folder; name a Kafka with --broker HOST:PORT")
    output.topics(asyncio.run(survey(cluster, settings.group)), machine=json_)


@topics.command()
def check(broker: BrokerOption = "", json_: JsonOption = False) -> None:
    """Compare the topics of a server with the table; status 1 when something differs."""
    cluster, _ = _server(broker)
    found = asyncio.run(compare(cluster))
    output.differences(found, machine=json_)
    raise typer.Exit(1 if found else 0)


@topics.command()
def create(
    broker: BrokerOption = "",
    partitions: Annotated[
        int, typer.Option(help="Of each new topic, where the table does not ask for more.", min=1)
    ] = 1,
    adjust_: Annotated[
        bool, typer.Option("--adjust", help="Set configurations as the table says.")
    ] = False,
) -> None:
    """Make the topics that are missing, and say what differs in those that are there."""
    cluster, connect_s = _server(broker)
    found = asyncio.run(_create(cluster, connect_s, partitions, adjusting=adjust_))
    output.differences(found, machine=False)
    raise typer.Exit(1 if any(each.fatal for each in found) else 0)


async def _create(
    cluster: Cluster, connect_s: float, partitions: int, *, adjusting: bool
) -> list[Difference]:
    for name, shape in (await create_missing(cluster, connect_s, partitions)).items():
        output.created(name, shape)
    for each in await adjust(cluster) if adjusting else ():
        output.adjusted(each)
    return await compare(cluster)


@topics.command(name="rewind")
def rewind_(
    stage: Annotated[list[str], typer.Argument(help=", ".join(CONSUMERS), metavar="STAGE...")],
    to: Annotated[str, typer.Option(help="From then on: 2h, 3d, or a date (ISO 8601).")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be done.")
    ] = False,
    broker: BrokerOption = "",
) -> None:
    """Have stages, which are stopped, read again what came since a moment."""
    cluster, _ = _server(broker)
    unknown = [name for name in stage if name not in CONSUMERS]
    if unknown:
        msg = f"no stage {unknown[0]}; there are: {', '.join(CONSUMERS)}"
        raise typer.BadParameter(msg)
    then = moment(to, datetime.now(UTC))
    if then is None:
        fail("--to needs a time")
    groups = [f"{KafkaSettings().group}.{name}" for name in stage]
    done = asyncio.run(rewind(cluster, groups, then, dry_run=dry_run))
    for group, back in done.items():
        output.rewound(group, back)


def _server(broker: str) -> tuple[Cluster, float]:
    settings = KafkaSettings(servers=broker) if broker else KafkaSettings()
    if not settings.servers:
        fail("name a Kafka with --broker HOST:PORT or ASTREINTE_KAFKA_SERVERS")
    return cluster_of(settings, settings.servers), settings.connect_s
