"""Calls by Twilio: a machine greets, says what it is, asks whether it may listen, and listens.

Each step is a route whose URL says how far the call is (`lang`, `again`, `by`), which the signature
covers. Words come from Twilio's speech recognition, or from a recording that a model of our own
hears (`gateways.recordings`). Without consent nothing is kept.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from pydantic import ValidationError
from twilio.twiml.voice_response import Gather, VoiceResponse

from gateways.heard import Heard, called
from gateways.sms import Accept, Publish, handed_in
from gateways.twilio_forms import Form, SignedForms, twiml
from schemas.errors import reason_of
from schemas.printer import PHONE, InboundMessage
from schemas.vocabulary import Language

log = logging.getLogger(__name__)

VOICE = "/callbacks/twilio/voice"
LOCALE = {Language.FR: "fr-FR", Language.EN: "en-GB"}
SURE = 0.5
"""Confidence below which a caller is asked to say it once more."""
CONSENT_S, SILENCE_S = 6, 8
SHORTEST_S = 1.0
BAD_ENDS = ("failed", "busy", "no-answer", "absent")
LONGEST_S = 120
"""Of a recording: two minutes hold 300 words."""

_YES = re.compile(r"\b(oui|d'accord|ok(ay)?|accepte|yes|yeah|sure|agree)\b", re.IGNORECASE)
_NO = re.compile(r"\b(non|pas|no|not|don't)\b", re.IGNORECASE)

Answer = tuple[VoiceResponse, InboundMessage | None]


@dataclass(frozen=True)
class Telephone:
    """What callers hear: sentences by language and name, and on which numbers English comes first.

    `records`: a recording is made, for a model of our own. `texts`: says whether a caller's number
    is answered by text.
    """

    words: Mapping[Language, Mapping[str, str]]
    english: Collection[str] = ()
    records: bool = False
    texts: Any = None


@dataclass(frozen=True)
class Step:
    """How far a call is: its language, whether something was asked before, how it was consented."""

    lang: Language = Language.FR
    again: bool = False
    by: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Step:
        """Read it from a URL."""
        lang = Language.EN if query.get("lang") == "en" else Language.FR
        return cls(lang, query.get("again") == "1", query.get("by", "")[:20])

    def query(self, **changes: str) -> str:
        """Write it into a URL."""
        given = {"lang": self.lang.value, "again": "1" if self.again else "", "by": self.by}
        return urlencode({name: value for name, value in (given | changes).items() if value})


def calls(forms: SignedForms, telephone: Telephone, publish: Publish, accept: Accept) -> APIRouter:
    """Return the routes of calls; `publish` and `accept` as the edge's own."""
    router = APIRouter()
    script = Script(forms, telephone)

    async def went(request: Request, name: str) -> Response:
        form = await forms.read(request)
        if isinstance(form, Response):
            return form
        answer, message = getattr(script, name)(form, Step.of(request.query_params))
        refusal = await handed_in(message, publish, accept) if message else None
        return refusal or twiml(str(answer))

    @router.post(VOICE, summary="Take a call, as Twilio asks")
    async def ring(request: Request) -> Response:
        return await went(request, "greeted")

    @router.post(f"{VOICE}/consent", summary="Hear whether a caller consents")
    async def consent(request: Request) -> Response:
        return await went(request, "consented")

    @router.post(f"{VOICE}/heard", summary="Hear what a caller says")
    async def heard(request: Request) -> Response:
        return await went(request, "heard")

    @router.post(f"{VOICE}/recorded", summary="End a call that was recorded")
    async def recorded(request: Request) -> Response:
        return await went(request, "recorded")

    async def noted(request: Request) -> Response:
        form = await forms.read(request)
        if isinstance(form, Response):
            return form
        status = form.get("CallStatus") or form.get("RecordingStatus", "")
        level = logging.WARNING if status in BAD_ENDS else logging.INFO
        log.log(level, "call %s: %s", form.get("CallSid", "")[:34], status[:20])
        return Response(status_code=204)

    router.post(f"{VOICE}/status", summary="Hear how a call ended")(noted)
    router.post(f"{VOICE}/recording", summary="Hear what became of a recording")(noted)

    return router


