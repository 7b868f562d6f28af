"""From rows of the old tables to what the record keeps: customers, equipment, knowledge."""

from __future__ import annotations

from functools import cache
from typing import Any

from ai.language import LanguageDetector
from astreinte.columns import Unusable
from astreinte.importing import fields
from astreinte.importing.fields import text
from astreinte.importing.rows import Row
from astreinte.importing.tables import TABLES, key_of
from storage.imports.ledger import Item

STAMPS = ("created_at", "updated_at")
OF_CUSTOMERS = (
    *("customer_id", "company_name", "contact_name", "contact_email", "contact_phone", "address"),
    *("client_id", "nom", "prenom", "email", "telephone", "entreprise"),
)
OF_DEVICES = (
    *("device_id", "customer_id", "customer_index", "model_id", "model", "serial_number"),
    *("install_date", "warranty_until", "location"),
)
OF_ARTICLES = (
    *("kb_id", "model_id", "model", "problem_title", "problem_description", "cause", "solution"),
    *("solution_steps", "error_codes", "tags", "source", "embedding"),
    *("resolution_id", "knowledge_base_ref", "category", "subcategory", "solution_title"),
    *("solution_full_text", "is_active"),
)


def item(row: Row, values: dict[str, Any], **beside: Any) -> Item:
    """Return what becomes of a row; columns without a value are left to the record."""
    kind = TABLES[row.table].kind
    said = {name: value for name, value in values.items() if value is not None}
    refs = {kind: name for kind, name in beside.pop("refs", {}).items() if name}
    return Item(kind, key_of(row.table, row.values), said, refs=refs, **beside)


def customer(row: Row) -> Item:
    """Read a customer of either shape."""
    values = row.values
    told = {"email": text(values, "contact_email", "email")}
    told["telephone"] = text(values, "contact_phone", "telephone")
    person = " ".join(filter(None, (text(values, "prenom"), text(values, "nom"))))
    unreadable = {name: one for name, one in told.items() if one and not fields.addresses(one)}
    own = fields.reference(row.origin, key_of(row.table, values))
    return item(
        row,
        {
            "name": text(values, "contact_name") or person,
            "company": text(values, "company_name", "entreprise"),
            "postal_address": text(values, "address"),
            "details": fields.rest(values, (*OF_CUSTOMERS, *STAMPS)) | unreadable,
            "created_at": fields.moment(values, "created_at"),
        },
        addresses=(*fields.addresses(*told.values()), own),
    )


def model(row: Row) -> Item:
    """Read a model of a printer."""
    values = row.values
    if not (text(values, "manufacturer") and text(values, "model_name")):
        msg = "manufacturer and model_name are needed"
        raise Unusable(msg)
    told = fields.whole(values.get("specifications"))
    return item(
        row,
        {
            "manufacturer": text(values, "manufacturer"),
            "name": text(values, "model_name"),
            "code": text(values, "model_code"),
            "specifications": told if isinstance(told, dict) else {},
            "manual_url": text(values, "manual_url"),
        },
    )


def device(row: Row) -> Item:
    """Read a customer's printer."""
    values = row.values
    owner = text(values, "customer_id")
    if not owner:
        msg = "nobody's: customer_id is needed"
        raise Unusable(msg)
    return item(
        row,
        {
            "serial_number": text(values, "serial_number"),
            "installed_on": fields.day(values, "install_date"),
            "warranty_until": fields.day(values, "warranty_until"),
            "location": text(values, "location"),
            "details": fields.rest(values, (*OF_DEVICES, *STAMPS)),
            "created_at": fields.moment(values, "created_at"),
        },
        addresses=(fields.reference(row.origin, owner),),
        refs={"model": text(values, "model_id"), "model_name": text(values, "model")},
    )


def article(row: Row) -> Item:
    """Read an entry of the knowledge base, or a resolution; `more` is the article as JSON."""
    values = row.values
    title = text(values, "problem_title", "solution_title")
    steps = fields.words(values, "solution_steps")
    solution = text(values, "solution", "solution_full_text")
    if not (title and (steps or solution)):
        msg = "an article without a title or without a solution"
        raise Unusable(msg)
    symptoms = [told for told in [text(values, "problem_description")] if told]
    codes = fields.words(values, "error_codes")
    tags = fields.words(values, "tags") or [
        told for told in (text(values, "category"), text(values, "subcategory")) if told
    ]
    source = text(values, "source", "knowledge_base_ref") or row.origin
    language, _ = _languages().detect(" ".join([title, *symptoms, solution, *steps]))
    body = {
        "language": language.value,
        "models": [told for told in [text(values, "model")] if told],
        "error_codes": codes,
        "tags": tags,
        "source": source,
        language.value: {
            "title": title,
            "symptoms": symptoms,
            "cause": text(values, "cause"),
            "steps": steps or [solution],
            "solution": solution,
        },
        "rest": fields.rest(values, (*OF_ARTICLES, *STAMPS)),
    }
    return item(
        row,
        {
            "title": title,
            "source": source,
            "error_codes": codes,
            "tags": tags,
            "in_use": fields.truth(values, "is_active", otherwise=True),
            "created_at": fields.moment(values, "created_at"),
        },
        refs={"model": text(values, "model_id"), "model_name": text(values, "model")},
        more=body,
    )


@cache
def _languages() -> LanguageDetector:
    return LanguageDetector()
