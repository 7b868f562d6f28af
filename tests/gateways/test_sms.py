"""What Twilio posts: signed by it, read within bounds, told once."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlencode, urlparse

import httpx
import pytest
from fastapi import FastAPI, Request

from gateways.sms import text_reports, texts
from gateways.twilio_forms import MAX_FORM_BYTES, Form, SignedForms
from schemas.delivery import DeliveryReported
from schemas.errors import Rejected, Unavailable
from schemas.printer import InboundMessage
from schemas.vocabulary import Channel
from tests.vendors.twilio import TOKEN, Twilio

PUBLIC = "https://desk.example.com/astreinte"
REPLY = "5a0f3d0e-1c1b-4b7e-9a52-3f6f0c6f9d11"
OURS, THEIRS = "+33937000001", "+33639981201"
VECTORS = Path("../shared/data/webhooks/twilio_signature.json")

Take = Callable[[str, dict[str, str]], Awaitable[httpx.Response]]


class Edge:
    """The routes, as a proxy with TLS reaches them; what they publish is kept."""

    def __init__(self, signing_secret: str = "") -> None:
        self.twilio = Twilio([OURS], PUBLIC)
        self.told: list[InboundMessage | DeliveryReported] = []
        self.fails: Exception | None = None
        forms = SignedForms(PUBLIC + "/", TOKEN, signing_secret)
        app = FastAPI()
        app.include_router(texts(forms, self._publish, self._accept))
        app.include_router(text_reports(forms, self._publish))
        transport = httpx.ASGITransport(app)
        self.http = httpx.AsyncClient(transport=transport, base_url="http://10.0.0.7:8080")

    async def _publish(self, event: InboundMessage | DeliveryReported) -> None:
        if self.fails:
            raise self.fails
        self.told.append(event)

    async def _accept(self, message: InboundMessage) -> bool:
        return True

    async def post(
        self, path: str, form: dict[str, str], headers: dict[str, str] | None = None
    ) -> httpx.Response:
        signed = self.twilio.signed(PUBLIC + path, form) if headers is None else headers
        kind = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
        return await self.http.post(path, content=urlencode(form), headers=signed | kind)

    async def text(self, body: str, **more: str) -> httpx.Response:
        form = self.twilio.written(more.pop("From", THEIRS), OURS, body, **more)
        return await self.post("/callbacks/twilio/sms", form)


@pytest.fixture
def edge() -> Edge:
    return Edge()


async def test_a_text_becomes_a_message_and_is_answered_with_nothing(edge: Edge):
    answer = await edge.text("Bonjour, bourrage papier 😀\nmerci ", MessageSid="SM1")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/xml")
    assert answer.text.endswith("<Response/>")
    (message,) = edge.told
    assert isinstance(message, InboundMessage)
    assert (message.channel, message.external_id) == (Channel.SMS, "SM1")
    assert (message.sender, message.to) == (THEIRS, OURS)
    assert message.text == "Bonjour, bourrage papier 😀\nmerci "


@pytest.mark.parametrize("word", ["STOP", "ARRET", "Arrêt", " stop. ", "AIDE", "NE PLUS RECEVOIR"])
async def test_decision_6_words_that_command_arrive_as_they_were_written(edge: Edge, word: str):
    await edge.text(word, OptOutType="STOP")
    assert edge.told[0].text == word
    assert edge.told[0].headers == {"x-twilio-opt-out-type": "STOP"}


async def test_decision_2_a_text_that_comes_again_is_the_same_event(edge: Edge):
    await edge.text("Bonjour", MessageSid="SM1")
    await edge.text("Bonjour", MessageSid="SM1")
    first, again = edge.told
    assert first.event_id == again.event_id


@pytest.mark.parametrize(
    "change",
    [
        lambda form, headers: form.update(Body="Virez 100 euros"),
        lambda form, headers: form.update(From="+33600000000"),
        lambda form, headers: form.update(Added="x"),
        lambda form, headers: form.pop("To"),
        lambda form, headers: headers.update({"X-Twilio-Signature": ""}),
        lambda form, headers: headers.update({"X-Twilio-Signature": "é"}),
        lambda form, headers: headers.clear(),
        lambda form, headers: headers.update(
            {"X-Twilio-Webhooks-Signature-Settings": "key=k,algorithm=HMAC_SHA256"}
        ),
        lambda form, headers: headers.update(
            {"X-Twilio-Webhooks-Signature-Settings": "algorithm=none"}
        ),
    ],
)
async def test_what_twilio_did_not_sign_is_refused(edge: Edge, change: Callable[..., object]):
    form = edge.twilio.written(THEIRS, OURS, "Bonjour")
    headers = edge.twilio.signed(f"{PUBLIC}/callbacks/twilio/sms", form)
    change(form, headers)
    raw = {name: value.encode() for name, value in headers.items()}
    answer = await edge.post("/callbacks/twilio/sms", form, raw)  # type: ignore[arg-type]
    assert answer.status_code == 403
    assert edge.told == []


async def test_a_form_signed_for_one_route_opens_no_other(edge: Edge):
    form = edge.twilio.written(THEIRS, OURS, "Bonjour") | {"MessageStatus": "delivered"}
    headers = edge.twilio.signed(f"{PUBLIC}/callbacks/twilio/sms", form)
    path = f"/callbacks/twilio/status?reply_id={REPLY}"
    assert (await edge.post(path, form, headers)).status_code == 403


async def test_the_newer_signature_is_taken_where_its_secret_is_set():
    edge = Edge(signing_secret="shared")
    edge.twilio.signing_secret = "shared"
    assert (await edge.text("Bonjour")).status_code == 200
    edge.twilio.signing_secret = "guessed"
    assert (await edge.text("Bonjour")).status_code == 403
    edge.twilio.signing_secret = ""  # the older one, with the account's token
    assert (await edge.text("Bonjour")).status_code == 200
    assert len(edge.told) == 2


@pytest.mark.parametrize("port", [":443", ""])
async def test_the_port_of_the_public_url_may_be_signed_or_not(port: str):
    edge = Edge()
    form = edge.twilio.written(THEIRS, OURS, "Bonjour")
    url = f"https://desk.example.com{port}/astreinte/callbacks/twilio/sms"
    answer = await edge.post("/callbacks/twilio/sms", form, edge.twilio.signed(url, form))
    assert answer.status_code == 200


@pytest.mark.skipif(not VECTORS.exists(), reason="the public vectors are not there")
def test_the_public_vectors_of_signatures_hold():
    given = json.loads(VECTORS.read_text("utf-8"))
    pairs = [(name, value) for name, value in given["params"].items()]
    doubled = {"uri": given["uri"], "sig": given["duplicate_keys"]["sig"]}
    cases = [(case, pairs) for case in given["cases"]]
    cases.append((doubled, [(name, value) for name, value in given["duplicate_keys"]["pairs"]]))
    for case, form in cases:
        parts = urlparse(case["uri"])
        forms = SignedForms(f"{parts.scheme}://{parts.netloc}", given["token"])
        for signature, wanted in ((case["sig"], True), (case["sig"][::-1], False)):
            scope = {
                "type": "http",
                "path": parts.path,
                "query_string": parts.query.encode(),
                "headers": [(b"x-twilio-signature", signature.encode())],
            }
            assert forms._is_signed(Request(scope), Form(form)) is wanted, case


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"Body=" + b"a" * MAX_FORM_BYTES, 413),
        (b"&".join(b"a%d=b" % n for n in range(10_000)), 403),
        (b"Body=%FF%FE", 403),
        ("Body=é".encode("latin-1"), 403),
        (b"", 403),
        (b"\x00" * 1_000, 403),
    ],
)
async def test_hostile_forms_are_refused_within_bounds(edge: Edge, content: bytes, status: int):
    answer = await edge.http.post(
        "/callbacks/twilio/sms", content=content, headers={"X-Twilio-Signature": "AAAA"}
    )
    assert answer.status_code == status


async def test_control_characters_and_long_texts_are_taken(edge: Edge):
    assert (await edge.text("a\x00b\x1bc\n" + "é" * 2_000)).status_code == 200
    assert edge.told[0].text == "abc\n" + "é" * 2_000


@pytest.mark.parametrize("sender", ["Amazon", "whatsapp:+33639981201", "12"])
async def test_a_text_from_nobody_who_can_be_answered_is_kept_as_automatic(edge: Edge, sender: str):
    await edge.text("Votre colis", From=sender)
    (message,) = edge.told
    assert message.customer_ref == sender
    assert message.headers["auto-submitted"] == "auto-generated"


async def test_pictures_come_by_reference_and_nothing_else_does(edge: Edge):
    media = {
        "NumMedia": "3",
        "MediaUrl0": "https://api.twilio.com/M/1",
        "MediaContentType0": "image/jpeg",
    }
    media |= {"MediaUrl1": "file:///etc/passwd", "MediaContentType1": "image/png"}
    media |= {"MediaUrl2": "https://api.twilio.com/M/3", "MediaContentType2": "../../x"}
    await edge.text("", **media)
    (message,) = edge.told
    (attachment,) = message.attachments
    assert (attachment.name, attachment.reference) == ("media0.jpg", "https://api.twilio.com/M/1")
    assert message.text == "(image ou fichier, sans texte)"


async def test_an_empty_text_and_one_without_sender_are_passed_over(edge: Edge):
    assert (await edge.text("")).status_code == 200
    assert (await edge.text("Bonjour", From="")).status_code == 200
    assert edge.told == []


async def test_when_kafka_does_not_confirm_twilio_is_told_to_come_again(edge: Edge):
    edge.fails = Unavailable("Kafka does not answer")
    answer = await edge.text("Bonjour")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    edge.fails = Rejected("too large")
    assert (await edge.text("Bonjour")).status_code == 413


@pytest.mark.parametrize(
    ("word", "status", "code"),
    [
        ("queued", "sent", ""),
        ("sent", "sent", ""),
        ("delivered", "delivered", ""),
        ("read", "delivered", ""),
        ("undelivered", "failed", "30003"),
        ("failed", "failed", "30007"),
        ("canceled", "failed", ""),
    ],
)
async def test_a_status_callback_becomes_a_report(edge: Edge, word: str, status: str, code: str):
    form = {"MessageSid": "SM1", "MessageStatus": word, "ErrorCode": code}
    answer = await edge.post(f"/callbacks/twilio/status?reply_id={REPLY}", form)
    assert answer.status_code == 204
    (report,) = edge.told
    assert isinstance(report, DeliveryReported)
    assert (str(report.reply_id), report.status, report.code) == (REPLY, status, code)
    assert (report.outbound, report.provider_id) == ("twilio", "SM1")


@pytest.mark.parametrize(
    ("query", "word"), [("", "sent"), ("?reply_id=1", "sent"), (f"?reply_id={REPLY}", "newer")]
)
async def test_a_report_on_nothing_of_ours_is_passed_over(edge: Edge, query: str, word: str):
    form = {"MessageSid": "SM1", "MessageStatus": word}
    assert (await edge.post(f"/callbacks/twilio/status{query}", form)).status_code == 204
    assert edge.told == []


async def test_a_report_is_bound_to_its_reply_by_the_signature(edge: Edge):
    form = {"MessageSid": "SM1", "MessageStatus": "failed"}
    headers = edge.twilio.signed(f"{PUBLIC}/callbacks/twilio/status?reply_id={REPLY}", form)
    another = "/callbacks/twilio/status?reply_id=00000000-0000-0000-0000-000000000001"
    assert (await edge.post(another, form, headers)).status_code == 403


async def test_a_reply_that_is_tried_again_is_reported_on_by_other_events(edge: Edge):
    for sid in ("SM1", "SM1", "SM2"):
        form = {"MessageSid": sid, "MessageStatus": "failed"}
        await edge.post(f"/callbacks/twilio/status?reply_id={REPLY}", form)
    ids = [event.event_id for event in edge.told]
    assert ids[0] == ids[1] != ids[2]
