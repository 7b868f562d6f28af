"""Whether a reply may leave, as a table; and what holds whatever comes, by dice."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from knowledge.segments import segments
from knowledge.wording import load_wording
from schemas.findings import Draft
from schemas.printer import ReplyDrafted
from schemas.vocabulary import Action, Language
from services.permission import COMMANDS, OBEYED, Facts, Verdict, judge, subject_of, text_of
from services.settings_policy import PolicySettings
from tests.events import NOW, grounded

LIMITS = PolicySettings()
FREE = Facts()
MAIL = {"channel": "email", "from": "ana@exemple.example"}
SMS = {"channel": "sms", "from": "+33612345678"}


def drafted(
    action: Action = Action.REPLY, reason: str = "grounded", **message: Any
) -> ReplyDrafted:
    draft = Draft(action=action, reason=reason, text="Bonjour", how="template")
    return ReplyDrafted.after(grounded(**(message or MAIL)), NOW, draft=draft)


REPLY = drafted()
HANDOFF = drafted(Action.HANDOFF, "no_passage")
STOP, START, HELP = (drafted(Action.REPLY, reason, **SMS) for reason in COMMANDS)


@pytest.mark.parametrize(
    ("event", "facts", "action", "reason", "leaves"),
    [
        (REPLY, FREE, "reply", "grounded", True),
        (HANDOFF, FREE, "handoff", "no_passage", True),
        (drafted(Action.IGNORE, "thanks"), FREE, "ignore", "thanks", False),
        # Who may not be written to, whatever else holds.
        (REPLY, Facts(suppressed=True, stopped=True), "handoff", "suppressed", False),
        (HELP, Facts(suppressed=True), "handoff", "suppressed", False),
        (START, Facts(suppressed=True), "reply", "start", False),
        (STOP, Facts(suppressed=True), "reply", "stop", False),
        # Who does not want to be.
        (REPLY, Facts(stopped=True), "handoff", "stopped", False),
        (HANDOFF, Facts(stopped=True), "handoff", "stopped", False),
        (STOP, FREE, "reply", "stop", True),
        (STOP, Facts(stopped=True), "reply", "stop", False),
        (START, Facts(stopped=True), "reply", "start", True),
        (HELP, Facts(stopped=True), "reply", "help", True),
        # Who has a person.
        (REPLY, Facts(silenced=True), "handoff", "silenced", False),
        (HANDOFF, Facts(silenced=True), "handoff", "silenced", False),
        (STOP, Facts(silenced=True), "reply", "stop", True),
        (HELP, Facts(silenced=True), "reply", "help", True),
        # A desk that is stopped.
        (REPLY, Facts(breaker=True), "handoff", "breaker", False),
        (HANDOFF, Facts(breaker=True, silenced=True), "handoff", "breaker", False),
        (HELP, Facts(breaker=True), "handoff", "breaker", False),
        (STOP, Facts(breaker=True), "reply", "stop", False),
        # Limits: below, at, above.
        (REPLY, Facts(to_sender=9), "reply", "grounded", True),
        (REPLY, Facts(to_sender=10), "handoff", "too_many", True),
        (HANDOFF, Facts(to_sender=10), "handoff", "no_passage", True),
        (REPLY, Facts(to_sender=11), "handoff", "too_many", False),
        (HANDOFF, Facts(to_sender=11), "handoff", "too_many", False),
        (HELP, Facts(to_sender=11), "handoff", "too_many", False),
        (HELP, Facts(to_sender=10), "reply", "help", True),
        (STOP, Facts(to_sender=10), "reply", "stop", True),
        (STOP, Facts(to_sender=11), "reply", "stop", False),
        (START, Facts(to_sender=11, stopped=True), "reply", "start", False),
        (REPLY, Facts(under_subject=1), "reply", "grounded", True),
        (REPLY, Facts(under_subject=2), "handoff", "too_many", True),
        (REPLY, Facts(under_subject=3), "handoff", "too_many", False),
        (drafted(**SMS), Facts(under_subject=9), "reply", "grounded", True),
        (REPLY, Facts(in_conversation=19), "reply", "grounded", True),
        (REPLY, Facts(in_conversation=20), "handoff", "too_many", True),
        (REPLY, Facts(in_conversation=21), "handoff", "too_many", False),
        (REPLY, Facts(of_desk=99), "reply", "grounded", True),
        (REPLY, Facts(of_desk=100), "handoff", "breaker", False),
        # A trial sends nothing, and shows what would leave.
        (drafted(**MAIL, trial=True), Facts(stopped=True, of_desk=999), "reply", "grounded", True),
    ],
)
def test_what_is_done_with_a_draft(
    event: ReplyDrafted, facts: Facts, action: str, reason: str, leaves: bool
) -> None:
    verdict = judge(event, facts, LIMITS)
    assert (verdict.action.value, verdict.reason, verdict.leaves) == (action, reason, leaves)


def test_only_the_one_that_is_too_many_for_the_desk_opens_the_breaker() -> None:
    assert judge(REPLY, Facts(of_desk=100), LIMITS).opens_breaker
    assert not judge(REPLY, Facts(of_desk=100, breaker=True), LIMITS).opens_breaker
    assert not judge(REPLY, Facts(of_desk=100, stopped=True), LIMITS).opens_breaker


def test_every_reason_to_withhold_is_said_in_both_languages() -> None:
    wording = load_wording()
    for reason in ("suppressed", "stopped", "silenced", "breaker", "too_many", *COMMANDS):
        said = {wording.reason(reason, language) for language in Language}
        assert len(said - {reason}) >= 1 and reason in wording.reasons


def any_facts(dice: random.Random) -> Facts:
    switches = {
        name: dice.random() < 0.2 for name in ("suppressed", "stopped", "silenced", "breaker")
    }
    counts = {
        name: dice.randrange(130 if name == "of_desk" else 25)
        for name in ("to_sender", "under_subject", "in_conversation", "of_desk")
    }
    return Facts(**switches, **counts, first=dice.random() < 0.5)


def test_whatever_the_record_says_nobody_is_written_to_who_must_not_be_and_none_is_forgotten() -> (
    None
):
    dice = random.Random(11)
    kinds = [REPLY, HANDOFF, STOP, START, HELP, drafted(**SMS), drafted(Action.IGNORE, "thanks")]
    for _ in range(5_000):
        event, facts = dice.choice(kinds), any_facts(dice)
        verdict = judge(event, facts, LIMITS)
        command = event.draft.reason in COMMANDS
        if verdict.leaves:
            assert not (facts.suppressed or facts.breaker)
            assert not (facts.stopped or facts.silenced) or command
            assert not command or verdict.reason == event.draft.reason
        elif event.draft.action is not Action.IGNORE and event.draft.reason not in OBEYED:
            assert verdict.action is Action.HANDOFF  # a person has it
        # More was sent: never is more allowed.
        more = replace(facts, **{n: getattr(facts, n) + 5 for n in ("to_sender", "of_desk")})
        assert verdict.leaves or not judge(event, more, LIMITS).leaves


def test_a_loop_of_any_length_gets_so_many_replies_and_one_word_more() -> None:
    for limit in (1, 3, 10):
        limits, sent = PolicySettings(sender_replies=limit, same_subject=0), list[Verdict]()
        for _ in range(50):
            verdict = judge(REPLY, Facts(to_sender=len(sent)), limits)
            sent += [verdict] if verdict.leaves else []
        assert [each.closing for each in sent] == [False] * limit + [True]


@pytest.mark.parametrize(
    "subject",
    [
        "Panne", "panne ", "Re: Panne", "RE : Panne", "Ré: Tr: panne", "AW: WG: Panne",
        "Re[2]: Panne", "[Ticket#12] Re: Panne", "Re: [#7] [Ext] PANNE", "Automatic reply: Panne",
        "Réponse automatique : Panne",
    ],
)  # fmt: skip
def test_a_subject_is_the_same_under_what_programs_put_before_it(subject: str) -> None:
    assert subject_of(subject) == "panne"


def test_other_subjects_are_others_and_hostile_ones_take_no_time() -> None:
    assert subject_of("Renouvellement") == "renouvellement"
    assert subject_of("") == ""
    for hostile in ("Re: " * 50_000, "[" * 100_000, "re" * 100_000, " " * 100_000):
        subject_of(hostile)


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("STOP", "stop"), ("stop", "stop"), (" Stop. ", "stop"), ("« STOP » !!", "stop"),
        ("ARRET", "stop"), ("Arrêt", "stop"), ("arre\u0302t", "stop"), ("STOPALL", "stop"),
        ("Désabonner", "stop"), ("ne plus recevoir", "stop"), ("Ne  plus\nrecevoir.", "stop"),
        ("UNSUBSCRIBE", "stop"), ("opt-out", "stop"), ("STOP SMS", "stop"), ("ＳＴＯＰ", "stop"),
        ("START", "start"), ("unstop", "start"), ("Réabonnement", "start"),
        ("HELP", "help"), ("Aide", "help"), ("à l'aide !", "help"), ("info", "help"),
        ("stop au milieu de la page", None), ("l'imprimante stop", None), ("non stop", None),
        ("aidez-moi avec le scanner", None), ("yes", None), ("oui", None), ("", None), ("!!!", None),
        ("stop " * 30, None), ("x" * 100_000, None),
    ],
)  # fmt: skip
def test_a_command_is_a_whole_text_in_any_spelling_and_never_a_word_in_a_sentence(
    text: str, command: str | None
) -> None:
    found = load_wording().command(text)
    assert (found and found[0]) == command


def test_a_command_is_confirmed_in_the_language_of_its_word_where_it_has_one() -> None:
    wording = load_wording()
    told = {word: (wording.command(word) or ("", None))[1] for word in ("arrêt", "quit", "stop")}
    assert told == {"arrêt": Language.FR, "quit": Language.EN, "stop": None}


def test_no_word_means_two_things() -> None:
    said = [
        word
        for words in load_wording().commands.values()
        for known in words.values()
        for word in known
    ]
    assert len(said) == len(set(said))
    assert all(load_wording().command(word) for word in said)  # each is written as it is compared


def test_confirmations_are_one_text_message_in_the_cheaper_alphabet() -> None:
    wording = load_wording()
    for words in (wording.fr, wording.en):
        for text in words.commands.values():
            whole = segments(text.format(signature="Atelier Print", contact=" (02 61 91 00 00)"))
            assert (whole.count, whole.encoding) == (1, "GSM-7")


def test_a_hand_over_instead_of_a_reply_says_nothing_of_the_reply() -> None:
    closing = Verdict(Action.HANDOFF, "too_many", closing=True)
    for message in (MAIL, SMS):
        text = text_of(drafted(**message), closing, load_wording(), "Atelier", first=False)
        assert "Une personne" in text and "Atelier" in text
