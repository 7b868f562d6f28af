"""A morning at the desk: a handful of invented customers write."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True)
class Line:
    """Who writes what, and how long after the one before."""

    name: str
    channel: str
    sender: str
    text: str
    subject: str = ""
    after_s: float = 0.6


STORY: tuple[Line, ...] = (
    Line(
        "Garage Lemoine",
        "sms",
        "+33 6 39 98 12 01",
        "slt ya un bourrage papier dans l'imprimante, on voit une feuille coincee, kes kon fait ?",
        after_s=0.0,
    ),
    Line(
        "Pharmacie des Halles",
        "email",
        "contact@pharmacie-des-halles.example",
        "Bonjour,\n\nNotre Lexmark C750 affiche « Prêt Hex » depuis ce matin et imprime des pages "
        "de chiffres et de lettres. Que devons-nous faire ?\n\nCordialement,\nClaire Vasseur",
        subject="Écran « Prêt Hex »",
    ),
    Line(
        "Étude Marchand",
        "chat",
        "visiteur-marchand",
        "Il y a une ligne noire verticale sur toutes les pages depuis que j'ai changé le toner",
    ),
    Line(
        "Boulangerie Ronsard",
        "call",
        "+33 2 61 91 12 04",
        "oui bonjour alors voilà c'est pour savoir où en est ma commande de toner, la 45821, "
        "on devait me livrer mardi",
    ),
    Line(
        "Atelier Colin",
        "email",
        "atelier@colin-bois.example",
        "Bonjour, votre technicien devait passer hier et personne n'est venu. C'est la deuxième "
        "fois, je suis vraiment mécontent.",
        subject="Personne n'est venu !",
    ),
    Line(
        "Hôtel du Port",
        "chat",
        "visitor-hotel-du-port",
        "Hello, the printer says it is offline since we changed the internet box this morning.",
    ),
    Line(
        "Garage Lemoine",
        "sms",
        "+33 6 39 98 12 01",
        "c bon ca remarche merci bcp !",
        after_s=1.5,
    ),
)


def as_request(line: Line, number: int, run: str) -> dict[str, Any]:
    """Return what a gateway would hand in for a line of the story; `run` tells runs apart."""
    return {
        "channel": line.channel,
        "external_id": f"story-{run}-{number}",
        "from": line.sender,
        "from_name": line.name,
        "subject": line.subject,
        "text": line.text,
        "received_at": datetime.now(UTC).isoformat(),
    }
