"""What `astreinte channels check` says of e-mail, against servers that are really there."""

from __future__ import annotations

from pathlib import Path

from pydantic import SecretStr

from astreinte.finding import Finding
from astreinte.mail_checks import mail_in, mail_out
from services.settings import Settings
from services.settings_mail import ImapSettings, MailSettings, SendGridSettings, SmtpSettings
from tests.vendors.sendgrid import KEY, Signer, sendgrid
from tests.vendors.smtp import mail_server


async def found(settings: Settings) -> dict[str, Finding]:
    return {
        each.what: each
        for check in (mail_in, mail_out)
        async for each in check(settings)
    }  # fmt: skip


def mail(out: str, **changes: object) -> MailSettings:
    fields = {"out": out, "sender": "a@b.example", "secret": SecretStr("s")}
    return MailSettings(**(fields | changes))  # type: ignore[arg-type]


async def test_nothing_is_said_of_what_is_not_set() -> None:
    assert await found(Settings()) == {}


async def test_a_mail_server_is_greeted_and_one_that_is_not_there_is_said() -> None:
    async with mail_server() as server:
        smtp = SmtpSettings(host="127.0.0.1", port=server.port, tls="none")
        settings = Settings(mail=mail("smtp"), smtp=smtp)
        whole = await found(settings)
    assert all(each.good for each in whole.values())
    assert whole["étiquette de réponse"].detail.startswith("a+c0123456789abcdef0123-")
    assert not (await found(settings))["serveur"].good


async def test_a_key_of_sendgrid_is_tried_and_a_wrong_one_said() -> None:
    async with sendgrid() as server:
        for key, good in ((KEY, True), ("SG.other", False)):
            grid = SendGridSettings(key=SecretStr(key), url=server.url, timeout_s=2)
            settings = Settings(mail=mail("sendgrid"), sendgrid=grid)
            assert (await found(settings))["clé"].good is good
    assert not (await found(settings))["clé"].good


async def test_an_address_that_leaves_no_room_for_a_tag_is_said() -> None:
    smtp = SmtpSettings(host="127.0.0.1", port=9, tls="none")
    settings = Settings(mail=mail("smtp", reply_to=f"{'a' * 50}@b.example"), smtp=smtp)
    assert not (await found(settings))["étiquette de réponse"].good


async def test_public_keys_folders_and_the_mailbox_are_looked_at(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("a file")
    imap = ImapSettings(
        host="127.0.0.1", port=9, user="a", password=SecretStr("b"), tls="none", timeout_s=1
    )
    folders = MailSettings(spool=tmp_path / "spool", files=tmp_path / "new" / "files")
    for key, good in ((Signer().public, True), ("no key", False)):
        grid = SendGridSettings(inbound_key=key)
        what = await found(Settings(mail=folders, sendgrid=grid, imap=imap))
        assert what["signature"].good is good
    assert not what["boîte"].good
    assert what["dossier"].good
    assert what["dossier"].detail.endswith("accessible en écriture")
