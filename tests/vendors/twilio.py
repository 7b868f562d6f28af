"""Twilio, played on loopback: the part of its REST API that the desk uses, as its documents say.

`python -m tests.vendors.twilio --port 8082 --desk http://127.0.0.1:8080 --number +33937000001`

Requests are checked against Twilio's own OpenAPI document (`tests/data/twilio`). It refuses by the
numbers of Twilio's test credentials (+15005550001 is no number, …9 no mobile …), and by what its
texts say of STOP. `moods` makes the next sends fail: `429:3`, `500`, `401`, `hang`, `drop`,
`take and drop`, `code:30007`. What it posts to the desk it signs. As a process it also serves
`POST /text {"from", "to", "body"}`, `POST /call {"from", "to", "say": [...]}` and `GET /ledger`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4
from xml.etree import ElementTree as ET

import aiohttp
from aiohttp import web
from jsonschema import Draft202012Validator
from twilio.request_validator import HMAC_SHA256, RequestValidator

from knowledge.segments import segments

SID = "AC" + "0" * 32
TOKEN = "t" * 32
SPEC = Path(__file__).parent.parent / "data" / "twilio" / "twilio_api_v2010.json"
ACCOUNT = "/2010-04-01/Accounts/{AccountSid}"
HANG_S = 60.0
BAD_TO = {
    "+15005550001": (21211, "Invalid 'To' Phone Number"),
    "+15005550002": (21612, "not currently reachable"),
    "+15005550003": (21408, "Permission to send an SMS has not been enabled for the region"),
    "+15005550004": (21610, "Attempt to send to unsubscribed recipient"),
    "+15005550009": (21614, "not a valid mobile number"),
}
"""Twilio's magic numbers, and what they answer."""


class Refused(Exception):  # noqa: N818 - an answer
    """An answer with a code."""

    def __init__(self, status: int, code: int, why: str, **headers: str) -> None:
        super().__init__(why)
        self.status, self.code, self.headers = status, code, headers


@dataclass
class Text:
    """A text message, as the API shows it."""

    to: str
    from_: str
    body: str
    callback: str = ""
    sid: str = ""
    status: str = "queued"
    created: float = field(default_factory=time.time)

    def shape(self, account: str) -> dict[str, Any]:
        """Return it as the API does."""
        at = format_datetime(datetime.fromtimestamp(int(self.created), UTC))
        return {
            "sid": self.sid,
            "account_sid": account,
            "to": self.to,
            "from": self.from_,
            "body": self.body,
            "status": self.status,
            "direction": "outbound-api",
            "num_segments": str(segments(self.body).count),
            "num_media": "0",
            "date_created": at,
            "date_updated": at,
            "date_sent": None,
            "error_code": None,
            "error_message": None,
            "messaging_service_sid": None,
            "price": None,
            "price_unit": "USD",
            "api_version": "2010-04-01",
            "uri": f"/2010-04-01/Accounts/{account}/Messages/{self.sid}.json",
            "subresource_uris": {},
        }


