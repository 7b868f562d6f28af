"""Getting in touch with Kafka: who does not answer, who refuses, and what is said about it."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateways.kafka import SASL, Cluster
from gateways.knock import let_in
from schemas.errors import Unavailable
from tests.apache import served

Rewrite = Callable[[bytes], bytes]


async def refused(cluster: Cluster, within_s: float = 0.0) -> tuple[str, float]:
    """What is said when we are not let in, and after how many seconds."""
    began = time.monotonic()
    with pytest.raises(Unavailable) as said:
        async with let_in(cluster, within_s):
            pytest.fail("let in")
    return str(said.value), time.monotonic() - began


@pytest.fixture
def free_port() -> Iterator[int]:
    """A port on which nobody listens, and nobody else will."""
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@asynccontextmanager
async def forwarding(address: str, port: int, rewrite: Rewrite = bytes) -> AsyncIterator[int]:
    """Have a port that leads to a broker; `rewrite` changes what the broker says."""
    host, _, to = address.partition(":")

    async def copy(source: asyncio.StreamReader, to: asyncio.StreamWriter, change: Rewrite) -> None:
        while data := await source.read(65_536):
            to.write(change(data))
        to.close()

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(host, int(to))
        await asyncio.gather(
            copy(reader, back, bytes), copy(there, writer, rewrite), return_exceptions=True
        )

    server = await asyncio.start_server(forward, "127.0.0.1", port, reuse_address=True)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def test_a_broker_is_reached_at_the_address_by_which_it_calls_itself(embedded_kafka: str):
    async with (
        forwarding(embedded_kafka, 0) as port,
        let_in(Cluster(f"127.0.0.1:{port}")) as connection,
    ):
        assert f"{connection.host}:{connection.port}" == embedded_kafka


async def test_of_several_addresses_one_that_answers_is_enough(embedded_kafka: str, free_port: int):
    async with let_in(Cluster(f"127.0.0.1:{free_port},{embedded_kafka}")) as connection:
        assert f"{connection.host}:{connection.port}" == embedded_kafka


async def test_a_connection_that_is_refused_is_said(free_port: int):
    said, _ = await refused(Cluster(f"127.0.0.1:{free_port}"))
    assert said == (
        f"Kafka at 127.0.0.1:{free_port} refuses the connection: does it run, "
        "and is ASTREINTE_KAFKA_SERVERS right?"
    )


async def test_a_broker_that_comes_later_is_waited_for(
    embedded_kafka: str, free_port: int, caplog: pytest.LogCaptureFixture
):
    async def later() -> None:
        await asyncio.sleep(0.5)
        async with forwarding(embedded_kafka, free_port):
            await asyncio.sleep(5)

    coming = asyncio.create_task(later())
    async with let_in(Cluster(f"127.0.0.1:{free_port}"), within_s=10) as connection:
        assert f"{connection.host}:{connection.port}" == embedded_kafka
    coming.cancel()
    [said] = [line.message for line in caplog.records if line.name == "gateways.knock"]
    assert said.startswith(f"Kafka at 127.0.0.1:{free_port} refuses the connection: ")
    assert said.endswith("(tried again for 10 s)")


@pytest.mark.parametrize("protocol", ["plaintext", "ssl", "sasl_plaintext"])
async def test_an_address_that_never_answers_is_given_up_in_time(silent_port: int, protocol: str):
    cluster = Cluster(f"127.0.0.1:{silent_port}", protocol, "PLAIN", "user", "password")
    said, seconds = await refused(cluster, within_s=0.3)
    assert said.startswith(f"Kafka at 127.0.0.1:{silent_port} does not answer: ")
    assert 0.2 < seconds < 2


async def test_a_silent_address_does_not_hide_one_that_answers(
    embedded_kafka: str, silent_port: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("gateways.knock.ADDRESS_S", 0.2)
    async with let_in(Cluster(f"127.0.0.1:{silent_port},{embedded_kafka}"), 10) as connection:
        assert f"{connection.host}:{connection.port}" == embedded_kafka


async def test_whoever_hangs_up_is_said_to_speak_something_else_perhaps():
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4)
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        said, _ = await refused(Cluster(f"127.0.0.1:{port}"))
    why = "closes the connection: is ASTREINTE_KAFKA_SECURITY=plaintext right?"
    assert said == f"Kafka at 127.0.0.1:{port} {why}"


async def test_a_name_that_nobody_knows_is_said():
    said, _ = await refused(Cluster("kafka.invalid:9092"))
    assert "kafka.invalid:9092 has a name that is not known here" in said
    said, _ = await refused(Cluster(f"{'x' * 64}.invalid:9092"))
    assert "cannot be reached (UnicodeError): is ASTREINTE_KAFKA_SERVERS right?" in said


@pytest.mark.parametrize("address", ["127.0.0.1:kafka", "127.0.0.1:99999", "127.0.0.1:", "[::1"])
async def test_an_address_that_is_none_is_said_at_once(address: str):
    said, seconds = await refused(Cluster(address), within_s=30)
    assert said == f"ASTREINTE_KAFKA_SERVERS: {address!r} is not host:port,…"
    assert seconds < 1


async def test_a_broker_that_sends_its_clients_where_nobody_is_is_found_out(
    embedded_kafka: str, free_port: int
):
    own = int(embedded_kafka.rpartition(":")[2]).to_bytes(4, "big")

    def elsewhere(data: bytes) -> bytes:
        return data.replace(own, free_port.to_bytes(4, "big"))

    async with forwarding(embedded_kafka, 0, elsewhere) as port:
        said, _ = await refused(Cluster(f"127.0.0.1:{port}"))
    assert said.startswith(
        f"Kafka at 127.0.0.1:{port} sends clients elsewhere (its advertised.listeners): "
        f"Kafka at 127.0.0.1:{free_port} refuses the connection"
    )


def test_a_file_without_certificates_is_said(tmp_path: Path):
    file = tmp_path / "ca.pem"
    file.write_text("no certificate")
    with pytest.raises(Unavailable, match=f"ASTREINTE_KAFKA_CA: {file} is not a PEM file"):
        _ = Cluster("kafka:9093", "ssl", ca=file).security


def test_a_cluster_does_not_show_its_password():
    assert "hunter2" not in repr(Cluster("kafka:9092", "sasl_ssl", "PLAIN", "us", "hunter2"))


# --- Apache Kafka, with users and with TLS ---------------------------------------------------


@pytest.mark.kafka
@pytest.mark.parametrize(
    ("protocol", "mechanism"),
    [("plaintext", ""), ("ssl", "")]
    + [(protocol, name) for protocol in ("sasl_plaintext", "sasl_ssl") for name in SASL],
)
async def test_whoever_has_what_it_takes_is_let_in(protocol: str, mechanism: str):
    cluster = served(protocol, mechanism=mechanism)
    async with let_in(cluster) as connection:
        assert f"{connection.host}:{connection.port}" == cluster.address


@pytest.mark.kafka
@pytest.mark.parametrize("protocol", ["sasl_plaintext", "sasl_ssl"])
@pytest.mark.parametrize("mechanism", SASL)
@pytest.mark.parametrize("wrong", [{"password": "wrong"}, {"user": "nobody"}])
async def test_a_wrong_password_is_said_at_once(
    protocol: str, mechanism: str, wrong: dict[str, str]
):
    cluster = served(protocol, mechanism=mechanism, **wrong)
    said, seconds = await refused(cluster, within_s=30)
    assert said == (
        f"Kafka at {cluster.address} refuses the user {cluster.user}: are ASTREINTE_KAFKA_USER, "
        f"ASTREINTE_KAFKA_PASSWORD and ASTREINTE_KAFKA_MECHANISM={mechanism} right?"
    )
    assert seconds < 5


@pytest.mark.kafka
@pytest.mark.parametrize("protocol", ["ssl", "sasl_ssl"])
async def test_an_authority_that_is_not_known_is_said_at_once(protocol: str):
    cluster = served(protocol, ca=None)
    said, seconds = await refused(cluster, within_s=30)
    assert f"{cluster.address} shows a certificate that is not trusted (" in said
    assert said.endswith("ASTREINTE_KAFKA_CA names the PEM file of its authority")
    assert seconds < 5


@pytest.mark.kafka
@pytest.mark.parametrize(
    ("listener", "spoken", "said"),
    [
        ("ssl", "plaintext", "closes the connection: is ASTREINTE_KAFKA_SECURITY=plaintext right?"),
        ("sasl_plaintext", "plaintext", "closes the connection: is ASTREINTE_KAFKA_SECURITY=pl"),
        ("sasl_ssl", "ssl", "closes the connection: is ASTREINTE_KAFKA_SECURITY=ssl right?"),
        ("plaintext", "ssl", "closes the connection: is ASTREINTE_KAFKA_SECURITY=ssl right?"),
        ("sasl_ssl", "sasl_plaintext", "closes the connection: is ASTREINTE_KAFKA_SECURITY=sasl_p"),
        ("plaintext", "sasl_plaintext", "asks for no password there: is ASTREINTE_KAFKA_SECURITY="),
    ],
)
async def test_the_wrong_security_is_said(listener: str, spoken: str, said: str):
    cluster = served(spoken, address=served(listener).address)
    found, _ = await refused(cluster)
    assert found.startswith(f"Kafka at {cluster.address} {said}")
