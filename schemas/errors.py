"""The two failures. Anything else is a bug: dead letter, with a traceback in the log."""

from __future__ import annotations

import re

from pydantic import ValidationError


class Rejected(Exception):  # noqa: N818 - a verdict, not an error of ours
    """Never again: this event goes to the dead letters. The text names no customer's words."""


class Unavailable(Exception):  # noqa: N818 - a state of a neighbour
    """Not now: a neighbour does not answer. Wait, then deliver again.

    `retry_after_s`: how long the neighbour asked to be left alone, when it did.
    """

    def __init__(self, why: str = "", retry_after_s: float | None = None) -> None:
        super().__init__(why)
        self.retry_after_s = retry_after_s


def reason_of(error: ValidationError) -> str:
    """Say what is wrong and where, without the input: it may hold a customer's words."""
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(
        f"{'.'.join(_path(problem['loc'])) or 'body'}: {problem['msg']}" for problem in problems[:5]
    )[:1000]


def _path(loc: tuple[int | str, ...]) -> list[str]:
    # What follows `headers` is a name that the sender chose.
    path = [str(part) for part in loc]
    return path[: path.index("headers") + 1] if "headers" in path else path


def shape_of(text: str) -> str:
    """Return what an address looks like: a reason is logged and kept, and must not repeat one."""
    return re.sub(r"[^\W\d_]", "x", re.sub(r"\d", "9", text[:40]))
