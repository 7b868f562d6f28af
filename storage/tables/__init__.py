"""The tables of the record. Times are UTC; ids are ours, as text; texts are UTF-8.

Each comes to a database by a migration (`storage/migrations`); a test compares the two.
"""

from sqlmodel import SQLModel

from storage.tables.alarms import Alert, Heartbeat
from storage.tables.columns import MYSQL
from storage.tables.equipment import Device, Episode, PrinterModel, Unit
from storage.tables.findings import Correction, Extraction, Metric, Prediction, Retrieval
from storage.tables.knowledge import (
    Article,
    ArticleVersion,
    Document,
    DocumentPassage,
    Imported,
    PassageVector,
)
from storage.tables.mailboxes import Fetched, Mailbox
from storage.tables.people import (
    Attachment,
    Consent,
    Contact,
    Conversation,
    Customer,
    History,
    Message,
    Silence,
    ThreadId,
)
from storage.tables.road import DeadLetter, Journal, Recorded
from storage.tables.sending import Attempt, Breaker, Latch, Outgoing, ProviderError, Suppression

__all__ = [
    "Alert",
    "Article",
    "ArticleVersion",
    "Attachment",
    "Attempt",
    "Breaker",
    "Consent",
    "Contact",
    "Conversation",
    "Correction",
    "Customer",
    "DeadLetter",
    "Device",
    "Document",
    "DocumentPassage",
    "Episode",
    "Extraction",
    "Fetched",
    "Heartbeat",
    "History",
    "Imported",
    "Journal",
    "Latch",
    "Mailbox",
    "Message",
    "Metric",
    "Outgoing",
    "PassageVector",
    "Prediction",
    "PrinterModel",
    "ProviderError",
    "Recorded",
    "Retrieval",
    "Silence",
    "Suppression",
    "ThreadId",
    "Unit",
]

for _table in SQLModel.metadata.sorted_tables:
    _table.dialect_kwargs.update(MYSQL)
