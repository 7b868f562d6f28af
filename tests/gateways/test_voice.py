"""Calls: greeted, asked, heard; without consent nothing is kept."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

import httpx
import pytest
from fastapi import FastAPI

from gateways.twilio_forms import SignedForms
from gateways.voice import Telephone, calls
from schemas.errors import Unavailable
from schemas.printer import InboundMessage
from schemas.vocabulary import Channel
from services.settings import DispatchSettings, Settings
from services.telephone import spoken
from services.texting import takes_texts
from tests.vendors.twilio import TOKEN, Twilio

PUBLIC = "https://desk.example.com"
FRENCH, ENGLISH = "+33937000001", "+442079460000"
MOBILE, FIXED = "+33639981201", "+33261910000"


class Line(Twilio):
    """Twilio, whose posts reach the routes of calls at once."""

    def __init__(self, *, records: bool = False) -> None:
        super().__init__([FRENCH, ENGLISH], PUBLIC)
        self.told: list[InboundMessage] = []
        self.fails: Exception | None = None
        self.plans: list[ET.Element] = []
        settings = Settings(
            dispatch=DispatchSettings(signature="Atelier", contact="02 61 91 00 00")
        )
        telephone = Telephone(spoken(settings), (ENGLISH,), records, takes_texts)
        app = FastAPI()
        app.include_router(
            calls(SignedForms(PUBLIC, TOKEN), telephone, self._publish, self._accept)
        )
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=PUBLIC)

    async def _publish(self, message: InboundMessage) -> None:
        if self.fails:
            raise self.fails
        self.told.append(message)

    async def _accept(self, message: InboundMessage) -> bool:
        return True

    async def post(self, url: str, form: dict[str, str], at: str = "") -> tuple[int, str]:
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        headers = self.signed(url, form) | kind
        answer = await self.http.post(url, content=urlencode(form), headers=headers)
        if answer.text.startswith("<?xml"):
            self.plans.append(ET.fromstring(answer.text))
        return answer.status_code, answer.text


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.mark.parametrize("yes", ["1", "oui", "Oui, d'accord.", "ok"])
async def test_a_call_is_announced_consented_heard_and_becomes_a_message(line: Line, yes: str):
    heard = await line.call(MOBILE, FRENCH, [yes, "Mon imprimante Canon fait un bourrage@0.87"])
    assert heard[0].startswith("Bonjour, ici Atelier. Vous parlez à une machine : elle enregistre")
    assert heard[-1] == "Merci, c'est noté. Nous vous répondons par SMS. Au revoir."
    (message,) = line.told
    assert (message.channel, message.sender, message.to) == (Channel.CALL, MOBILE, FRENCH)
    assert message.text == "Mon imprimante Canon fait un bourrage"
    assert message.external_id == line.calls[0]["sid"]
    assert message.headers == {
        "x-consent": "key" if yes == "1" else "voice",
        "x-speech-confidence": "0.87",
    }
    gather = line.plans[0].find("Gather")
    assert gather is not None
    assert (gather.get("language"), gather.get("input")) == ("fr-FR", "dtmf speech")


@pytest.mark.parametrize("no", ["non", "9", "Non, pas d'accord", "ce n'est pas ok"])
async def test_without_consent_nothing_is_kept_and_the_call_ends(line: Line, no: str):
    heard = await line.call(MOBILE, FRENCH, [no, "ne doit pas être entendu"])
    assert len(heard) == 2
    assert heard[-1].startswith("Très bien, rien n'est enregistré.")
    assert "02 61 91 00 00" in heard[-1]
    assert line.told == []


async def test_who_says_nothing_is_asked_twice(line: Line):
    heard = await line.call(MOBILE, FRENCH, [])
    assert len(heard) == 3
    assert heard[0] == heard[1]
    assert line.told == []


async def test_who_is_not_understood_is_asked_once_more_and_then_taken_at_their_word(line: Line):
    says = ["1", "brmbl@0.2", "le toner est vide@0.31"]
    heard = await line.call(MOBILE, FRENCH, says)
    assert "Pouvez-vous le redire" in heard[2]
    assert line.told[0].text == "le toner est vide"
    assert line.told[0].headers["x-speech-confidence"] == "0.31"


async def test_after_consent_silence_ends_the_call_without_a_message(line: Line):
    heard = await line.call(MOBILE, FRENCH, ["1"])
    assert heard[-1].startswith("Je n'ai rien entendu.")
    assert line.told == []


@pytest.mark.parametrize("says", [["hang up"], ["1", "hang up"]])
async def test_who_hangs_up_leaves_nothing(line: Line, says: list[str]):
    await line.call(MOBILE, FRENCH, says)
    assert line.told == []


async def test_english_comes_first_on_a_number_of_its_own_and_by_a_key(line: Line):
    heard = await line.call(MOBILE, ENGLISH, ["yes", "My printer is jammed"])
    assert heard[0].startswith("Hello, this is Atelier.")
    assert heard[-1] == "Thank you, it is noted. We answer by text message. Goodbye."
    heard = await line.call(MOBILE, FRENCH, ["2", "yes", "My printer is jammed"])
    assert heard[1].startswith("Hello, this is Atelier.")
    assert [message.text for message in line.told] == ["My printer is jammed"] * 2


@pytest.mark.parametrize(
    ("caller", "said"), [(FIXED, "vous rappelle"), ("anonymous", "Votre numéro est masqué")]
)
async def test_who_cannot_get_a_text_is_told_so(line: Line, caller: str, said: str):
    heard = await line.call(caller, FRENCH, ["1", "bourrage papier"])
    assert said in heard[-1]
    assert len(line.told) == 1


async def test_two_hidden_callers_are_two_people(line: Line):
    for _ in range(2):
        await line.call("anonymous", FRENCH, ["1", "bourrage papier"])
    first, second = line.told
    assert first.customer_ref != second.customer_ref


async def test_what_was_heard_is_not_lost_when_kafka_does_not_confirm(line: Line):
    line.fails = Unavailable("Kafka does not answer")
    form = {
        "CallSid": "CA1",
        "From": MOBILE,
        "To": FRENCH,
        "SpeechResult": "panne",
        "Confidence": "1",
    }
    url = f"{PUBLIC}/callbacks/twilio/voice/heard?lang=fr&by=key"
    assert (await line.post(url, form))[0] == 503  # Twilio asks again, or says it to its console
    line.fails = None
    for _ in range(2):
        assert (await line.post(url, form))[0] == 200
    first, again = line.told
    assert first.event_id == again.event_id


@pytest.mark.parametrize("route", ["", "/consent", "/heard", "/recorded", "/status", "/recording"])
async def test_nobody_else_can_play_a_call(line: Line, route: str):
    form = {"CallSid": "CA1", "From": MOBILE, "To": FRENCH, "SpeechResult": "panne"}
    url = f"{PUBLIC}/callbacks/twilio/voice{route}"
    answer = await line.http.post(url, data=form, headers={"X-Twilio-Signature": "AAAA"})
    assert answer.status_code == 403
    signed = line.signed(url, form)
    answer = await line.http.post(f"{url}?by=key", data=form, headers=signed)
    assert answer.status_code == 403
    assert line.told == []


@pytest.mark.parametrize("said", ["a\x00b", "<Say>pirate</Say> & \"'", "é" * 100_000])
async def test_hostile_words_are_words(line: Line, said: str):
    form = {"CallSid": "CA1", "From": MOBILE, "To": FRENCH, "Confidence": "1", "SpeechResult": said}
    status, answer = await line.post(f"{PUBLIC}/callbacks/twilio/voice/heard?by=key", form)
    assert status in {200, 413}
    assert "pirate" not in answer


def attributes(plan: ET.Element, name: str) -> dict[str, Any]:
    found = plan.find(name)
    assert found is not None
    return found.attrib


async def test_with_a_model_of_our_own_the_call_is_recorded_after_consent():
    line = Line(records=True)
    form = {"CallSid": "CA1", "From": MOBILE, "To": FRENCH}
    url = f"{PUBLIC}/callbacks/twilio/voice"
    assert "<Record" not in (await line.post(url, form))[1]
    await line.post(f"{url}/consent?lang=fr", form | {"Digits": "1"})
    record = attributes(line.plans[-1], "Record")
    assert record["maxLength"] == "120"
    assert record["recordingStatusCallback"] == f"{url}/recording"
    await line.post(record["action"], form | {"RecordingDuration": "0"})
    assert line.plans[-1].find("Record") is not None  # asked once more
    await line.post(record["action"], form | {"RecordingDuration": "12"})
    assert "Nous vous répondons par SMS" in "".join(line.plans[-1].itertext())
    status, _ = await line.post(f"{url}/recording", {"CallSid": "CA1", "RecordingStatus": "absent"})
    assert status == 204
    assert line.told == []  # the recording itself is fetched and heard elsewhere
