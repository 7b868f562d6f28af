"""What is logged: enough to find a fault, nothing of what customers wrote."""

from __future__ import annotations

import asyncio
import gc
import io
import json
import logging
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from gateways.outbound import Letter
from schemas.errors import Rejected, Unavailable
from schemas.printer import InboundMessage
from services import logs, wire
from storage import journal
from storage.database import Database
from tests.conftest import until
from tests.services.road import Road

ROOT = Path(__file__).parents[2]
MARKER = "Rosalie-Kerguelen-4711"


@pytest.fixture(params=["text", "json"])
def log(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    """Everything that is logged meanwhile, in one form and the other."""
    handler = logs.handler_of(request.param, ["rag", "edge"])
    assert isinstance(handler, logging.StreamHandler)
    stream = io.StringIO()
    handler.setStream(stream)
    logging.getLogger().addHandler(handler)
    with pytest.MonkeyPatch.context() as patch:
        for name in logs.OURS:
            patch.setattr(logging.getLogger(name), "level", logging.DEBUG)
        yield stream
    logging.getLogger().removeHandler(handler)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


# --- its form ------------------------------------------------------------------------------------


@pytest.mark.parametrize("log", ["json"], indirect=True)
def test_a_line_of_json_says_when_who_how_bad_and_what(log: io.StringIO) -> None:
    logging.getLogger("services.x").warning("%d à faire", 3, extra={"trace_id": "ab" * 16})
    logging.getLogger("services.x").info("fait")
    first, second = lines(log)
    moment = first.pop("time")
    assert moment.endswith("+00:00")
    assert first == {
        "level": "warning",
        "logger": "services.x",
        "parts": ["rag", "edge"],
        "message": "3 à faire",
        "trace_id": "ab" * 16,
    }
    assert "trace_id" not in second


@pytest.mark.parametrize("log", ["text"], indirect=True)
def test_a_line_of_text_is_read_from_left_to_right(log: io.StringIO) -> None:
    logging.getLogger("services.x").warning("%d à faire", 3, extra={"trace_id": "ab" * 16})
    assert log.getvalue()[23:] == f" WARNING services.x: 3 à faire (trace {'ab' * 16})\n"


def test_a_traceback_shows_the_way_and_the_text_of_our_own_failures_only(log: io.StringIO) -> None:
    try:
        try:
            int(MARKER)
        except ValueError as error:
            msg = "the database does not answer"
            raise Unavailable(msg) from error
    except Unavailable:
        logging.getLogger("services.x").exception("no luck")
    told = log.getvalue()
    assert "int(MARKER)" in told  # the line of code
    assert "builtins.ValueError" in told
    assert "schemas.errors.Unavailable: the database does not answer" in told
    assert MARKER not in told


def test_a_group_of_failures_shows_each_of_them(log: io.StringIO) -> None:
    error = ExceptionGroup(MARKER, [ValueError(MARKER), Rejected("too old")])
    logging.getLogger("services.x").error("several", exc_info=error)
    told = log.getvalue()
    assert "builtins.ValueError" in told
    assert "Rejected: too old" in told
    assert MARKER not in told


def test_a_library_that_repeats_itself_is_heard_once_and_we_are_heard_always(
    log: io.StringIO,
) -> None:
    for _ in range(5):
        logging.getLogger("aiokafka").error("Unable to connect to %s", "x")
        logging.getLogger("services.x").error("waits")
    assert log.getvalue().count("Unable to connect") == 1
    assert log.getvalue().count("waits") == 5


# --- what customers wrote ------------------------------------------------------------------------


@pytest.fixture
async def road(embedded_kafka: str) -> AsyncIterator[Road]:
    made = Road(embedded_kafka)
    await made.build(create=False)
    yield made
    await made.close()


def quote(event: Any) -> None:
    msg = f"choked on {event.words}"
    raise ValueError(msg)


def validate(event: Any) -> None:
    InboundMessage.model_validate({"channel": event.words, "external_id": event.words})


def chain(event: Any) -> None:
    try:
        {}[event.words]
    except KeyError as error:
        raise RuntimeError(event.words) from error


@pytest.mark.parametrize("fail", [quote, validate, chain])
async def test_a_bug_that_quotes_a_customer_is_logged_without_the_quotation(
    road: Road, log: io.StringIO, fail: Callable[[Any], None]
) -> None:
    async def handle(events: Sequence[Any]) -> list[tuple[Any]]:
        return [fail(event) for event in events]  # type: ignore[misc]

    event = road.event(1, words=MARKER)
    await road.producer.send_and_wait(
        event.topic, wire.body_of(event), headers=[("traceparent", parent(event))]
    )
    await road.put(json.dumps({"event_id": MARKER, "words": MARKER}).encode())
    await road.put(f'{{"words": "{MARKER}"'.encode(), headers=[("ce_type", b"x")])
    async with road.running(handle) as runner:
        await until(lambda: runner.health.dead == 3)
    told = log.getvalue()
    assert MARKER not in told
    assert f"failed on {event.topic}/" in told
    assert fail.__name__ in told
    assert event.trace_id in told
    assert f"rejects {event.topic}/" in told


def parent(event: Any) -> bytes:
    return wire.headers_of(event, "gateway", 0.0)["traceparent"].encode()


async def test_a_statement_of_the_database_is_logged_without_its_values(
    tmp_path: Path, log: io.StringIO
) -> None:
    database = Database(f"sqlite:///{tmp_path}/record.db")  # without tables: each statement fails
    letter = Letter(MARKER, "sms", "+33612345678", "", MARKER)
    try:
        await database.write(journal.accept, letter.reply_id, letter.text, None)
    except Exception:
        logging.getLogger("services.x").exception("not written")
    database.close()
    assert "OperationalError" in log.getvalue()
    assert MARKER not in log.getvalue()


async def test_a_task_whose_failure_nobody_heard_of_is_logged_without_its_text(
    log: io.StringIO,
) -> None:
    async def fails() -> None:
        raise ValueError(MARKER)

    task = asyncio.create_task(fails())
    await asyncio.sleep(0)
    del task
    gc.collect()
    assert "Task exception was never retrieved" in log.getvalue()
    assert MARKER not in log.getvalue()


LAST_WORDS = """
import logging, os, threading, warnings
from services import logs
words = os.environ["WORDS"]
logs.begin(["rag"])
logging.getLogger("aiokafka").info(words)
warnings.warn(words)
def fails():
    raise ValueError(words)
thread = threading.Thread(target=fails)
thread.start(); thread.join()
class Fails:
    def __del__(self):
        fails()
Fails()
fails()
"""


def test_what_nobody_caught_is_logged_as_all_else(tmp_path: Path) -> None:
    (tmp_path / "last.py").write_text(LAST_WORDS)
    ours = {"PYTHONPATH": str(ROOT), "ASTREINTE_LOG_FORMAT": "json", "WORDS": MARKER}
    ended = subprocess.run(
        [sys.executable, "last.py"],
        env=os.environ | ours,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 1
    told = [json.loads(line) for line in ended.stderr.splitlines()]
    assert [line["message"].partition(" at ")[0] for line in told] == [
        "UserWarning",
        *["a bug that nobody caught (ValueError)"] * 3,
    ]
    assert MARKER not in ended.stderr
    assert "in fails" in told[-1]["exception"]


LEVELS = """
import logging, os
from services import logs
for setting, quiet in [("", "info"), ("", "warning"), ("DEBUG", "warning"), ("error", "info")]:
    os.environ["ASTREINTE_LOG_LEVEL"] = setting
    logs.begin([], quiet)
    for level in ("debug", "info", "warning"):
        getattr(logging.getLogger("services"), level)(f"{setting}/{quiet}")
"""


def test_the_level_is_the_settings_or_else_the_commands() -> None:
    environment = os.environ | {"ASTREINTE_LOG_FORMAT": "json"}
    ended = subprocess.run(
        [sys.executable, "-c", LEVELS], env=environment, cwd=ROOT, capture_output=True, check=True
    )
    told = [json.loads(line) for line in ended.stderr.splitlines()]
    assert [(line["message"], line["level"]) for line in told] == [
        ("/info", "info"),
        ("/info", "warning"),
        ("/warning", "warning"),
        ("DEBUG/warning", "debug"),
        ("DEBUG/warning", "info"),
        ("DEBUG/warning", "warning"),
    ]
