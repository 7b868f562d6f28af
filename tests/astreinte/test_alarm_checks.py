"""`astreinte channels check` on Telegram and on the ways by which alarms leave and come back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from fastapi import FastAPI
from pydantic import SecretStr

from astreinte.alarm_checks import alarms
from astreinte.telegram_checks import telegram
from gateways.hooks import presses_route
from gateways.http import listen, serving, url_of
from gateways.presses import Presses
from gateways.roster import Roster
from gateways.taking import Links, links
from gateways.telegram import TelegramDoor
from services.settings import Settings
from services.settings_frigo import AlarmSettings, RosterSettings, TelegramSettings
from tests.vendors.telegram import TOKEN, Telegram
from tests.vendors.telegram import serving as vendor

SECRET = "s" * 32


async def _never(_: object) -> None:
    raise AssertionError


def roster(folder: Path, **channels: Any) -> RosterSettings:
    file = folder / "roster.yaml"
    file.write_text(yaml.safe_dump({"people": [{"name": "Léa", "channels": channels}]}), "utf-8")
    return RosterSettings(file=file)


async def found(check: Any, **parts: Any) -> dict[str, tuple[bool, str]]:
    settings = Settings().model_copy(update=parts)
    return {each.what: (each.good, each.detail) async for each in check(settings)}


async def test_where_nothing_is_set_nothing_is_found():
    assert await found(telegram) == {} == await found(alarms)


async def test_a_bot_that_is_asked_is_let_in_and_posts_nowhere():
    async with vendor(Telegram()) as url:
        own = TelegramSettings(token=SecretStr(TOKEN), url=url, customers=True)
        told = await found(telegram, telegram=own)
        assert all(good for good, _ in told.values())
        assert "@astreinte_bot" in told["identifiants"][1]
        other = own.model_copy(update={"token": SecretStr("43:OTHER")})
        good, why = (await found(telegram, telegram=other))["identifiants"]
        assert not good and "ASTREINTE_TELEGRAM_TOKEN" in why


async def test_a_bot_that_posts_elsewhere_or_with_another_secret_is_found_out():
    server = Telegram()
    async with vendor(server) as url:
        door = TelegramDoor(TOKEN, url, 2.0)
        people = Roster.model_validate({"people": [{"name": "A", "channels": {"telegram": 1}}]})
        edge, socket = FastAPI(), listen("127.0.0.1", 0)
        edge.include_router(presses_route(Presses(door, people, _never), "right"))
        here = f"{url_of(socket)}/callbacks/telegram"
        own = TelegramSettings(token=SecretStr(TOKEN), url=url).model_copy(
            update={"callback_url": here, "secret": SecretStr("right")}
        )
        async with serving(edge, socket):
            told = await found(telegram, telegram=own)
            assert told["secret"][0] and not told["adresse"][0]
            server.hook = {"url": here}
            wrong = own.model_copy(update={"secret": SecretStr("wrong")})
            told = await found(telegram, telegram=wrong)
            assert told["adresse"][0] and not told["secret"][0]
        await door.close()


async def test_a_door_that_the_roster_names_and_the_settings_have_not_is_said(tmp_path: Path):
    people = roster(tmp_path, sms="+33639981201", telegram=7, email="a@example.org")
    told = await found(alarms, roster=people)
    assert {what for what, (good, _) in told.items() if not good} == {"mail", "sms", "telegram"}
    assert told["astreinte"][1] == "1 personne(s) : mail (1), sms (1), telegram (1)"
    broken = tmp_path / "broken.yaml"
    broken.write_text("people: []", "utf-8")
    told = await found(alarms, roster=RosterSettings(file=broken))
    assert not told["astreinte"][0]


async def test_the_link_of_a_mail_comes_back_to_an_edge_with_the_same_secret(tmp_path: Path):
    edge, socket = FastAPI(), listen("127.0.0.1", 0)
    url, people = url_of(socket), roster(tmp_path, email="a@example.org")
    edge.include_router(links(Links(url, SECRET), _never))
    async with serving(edge, socket):
        for secret, good in ((SECRET, True), ("t" * 32, False)):
            own = AlarmSettings(url=url, secret=SecretStr(secret))
            told = await found(alarms, roster=people, alarm=own)
            assert told["lien des courriels"][0] is good
    told = await found(alarms, roster=people, alarm=own)
    assert "ne répond pas" in told["lien des courriels"][1]
