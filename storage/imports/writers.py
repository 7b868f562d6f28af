"""What writes the rows of each kind."""

from __future__ import annotations

from storage.imports.holdings import articles, attachments, customers, devices, histories, models
from storage.imports.ledger import Writer
from storage.imports.messages import messages
from storage.imports.tickets import replies, tickets

WRITERS: dict[str, Writer] = {
    "customer": customers,
    "model": models,
    "device": devices,
    "article": articles,
    "ticket": tickets,
    "message": messages,
    "attachment": attachments,
    "reply": replies,
    "history": histories,
}
