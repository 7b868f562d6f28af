"""The tables that are known, of the two shapes of the first system, and how their rows are told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from astreinte.columns import NAMES, fold

MAX_IDENTIFIER = 160
"""Of a row's id there: with the export's name (80) and a word before it, it fits an identity."""


@dataclass(frozen=True)
class Table:
    """What rows of a table become, and which columns tell them apart: its key, or all of those."""

    kind: str
    key: str
    others: tuple[str, ...] = ()


TABLES = {
    "customers": Table("customer", "customer_id", ("company_name", "contact_email")),
    "clients": Table("customer", "client_id", ("email",)),
    "printer_models": Table("model", "model_id", ("manufacturer", "model_name")),
    "devices": Table("device", "device_id", ("serial_number",)),
    "knowledge_base": Table("article", "kb_id", ("model", "model_id", "problem_title")),
    "resolutions": Table("article", "knowledge_base_ref", ("resolution_id",)),
    "tickets": Table("ticket", "ticket_id"),
    "messages": Table("message", "message_id"),
    "attachments": Table("attachment", "attachment_id"),
    "responses": Table("reply", "response_id"),
    "ticket_history": Table("history", "history_id"),
    "mail": Table("message", ""),
}
"""In the order in which they are brought in: a ticket is a customer's, a message a ticket's."""

WORKINGS = {
    "extractions",
    "rag_results",
    "predictions",
    "outbound_logs",
    "processing_steps",
    "automation_metrics",
}
"""What the old stages noted of their own work; ours find it out themselves."""

OLDER = {"clients", "resolutions"}
OLDER_COLUMNS = {"client_id", "action_by"}
FIRST = TABLES.keys() - OLDER - {"mail"}
FIRST_COLUMNS = {"customer_id", "actor_type", "customer_index"}


def origin_of(table: str, columns: Mapping[str, Any], file: str) -> str:
    """Return the name of the export that a row is of: its shape, or its file where it has none."""
    if table in OLDER or (table in FIRST and columns.keys() & OLDER_COLUMNS):
        return "support_client"
    if table in FIRST - {"tickets", "ticket_history"} or columns.keys() & FIRST_COLUMNS:
        return "printer_support"
    return "mail" if table == "mail" else file[:80]


def key_of(table: str, values: Mapping[str, Any]) -> str:
    """Return what tells a row from all others of its table."""
    known = TABLES[table]
    for names in ((known.key,), known.others):
        if parts := [values[name] for name in names if _filled(values.get(name))]:
            break
    if table == "tickets" and not parts:  # a table of anybody's: its number may have any name
        named = {fold(name): value for name, value in values.items()}
        parts = [named[name] for name in NAMES["external_id"] if _filled(named.get(name))][:1]
    if not parts:
        parts = [json.dumps(dict(values), sort_keys=True, default=str)]
    told = "/".join(str(part).strip() for part in parts)
    return told if len(told) <= MAX_IDENTIFIER else sha256(told.encode()).hexdigest()


def _filled(value: Any) -> bool:
    return value is not None and str(value).strip() != ""
