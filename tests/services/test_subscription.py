"""The times of a consumer, beside those of what it works with."""

from __future__ import annotations

from gateways.kafka import REQUEST_MS
from services.policy import Policy
from services.subscription import HEARTBEAT_MS, REBALANCE_MS, SESSION_MS


def test_members_have_the_time_to_finish_what_is_in_hand():
    assert HEARTBEAT_MS + Policy().drain_s * 1000 < REBALANCE_MS < REQUEST_MS


def test_a_member_is_not_forgotten_over_one_heartbeat_that_was_late():
    assert HEARTBEAT_MS * 3 <= SESSION_MS


def test_a_broker_takes_the_session_without_being_told_otherwise():
    assert SESSION_MS >= 6_000
