"""Codes and numbers called by what they are: « affiche SC542 » becomes « affiche error code »."""

from __future__ import annotations

from knowledge.catalogue import Catalogue
from knowledge.extraction.findings import find

NAMES = {
    "error_code": "error code",
    "order_number": "order number",
    "invoice_number": "invoice number",
    "serial_number": "serial number",
    "supply_reference": "toner reference",
    "phone": "telephone number",
}
"""In English, for models that have read English only. Makes and models keep their names: without
them phrases held out by turns were understood worse."""


def named(text: str, catalogue: Catalogue) -> str:
    """Return a text in which what a code or number is stands in its place."""
    parts, end = [], 0
    for found in find(text, catalogue):
        if found.kind in NAMES and found.start >= end:
            parts += [text[end : found.start], NAMES[found.kind]]
            end = found.end
    return "".join([*parts, text[end:]])
