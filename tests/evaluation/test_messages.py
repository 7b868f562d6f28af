"""What was understood is counted as people would count it."""

from evaluation.messages import WHEN, Heard, bare, compare, event_of, failures, macro_f1, tally
from evaluation.written import Written
from schemas.findings import Classification, Finding
from schemas.printer import MessageExtracted
from schemas.vocabulary import CATEGORY_OF, Intent, Language, Priority

WRITTEN = Written.model_validate(
    {
        "id": "x-1",
        "language": "fr",
        "channel": "sms",
        "style": "sms",
        "text": "la HP LaserJet M404dn et la M15w : 49.4C02",
        "category": "technical",
        "intent": "fault",
        "model": ["M404dn", "M15w"],
        "error_code": ["49.4C02"],
    }
)


def heard(intent: Intent, **values: tuple[str, ...]) -> Heard:
    """The message as some stages would have taken it."""
    classification = Classification(
        category=CATEGORY_OF[intent],
        category_confidence=0.9,
        intent=intent,
        intent_confidence=0.9,
        priority=Priority.MEDIUM,
        priority_confidence=0.9,
        language=Language.FR,
        language_confidence=0.9,
        alone=True,
    )
    findings = tuple(
        Finding(kind=kind, value=value, start=0, end=1, confidence=0.9)
        for kind, found in values.items()
        for value in found
    )
    said = MessageExtracted.after(
        event_of(WRITTEN, 1), WHEN, classification=classification, findings=findings, why=""
    )
    return Heard(WRITTEN, said)


def test_a_model_is_the_same_with_its_series_and_without() -> None:
    assert bare("model", "LaserJet Pro M404dn") == bare("model", "m 404 dn")
    assert bare("model", "imageRUNNER ADVANCE DX C3826i") == bare("model", "C3826i")
    assert bare("model", "MFC-L2710DW") != bare("model", "DCP-L2710DW")


def test_a_code_is_the_same_with_its_word_and_without() -> None:
    assert bare("error_code", "Print Unable 46") == bare("error_code", "Impression impossible 46")
    assert bare("error_code", "SC542") != bare("error_code", "SC552")


def test_what_is_found_twice_counts_once_and_what_is_missed_is_named() -> None:
    one = heard(Intent.FAULT, model=("LaserJet M404dn", "M404DN", "A4"))
    assert compare(one, "model") == ({"A4"}, {"M15w"})
    counts = tally([one], "model")
    assert (counts.right, counts.wrong, counts.missed) == (1, 1, 1)
    assert counts.precision == counts.recall == counts.f1 == 0.5


def test_a_wrong_category_is_a_failure_that_says_it_would_have_been_answered_alone() -> None:
    wrong = heard(Intent.SUPPLIES, model=("M404dn", "M15w"), error_code=("49.4C02",))
    lines = failures([wrong])
    assert "ALONE" in lines[0]
    assert lines[1].split(", true ") == ["  category: order (confidence 0.90)", "technical"]
    assert failures([heard(Intent.FAULT, model=("M404dn", "M15w"), error_code=("49.4C02",))]) == []


def test_every_category_weighs_the_same() -> None:
    right = heard(Intent.FAULT)
    assert macro_f1([right]) == 1.0
    assert macro_f1([right, heard(Intent.SUPPLIES)]) < 1.0
