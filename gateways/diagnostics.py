"""`POST /webhook/diagnostic-frigo`: what the first system's callers post, answered in its shape.

Two things differ, and the answer says so. The first system diagnosed while its caller waited; here
a reading is only taken in, and `panne_detectee` is what is known of the unit by now, or null. And
the route asks for a key.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import uuid5

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import ValidationError

from gateways.payloads import (
    TIME_KEYS,
    UNIT_KEYS,
    first,
    measures_of,
    moment_of,
    numbers_in,
    reading,
)
from gateways.readings import Lock, Publish, Unreadable, body_of, many_of
from refrigeration.measures import SENSORS
from schemas.errors import Rejected, Unavailable
from schemas.event import ASTREINTE
from schemas.frigo import InboundReading

EIGHT = tuple(SENSORS)[:8]
"""The sensors of the first system."""
ENOUGH = 6
"""Of them: 70 %. With fewer it refused; here they are taken, and the answer says so."""
NOWHERE = "Zone non spécifiée"
SOURCE = "capteur_principal"
MAX_ID = 120


@dataclass(frozen=True)
class OpenEpisode:
    """What is wrong with a unit at the moment: `label` in French, `score` from 0 to 1."""

    label: str
    score: float | None
    notified: bool


EpisodeOf = Callable[[str], Awaitable[OpenEpisode | None]]
"""Says what is open for a unit; nothing: all is well, as far as is known."""


class Diagnostic(NamedTuple):
    """A reading as it was taken in, and how its caller calls it."""

    diagnostic_id: str
    reading: InboundReading
    known: int
    others: int


class Refusal(NamedTuple):
    """Why a reading was not taken in."""

    diagnostic_id: str | None
    kind: str
    sentence: str


def diagnostics(publish: Publish, lock: Lock, episode_of: EpisodeOf | None = None) -> APIRouter:
    """Return the route. `episode_of`: what is open for a unit, where the record is at hand."""
    router = APIRouter()

    @router.post("/webhook/diagnostic-frigo", summary="Hand a reading in, as the first system took")
    async def take(request: Request) -> JSONResponse:
        if not lock.lets_in(request):
            sentence = "X-API-Key (ou ?cle=) absente ou inconnue : voir ASTREINTE_READINGS_KEY"
            return _failed(401, Refusal(None, "cle_absente", sentence))
        try:
            body = await body_of(request)
            parts = many_of(body)
        except Unreadable as error:
            return _failed(error.status, Refusal(None, error.kind, str(error)))
        read = [read_diagnostic(part) for part in ([body] if parts is None else parts)]
        taken = [each.reading for each in read if isinstance(each, Diagnostic)]
        try:
            if taken:
                await publish(taken)
            answers = [await _answer(each, episode_of) for each in read]
        except Unavailable as error:
            sentence = f"{error} : rien n'est perdu si vous recommencez"
            return _failed(503, Refusal(None, "indisponible", sentence))
        except Rejected:
            return _failed(413, Refusal(None, "corps_trop_grand", "mesure trop grande pour Kafka"))
        if parts is None:
            return JSONResponse(answers[0], 200 if taken else 422)
        success = len(taken) == len(read)
        counts = {"acceptes": len(taken), "refuses": len(read) - len(taken)}
        status = 200 if success else 207 if taken else 422
        return JSONResponse({"success": success, **counts, "resultats": answers}, status)

    return router


def _failed(status: int, why: Refusal) -> JSONResponse:
    headers = {"Retry-After": "5"} if status == 503 else None  # noqa: PLR2004 - the status of HTTP
    return JSONResponse(_refused(why), status, headers)


def _refused(why: Refusal) -> dict[str, Any]:
    """Return the first system's shape of an error, and what kind of error it is."""
    return {
        "success": False,
        "error": why.sentence,
        "type_erreur": why.kind,
        "diagnostic_id": why.diagnostic_id,
    }


