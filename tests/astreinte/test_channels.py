"""`astreinte channels check`, against a desk's edge and a vendor that are really there."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import uvicorn
from fastapi import FastAPI
from typer.testing import CliRunner

from astreinte.cli import app
from gateways.http import listen
from gateways.sms import text_reports
from gateways.twilio_forms import SignedForms
from tests.vendors.twilio import TOKEN, Twilio, serving

OURS = "+33937000001"


async def _never(_: object) -> None:
    raise AssertionError


@dataclass
class There:
    """An edge that Twilio can reach, and Twilio."""

    public: str
    api: str
    twilio: Twilio


@pytest.fixture
def there() -> Iterator[There]:
    ready, loop = threading.Event(), asyncio.new_event_loop()
    found: list[There] = []
    stop = asyncio.Event()

    async def serve() -> None:
        with listen("127.0.0.1", 0) as socket:
            public = f"http://127.0.0.1:{socket.getsockname()[1]}"
            edge = FastAPI()
            edge.include_router(text_reports(SignedForms(public, TOKEN), _never))
            server = uvicorn.Server(uvicorn.Config(edge, log_level="error"))
            serving_edge = asyncio.create_task(server.serve(sockets=[socket]))
            twilio = Twilio([OURS], public)
            async with serving(twilio) as api:
                found.append(There(public, api, twilio))
                ready.set()
                await stop.wait()
            server.should_exit = True
            await serving_edge

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert ready.wait(10)
    yield found[0]
    loop.call_soon_threadsafe(stop.set)
    thread.join(10)


def checked(there: There, **changes: str) -> tuple[int, dict[str, tuple[bool, str]]]:
    given = {"SID": there.twilio.sid, "TOKEN": TOKEN, "URL": there.api, "PUBLIC_URL": there.public}
    env = {f"ASTREINTE_TWILIO_{k}": v for k, v in (given | {"NUMBERS": OURS} | changes).items()}
    shown = CliRunner().invoke(app, ["channels", "check", "--json"], env=env)
    found = json.loads(shown.output)
    return shown.exit_code, {each["what"]: (each["good"], each["detail"]) for each in found}


def test_a_whole_set_up_passes(there: There):
    status, found = checked(there)
    assert (status, all(good for good, _ in found.values())) == (0, True)
    assert found.keys() == {"réglages", "signature", "identifiants", OURS}


def test_a_token_that_is_not_the_edges_is_told_by_the_signature_and_by_the_account(there: There):
    status, found = checked(there, TOKEN="another")
    assert status == 1
    assert "répond 403 à notre signature" in found["signature"][1]
    assert not found["identifiants"][0]


def test_a_number_that_posts_elsewhere_or_is_anothers_is_told(there: There):
    there.twilio.numbers[OURS] = "https://old.example.com/hooks"
    status, found = checked(there, NUMBERS=f"{OURS},+33937000009")
    assert status == 1
    assert "https://old.example.com/hooks/sms" in found[OURS][1]
    assert found["+33937000009"] == (False, "pas un numéro de ce compte")


def test_without_a_vendor_there_is_nothing_to_check():
    shown = CliRunner().invoke(app, ["channels", "check"])
    assert shown.exit_code == 0
    assert "Aucun canal" in shown.output
