"""Customers' messages: the words of the evaluation's questions, each message made unique."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from schemas.printer import InboundMessage

QUERIES = Path(__file__).parent.parent / "evaluation" / "data" / "printer_queries.yaml"
CUSTOMERS = 5_000
CHANNELS = ("email", "email", "email", "chat", "sms")
"""Three in five by mail."""

_FIRST = re.findall(
    r"\w+",
    "Camille Louise Emma Jade Alice Chloé Inès Léa Manon Sarah "
    "Jules Hugo Louis Adam Arthur Nathan Paul Théo Raphaël Gabriel",
)
_SECOND = re.findall(
    r"\w+",
    "Martin Bernard Dubois Thomas Robert Richard Petit Durand Leroy Moreau "
    "Simon Laurent Lefebvre Michel Garcia David Bertrand Roux Vincent Fournier "
    "Morel Girard André Mercier Dupont Lambert Bonnet François Martinez Legrand",
)


@cache
def texts() -> tuple[str, ...]:
    """Return the questions of the evaluation, both halves."""
    return tuple(query["text"] for query in yaml.safe_load(QUERIES.read_text("utf-8")))


def inbound_messages(run: str, seed: int = 7, *, signed: bool = True) -> Iterator[InboundMessage]:
    """Yield messages of which no two have the same text, so that none is embedded once for all.

    They differ by who signs: 20 first names with 30 × 30 family names, 18,000 in all, then again
    with a second first name; 378,000 in all. Where nothing is measured of the model, they need
    not be signed, and it soon knows them all.
    """
    chance = random.Random(seed)
    signatures = itertools.product(["", *_FIRST], _SECOND, _SECOND, _FIRST)
    for number, (second, one, other, first) in enumerate(signatures):
        name = f"{first} {second}".strip() + f" {one}-{other}"
        text = chance.choice(texts())
        if signed:
            yield _message(f"{run}-{number}", f"{text}\n{name}", f"Imprimante de {name}", chance)
        else:
            yield _message(f"{run}-{number}", text, "Imprimante", chance)


def _message(external_id: str, text: str, subject: str, chance: random.Random) -> InboundMessage:
    customer = chance.randrange(CUSTOMERS)
    channel = CHANNELS[customer % len(CHANNELS)]
    body: dict[str, Any] = {
        "channel": channel,
        "external_id": external_id,
        "text": text,
        "received_at": datetime.now(UTC).isoformat(),
    }
    if channel == "email":
        body |= {"from": f"client{customer}@exemple.fr", "subject": subject}
    elif channel == "sms":
        body |= {"from": f"+33639{customer + 980_000:06d}"}
    else:
        body |= {"from": f"visiteur-{customer}"}
    return InboundMessage.model_validate(body)