def read_diagnostic(body: Any) -> Diagnostic | Refusal:
    """Return what a caller posted as a reading, or why it is none. Pure but for a missing time."""
    if not isinstance(body, dict):
        return Refusal(None, "corps_illisible", "une mesure est un objet JSON")
    given = first(body, ("diagnostic_id", "num_diagnostic"))
    own_id = str(given)[:MAX_ID] if isinstance(given, str | int) else None
    said = first(body, TIME_KEYS)
    try:
        moment = datetime.now(UTC) if said is None else moment_of(said)
    except ValueError:
        sentence = "timestamp illisible : ISO 8601, ou secondes depuis 1970"
        return Refusal(own_id, "timestamp_invalide", sentence)
    unit = first(body, (*UNIT_KEYS, "localisation"))
    source = first(body, ("source",))
    source = source[:255] if isinstance(source, str) else SOURCE
    # The id alone would not do: the first simulator began at SIM_000001 each time it ran.
    when = moment.isoformat() if said is not None else ""
    identity = uuid5(ASTREINTE, f"diagnostic {unit}:{own_id}:{when}") if own_id else None
    try:
        found = reading(
            NOWHERE if unit is None else unit, measures_of(body), moment, source, event_id=identity
        )
        found.model_dump_json()  # what cannot be written in UTF-8 is refused here
    except ValidationError as error:
        return Refusal(own_id, *_what_is_wrong(error))
    except ValueError:
        return Refusal(None, "corps_illisible", "un texte n'est pas de l'Unicode")
    numbers = numbers_in(found)
    if not numbers:
        sentence = f"aucune mesure lisible : un capteur s'appelle par exemple {EIGHT[0]}"
        return Refusal(own_id, "capteurs_absents", sentence)
    known = sum(name in numbers for name in EIGHT)
    name = own_id or f"DIAG_{int(moment.timestamp() * 1000)}_{found.event_id.hex[:8].upper()}"
    return Diagnostic(name, found, known, len(numbers) - known)


def _what_is_wrong(error: ValidationError) -> tuple[str, str]:
    fields = {str(problem["loc"][0]) for problem in error.errors() if problem["loc"]}
    if fields & {"measured_at", "occurred_at"}:
        return "timestamp_invalide", "timestamp hors des années 2000 à 2099"
    if "unit_id" in fields:
        return "equipement_invalide", "unit_id : de 1 à 255 caractères, sur une ligne"
    if "source" in fields:
        return "source_invalide", "source : de 1 à 255 caractères, sur une ligne"
    return "capteurs_invalides", "capteurs : 200 au plus, chacun un nombre"


async def _answer(read: Diagnostic | Refusal, episode_of: EpisodeOf | None) -> dict[str, Any]:
    if isinstance(read, Refusal):
        return _refused(read)
    found, detected = None, None
    if episode_of:
        try:
            found = await episode_of(read.reading.unit_id)
            detected = found is not None or None  # nothing open proves nothing of this reading
        except Unavailable:
            detected = None
    return {
        "success": True,
        "diagnostic_id": read.diagnostic_id,
        "timestamp": read.reading.measured_at.isoformat(),
        "unit_id": read.reading.unit_id,
        "panne_detectee": detected,
        "type_panne": found.label if found else None,
        "score_confiance": found.score if found else None,
        "alerte_envoyee": found.notified if found else None,
        "statut": "panne_en_cours" if found else "en_analyse",
        "capteurs": {"recus": read.known, "attendus": len(EIGHT), "autres": read.others},
        "avertissement": _warning(read),
        "apprentissage": {"compteur": None, "retraining_requis": False, "nouvelle_panne": False},
    }


def _warning(read: Diagnostic) -> str | None:
    unreadable = ", ".join(name[:40] for name in read.reading.unreadable[:8])
    parts = []
    if read.known < ENOUGH and not read.others:
        parts.append(
            f"{read.known} capteurs sur {len(EIGHT)}, moins de 70 % : "
            "mesure prise en compte, diagnostic moins précis"
        )
    if unreadable:
        parts.append(f"illisible, compté comme absent : {unreadable}")
    return " ; ".join(parts) or None
