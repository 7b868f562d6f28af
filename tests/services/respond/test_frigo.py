"""The alert in words; and a model that may only put them otherwise."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from schemas.findings import Passage
from schemas.frigo import AlertDrafted, AlertGrounded, Cause, Fact, UnitCard
from schemas.vocabulary import Change, Language, Severity
from services.respond import frigo
from tests.services.extract.test_frigo import NOW, changed

FACTS = (
    Fact(fr="En cours depuis 20 min.", en="Going on for 20 min."),
    Fact(fr="Sous-refroidissement : 9,2 K (normale 4 K).", en="Subcooling: 9.2 K (normal 4 K)."),
)
CAUSES = (
    Cause(fault="non_condensables", probability=0.62),
    Cause(fault="condenser_fouling", probability=0.21),
)


def grounded(language: Language = Language.FR, **changes: Any) -> AlertGrounded:
    event = changed("non_condensables", causes=CAUSES)
    unit = UnitCard(name="Chambre négative n° 2", language=language)
    sheet = Passage(
        article="refrigeration/non_condensables", language=language, title="t", cause="c",
        steps=tuple(f"geste {n}" for n in range(1, 9)), call_technician="x", source="s", score=1,
    )  # fmt: skip
    body = event.model_dump() | {
        "unit": unit,
        "severity": Severity.MEDIUM,
        "facts": FACTS,
        "sheets": (sheet,),
        "past_episodes": ("12/10/2026, porte ouverte, 2 h",),
        "next_test": Fact(fr="Arrêtez 20 min et comparez.", en="Stop 20 min and compare."),
    }
    return AlertGrounded.model_validate(body | changes)


def drafted(**changes: Any) -> AlertDrafted:
    return frigo.draft(grounded(**changes), NOW)


def test_an_alert_says_what_how_bad_why_and_what_to_do():
    found = drafted()
    assert found.title == "Chambre négative n° 2 : incondensables"
    assert found.text.splitlines() == [
        "Gravité : moyenne.",
        "En cours depuis 20 min.",
        "Sous-refroidissement : 9,2 K (normale 4 K).",
        "Causes probables : incondensables 62 %, condenseur encrassé 21 %.",
        "À faire :",
        *(f"{n}. geste {n}" for n in range(1, 6)),
        "Test qui tranche : Arrêtez 20 min et comparez.",
        "Déjà vu sur cette unité :",
        "• 12/10/2026, porte ouverte, 2 h",
    ]


def test_an_english_unit_is_told_in_english():
    found = drafted(language=Language.EN)
    assert found.language is Language.EN
    assert "Likely causes: non-condensable gas 62 %, fouled condenser 21 %." in found.text


def test_the_short_text_fits_two_text_messages_in_their_own_letters():
    facts = tuple(
        Fact(fr=f"Voilà un fait n° {n} très détaillé « à 3 °C ».", en="x") for n in range(20)
    )
    found = drafted(facts=facts)
    assert len(found.short_text) <= 320
    assert set(found.short_text) <= frigo.GSM
    assert found.short_text.endswith(".")
    assert frigo.gsm("Température à l’évaporateur : −3 °C, forêt") == (
        "Température à l'évaporateur : -3 C, foret"
    )


GOOD = "Incondensables à 62 % : le sous-refroidissement est de 9,2 K (normale 4 K) depuis 20 min."


def test_a_model_that_keeps_class_probability_and_numbers_is_taken():
    found = drafted()
    assert frigo.objection(GOOD, found) is None
    reworded = frigo.reworded(found, GOOD, "m")
    assert reworded.text.startswith(GOOD)
    assert "1. geste 1" in reworded.text
    assert (reworded.causes, reworded.fault) == (found.causes, found.fault)


@pytest.mark.parametrize(
    "text",
    [
        GOOD.replace("62", "95"),
        GOOD.replace("9,2", "9,3"),
        GOOD.replace("20 min", "25 min"),
        GOOD.replace("Incondensables", "Un défaut"),
        GOOD + " Ce peut être une fuite : manque de fluide (fuite).",
        GOOD.replace(" à 62 %", ""),
        GOOD + " Voir https://exemple.example",
        "",
        "x" * 2000,
    ],
)
def test_a_model_that_changes_anything_is_not(text: str):
    assert frigo.objection(text, drafted())


def test_what_is_critical_or_over_waits_for_no_model():
    assert frigo.may_be_reworded(drafted())
    assert not frigo.may_be_reworded(drafted(severity=Severity.CRITICAL))
    assert not frigo.may_be_reworded(drafted(change=Change.CLEARED))


def test_a_fault_of_a_newer_writer_keeps_its_name():
    found = drafted(fault="quantum_leak", since=NOW - timedelta(hours=1))
    assert found.title.endswith("quantum_leak")
