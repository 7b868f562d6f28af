"""E-mail is set whole, or a sentence says what is missing."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from services.settings import Settings, unfit

WHOLE = {
    "ASTREINTE_MAIL_OUT": "smtp",
    "ASTREINTE_MAIL_SENDER": "Dépannage <Aide@desk.example>",
    "ASTREINTE_SMTP_HOST": "mail.example",
    "ASTREINTE_IMAP_HOST": "mail.example",
    "ASTREINTE_IMAP_USER": "aide",
    "ASTREINTE_IMAP_PASSWORD": "secret",
}


def told(monkeypatch: pytest.MonkeyPatch, **changes: str) -> Settings:
    for name, value in (WHOLE | changes).items():
        monkeypatch.setenv(name, value)
    return Settings()


def test_a_whole_set_up_is_taken(monkeypatch: pytest.MonkeyPatch):
    found = told(monkeypatch, ASTREINTE_MAIL_OWN="Contact@desk.example, info@desk.example")
    assert (found.mail.address, found.mail.domain) == ("Aide@desk.example", "desk.example")
    assert found.mail.ours == ("aide@desk.example", "contact@desk.example", "info@desk.example")
    assert (found.smtp.port, found.smtp.tls, found.imap.port, found.imap.tls) == (
        *(587, "starttls"),
        *(993, "tls"),
    )


def test_without_a_door_of_their_own_mails_have_no_ids_of_ours(monkeypatch: pytest.MonkeyPatch):
    assert told(monkeypatch, ASTREINTE_MAIL_OUT="").mail.domain == ""


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"ASTREINTE_MAIL_SENDER": ""}, "ASTREINTE_MAIL_OUT=smtp needs ASTREINTE_MAIL_SENDER"),
        ({"ASTREINTE_SMTP_HOST": ""}, "ASTREINTE_MAIL_OUT=smtp needs ASTREINTE_SMTP_HOST"),
        ({"ASTREINTE_MAIL_OUT": "sendgrid"}, "needs ASTREINTE_SENDGRID_KEY"),
        ({"ASTREINTE_MAIL_OUT": "pigeon"}, "ASTREINTE_MAIL_OUT: Input should be"),
        ({"ASTREINTE_MAIL_SENDER": "Support"}, "MAIL_SENDER holds no e-mail address"),
        ({"ASTREINTE_MAIL_SENDER": "a@b.fr\nBcc: c@d.fr"}, "MAIL_SENDER holds no e-mail address"),
        ({"ASTREINTE_MAIL_REPLY_TO": "A <a@b.fr>"}, "MAIL_REPLY_TO holds no e-mail address"),
        ({"ASTREINTE_MAIL_OWN": "info"}, "'info' is no e-mail address"),
        ({"ASTREINTE_SMTP_USER": "a"}, "_SMTP_USER and ASTREINTE_SMTP_PASSWORD belong together"),
        ({"ASTREINTE_IMAP_HOST": ""}, "ASTREINTE_IMAP_USER without ASTREINTE_IMAP_HOST"),
        ({"ASTREINTE_IMAP_PASSWORD": ""}, "needs ASTREINTE_IMAP_USER and _PASSWORD or _TOKEN"),
        ({"ASTREINTE_IMAP_TOKEN": "t"}, "one of the two"),
    ],
)
def test_half_a_set_up_is_refused_with_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, str], sentence: str
):
    with pytest.raises(ValidationError) as raised:
        told(monkeypatch, **changes)
    said = unfit(raised.value)
    assert sentence in said
    assert "secret" not in said
