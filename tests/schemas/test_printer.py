"""The public contract of `printer.inbound`, and what travels after it."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from schemas.errors import reason_of
from schemas.printer import MAX_TEXT_CHARACTERS, InboundMessage, ReplySent
from schemas.vocabulary import Action, Channel, SendStatus
from tests.conftest import inbound
from tests.events import NOW, classified, extracted, found, grounded, received


def refusal(**changes: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        inbound(**changes)
    return reason_of(caught.value)


def test_the_id_follows_from_channel_and_external_id() -> None:
    one = inbound("un texte", external_id="42")
    again = inbound("un autre", external_id="42", **{"from": "quelqu'un d'autre"})
    assert one.event_id == again.event_id
    assert one.trace_id == again.trace_id == one.event_id.hex


def test_another_channel_or_another_external_id_is_another_message() -> None:
    ids = {
        inbound(external_id="42").event_id,
        inbound(external_id="43").event_id,
        inbound(external_id="42", channel="call", **{"from": "0612345678"}).event_id,
    }
    assert len(ids) == 3


def test_blanks_around_an_id_make_no_other_message() -> None:
    one = inbound(external_id="42", customer_ref="CL001")
    padded = inbound(external_id=" 42 ", customer_ref="CL001 ")
    assert padded.event_id == one.event_id
    assert (padded.external_id, padded.customer_ref) == ("42", "CL001")


def test_an_id_that_a_gateway_invents_is_replaced_by_ours() -> None:
    honest = inbound(external_id="42")
    forged = inbound(external_id="42", event_id=inbound().event_id, trace_id="f" * 32)
    assert (forged.event_id, forged.trace_id) == (honest.event_id, honest.trace_id)


def test_what_is_written_is_read_again_as_the_same_message() -> None:
    message = inbound(subject="Panne", headers={"List-Id": "x"}, references=("<1@x>",))
    assert InboundMessage.model_validate_json(message.model_dump_json(by_alias=True)) == message
    assert '"from"' in message.model_dump_json(by_alias=True)


def test_html_alone_or_a_subject_alone_is_a_message() -> None:
    assert inbound("", html="<p>bonjour</p>").html
    assert inbound("", subject="Panne").subject == "Panne"


def test_a_reference_alone_says_who_writes() -> None:
    assert inbound(customer_ref="CL001", **{"from": None}).key == "chat:cl001"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"text": " \n", "subject": "", "html": "  "}, "a message without text"),
        ({"from": None}, "a message from nobody"),
        ({"from": "", "customer_ref": None}, "a message from nobody"),
        (
            {"channel": "fax"},
            "channel: Input should be 'email', 'sms', 'call', 'chat' or 'telegram'",
        ),
        ({"channel": ["email"]}, "channel: "),
        ({"external_id": ""}, "external_id: "),
        ({"external_id": "a\nb"}, "external_id: "),
        ({"external_id": "x" * 256}, "external_id: String should have at most 255 characters"),
        ({"external_id": "\ud800"}, "surrogates not allowed"),
        ({"text": "a\x00b"}, "text: "),
        ({"text": "x" * (MAX_TEXT_CHARACTERS + 1)}, "text: String should have at most 131072"),
        ({"html": "x" * (MAX_TEXT_CHARACTERS + 1)}, "html: String should have at most 131072"),
        ({"subject": "Bonjour\r\nBcc: tous@example.org"}, "subject: "),
        ({"subject": "x" * 999}, "subject: String should have at most 998 characters"),
        ({"headers": {f"x-{n}": "" for n in range(51)}}, "headers: "),
        ({"headers": {"List-Id": 7}}, "headers: Input should be a valid string"),
        ({"references": ("<1@x>",) * 201}, "references: "),
        ({"attachments": [{"name": "x", "size_bytes": -1, "reference": "y"}]}, "size_bytes"),
        ({"received_at": None}, "received_at: "),
        ({"received_at": "hier"}, "received_at: "),
    ],
)
def test_hostile_values_are_refused_with_the_place(changes: dict[str, Any], said: str) -> None:
    assert said in refusal(**changes)


@pytest.mark.parametrize(
    ("channel", "address", "said"),
    [
        ("email", "jean.dupont", "is not an e-mail address"),
        ("email", "jean dupont@exemple.org", "is not an e-mail address"),
        ("email", "jean@exemple", "is not an e-mail address"),
        ("email", "Jean <jean@exemple.org>", "is not an e-mail address"),
        ("sms", "jean", "is not a telephone number"),
        ("call", "06 12 ou 07 13", "is not a telephone number"),
        ("sms", "+33" + "6" * 40, "is not a telephone number"),
    ],
)
def test_a_wrong_address_is_refused_and_not_repeated(channel: str, address: str, said: str) -> None:
    reason = refusal(channel=channel, **{"from": address})
    assert said in reason
    assert address not in reason
    assert "jean" not in reason.lower()
    assert not any(digits in reason for digits in ("06 12", "666"))


@pytest.mark.parametrize("number", ["0612345678", "+33 6 12 34 56 78", "06.12.34.56.78", "36180"])
def test_the_usual_ways_to_write_a_number_are_accepted(number: str) -> None:
    assert inbound(channel="sms", **{"from": number}).sender == number


def test_reasons_never_quote_the_message() -> None:
    assert "secret" not in refusal(text="secret\x00", received_at="secret")


def test_a_long_list_of_problems_is_cut() -> None:
    assert len(refusal(headers=dict.fromkeys("abcdefghij", 1))) <= 1000


def test_order_is_kept_per_sender_and_then_per_conversation() -> None:
    assert inbound(**{"from": "Visiteur"}).key == inbound(**{"from": "visiteur"}).key
    assert received().key == classified().key == grounded().key == "c1"


def test_a_reply_knows_its_conversation() -> None:
    sent = ReplySent.after(
        classified(),
        NOW,
        message_id=received().event_id,
        conversation_id="c7",
        action=Action.REPLY,
        reason="grounded",
        status=SendStatus.SENT,
    )
    assert sent.key == "c7"


def test_first_gives_the_first_finding_of_a_kind_or_nothing() -> None:
    event = extracted(findings=found(brand="HP") + found(brand="Canon", model="M404"))
    assert (event.first("brand"), event.first("model")) == ("HP", "M404")
    assert event.first("error_code") is None


@pytest.mark.parametrize("channel", list(Channel))
def test_every_label_exists_in_both_languages(channel: Channel) -> None:
    assert channel.fr
    assert channel.en