class Script:
    """What a caller hears at each step, and what of it becomes a message."""

    def __init__(self, forms: SignedForms, telephone: Telephone) -> None:
        self._forms = forms
        self._own = telephone

    def greeted(self, form: Form, step: Step) -> Answer:
        """Say who listens, and ask whether it may."""
        english = form.get("To", "") in self._own.english
        return self._ask_consent(Step(Language.EN if english else step.lang)), None

    def consented(self, form: Form, step: Step) -> Answer:
        """Go on by what was pressed or said; 2 changes the language."""
        digit, said = form.get("Digits", ""), form.get("SpeechResult", "")
        if digit == "2":
            other = Language.FR if step.lang is Language.EN else Language.EN
            return self._ask_consent(Step(other)), None
        if digit == "1" or (not digit and _YES.search(said) and not _NO.search(said)):
            return self._ask(Step(step.lang, by="key" if digit else "voice")), None
        if digit or _NO.search(said) or step.again:
            return self._end(step, "refused"), None
        return self._ask_consent(Step(step.lang, again=True)), None

    def heard(self, form: Form, step: Step) -> Answer:
        """Take down what was said; ask once more where nothing, or little, was understood."""
        said = form.get("SpeechResult", "").strip()
        sure = _number(form.get("Confidence", ""))
        if not step.again and (not said or sure < SURE):
            return self._ask(Step(step.lang, again=True, by=step.by)), None
        if not said:
            return self._end(step, "nothing"), None
        caller = form.get("From", "")
        found = Heard(said, sure, step.by)
        try:
            message = called(form.get("CallSid", ""), caller, form.get("To", ""), found)
        except ValidationError as error:
            log.warning("passed over a call of Twilio's: %s", reason_of(error))
            return self._end(step, "failed"), None
        return self._end(step, self.farewell(caller)), message

    def recorded(self, form: Form, step: Step) -> Answer:
        """Say goodbye: the recording waits at Twilio until it was heard (`gateways.recordings`)."""
        if _number(form.get("RecordingDuration", "")) < SHORTEST_S:
            if form.get("Digits") == "hangup" or step.again:
                return self._end(step, "nothing"), None
            return self._ask(Step(step.lang, again=True, by=step.by)), None
        return self._end(step, self.farewell(form.get("From", ""))), None

    def farewell(self, caller: str) -> str:
        """Return the name of what a caller is told of the answer to come."""
        if not PHONE.fullmatch(caller):
            return "hidden"
        return "by_text" if self._own.texts and self._own.texts(caller) else "by_call"

    def _ask_consent(self, step: Step) -> VoiceResponse:
        return self._gather("consent", step, "greeting", "dtmf speech", timeout=CONSENT_S)

    def _ask(self, step: Step) -> VoiceResponse:
        name = "again" if step.again else "ask"
        if not self._own.records:
            return self._gather("heard", step, name, "speech", timeout=SILENCE_S)
        answer = VoiceResponse()
        answer.say(self._own.words[step.lang][name], language=LOCALE[step.lang])
        answer.record(
            action=self._forms.url(f"{VOICE}/recorded", step.query()),
            max_length=LONGEST_S,
            timeout=SILENCE_S,
            play_beep=True,
            recording_status_callback=self._forms.url(f"{VOICE}/recording"),
            recording_status_callback_event="completed absent",
        )
        # Reached only when nothing at all was recorded.
        answer.say(self._own.words[step.lang]["nothing"], language=LOCALE[step.lang])
        answer.hangup()
        return answer

    def _gather(
        self, route: str, step: Step, name: str, kinds: str, *, timeout: int
    ) -> VoiceResponse:
        answer = VoiceResponse()
        gather = Gather(
            input=kinds,
            language=LOCALE[step.lang],
            action=self._forms.url(f"{VOICE}/{route}", step.query()),
            action_on_empty_result=True,
            timeout=timeout,
            speech_timeout="auto",
            profanity_filter=False,
            **({"num_digits": 1} if "dtmf" in kinds else {}),
        )
        gather.say(self._own.words[step.lang][name], language=LOCALE[step.lang])
        answer.append(gather)
        return answer

    def _end(self, step: Step, name: str) -> VoiceResponse:
        answer = VoiceResponse()
        answer.say(self._own.words[step.lang][name], language=LOCALE[step.lang])
        answer.hangup()
        return answer


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
