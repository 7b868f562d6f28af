"""What people answered before teaches the desk, and tells nobody whom they answered."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import Session
from typer.testing import CliRunner

from ai.embeddings import Embedder
from astreinte.cli import app
from astreinte.learning.nameless import HIDDEN, nameless
from services.neighbours import Neighbours
from storage.database import Database, insert_new
from storage.tables import Conversation, Customer, Message, Outgoing
from tests.flows.conftest import settle_in

NOW = datetime(2025, 3, 1, tzinfo=UTC)
QUESTION = (
    "Bonjour, je suis Anne Dupuis. Le lecteur de badges de la Ricoh IM C3000 clignote en rouge, "
    "appelez-moi au 06 39 98 12 01.\n\nCordialement,\nAnne Dupuis\nSociété Martin"
)
ANSWER = (
    "Bonjour Madame Dupuis,\n\nDébranchez le lecteur de badges dix secondes, rebranchez-le, puis "
    "passez un badge connu. S'il clignote encore, son boîtier doit être changé : écrivez à "
    "jean.leroy@sav.example avec la commande CMD-2024-118842.\n\nBien à vous,\nJean Leroy"
)


def talk(
    session: Session,
    number: int,
    *,
    how: str = "agent 17",
    state: str = "closed",
    later: bool = False,
) -> None:
    """A conversation of the record: a question, an answer, perhaps a question after it."""
    name, owner, at = f"c{number}", f"k{number}", NOW + timedelta(days=number)
    customer = {
        "customer_id": owner, "address": f"mailto:{number}@x", "name": "Anne Dupuis",
        "company": "Société Martin", "created_at": at,
    }  # fmt: skip
    insert_new(session, Customer, [customer])
    about = {
        "conversation_id": name, "customer_id": owner, "channel": "email", "state": state,
        "subject": "Badge de Mme Dupuis", "trial": False, "created_at": at, "last_at": at,
    }  # fmt: skip
    insert_new(session, Conversation, [about])
    asked = [(at, QUESTION)] + [(at + timedelta(hours=2), "Toujours pareil.")] * later
    for count, (when, text) in enumerate(asked):
        message = {
            "message_id": f"m{number}-{count}", "conversation_id": name, "channel": "email",
            "external_id": f"<{number}-{count}@x>", "text": text, "received_text": text,
            "sender": "anne@x", "received_at": when, "stored_at": when,
        }  # fmt: skip
        insert_new(session, Message, [message])
    sent = at + timedelta(hours=1)
    reply = {
        "reply_id": f"r{number}", "message_id": f"r{number}", "conversation_id": name,
        "channel": "email", "address": "anne@x", "text": ANSWER, "action": "reply",
        "reason": "imported", "how": how, "status": "sent", "next_attempt_at": sent,
        "sent_at": sent, "created_at": sent,
    }  # fmt: skip
    insert_new(session, Outgoing, [reply])


@pytest.fixture
async def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, embedder: Embedder) -> Path:
    """A folder with a record of four conversations, of which one teaches something."""
    settle_in(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Neighbours, "embedder", embedder)
    database = Database("sqlite:///data/astreinte.db")
    await database.prepare()
    await database.write(talk, 1)
    await database.write(lambda session: talk(session, 2, how="auto"))
    await database.write(lambda session: talk(session, 3, state="answered"))
    await database.write(lambda session: talk(session, 4, later=True))
    database.close()
    return tmp_path


def told(*words: str) -> list[dict[str, object]]:
    answer = CliRunner(env={"NO_COLOR": "1"}).invoke(app, ["knowledge", *words, "--json"])
    assert answer.exit_code == 0, answer.output
    found: list[dict[str, object]] = json.loads(answer.stdout)
    return found


def test_a_closed_conversation_that_a_person_answered_is_learned_without_names(
    record: Path,
) -> None:
    found = told("solved")
    assert [(one["source"], one["outcome"], one["reason"]) for one in found] == [
        ("c1", "new", ""),
        ("c2", "skipped", "no person answered it"),
    ]
    assert [one["outcome"] for one in told("solved")] == ["unchanged", "skipped"]
    (row,) = told("list")
    assert (row["kind"], row["approved"], row["brand"]) == ("conversation", False, "Ricoh")
    (passage,) = told("show", str(row["id"]))
    everything = json.dumps([row, passage], ensure_ascii=False)
    for hidden in ("Dupuis", "Anne", "Martin", "Leroy", "06 39", "jean.", "118842"):
        assert hidden not in everything, everything
    assert "Débranchez le lecteur de badges dix secondes" in str(passage["text"])
    assert "clignote en rouge" in str(passage["heading"])


def test_what_a_person_approves_is_approved_and_what_was_removed_stays_away(record: Path) -> None:
    told("solved")
    assert [one["outcome"] for one in told("solved", "--approve")] == ["updated", "skipped"]
    (row,) = told("list")
    assert row["approved"] is True
    CliRunner().invoke(app, ["knowledge", "remove", str(row["id"])])
    assert told("solved")[0]["reason"] == "it was removed"
    assert told("list") == []


def test_only_what_ended_since_a_day_is_looked_at(record: Path) -> None:
    assert [one["source"] for one in told("solved", "--since", "2025-03-03")] == ["c2"]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Bonjour Monsieur Petit, videz le bac.", "videz le bac."),
        ("Hello Anna, empty the bin.\nKind regards\nTom", "empty the bin."),
        ("Mme Durand a vidé le bac.", f"{HIDDEN} a vidé le bac."),
        ("Je m'appelle Zoé Petit et le bac est plein.", f"{HIDDEN} et le bac est plein."),
        ("Chez Martin, le bac est plein.", f"Chez {HIDDEN}, le bac est plein."),
        ("Écrivez à a.b@c.example.", f"Écrivez à {HIDDEN}."),
        ("Appelez le +33 6 39 98 12 01 vite.", f"Appelez le {HIDDEN} vite."),
        ("Voir https://sav.example/t?id=12.", f"Voir {HIDDEN}"),
        ("Série VNB3R12345678 notée.", f"Série {HIDDEN} notée."),
        ("La M404dn affiche 49.4C02.", "La M404dn affiche 49.4C02."),
        ("La HL-L2350DW imprime 30 pages.", "La HL-L2350DW imprime 30 pages."),
        ("", ""),
        ("Cordialement", ""),
    ],
)
def test_nothing_is_left_by_which_a_customer_is_known(text: str, left: str) -> None:
    assert nameless(text, ("Anne Dupuis", "Martin")) == left
