"""The Apache Kafka that tests marked `kafka` run on: its listeners, and what gets one in."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from gateways.kafka import Cluster


def served(protocol: str = "plaintext", **changes: Any) -> Cluster:
    """The listener of that protocol, and all that it takes to get in."""
    names = {"plaintext": "", "ssl": "_TLS", "sasl_plaintext": "_SASL", "sasl_ssl": "_SASL_TLS"}
    env = os.environ.get
    address = env(f"ASTREINTE_KAFKA{names[protocol]}", "")
    if not address:
        pytest.skip("needs scripts/kafka run --sasl --tls -- pytest -m kafka")
    found: dict[str, Any] = {"address": address, "protocol": protocol}
    if protocol.startswith("sasl"):
        found |= {"mechanism": "SCRAM-SHA-512", "user": env("ASTREINTE_KAFKA_SASL_USER")}
        found["password"] = env("ASTREINTE_KAFKA_SASL_PASSWORD")
    if protocol.endswith("ssl"):
        found["ca"] = Path(env("ASTREINTE_KAFKA_TLS_CA", ""))
    return Cluster(**(found | changes))


@contextmanager
def ruled(
    kind: ResourceType, name: str, operation: AclOperation, permission: AclPermissionType
) -> Iterator[None]:
    """Have a rule for the user with a password; what it does not allow is then forbidden there."""
    user = os.environ.get("ASTREINTE_KAFKA_SASL_USER", "")
    admin = AdminClient(served().native)
    what = (kind, name, ResourcePatternType.LITERAL)
    rule = (*what, f"User:{user}", "*", operation, permission)
    [made] = admin.create_acls([AclBinding(*rule)]).values()
    made.result()
    try:
        yield
    finally:
        [gone] = admin.delete_acls([AclBindingFilter(*rule)]).values()
        gone.result()
