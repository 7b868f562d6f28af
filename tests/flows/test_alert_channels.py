"""Alarms by text, mail and call on a whole desk, and the same acknowledgement coming back."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import jwt
import pytest
import yaml
from pydantic import SecretStr
from sqlmodel import select

from astreinte.faces import face
from gateways import alert_calls
from gateways.http import listen, serving, url_of
from schemas.errors import Unavailable
from schemas.vocabulary import Change
from services.alert_doors import own_doors
from services.neighbours import Neighbours
from services.serve import running
from services.settings_channels import TwilioSettings
from services.settings_frigo import AlarmSettings, RosterSettings
from services.settings_mail import MailSettings, SmtpSettings
from services.settings_policy import PolicySettings
from storage.tables import Alert, Episode, Message
from tests.conftest import until
from tests.services.test_alarms import drafted
from tests.vendors.smtp import MailServer, mail_server
from tests.vendors.twilio import SID, TOKEN, Twilio
from tests.vendors.twilio import serving as vendor

OURS, LEA, PAUL = "+33937000001", "+33639981201", "+33639981202"
MAIL = "nadia@example.org"
SECRET = "s" * 32


class Desk:
    """A desk that tells of alarms, Twilio, and a mail server."""

    def __init__(self, near: Neighbours, twilio: Twilio, mails: MailServer) -> None:
        self.near, self.twilio, self.mails = near, twilio, mails

    async def tell(self, name: str, change: Change = Change.RAISED) -> None:
        """Have an alarm begin, or end."""
        now = datetime.now(UTC)
        more = {"event_id": uuid4(), "occurred_at": now, "measured_at": now, "since": now}
        said = {"title": f"{name} : fuite", "short_text": f"{name} : fuite.", "text": "Il fuit."}
        await self.near.teller.tell([drafted(name, change, **(more | said))], "test")

    async def rows(self, table: Any) -> list[Any]:
        """Return all rows of a table."""
        return list(await self.near.database.read(lambda s: s.exec(select(table)).all()))

    async def taken(self, name: str) -> tuple[str, datetime]:
        """Wait until somebody has taken an alarm on; return who, and when."""

        async def look() -> tuple[str, datetime] | None:
            rows = [row for row in await self.rows(Episode) if row.episode_id == name]
            return next(
                ((r.acknowledged_by, r.acknowledged_at) for r in rows if r.acknowledged_by), None
            )

        found: tuple[str, datetime] = await until(look)
        return found

    async def told(self, status: str, kind: str = "raised") -> list[Alert]:
        """Return the messages of a status."""
        return [row for row in await self.rows(Alert) if (row.status, row.kind) == (status, kind)]

    async def link(self) -> str:
        """Return the link of the newest mail."""
        await until(lambda: self.mails.taken)
        plain = self.mails.taken[-1].mail.get_body(("plain",))
        found = re.search(r"https?://\S+", plain.get_content() if plain else "")
        assert found
        return found[0]


@asynccontextmanager
async def made(near: Neighbours, folder: Path, **channels: Any) -> AsyncIterator[Desk]:
    listener = listen("127.0.0.1", 0)
    url = url_of(listener)
    twilio = Twilio([OURS], url)
    roster = folder / "roster.yaml"
    people = [
        {"name": "Léa", "channels": channels},
        {"name": "Paul", "language": "en", "channels": {"sms": PAUL}},
    ]
    roster.write_text(yaml.safe_dump({"people": people}), "utf-8")
    async with vendor(twilio) as api, mail_server() as mails:
        near.settings = near.settings.model_copy(
            update={
                "twilio": TwilioSettings(
                    sid=SID, token=SecretStr(TOKEN), url=api, public_url=url, numbers=OURS
                ),
                "mail": MailSettings(out="smtp", sender="Alarmes <alarmes@durand.example>"),
                "smtp": SmtpSettings(host="127.0.0.1", port=mails.port, tls="none"),
                "policy": PolicySettings(quiet="none", holidays="none"),
                "roster": RosterSettings(file=roster),
                "alarm": AlarmSettings(group_wait_s=0, url=url, secret=SecretStr(SECRET)),
            }
        )
        edge = serving(face(near, list, ["edge"]), listener)
        async with running(near, ["dispatch", "ingest"]), edge:
            yield Desk(near, twilio, mails)


@pytest.mark.usefixtures("quick")
async def test_ok_by_text_takes_the_alarm_on_and_is_no_customers_message(near, tmp_path):
    async with made(near, tmp_path, sms=LEA) as desk:
        await desk.twilio.text(LEA, OURS, "OK", MessageSid="SM0")  # of nothing: a customer's
        await desk.tell("cf-1")
        await until(lambda: desk.twilio.texts)
        assert desk.twilio.texts[0].body == "cf-1 : fuite. Répondez OK pour prendre en charge."
        await desk.twilio.text("+33639981209", OURS, "ok")  # a stranger: a customer's
        for _ in range(2):  # Twilio may hand it in twice
            assert await desk.twilio.text(LEA, OURS, " Ok ! ", MessageSid="SM1") == 200
        who, at = await desk.taken("cf-1")
        again = desk.twilio.written(LEA, OURS, "pris")
        _, said = await desk.twilio.post(f"{desk.twilio.numbers[OURS]}/sms", again)
        assert "C'est noté, vous vous en occupez : cf-1 : fuite</Message>" in said
        assert await desk.twilio.text(LEA, OURS, "ok", MessageSid="SM2") == 200
        await desk.tell("cf-1", Change.CLEARED)
        await until(lambda: len([t for t in desk.twilio.texts if t.body.startswith("Fin")]) == 1)
        await until(lambda: _messages(desk, 2))
        assert (who, (await desk.taken("cf-1"))[1]) == ("Léa", at)
        assert [text.to for text in desk.twilio.texts if "fuite" in text.body] == [LEA, LEA]


async def _messages(desk: Desk, count: int) -> bool:
    found = await desk.rows(Message)
    assert len(found) <= count
    return len(found) == count


@pytest.mark.usefixtures("quick")
async def test_a_link_asks_first_and_its_button_takes_the_alarm_on_once(near, tmp_path):
    async with made(near, tmp_path, email=MAIL) as desk, httpx.AsyncClient() as browser:
        await desk.tell("cf-2")
        link = await desk.link()
        for _ in range(3):  # whoever looks through mails opens links
            page = await browser.get(link)
        assert page.status_code == 200 and '<form method="post">' in page.text
        assert "Léa, prenez-vous en charge" in page.text
        assert not [row for row in await desk.rows(Episode) if row.acknowledged_by]
        for _ in range(2):
            assert "Merci Léa" in (await browser.post(link)).text
        assert (await desk.taken("cf-2"))[0] == "Léa"
        await desk.tell("cf-2", Change.CLEARED)
        await until(lambda: len(desk.mails.taken) == 2)
        first, end = (taken.mail for taken in desk.mails.taken)
        assert end["In-Reply-To"] == first["Message-ID"]
        assert end["Subject"] == "Fin : cf-2 : fuite"


@pytest.mark.usefixtures("quick")
async def test_a_link_that_is_forged_changed_or_old_takes_nothing_on(near, tmp_path):
    async with made(near, tmp_path, email=MAIL) as desk, httpx.AsyncClient() as browser:
        await desk.tell("cf-3")
        link = await desk.link()
        base, _, token = link.partition("?token=")
        claims = jwt.decode(token, options={"verify_signature": False})
        late = {"exp": datetime.now(UTC) - timedelta(seconds=1)}
        bad = [
            "",
            token[:-4] + "AAAA",
            jwt.encode(claims, "x" * 32, "HS256"),
            jwt.encode(claims | late, SECRET, "HS256"),
            jwt.encode(claims | {"aud": "chat"}, SECRET, "HS256"),
            jwt.encode(claims, "", "none"),
        ]
        for each in bad:
            for method in ("GET", "POST"):
                answer = await browser.request(method, base, params={"token": each})
                assert answer.status_code == 410, (each, answer.text)
        assert (await browser.get(link)).headers["Referrer-Policy"] == "no-referrer"
        assert not [row for row in await desk.rows(Episode) if row.acknowledged_by]


@pytest.mark.usefixtures("quick")
async def test_a_key_pressed_in_the_call_takes_the_alarm_on(near, tmp_path):
    async with made(near, tmp_path, call=LEA) as desk:
        desk.twilio.takes[LEA] = ("completed", "1")
        await desk.tell("cf-4")
        assert (await desk.taken("cf-4"))[0] == "Léa"
        [call] = desk.twilio.dialled.values()
        assert call["heard"][-1] == "Merci, c'est noté : vous vous en occupez. Au revoir."
        await until(lambda: desk.told("sent"))
        await desk.tell("cf-4", Change.CLEARED)
        await until(lambda: desk.told("sent", "cleared"))
        assert len(desk.twilio.dialled) == 1 and not desk.twilio.texts


@pytest.mark.usefixtures("quick")
async def test_another_key_or_a_forged_one_takes_nothing_on(near, tmp_path):
    async with made(near, tmp_path, call=LEA) as desk, httpx.AsyncClient() as browser:
        desk.twilio.takes[LEA] = ("completed", "5")
        await desk.tell("cf-5")
        await until(
            lambda: any("noté" in "".join(c["heard"]) for c in desk.twilio.dialled.values())
        )
        url = f"{desk.twilio.desk}/callbacks/twilio/alarm"
        about = {"episode": "cf-5", "unit": "unit-cf-5", "by": "Léa", "lang": "fr"}
        forged = await browser.post(
            url, params=about, data={"Digits": "1"}, headers={"X-Twilio-Signature": "AAAA"}
        )
        assert forged.status_code == 403
        assert not [row for row in await desk.rows(Episode) if row.acknowledged_by]


@pytest.mark.usefixtures("quick")
async def test_when_nobody_takes_the_call_the_next_one_is_told_at_once(near, tmp_path):
    async with made(near, tmp_path, call=LEA) as desk:
        desk.twilio.takes[LEA] = ("no-answer", "")
        await desk.tell("cf-6")
        [text] = await until(lambda: desk.twilio.texts)
        assert (text.to, text.body) == (PAUL, "cf-6 : fuite. Répondez OK pour prendre en charge.")
        [lost] = await desk.told("failed")
        assert "no-answer" in lost.last_error


async def test_a_roster_that_names_a_door_without_its_settings_stops_the_start(near, tmp_path):
    roster = tmp_path / "roster.yaml"
    roster.write_text(f"people: [{{name: A, channels: {{sms: '{LEA}', email: {MAIL}}}}}]", "utf-8")
    near.settings = near.settings.model_copy(update={"roster": RosterSettings(file=roster)})
    with pytest.raises(Unavailable, match="told by mail, which needs ASTREINTE_MAIL_OUT"):
        own_doors(near)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    made = alert_calls.CallDoor.__init__.__defaults__
    assert made == (1.5,)
    monkeypatch.setattr(alert_calls.CallDoor.__init__, "__defaults__", (0.05,))
