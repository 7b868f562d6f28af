"""What to do about a fault, and what the unit had before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from knowledge.sheets import next_test
from schemas.frigo import Cause, EvidenceGathered
from schemas.vocabulary import Change, Fault, Language, Severity
from services.rag import frigo
from services.rag.app import sheet
from services.rag.frigo import Before
from services.rag.handlers import gathered_evidence
from storage import units
from storage.database import Database
from storage.tables import Episode
from tests.conftest import record_in
from tests.services.extract.test_frigo import NOW, changed


def evidence(**changes: Any) -> EvidenceGathered:
    body = changed("leak").model_dump() | {"severity": Severity.HIGH}
    return EvidenceGathered.model_validate(body | changes)


DOUBTFUL = (
    Cause(fault="leak", probability=0.5),
    Cause(fault="liquid_restriction", probability=0.3),
)


@pytest.mark.parametrize("fault", list(Fault))
def test_every_fault_has_a_sheet_in_both_languages(fault: Fault):
    for language in Language:
        assert sheet(fault, language).steps


def test_two_likely_causes_call_for_a_test_and_one_that_is_sure_does_not():
    assert frigo.rivals(evidence(causes=DOUBTFUL)) == (Fault.LEAK, Fault.LIQUID_RESTRICTION)
    sure = (DOUBTFUL[0].model_copy(update={"probability": 0.95}), DOUBTFUL[1])
    assert frigo.rivals(evidence(causes=sure)) is None
    assert frigo.rivals(evidence(causes=DOUBTFUL[:1])) is None
    assert frigo.odds(evidence(causes=DOUBTFUL)) == pytest.approx(0.625)


def test_an_earlier_episode_says_what_it_really_was():
    began = datetime(2026, 10, 12, 8, 0, tzinfo=UTC)
    before = Before("leak", began, began + timedelta(hours=2), "liquid_restriction", "filtre")
    assert frigo.remembered(before, Language.FR) == (
        "12/10/2026, manque de fluide (fuite), 2 h, constaté : ligne liquide bouchée (filtre)"
    )


async def test_a_unit_s_past_is_read_from_the_record_and_an_end_asks_for_nothing(tmp_path: Path):
    database = Database(record_in(tmp_path))
    await database.write(units.meet, ["c1"], NOW)
    for name in ("e0", "e1"):
        row = Episode(episode_id=name, unit_id="c1", fault="door", severity="low", began_at=NOW)
        await database.write(lambda session, row=row: session.add(row))
    handle = gathered_evidence(database, sheet, next_test)
    [[begun], [over]] = await handle([evidence(causes=DOUBTFUL), evidence(change=Change.CLEARED)])
    assert begun.past_episodes == ("21/11/2026, porte ouverte",)
    assert begun.sheets[0].article == "refrigeration/leak"
    assert begun.next_test
    assert (over.sheets, over.past_episodes) == ((), ())
    database.close()
