"""A circuit: open after a failure, one call tries, and it closes."""

from __future__ import annotations

import time

from ai.breaker import ENOUGH, Breaker


def test_a_failure_opens_it_for_a_while_then_one_may_try() -> None:
    breaker = Breaker()
    assert breaker.lets_through
    breaker.failed()
    assert (breaker.state, breaker.lets_through) == ("open", False)
    breaker._open_until = time.monotonic()
    assert (breaker.state, breaker.lets_through) == ("half-open", True)
    breaker.began()
    assert not breaker.lets_through  # the others wait for what becomes of it
    breaker.succeeded()
    assert (breaker.state, breaker.lets_through) == ("closed", True)


def test_one_that_tries_and_fails_opens_it_again_and_one_that_gives_up_does_not() -> None:
    breaker = Breaker(rest_s=0.0)
    breaker.failed()
    breaker.began()
    breaker.left()
    assert breaker.lets_through
    breaker.began()
    breaker.disappointed()
    assert breaker.state == "half-open"  # without rest, that is next
    assert Breaker(rest_s=9).state == "closed"


def test_useless_answers_open_it_when_several_come_in_a_row() -> None:
    breaker = Breaker(rest_s=9)
    for _ in range(ENOUGH - 1):
        breaker.disappointed()
    breaker.succeeded()
    for _ in range(ENOUGH - 1):
        breaker.disappointed()
    assert breaker.state == "closed"
    breaker.disappointed()
    assert breaker.state == "open"