class Twilio:
    """The server's state. `numbers`: ours, each with the URLs at which it posts."""

    def __init__(self, numbers: Sequence[str] = (), desk: str = "", sid: str = SID) -> None:
        self.sid, self.token, self.signing_secret = sid, TOKEN, ""
        self.desk = desk.rstrip("/")
        self.public = ""
        self.numbers = dict.fromkeys(numbers, f"{self.desk}/callbacks/twilio")
        self.spec = json.loads(SPEC.read_text("utf-8"))
        self.texts: list[Text] = []
        self.moods: list[str] = []
        self.fate: dict[str, Sequence[tuple[str, str]]] = {}
        self.at_once = self.most_at_once = 0
        self.answers: list[int] = []
        self.calls: list[dict[str, Any]] = []
        self.left: dict[str, dict[str, Any]] = {}
        self.dialled: dict[str, dict[str, Any]] = {}
        self.takes: dict[str, tuple[str, str]] = {}
        self._reporting: set[asyncio.Task[None]] = set()

    # --- what it serves --------------------------------------------------------------------

    async def create(self, request: web.Request) -> web.Response:
        """Take a text message."""
        form = dict(await request.post())
        mood = self.moods.pop(0) if self.moods else ""
        if mood == "hang":
            await asyncio.sleep(HANG_S)
        if mood == "drop":
            assert request.transport
            request.transport.abort()
            raise Refused(500, 20500, "nobody hears it")
        self._let_in(request)
        self._fits(f"{ACCOUNT}/Messages.json", form)
        self._frown(mood)
        text = self._taken(form)
        if mood.startswith("take and"):
            assert request.transport
            request.transport.abort()
        return web.json_response(text.shape(self.sid), status=201)

    def _taken(self, form: dict[str, Any]) -> Text:
        to, body = form["To"], form.get("Body", "")
        from_ = form.get("From", "") or next(iter(self.numbers), "")
        if code := BAD_TO.get(to):
            raise Refused(400, *code)
        if len(body) > 1_600:
            raise Refused(
                400, 21617, "The concatenated message body exceeds the 1600 character limit"
            )
        if not body:
            raise Refused(400, 21602, "Message body is required.")
        if form.get("From") and from_ not in self.numbers and not re.search("[A-Za-z]", from_):
            raise Refused(400, 21606, "not a valid message-capable Twilio phone number")
        text = Text(to, from_, body, form.get("StatusCallback", ""), f"SM{uuid4().hex}")
        self.texts.append(text)
        if text.callback:
            self._soon(self._report(text))
        return text

    def _frown(self, mood: str) -> None:
        kind, _, detail = mood.partition(":")
        if kind == "429":
            raise Refused(
                429, 20429, "Too Many Requests", **({"Retry-After": detail} if detail else {})
            )
        if kind == "500":
            raise Refused(500, 20500, "An internal server error has occurred")
        if kind == "code":
            raise Refused(400, int(detail), "refused")

    def _let_in(self, request: web.Request) -> None:
        given = request.headers.get("Authorization", "")
        if given != aiohttp.encode_basic_auth(self.sid, self.token):
            raise Refused(401, 20003, "Authenticate")

    def _fits(self, path: str, form: dict[str, Any]) -> None:
        """Check a form as the OpenAPI document has it; numbers are text in a form."""
        body = self.spec["paths"][path]["post"]["requestBody"]["content"]
        schema = body["application/x-www-form-urlencoded"]["schema"]
        kinds = {name: own.get("type") for name, own in schema["properties"].items()}
        unknown = form.keys() - kinds.keys()
        typed = {n: int(v) if kinds.get(n) == "integer" else v for n, v in form.items()}
        whole = schema | {"components": self.spec["components"]}
        wrong = [error.message for error in Draft202012Validator(whole).iter_errors(typed)]
        if unknown or wrong:
            raise Refused(400, 20001, f"unknown parameters {unknown}, {wrong}")

    async def listed(self, request: web.Request) -> web.Response:
        """Show text messages, the newest first."""
        self._let_in(request)
        to, size = request.query.get("To"), int(request.query.get("PageSize", 50))
        found = [text.shape(self.sid) for text in reversed(self.texts) if to in (None, text.to)]
        page = {"messages": found[:size], "page": 0, "page_size": size, "next_page_uri": None}
        return web.json_response(page | {"uri": request.path, "first_page_uri": request.path})

    async def owned(self, request: web.Request) -> web.Response:
        """Show our numbers."""
        self._let_in(request)
        wanted = request.query.get("PhoneNumber", "")
        found = [
            {
                "sid": "PN" + "0" * 32,
                "account_sid": self.sid,
                "phone_number": number,
                "sms_url": f"{hooks}/sms" if hooks else "",
                "sms_method": "POST",
                "voice_url": f"{hooks}/voice" if hooks else "",
                "capabilities": {"sms": True, "mms": False, "voice": True, "fax": False},
            }
            for number, hooks in self.numbers.items()
            if wanted in ("", number)
        ]
        page = {"incoming_phone_numbers": found, "page": 0, "page_size": 50}
        return web.json_response(page | {"next_page_uri": None, "uri": request.path})

    async def account(self, request: web.Request) -> web.Response:
        """Show the account."""
        self._let_in(request)
        return web.json_response({"sid": self.sid, "status": "active", "friendly_name": "Essai"})

    # --- what callers left ---

    async def recordings(self, request: web.Request) -> web.Response:
        """Show recordings, the newest first."""
        self._let_in(request)
        shapes = [
            {"sid": sid, "call_sid": one["call"], "status": one["status"], "source": one["source"]}
            for sid, one in reversed(self.left.items())
        ]
        page = {"recordings": shapes, "page": 0, "page_size": 50, "next_page_uri": None}
        return web.json_response(page | {"uri": request.path})

    async def recording(self, request: web.Request) -> web.Response:
        """Give a recording's sound."""
        self._let_in(request)
        return web.Response(body=self.left[request.match_info["sid"]]["sound"])

    async def forget(self, request: web.Request) -> web.Response:
        """Delete a recording."""
        self._let_in(request)
        self.left.pop(request.match_info["sid"])
        return web.Response(status=204)

    async def one_call(self, request: web.Request) -> web.Response:
        """Show a call."""
        self._let_in(request)
        sid = request.match_info["sid"]
        if dialled := self.dialled.get(sid):
            return web.json_response(dialled["shape"])
        one = next(one for one in self.left.values() if one["call"] == sid)
        return web.json_response({"sid": sid, "from": one["from"], "to": one["to"]})

    async def dial(self, request: web.Request) -> web.Response:
        """Call somebody: `takes` says of their number how the call ends, and the key they press."""
        self._let_in(request)
        form = dict(await request.post())
        self._fits(f"{ACCOUNT}/Calls.json", form)
        self._frown(self.moods.pop(0) if self.moods else "")
        if form["From"] not in self.numbers:
            raise Refused(400, 21210, "'From' phone number not verified")
        if code := BAD_TO.get(form["To"]):
            raise Refused(400, *code)
        sid = f"CA{uuid4().hex}"
        shape = {"sid": sid, "status": "queued", "to": form["To"], "from": form["From"]}
        self.dialled[sid] = {"shape": shape, "heard": [], "form": form}
        self._soon(self._talk(self.dialled[sid]))
        return web.json_response(shape, status=201)

    async def _talk(self, call: dict[str, Any]) -> None:
        shape = call["shape"]
        status, key = self.takes.get(shape["to"], ("completed", ""))
        shape["status"] = "ringing"
        await asyncio.sleep(0.05)
        shape["status"] = "in-progress" if status == "completed" else status
        if status != "completed":
            return
        plan = ET.fromstring(call["form"]["Twiml"])
        call["heard"] += [each.text or "" for each in plan.iter("Say")]
        asked = plan.find("Gather")
        if asked is not None and key:
            said = {"CallSid": shape["sid"], "AccountSid": self.sid, "Digits": key}
            said |= {"From": shape["from"], "To": shape["to"], "Direction": "outbound-api"}
            action = asked.get("action", "")
            at = action.replace(self.public, self.desk, 1) if self.public else ""
            _, body = await self.post(action, said, at)
            after = ET.fromstring(body) if body.startswith("<") else ET.Element("none")
            call["heard"] += [each.text or "" for each in after.iter("Say")]
        shape["status"] = "completed"

    def leave(self, from_: str, to: str, sound: bytes, **more: str) -> str:
        """Have a caller leave a recording; return its id."""
        sid = f"RE{uuid4().hex}"
        one = {"from": from_, "to": to, "sound": sound, "call": f"CA{uuid4().hex}"}
        self.left[sid] = one | {"status": "completed", "source": "RecordVerb"} | more
        return sid

    # --- what it does ----------------------------------------------------------------------

    def _soon(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._reporting.add(task)
        task.add_done_callback(self._reporting.discard)

    async def _report(self, text: Text) -> None:
        """Tell what becomes of a text: sent and delivered, or what `fate` says of its recipient."""
        for status, code in self.fate.get(text.to, (("sent", ""), ("delivered", ""))):
            text.status = status
            said = {"MessageSid": text.sid, "MessageStatus": status, "To": text.to}
            said |= {"From": text.from_, "AccountSid": self.sid, "ApiVersion": "2010-04-01"}
            await self.post(text.callback, said | ({"ErrorCode": code} if code else {}))

    async def text(self, from_: str, to: str, body: str, **more: str) -> int:
        """Have a customer write; return what the desk answered."""
        status, _ = await self.post(
            f"{self.numbers[to]}/sms", self.written(from_, to, body, **more)
        )
        return status

    def written(self, from_: str, to: str, body: str, **more: str) -> dict[str, str]:
        """Return a text message as Twilio posts it."""
        sid = more.pop("MessageSid", f"SM{uuid4().hex}")
        said = {"MessageSid": sid, "SmsSid": sid, "SmsMessageSid": sid, "AccountSid": self.sid}
        said |= {"From": from_, "To": to, "Body": body, "NumMedia": "0", "SmsStatus": "received"}
        return said | {"NumSegments": "1", "ApiVersion": "2010-04-01", "FromCountry": "FR"} | more

    def signed(self, url: str, form: dict[str, str]) -> dict[str, str]:
        """Return the headers with which Twilio posts a form."""
        if not self.signing_secret:
            return {"X-Twilio-Signature": RequestValidator(self.token).compute_signature(url, form)}
        made = RequestValidator(self.signing_secret).compute_signature(url, form, HMAC_SHA256)
        settings = "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256"
        return {"X-Twilio-Signature": made, "X-Twilio-Webhooks-Signature-Settings": settings}

    async def post(self, url: str, form: dict[str, str], at: str = "") -> tuple[int, str]:
        """Post a form to the desk (`at`: where it really listens), and return what it answers."""
        headers = self.signed(url, form) | {
            "Content-Type": "application/x-www-form-urlencoded; charset=utf-8"
        }
        async with aiohttp.ClientSession() as http:
            try:
                async with http.post(at or url, data=urlencode(form), headers=headers) as answer:
                    self.answers.append(answer.status)
                    return answer.status, await answer.text()
            except aiohttp.ClientError:
                self.answers.append(0)
                return 0, ""

    async def call(self, from_: str, to: str, says: Sequence[str]) -> list[str]:
        """Have a customer call and answer what is asked: a digit, words, or nothing.

        Returns what the caller heard. `hang up` ends the call there.
        """
        sid, heard, url = f"CA{uuid4().hex}", [], f"{self.numbers[to]}/voice"
        said = {"CallSid": sid, "From": from_, "To": to, "AccountSid": self.sid}
        said |= {"CallStatus": "in-progress", "Direction": "inbound", "ApiVersion": "2010-04-01"}
        answers, more = list(says), {}
        while url:
            status, body = await self.post(url, said | more)
            assert status == 200, (status, body)
            plan = ET.fromstring(body)
            heard += [each.text or "" for each in plan.iter("Say")]
            url, more = self._go_on(plan, answers)
        self.calls.append({"sid": sid, "heard": heard})
        done = said | {"CallStatus": "completed", "CallDuration": "42"}
        await self.post(f"{self.numbers[to]}/voice/status", done)
        return heard

    def _go_on(self, plan: ET.Element, answers: list[str]) -> tuple[str, dict[str, str]]:
        """Return where the call goes from here, and what the caller says there."""
        asked = plan.find("Gather")
        if asked is None:
            return "", {}
        answer = answers.pop(0) if answers else ""
        if answer == "hang up":
            return "", {}
        given: dict[str, str] = {}
        if re.fullmatch("[0-9*#]", answer) and "dtmf" in asked.get("input", "dtmf"):
            given = {"Digits": answer}
        elif answer and "speech" in asked.get("input", ""):
            words, _, sure = answer.partition("@")
            given = {"SpeechResult": words, "Confidence": sure or "0.91"}
        elif asked.get("actionOnEmptyResult") != "true":
            return "", {}
        return asked.get("action", ""), given


def application(twilio: Twilio) -> web.Application:
    """Return the server."""

    @web.middleware
    async def answering(request: web.Request, handler: Any) -> web.StreamResponse:
        twilio.at_once += 1
        twilio.most_at_once = max(twilio.most_at_once, twilio.at_once)
        try:
            answer: web.StreamResponse = await handler(request)
        except Refused as why:
            body = {"code": why.code, "message": str(why), "status": why.status}
            more = f"https://www.twilio.com/docs/errors/{why.code}"
            return web.json_response(
                body | {"more_info": more}, status=why.status, headers=why.headers
            )
        finally:
            twilio.at_once -= 1
        return answer

    async def write(request: web.Request) -> web.Response:
        given = await request.json()
        return web.json_response(
            {"desk": await twilio.text(given["from"], given["to"], given["body"])}
        )

    async def ring(request: web.Request) -> web.Response:
        given = await request.json()
        heard = await twilio.call(given["from"], given["to"], given.get("say", []))
        return web.Response(text="\n".join(heard) + "\n")

    async def ledger(request: web.Request) -> web.Response:
        return web.json_response([vars(text) for text in twilio.texts])

    app = web.Application(middlewares=[answering])
    base = f"/2010-04-01/Accounts/{twilio.sid}"
    app.router.add_post(f"{base}/Messages.json", twilio.create)
    app.router.add_get(f"{base}/Messages.json", twilio.listed)
    app.router.add_get(f"{base}/IncomingPhoneNumbers.json", twilio.owned)
    app.router.add_get(f"{base}.json", twilio.account)
    app.router.add_get(f"{base}/Recordings.json", twilio.recordings)
    app.router.add_get(f"{base}/Recordings/{{sid}}.wav", twilio.recording)
    app.router.add_delete(f"{base}/Recordings/{{sid}}.json", twilio.forget)
    app.router.add_get(f"{base}/Calls/{{sid}}.json", twilio.one_call)
    app.router.add_post(f"{base}/Calls.json", twilio.dial)
    app.router.add_post("/text", write)
    app.router.add_post("/call", ring)
    app.router.add_get("/ledger", ledger)
    return app


@asynccontextmanager
async def serving(twilio: Twilio, port: int = 0) -> AsyncIterator[str]:
    """Serve until the block ends; gives the base URL."""
    runner = web.AppRunner(application(twilio), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    host, taken = runner.addresses[0][:2]
    try:
        yield f"http://{host}:{taken}"
    finally:
        if twilio._reporting:
            await asyncio.wait(twilio._reporting, timeout=5)
        await runner.cleanup()


async def main() -> None:
    """Serve until stopped, and print each text as it is taken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8082)
    parser.add_argument("--desk", default="http://127.0.0.1:8080")
    parser.add_argument("--number", action="append", default=[])
    options = parser.parse_args()
    twilio = Twilio(options.number or ["+33937000001"], options.desk)
    async with serving(twilio, options.port) as url:
        print(f"{url}  sid {twilio.sid}  token {twilio.token}", flush=True)  # noqa: T201
        shown: Counter[str] = Counter()
        while True:
            await asyncio.sleep(0.2)
            for text in list(twilio.texts):
                state = f"{text.sid} {text.status}"
                if not shown[state]:
                    print(f"--- {text.from_} → {text.to} ({text.status})\n{text.body}", flush=True)  # noqa: T201
                shown[state] += 1


if __name__ == "__main__":
    asyncio.run(main())
