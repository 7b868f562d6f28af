"""What a process logs: lines for people, or JSON for machines; no customer's words in either.

The text of an exception may quote what it choked on: pydantic repeats its input, drivers their
parameters. So a traceback is logged with its frames and the types of its exceptions, and with
their text only where it is ours. What others log about us is held to the same.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, TextIO

from schemas.errors import Rejected, Unavailable
from services.settings import LogSettings

log = logging.getLogger(__name__)

OURS = ("services", "gateways", "ai", "storage", "console", "astreinte", "knowledge", "simulation")
TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
QUIET_S = 30.0
"""A library that repeats itself (several lines a second while Kafka is down) is heard so often."""


def begin(parts: Sequence[str], quiet: str = "info") -> None:
    """Begin to log, as the settings say, on standard error.

    Parameters
    ----------
    parts
        What runs in this process: a field of every line of JSON.
    quiet
        The least level that is logged when the settings name none.
    """
    settings = LogSettings()
    level = (settings.level or quiet).upper()
    logging.basicConfig(handlers=[handler_of(settings.format, parts)], level=level, force=True)
    for name in OURS:
        logging.getLogger(name).setLevel(level)
    # Below this level, libraries repeat whole requests: customers' words among them.
    logging.getLogger().setLevel(max(logging.WARNING, logging.getLevelName(level)))
    sys.excepthook = _uncaught
    threading.excepthook = lambda args: _uncaught(args.exc_type, args.exc_value, args.exc_traceback)
    sys.unraisablehook = lambda args: _uncaught(args.exc_type, args.exc_value, args.exc_traceback)
    warnings.showwarning = _warn


def handler_of(form: str, parts: Sequence[str]) -> logging.Handler:
    """Return the handler that writes lines of such a form: `text` or `json`."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines(parts) if form == "json" else TextLines(TEXT))
    handler.addFilter(_Discretion())
    return handler


class TextLines(logging.Formatter):
    """Lines for people; a traceback follows its line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a line."""
        record.exc_text = None  # somebody else's formatter may have left the whole text there
        return super().format(record)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """Return what stands before a traceback."""
        trace = getattr(record, "trace_id", "")
        return super().formatMessage(record) + (f" (trace {trace})" if trace else "")

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's name
        """Return a traceback without the text of strangers."""
        return traceback_of(ei[1])


class JsonLines(logging.Formatter):
    """Lines for machines, each an object: time, level, logger, parts, message; trace, exception."""

    def __init__(self, parts: Sequence[str]) -> None:
        super().__init__()
        self._parts = list(parts)

    def format(self, record: logging.LogRecord) -> str:
        """Return a line."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "parts": self._parts,
            "message": record.getMessage(),
        }
        if trace := getattr(record, "trace_id", ""):
            line["trace_id"] = trace
        if record.exc_info and record.exc_info[1]:
            line["exception"] = traceback_of(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False)


def traceback_of(error: BaseException) -> str:
    """Return where an exception and its causes came from; of its text, only what is ours."""
    return "\n".join(_lines_of(error, set()))


def _lines_of(error: BaseException, seen: set[int]) -> Iterator[str]:
    seen.add(id(error))
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before and id(before) not in seen:
        yield from _lines_of(before, seen)
        yield "which led to" if error.__cause__ else "while handling which there was"
    yield "".join(traceback.format_tb(error.__traceback__)).rstrip("\n")
    yield f"{type(error).__module__}.{type(error).__qualname__}" + (
        f": {error}" if isinstance(error, Rejected | Unavailable) else ""
    )
    if isinstance(error, BaseExceptionGroup):
        for part in error.exceptions:
            yield from _lines_of(part, seen)


class _Discretion(logging.Filter):
    """Keeps libraries from quoting us, and from repeating themselves."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.partition(".")[0] in OURS:
            return True
        if record.name == "asyncio":
            # Below its first line it shows the task, and in that the exception with its text.
            record.msg, record.args = record.getMessage().partition("\n")[0], ()
        if "GroupCoordinatorNotAvailableError" in record.getMessage():
            return False  # at every first start of a group, and settled within the second
        now = time.monotonic()
        said = self._said.get((record.name, record.msg), -QUIET_S)
        if now - said < QUIET_S:
            return False
        self._said[record.name, record.msg] = now
        return True


def _uncaught(
    kind: type[BaseException], error: BaseException | None, _trace: TracebackType | None
) -> None:
    if not issubclass(kind, KeyboardInterrupt | SystemExit):
        log.critical("a bug that nobody caught (%s)", kind.__name__, exc_info=error)


def _warn(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    del message, file, line  # it may quote a value
    log.warning("%s at %s:%d", category.__name__, filename, lineno)
