"""What there is of language models, as JSON: for the command line, and for whoever watches."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from urllib.parse import urlsplit

from ai.choice import Weighed, proposal
from ai.hardware import Machine
from ai.models import Models
from ai.route import Route


def state_of(models: Models) -> dict[str, Any]:
    """Return this machine, each backend with its models, and which of them answers now."""
    return {
        "answers": next((each.backend.name for each in models.routes if not each.closed), None),
        "machine": asdict(models.machine) if models.machine else None,
        "backends": [_backend(route, models.machine) for route in models.routes],
    }


def _backend(route: Route, machine: Machine | None) -> dict[str, Any]:
    choice, limits, backend = route.choice, route.limits, route.backend
    return {
        "name": backend.name,
        "url": _plain(backend.url),
        "privacy": _privacy(route),
        "closed": route.closed,
        "chosen": choice.model.name if choice else None,
        "why": _reason(choice) if choice else None,
        "models": [_model(each) for each in route.models],
        "pull": _to_pull(route, machine),
        "breaker": route.breaker.state,
        "loading": route.loading.going,
        "errors": [
            {"at": each.at.isoformat(timespec="seconds"), "what": each.what}
            for each in route.breaker.troubles
        ],
        "spent": round(route.ledger.spent(backend.name), 6),
        "monthly_cap": limits.monthly_cap,
        "price_in": limits.price_in,
        "price_out": limits.price_out,
        "parallel": limits.parallel,
        "context_tokens": limits.context_tokens,
    }


def _privacy(route: Route) -> str:
    """Return `local`, or of what leaves: `allowed` or `refused`."""
    choice = route.choice
    if not (route.backend.leaves or (choice and choice.model.leaves)):
        return "local"
    return "allowed" if route.limits.remote else "refused"


def _model(each: Weighed) -> dict[str, Any]:
    model = each.model
    return {
        "name": model.name,
        "size": model.size,
        "loaded": model.loaded,
        "on_gpu": round(model.on_gpu, 2),
        "usable": each.usable,
        "reply_s": round(each.speed.seconds(), 1) if each.speed else None,
        "measured": each.measured,
        "reason": _reason(each),
    }


def _reason(each: Weighed) -> dict[str, Any]:
    return {"code": each.reason.code, "figures": dict(each.reason.figures), "en": str(each.reason)}


def _to_pull(route: Route, machine: Machine | None) -> str:
    """Return the command that fetches what is missing, where one would help."""
    if route.backend.name != "ollama" or route.choice or not route.answers:
        return ""
    return f"ollama pull {route.limits.model or proposal(machine if route.here else None)}"


def _plain(url: str) -> str:
    """Return a URL without what may be a password in it."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl()
