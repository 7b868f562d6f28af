"""How dead letters are shown: for people in tables, for machines as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from rich import box
from rich.table import Table

from astreinte import output
from services.replay import Verdict, clean
from storage.tables import DeadLetter

STATES_FR = {
    "waiting": "en attente",
    "replayed": "rejouée, en route",
    "served": "servie",
    "again": "morte à nouveau",
    "dropped": "écartée",
    "refused": "refusée",
}
SHORT = 8
SHOWN_BYTES = 4_000


def as_dict(letter: DeadLetter, *, whole: bool = False) -> dict[str, Any]:
    """Return a letter for machines; `whole`: with its bytes and headers."""
    shown: dict[str, Any] = {
        "id": letter.dead_id,
        "stage": letter.stage,
        "error": letter.error,
        "reason": letter.reason,
        "topic": letter.topic,
        "place": letter.place,
        "died_at": letter.died_at.isoformat(),
        "state": letter.state,
        "replays": letter.replays,
        "replayed_at": letter.replayed_at.isoformat() if letter.replayed_at else None,
        "ended_at": letter.ended_at.isoformat() if letter.ended_at else None,
        "trace_id": letter.trace_id,
        "bytes": len(letter.body),
        "cut_bytes": letter.cut_bytes,
    }
    if whole:
        shown["headers"] = clean(letter.headers)
        shown["key"] = _text(letter.record_key or b"")
        shown["body"] = _text(letter.body)
    return shown


def verdict_dict(verdict: Verdict) -> dict[str, Any]:
    """Return what was done with a letter, for machines."""
    return {"id": verdict.letter.dead_id, "outcome": verdict.outcome, "why": verdict.why}


def table(found: Sequence[DeadLetter], limit: int) -> None:
    """Print letters: by cause, then the newest one by one."""
    if not found:
        output.out.print("Aucune lettre morte de ce genre.")
        return
    causes = Counter((each.stage, each.error, each.reason[:60], each.state) for each in found)
    grouped = Table(title=f"{len(found)} lettres mortes", box=box.SIMPLE)
    for name in ("étape", "erreur", "raison", "état"):
        grouped.add_column(name)
    grouped.add_column("nombre", justify="right")
    for (stage, error, reason, state), count in causes.most_common(20):
        grouped.add_row(stage, error, reason, STATES_FR[state], str(count))
    output.out.print(grouped)
    for each in found[-limit:]:
        when = f"{each.died_at:%Y-%m-%d %H:%M:%S}"
        where = f"{each.stage}, {each.topic} {each.place}, {STATES_FR[each.state]}"
        output.out.print(f"  {each.dead_id[:SHORT]}  {when}  {where}", markup=False)
    if len(found) > limit:
        output.out.print(f"… et {len(found) - limit} plus anciennes (--limit)")
    output.out.print("`astreinte dead show LETTRE` la montre, `astreinte dead replay` la rejoue.")


def one(letter: DeadLetter, objection: str) -> None:
    """Print one letter with all that is known of it."""
    say = output.out.print
    say(f"lettre   {letter.dead_id}")
    say(f"état     {STATES_FR[letter.state]}, rejouée {letter.replays} fois", markup=False)
    say(f"morte    {letter.died_at:%Y-%m-%d %H:%M:%S} UTC, étape {letter.stage}")
    say(f"lue à    {letter.topic} {letter.place}", markup=False)
    say(f"erreur   {letter.error} : {letter.reason}", markup=False)
    if letter.trace_id:
        say(f"route    astreinte trace {letter.trace_id}")
    say(f"rejouée  {f'non : {objection}' if objection else 'serait lue'}", markup=False)
    for name, value in sorted(clean(letter.headers).items()):
        say(f"  {name}: {value}", markup=False)
    say(f"clé      {_text(letter.record_key or b'')}", markup=False)
    say(_text(letter.body), markup=False)


def verdicts(made: Sequence[Verdict], *, dry_run: bool) -> None:
    """Print what became of letters."""
    if not made:
        output.out.print("Aucune lettre à rejouer.")
        return
    for verdict in made:
        if verdict.outcome in {"refused", "again"}:
            why = verdict.why or verdict.letter.reason
            said = f"{verdict.letter.dead_id[:SHORT]} {STATES_FR[verdict.outcome]} : {why}"
            output.out.print(said, markup=False)
    counts = Counter(verdict.outcome for verdict in made)
    parts = [f"{STATES_FR[outcome]} : {count}" for outcome, count in counts.items()]
    output.out.print(("À sec : " if dry_run else "") + ", ".join(parts))


def dropped(found: Sequence[DeadLetter], *, dry_run: bool) -> None:
    """Print what was set aside."""
    output.out.print(("À sec : " if dry_run else "") + f"{len(found)} lettre(s) écartée(s)")


def _text(body: bytes) -> str:
    """Return bytes as text, cut to what a screen takes; what is no UTF-8 is escaped."""
    text = body[:SHOWN_BYTES].decode("utf-8", "backslashreplace")
    more = len(body) - SHOWN_BYTES
    return text + (f"… ({more} octets de plus)" if more > 0 else "")
